/** Statements about rows changed by hand. The triggers that note the changes are in the migrations. */
import type { SqlFeature, Statement } from '../../base/sql-statement.ts';
import { ORIGIN_OUTSIDE } from '../../core/record.ts';
import { FENCE, IN_LIFE, LIFE, msOf } from './statements.ts';

/** For `e` and `r` of the same key: no other write has replaced the row since. */
const STANDS = `(r.version = e.base and (r.edited_on = e.base or e.is_chained))`;

/** What statements need that change these notes only in the life in force. */
const FENCED_FEATURES: readonly SqlFeature[] = [
  'array parameters',
  'data-modifying CTE',
  'empty select list',
  'fence by the lock of a writer',
  'multi-argument unnest',
  'server settings',
];

/** At most $2 changes and, beyond the first one, about $4 bytes. */
export const READ_EDITS: Statement = {
  name: 'causeway_read_edits',
  writes: false,
  features: ['empty select list', 'window frame'],
  text: `select id, key, base, on_value, stands, deleted, value, content_type, expires_ms, noted_ms from (
  select page.*, sum(coalesce(octet_length(value), 0)) over (order by id rows between unbounded preceding and 1 preceding) as bytes_before
  from (
    select e.id, e.key, e.base, e.on_value, e.deleted, e.value, e.content_type, e.noted_ms,
      case when e.expires_at is not null then ${msOf('e.expires_at')} end as expires_ms, coalesce(${STANDS}, false) as stands
    from causeway.outside_edit e left join causeway.record r on r.key = e.key
    where e.id > $1::int8
      and ($3::int8 = 0 or e.noted_ms <= (extract(epoch from clock_timestamp()) * 1000)::bigint - $3::int8)
      and not exists (select from causeway.outside_edit f where f.key = e.key and f.id < e.id)
    order by e.id limit $2::int4
  ) page
) bounded where bytes_before is null or bytes_before < $4::int8 order by id`,
};

export const STAMP_EDITS: Statement = {
  name: null,
  writes: true,
  features: FENCED_FEATURES,
  text: `${FENCE},
stamped as (
  update causeway.outside_edit e set noted_ms = $4
  from unnest($2::int8[], $3::int8[]) as t(id, noted_ms), causeway.record r
  where e.id = t.id and e.noted_ms = t.noted_ms and r.key = e.key and ${STANDS} and ${IN_LIFE}
)
select ${LIFE} from causeway.cluster`,
};

/** True for `e` if `r`, of the same key, is what it showed, or was written under its operation id. */
const FOUND = `r.version > e.base and r.edited_on is distinct from r.version and (
    substring(r.operation_id from 7) = '\\x0000'::bytea || int8send(e.id)
    or r.origin = ${ORIGIN_OUTSIDE} and r.deleted = e.deleted and r.value is not distinct from e.value
      and (r.content_type is null or r.content_type = e.content_type)
      and date_trunc('milliseconds', r.expires_at) is not distinct from date_trunc('milliseconds', e.expires_at)
  )`;

/**
 * Sent once a change is committed to its row, or has come to nothing. It sees everything that was noted for the key
 * until the commit, because whoever changes the row by hand takes the same row lock. Returns the life, and the ids and
 * versions of changes in $8 that are found in their rows.
 */
export const SETTLE_EDITS: Statement = {
  name: null,
  writes: true,
  features: [...FENCED_FEATURES, 'aggregate into JSON', 'bytea'],
  text: `${FENCE},
found as (
  select e.id, e.key, e.base, r.version, not e.deleted as on_value
  from causeway.outside_edit e join causeway.record r on r.key = e.key
  where e.id = any($8::int8[]) and ${FOUND}
),
settled as (
  delete from causeway.outside_edit where id = any($2::int8[]) and ${IN_LIFE}
),
chained as (
  update causeway.outside_edit e set base = t.version, on_value = t.on_value, is_chained = true
  from (
    select * from unnest($3::int8[], $4::text[], $5::int8[], $6::int8[], $7::bool[]) as w(id, key, base, version, on_value)
    union all select * from found
  ) t
  where e.key = t.key and e.base = t.base and e.id > t.id and ${IN_LIFE}
)
select ${LIFE}, (select json_agg(json_build_array(id, version)) from found) from causeway.cluster`,
};
