/**
 * Every statement that a running node sends, each prepared once per connection under its name. Columns are returned in
 * the order in which `record-rows.ts` reads them.
 */

import type { SqlFeature, Statement } from '../../base/sql-statement.ts';

/**
 * Milliseconds since 1970. A time after the year 287396, which no number here holds exactly, can only have been written
 * from outside, and would make the whole statement fail: it is read as the latest one that is held.
 */
export function msOf(column: string): string {
  return `least((extract(epoch from ${column}) * 1000)::bigint, ${Number.MAX_SAFE_INTEGER}::int8)`;
}

/**
 * The same goes for an infinite time. As an expiry it is read as "never"; as a time of creation or update it makes the
 * row fail its checksum.
 */
export const ROW_COLUMNS = `key, slot, value, version, origin,
  case when isfinite(created_at) then ${msOf('created_at')} else 0 end as created_ms,
  case when isfinite(updated_at) then ${msOf('updated_at')} else 0 end as updated_ms,
  case when isfinite(expires_at) then ${msOf('expires_at')} end as expires_ms,
  deleted, checksum, operation_id, content_type, coalesce(edited_on = version, false)`;

export const COLUMNS = `key, slot, value, version, origin, created_at, updated_at, expires_at, deleted, checksum, operation_id,
  content_type`;
/** If no row has a content type, the array is omitted altogether and nothing is sent. */
export const COLUMNS_UNNESTED = `$2::text[], $3::int4[], $4::bytea[], $5::int8[], $6::int2[], $7::timestamptz[],
    $8::timestamptz[], $9::timestamptz[], $10::bool[], $11::int8[], $12::bytea[], $13::text[]`;
/** With the lowest version that each row's writer knew to be above the floor of its slot. */
export const COLUMNS_UNNESTED_PAST = `${COLUMNS_UNNESTED}, $14::int8[]`;

const IF_HIGHER = `on conflict (key) do update set
    value = excluded.value, version = excluded.version, origin = excluded.origin,
    created_at = excluded.created_at, updated_at = excluded.updated_at, expires_at = excluded.expires_at,
    deleted = excluded.deleted, checksum = excluded.checksum, operation_id = excluded.operation_id,
    content_type = excluded.content_type
  where r.version < excluded.version`;

/**
 * Changes nothing, but takes a writer's table lock, which `LOCK_FOUNDING` waits for. So no statement of an earlier life
 * is still running once a founding has begun, and a statement that waited takes its snapshot after the founding and
 * finds another life. A row lock instead would cost a disk write for every statement. (R27)
 */
export const FENCE = `with fence as (update causeway.cluster set life = life where false)`;
/**
 * The life in force; or 0, which no life has, if the session acknowledges commits before they are durable. That setting
 * can change while a connection is open, and then nothing is written.
 */
export const LIFE = `case when current_setting('synchronous_commit') = 'off' then 0 else life end`;
export const IN_LIFE = `exists (select from causeway.cluster where ${LIFE} = $1)`;

/** How a statement is bound to one life of the cluster: its parts differ between PostgreSQL and its relatives. */
export interface LifeFence {
  /** What the statement begins with: the common table expression `fence`. */
  readonly begin: string;
  /** Whether the life in force is $1. */
  readonly holds: string;
  /** The life in force. */
  readonly life: string;
  /** The highest floor of all slots. */
  readonly floor: string;
}

/** For PostgreSQL itself. */
export const TABLE_LOCK: LifeFence = {
  begin: FENCE,
  holds: IN_LIFE,
  life: `(select ${LIFE} from causeway.cluster)`,
  floor: '(select floor from causeway.cluster)',
};

/**
 * One transaction: each row is written if its version is higher than the stored one. Returns the life in force, the
 * number of rows written and, only if some were not, the keys of those that were. A row that was not written says
 * nothing about the stored one: this statement's snapshot is older than the row that prevented the write, so a separate
 * statement reads it. (R6)
 *
 * A row at or below its slot's floor is written only if its writer knew that floor. A version above the highest of all
 * floors needs no lookup of its own, which would cost a tenth of the insertion. The lookup is row by row, by the
 * primary key: as a join it could be planned as a scan over all floors. (R24)
 */
export function commitText(fence: LifeFence, arrays: string, columns: string, past: string): string {
  return `${fence.begin},
written as (
  insert into causeway.record as r (${COLUMNS})
  select ${COLUMNS} from unnest(${arrays}) as t(${columns})
  where ${fence.holds} and (
    ${past} > ${fence.floor}
    or ${past} > coalesce((select f.version from causeway.slot_floor f where f.slot = t.slot), -1)
  )
  ${IF_HIGHER}
  returning r.key
)
select ${fence.life}, count(*),
  case when count(*) < array_length($2::text[], 1) then array_to_json(array_agg(key)) end
from written`;
}

