/** Statements about the life in force and the members that are up in it; every node sends them every few seconds. */
import type { Statement } from '../../base/sql-statement.ts';
import { LIVES_BEFORE_MAX } from '../../core/lives/life-limits.ts';

/** Signs of another life than the one in force do not count; its founding counts as its first sign of life. */
export const READ_LIFE: Statement = {
  name: 'causeway_life',
  writes: false,
  features: [],
  text: `select c.cluster_id, c.life, s.members,
  round(extract(epoch from clock_timestamp() - coalesce(s.signed_at, c.founded_at)) * 1000)::bigint,
  round(extract(epoch from coalesce(s.signed_at, c.founded_at)) * 1000)::bigint,
  (select string_agg(b.cluster_id, ' ') from causeway.life_before b where b.life < c.life)
from causeway.cluster c left join causeway.life_sign s on s.cluster_id = c.cluster_id and s.life = c.life`,
};

/** Needs no fence: a late sign of an earlier life never overwrites that of a later one, so it does no harm. */
export const SIGN_LIFE: Statement = {
  name: 'causeway_life_sign',
  writes: true,
  features: [],
  text: `update causeway.life_sign set cluster_id = $1, life = $2::int4, members = $3, signed_at = clock_timestamp()
where life <= $2::int4 and exists (select 1 from causeway.cluster where cluster_id = $1 and life = $2::int4)`,
};

/**
 * Before a founding replaces life $1 (0: none). Removes notes of other lives, left behind when a founding was deleted
 * by hand.
 */
export const FORGET_LIVES: Statement = {
  name: null,
  writes: true,
  features: [],
  text: `delete from causeway.life_before where (life >= $1::int4 or life < $1::int4 - ${LIVES_BEFORE_MAX - 1})
and coalesce((select life from causeway.cluster), 0) = $1::int4`,
};

/** Before a founding replaces another one by hand. $2: earlier notes may stay, because they are of the same cluster. */
export const FORGET_LIVES_OF_OTHERS: Statement = {
  name: null,
  writes: true,
  features: [],
  text: 'delete from causeway.life_before where life >= $1::int4 or not $2::boolean',
};

export const NOTE_LIVES_BEFORE: Statement = {
  name: null,
  writes: true,
  features: [
    'array parameters',
    'multi-argument unnest',
    'on conflict do update where',
    'subquery in an insert',
  ],
  text: `insert into causeway.life_before as b (life, cluster_id)
select life, cluster_id from unnest($1::int4[], $2::text[]) as t(life, cluster_id)
on conflict (life) do update set cluster_id = excluded.cluster_id where b.cluster_id <> excluded.cluster_id`,
};

export const NOTE_LIFE_BEFORE: Statement = {
  name: null,
  writes: true,
  features: ['on conflict do nothing', 'subquery in an insert'],
  text: `insert into causeway.life_before (life, cluster_id)
select life, cluster_id from causeway.cluster where life = $1::int4 on conflict (life) do nothing`,
};
