/** Which life of the cluster is in force, and the note of who is up in it: asked by every node every few seconds. */
import type { Statement } from '../../base/sql-statement.ts';
import { LIVES_BEFORE_MAX } from '../../core/life-limits.ts';

/** What was noted in another life than the one in force says nothing; that this one was founded is the first sign of it. */
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

/**
 * Needs no fence: what a statement of an earlier life notes late counts for nobody, and stands in nobody's way, for it never
 * takes the place of what a later one has noted.
 */
export const SIGN_LIFE: Statement = {
  name: 'causeway_life_sign',
  writes: true,
  features: [],
  text: `update causeway.life_sign set cluster_id = $1, life = $2::int4, members = $3, signed_at = clock_timestamp()
where life <= $2::int4 and exists (select 1 from causeway.cluster where cluster_id = $1 and life = $2::int4)`,
};

/** Before a founding takes the place of life $1, 0: of none. What stands of others, as of a founding taken away by hand, goes. */
export const FORGET_LIVES: Statement = {
  name: null,
  writes: true,
  features: [],
  text: `delete from causeway.life_before where (life >= $1::int4 or life < $1::int4 - ${LIVES_BEFORE_MAX - 1})
and coalesce((select life from causeway.cluster), 0) = $1::int4`,
};

/** Before a founding is put in the place of another by hand: $2, what is noted there may stay, for it is of the same cluster. */
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
