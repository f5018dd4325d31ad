/**
 * The statements with which `adopt.ts` adopts the first system's table. That table is not ours, so it is inspected
 * before anything is changed.
 */
import { unprepared, type Statement } from '../../base/sql-statement.ts';
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from '../../core/limits.ts';
import { ORIGIN_OUTSIDE } from '../../core/record.ts';
import { NODE_ID_OUTSIDE, makeVersion } from '../../core/version.ts';

/** An arbitrary number that no other user of the database should lock: "causeway", squeezed into 31 bits. */
const ADOPTION_LOCK = 1_667_331_701;
const OFFENDERS_SHOWN = 5;
export const IMPORTED_VERSION = makeVersion(1, NODE_ID_OUTSIDE);

/** Held until the connection ends. */
export const TAKE_LOCK = unprepared(`select pg_try_advisory_lock(${ADOPTION_LOCK})`, ['advisory lock']);

/** A warning here does not matter: the next start goes by what is committed. */
export const COMMIT_IMPORT = unprepared('commit');

export const LOCK_TABLE = unprepared('lock table public.kv_store in access exclusive mode', ['lock table']);

export const RENAME_TABLE = unprepared('alter table public.kv_store rename to kv_store_before_causeway');

export const FIND_BACKUP = unprepared(`select to_regclass('public.kv_store_before_causeway') is not null`, [
  'system catalogue',
]);

export const LARGEST_VALUE = unprepared(
  'select coalesce(max(octet_length(value)), 0)::int4 from public.kv_store',
);

/**
 * What `public.kv_store` is, and whether it reads `causeway.live`. The text of its definition would not tell: the server
 * leaves the schema out of a name wherever the search path leads to it, as it does for a user named like our schema.
 */
export const RELATION = unprepared(
  `select c.relkind::text, exists (
  select 1 from pg_rewrite w
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass
    join pg_class l on l.oid = d.refobjid join pg_namespace s on s.oid = l.relnamespace
  where w.ev_class = c.oid and s.nspname = 'causeway' and l.relname = 'live')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relname = 'kv_store'`,
  ['system catalogue'],
);

export const COLUMNS = unprepared(
  `select attname::text, format_type(atttypid, null) from pg_attribute
where attrelid = 'public.kv_store'::regclass and attnum > 0 and not attisdropped order by attnum`,
  ['system catalogue'],
);

/** Why a row cannot be imported, or null. A text in PostgreSQL cannot contain NUL, so that needs no check. */
const FAULT = `case
  when k.key is null then 'no key'
  when k.key = '' then 'empty key'
  when octet_length(k.key) > ${KEY_BYTES_MAX} then 'key of ' || octet_length(k.key) || ' bytes'
  when k.value is null then 'no value'
  when octet_length(k.value) > ${VALUE_BYTES_MAX} then 'value of ' || octet_length(k.value) || ' bytes'
end`;

export const OFFENDERS =
  unprepared(`(select left(k.key, 60)::text, ${FAULT} from public.kv_store k where ${FAULT} is not null limit ${OFFENDERS_SHOWN})
union all
(select left(k.key, 60)::text, 'stands ' || count(*) || ' times' from public.kv_store k group by k.key having count(*) > 1
  limit ${OFFENDERS_SHOWN})`);

/** A timestamp that is null or infinite is replaced by the time of the adoption. */
const SOURCE = `select k.key::text, k.value,
  least(floor(extract(epoch from case when isfinite(k.created_at) then k.created_at::timestamptz else now() end) * 1000)::bigint,
    ${Number.MAX_SAFE_INTEGER}::int8),
  ${FAULT}
from public.kv_store k left join causeway.record r on r.key = k.key::text collate "C"`;

const MISSING = `${SOURCE} where r.key is null`;

const CURSOR = 'declare causeway_adoption no scroll cursor for';

export const OPEN_MISSING_ROWS = unprepared(`${CURSOR} ${MISSING}`, ['collation C', 'cursor']);

export const OPEN_MISSING_OR_CHANGED_ROWS = unprepared(
  `${CURSOR} ${MISSING}
or (r.version = ${IMPORTED_VERSION} and r.origin = ${ORIGIN_OUTSIDE} and r.value is distinct from k.value)`,
  ['collation C', 'cursor'],
);

export function fetchRows(rowCount: number): Statement {
  return unprepared(`fetch ${rowCount} from causeway_adoption`, ['cursor']);
}

export const CLOSE_ROWS = unprepared('close causeway_adoption', ['cursor']);

/** Replaces only what an earlier, interrupted adoption imported, and never re-creates a row that was removed. (R24) */
export const IMPORT = unprepared(
  `insert into causeway.record as r
  (key, slot, value, version, origin, created_at, updated_at, expires_at, deleted, checksum, operation_id, content_type)
select t.* from unnest($1::text[], $2::int4[], $3::bytea[], $4::int8[], $5::int2[], $6::timestamptz[],
    $7::timestamptz[], $8::timestamptz[], $9::bool[], $10::int8[], $11::bytea[], $12::text[])
  as t(key, slot, value, version, origin, created_at, updated_at, expires_at, deleted, checksum, operation_id, content_type)
where t.version > coalesce((select f.version from causeway.slot_floor f where f.slot = t.slot), -1)
on conflict (key) do update set
  value = excluded.value, created_at = excluded.created_at, updated_at = excluded.updated_at, checksum = excluded.checksum
where r.version = excluded.version and r.origin = excluded.origin`,
  [
    'array parameters',
    'bytea',
    'multi-argument unnest',
    'on conflict do update where',
    'subquery in an insert',
  ],
);

export const CREATE_VIEW = unprepared(
  `create view public.kv_store as
select key, value, created_at, updated_at, expires_at, version from causeway.live`,
  ['view'],
);
