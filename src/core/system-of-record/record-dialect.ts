/**
 * Which kind of database the system of record is: PostgreSQL itself, or a relative that distributes its rows over
 * machines and speaks its language. This is configured (`postgres.compat`) and never guessed, because the cluster's
 * safety rests on different things with each (R27, R30), and two nodes of different opinion at one database would not
 * fence one another. The server must report the configured kind.
 */

export const RECORD_COMPATS = ['none', 'cockroach', 'yugabyte'] as const;

/** 'none' is PostgreSQL itself. */
export type RecordCompat = (typeof RECORD_COMPATS)[number];

const NAMES: Record<RecordCompat, string> = {
  none: 'PostgreSQL',
  cockroach: 'CockroachDB',
  yugabyte: 'YugabyteDB',
};

/**
 * Milliseconds by which two clocks of such a database cluster may differ, with a margin: by default its nodes stop
 * themselves at half of that. Where one server's clock notes a time and another's measures it, the wait is longer by
 * this much. (R24)
 */
export const RELATIVE_CLOCKS_APART_MS = 1_000;

/** A relative that the setting knows, but that cannot be used safely. */
export const CITUS_REFUSED =
  'citus is refused: rows spread by Citus have no common snapshot, and a commit may reach a worker after it was fenced ' +
  '(docs/SCALE.md). With the tables of causeway left undistributed, at the coordinator, leave postgres.compat out';

export function nameOfCompat(compat: RecordCompat): string {
  return NAMES[compat];
}

/**
 * Recognises the kind from the text of `version()`. CockroachDB's begins with its name; YugabyteDB's is a PostgreSQL
 * version with "-YB-" in it.
 */
export function dialectOf(version: string): RecordCompat {
  if (version.startsWith('CockroachDB')) return 'cockroach';
  return /^PostgreSQL \S+-YB-/.test(version) ? 'yugabyte' : 'none';
}

/** For people: why the server cannot be used with this setting, and what to do about it; null if it can. */
export function whyNotDialect(compat: RecordCompat, version: string): string | null {
  const found = dialectOf(version);
  if (found === compat) return null;
  const toDo =
    found === 'none' ? 'take postgres.compat out of the settings' : `set postgres.compat to ${found}`;
  return `this is ${NAMES[found]}, and postgres.compat is ${compat}: ${toDo}, at every node`;
}

/**
 * Why the database cannot be used with this setting: nodes with different settings would not fence one another. (R27)
 */
export function whyNotMode(compat: RecordCompat, madeFor: RecordCompat): string | null {
  if (compat === madeFor) return null;
  return (
    `the tables of this database were made with postgres.compat: ${madeFor}, and this node's is ${compat}: what fences ` +
    'an earlier life differs. Give every node the same, or this cluster another database (causeway cluster adopt-record)'
  );
}