const COMMIT_FEATURES: readonly SqlFeature[] = [
  'aggregate into JSON',
  'array parameters',
  'bytea',
  'data-modifying CTE',
  'empty select list',
  'fence by the lock of a writer',
  'multi-argument unnest',
  'on conflict do update where',
  'server settings',
  'subquery in an insert',
];

export const COMMIT: Statement = {
  name: 'causeway_commit',
  writes: true,
  features: COMMIT_FEATURES,
  text: commitText(TABLE_LOCK, COLUMNS_UNNESTED, COLUMNS, 't.version'),
};

/** What is compared with the floors where the writer knew of one. */
export const PAST = 'greatest(t.version, t.past)';

/** Like `COMMIT`, with the lowest version that each row's writer knew to be above the floor of its slot. */
export const COMMIT_PAST: Statement = {
  name: 'causeway_commit_past',
  writes: true,
  features: COMMIT_FEATURES,
  text: commitText(TABLE_LOCK, COLUMNS_UNNESTED_PAST, `${COLUMNS}, past`, PAST),
};

/** Takes a writer's locks on its tables, and changes nothing. */
export const TAKE_TABLES: Statement = {
  name: null,
  writes: false,
  features: ['data-modifying CTE', 'fence by the lock of a writer'],
  text: `${FENCE}, floors as (update causeway.slot_floor set turn = turn where false)
update causeway.record set slot = slot where false`,
};

/**
 * A write like any other as far as the server is concerned, which changes no row: it takes a writer's locks, and its
 * commit waits until the log, which it adds an empty message to, is on disk and at the synchronous standbys.
 */
export const TRY_WRITING: Statement = {
  name: null,
  writes: true,
  features: ['data-modifying CTE', 'fence by the lock of a writer', 'pg_logical_emit_message'],
  text: `${FENCE}, rows as (update causeway.record set slot = slot where false)
select pg_logical_emit_message(true, 'causeway', '')`,
};

/**
 * The rows of these keys that somebody has locked so that a writer would wait. This statement waits for nobody, and
 * keeps the locks that it takes for the check until it ends. It does not see rows that were inserted but not committed.
 */
export const FIND_HELD: Statement = {
  name: null,
  writes: false,
  features: ['array parameters', 'for update skip locked'],
  text: `with free as (
  select key from causeway.record where key = any($1::text[]) for no key update skip locked
)
select key from causeway.record where key = any($1::text[]) and key not in (select key from free)`,
};

/** What is stored for keys that a statement did not write, and the floors of their slots. */
export const STANDING: Statement = {
  name: 'causeway_standing',
  writes: false,
  features: ['array parameters', 'multi-argument unnest'],
  text: `select t.key, r.version, r.checksum, f.version
from unnest($1::text[], $2::int4[]) as t(key, slot)
left join causeway.record r on r.key = t.key left join causeway.slot_floor f on f.slot = t.slot`,
};

export const READ_FLOORS: Statement = {
  name: null,
  writes: false,
  features: ['array parameters'],
  text: 'select slot, version, turn from causeway.slot_floor where slot = any($1::int4[])',
};

/** The slots whose floor was raised: each only if nobody else has raised it since its turn was read. */
export function raisedText({ holds }: LifeFence): string {
  return `raised as (
  insert into causeway.slot_floor as f (slot, version, raised_at, turn)
  select t.slot, t.version, clock_timestamp(), t.turn + 1
  from unnest($2::int4[], $3::int8[], $5::int8[]) as t(slot, version, turn)
  where ${holds}
  on conflict (slot) do update set
    version = greatest(f.version, excluded.version),
    raised_at = case when f.version < excluded.version then excluded.raised_at else f.raised_at end,
    turn = excluded.turn
  where f.turn = excluded.turn - 1
  returning f.slot
)`;
}

/** In the order of the slots as given, which insertion follows, so two of these do not deadlock. */
export const RAISE_FLOORS: Statement = {
  name: null,
  writes: true,
  features: [
    'array parameters',
    'data-modifying CTE',
    'empty select list',
    'fence by the lock of a writer',
    'multi-argument unnest',
    'on conflict do update where',
    'server settings',
    'subquery in an insert',
    'table changed twice',
  ],
  text: `${FENCE},
${raisedText(TABLE_LOCK)},
highest as (
  update causeway.cluster set floor = $4 where ${LIFE} = $1 and floor < $4
)
select ${LIFE} from causeway.cluster`,
};

/** `locking`: what the selection of the rows ends with. */
export function removeText(fence: LifeFence, locking: string): string {
  return `${fence.begin},
doomed as (
  select r.key, r.version from unnest($2::text[], $3::int8[], $4::bool[]) as t(key, version, deleted)
  join causeway.record r on r.key = t.key and r.version = t.version and r.deleted = t.deleted
  join causeway.slot_floor f on f.slot = r.slot and f.version >= r.version
    and f.raised_at <= clock_timestamp() - $5::int4 * interval '1 millisecond'
  where ${fence.holds}
  ${locking}
),
removed as (
  delete from causeway.record as r using doomed as d where r.key = d.key and r.version = d.version returning r.key
)
select ${fence.life}, array_to_json(array_agg(key)) from removed`;
}

