/** Which life of the cluster is in force, and the note of who is up in it: asked by every node every few seconds. */
import type { Statement } from '../../base/sql-statement.ts';

/** What was noted in another life than the one in force says nothing; that this one was founded is the first sign of it. */
export const READ_LIFE: Statement = {
  name: 'causeway_life',
  writes: false,
  features: [],
  text: `select c.cluster_id, c.life, s.members,
  round(extract(epoch from clock_timestamp() - coalesce(s.signed_at, c.founded_at)) * 1000)::bigint
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
