/**
 * Which kind of database the system of record is: PostgreSQL itself, or a relative that spreads its rows over machines
 * and speaks its language. It is set (`postgres.compat`) and never guessed: on what the cluster's safety rests differs
 * (R27, R30), and two nodes of different minds at one database would not fence one another. What answers must say of
 * itself that it is what was set.
 */

export const RECORD_COMPATS = ['none', 'cockroach', 'yugabyte'] as const;

/** none: PostgreSQL itself. */
export type RecordCompat = (typeof RECORD_COMPATS)[number];

const NAMES: Record<RecordCompat, string> = {
  none: 'PostgreSQL',
  cockroach: 'CockroachDB',
  yugabyte: 'YugabyteDB',
};

/**
 * Milliseconds that two clocks of such a cluster may be apart, with room: its nodes end themselves at half of that by their
 * defaults. What is told by the one and measured by the other waits as much longer. (R24)
 */
export const RELATIVE_CLOCKS_APART_MS = 1_000;

/** A relative that the setting knows, but that cannot be made safe. */
export const CITUS_REFUSED =
  'citus is refused: rows spread by Citus have no common snapshot, and a commit may reach a worker after it was fenced ' +
  '(docs/SCALE.md). With the tables of causeway left undistributed, at the coordinator, leave postgres.compat out';

export function nameOfCompat(compat: RecordCompat): string {
  return NAMES[compat];
}

/** As the text of `version()` tells it. CockroachDB begins with its name; YugabyteDB is a PostgreSQL "-YB-" in its version. */
export function dialectOf(version: string): RecordCompat {
  if (version.startsWith('CockroachDB')) return 'cockroach';
  return /^PostgreSQL \S+-YB-/.test(version) ? 'yugabyte' : 'none';
}

/** Why the server that answers is not used with this setting, and what there is to do; for people. Null: it is. */
export function whyNotDialect(compat: RecordCompat, version: string): string | null {
  const found = dialectOf(version);
  if (found === compat) return null;
  const toDo =
    found === 'none' ? 'take postgres.compat out of the settings' : `set postgres.compat to ${found}`;
  return `this is ${NAMES[found]}, and postgres.compat is ${compat}: ${toDo}, at every node`;
}

/** Why the database is not used with this setting: nodes of different minds would not fence one another. (R27) */
export function whyNotMode(compat: RecordCompat, madeFor: RecordCompat): string | null {
  if (compat === madeFor) return null;
  return (
    `the tables of this database were made with postgres.compat: ${madeFor}, and this node's is ${compat}: what fences ` +
    'an earlier life differs. Give every node the same, or this cluster another database (causeway cluster adopt-record)'
  );
}