/**
 * Skips rows that somebody is writing at this moment, so that this statement never waits, and no writer waits for
 * another one because of it. Returns the life in force and the keys of the removed rows.
 */
export const REMOVE_ROWS: Statement = {
  name: null,
  writes: true,
  features: [
    'aggregate into JSON',
    'array parameters',
    'data-modifying CTE',
    'delete using',
    'empty select list',
    'fence by the lock of a writer',
    'for update skip locked',
    'multi-argument unnest',
    'server settings',
  ],
  text: removeText(TABLE_LOCK, 'for update of r skip locked'),
};

export const READ: Statement = {
  name: 'causeway_read',
  writes: false,
  features: ['array parameters'],
  text: `select ${ROW_COLUMNS} from causeway.record where key = any($1::text[])`,
};

/**
 * The chosen rows, each with the total bytes of the rows before it. `bytesBefore` limits a page, because one of large
 * values must fit into the heap. Only the rows that remain are read in full.
 */
export function pageText(chosen: string, order: string): string {
  return `(
  select page.*, sum(octet_length(key) + coalesce(octet_length(value), 0))
    over (order by ${order} rows between unbounded preceding and 1 preceding) as bytes_before
  from (${chosen}) page
) bounded where bytes_before is null or bytes_before < $4::int8 order by ${order}`;
}

/** At most $3 rows and, beyond the first one, about $4 bytes. */
export const SCAN: Statement = {
  name: 'causeway_scan',
  writes: false,
  features: ['row comparison', 'window frame'],
  text: `select ${ROW_COLUMNS} from ${pageText(
    'select * from causeway.record where (slot, key) > ($1::int4, $2::text) order by slot, key limit $3::int4',
    'slot, key',
  )}`,
};

/** For a row changed by hand: whether the version that it was changed from was a deletion. */
export const IS_DELETED = 'case when edited_on = version then not edited_value else deleted end';

/**
 * The rows of one slot by the index on (slot, key), columns that no update ever changes. For a row changed by hand it
 * returns the version that it was changed from; a row inserted by hand has no version until the cluster has written it.
 */
export const VERSIONS: Statement = {
  name: 'causeway_versions',
  writes: false,
  features: [],
  text: `select key, version, checksum, ${IS_DELETED}
from causeway.record where slot = $1::int4 and key > $2::text and version > 0 order by key limit $3::int4`,
};

/** Scans the whole table if it has rows: an index on version would rule out heap-only updates. */
export const READ_FOUNDING: Statement = {
  name: null,
  writes: false,
  features: [],
  text: `select (select cluster_id from causeway.cluster), (select life from causeway.cluster), max(version),
  (select floor from causeway.cluster)
from causeway.record`,
};

export const LOCK_FOUNDING: Statement = {
  name: null,
  writes: false,
  features: ['lock table'],
  text: 'lock table causeway.cluster in share row exclusive mode',
};

export const FOUND_FIRST: Statement = {
  name: null,
  writes: true,
  features: ['on conflict do nothing'],
  text: `insert into causeway.cluster (id, cluster_id, life, identity) values (1, $1, 1, $2)
on conflict (id) do nothing`,
};

export const FOUND_NEXT: Statement = {
  name: null,
  writes: true,
  features: [],
  text: `update causeway.cluster set cluster_id = $1, identity = $2, life = life + 1, founded_at = now()
where life = $3`,
};

/** The highest floor of all, computed anew: without it the floors of slots would never be looked up. */
const FLOOR_HIGHEST = 'coalesce((select max(version) from causeway.slot_floor), 0)';

export const CLAIM_FIRST: Statement = {
  name: null,
  writes: true,
  features: ['on conflict do nothing', 'subquery in an insert'],
  text: `insert into causeway.cluster (id, cluster_id, life, identity, floor)
values (1, $1, $2, $3, ${FLOOR_HIGHEST}) on conflict (id) do nothing`,
};

export const CLAIM_NEXT: Statement = {
  name: null,
  writes: true,
  features: [],
  text: `update causeway.cluster set cluster_id = $1, life = $2, identity = $3, floor = ${FLOOR_HIGHEST}, founded_at = now()
where cluster_id = $4 and life = $5 and life <= $2`,
};

export const READ_CLUSTER: Statement = {
  name: null,
  writes: false,
  features: [],
  text: 'select cluster_id, life, identity from causeway.cluster',
};

export const PROBE: Statement = {
  name: 'causeway_probe',
  writes: false,
  features: ['pg_is_in_recovery', 'server settings'],
  text: `select pg_is_in_recovery(), current_setting('transaction_read_only'), current_setting('synchronous_commit') = 'off'`,
};
