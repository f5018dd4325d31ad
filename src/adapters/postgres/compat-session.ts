/**
 * A connection to a relative of PostgreSQL (`postgres.compat`): is it the configured kind, does it provide what safety
 * depends on, and which database is it? None of the relatives has a system identifier or a timeline. A database is
 * identified by a random name that is stored in it when its tables are created (like the name of an adoption) and,
 * where available, by the server cluster's own id.
 */
import type pg from 'pg';
import { nameOfCompat, type RecordCompat } from '../../core/system-of-record/record-dialect.ts';
import {
  SYSTEM_UNTOLD,
  adoptedSystem,
  type SeenServer,
} from '../../core/system-of-record/record-standing.ts';
import {
  COMPAT_PROBE,
  READ_COCKROACH_CLUSTER,
  READ_COMPAT,
  SHOW_ENCODING,
  SHOW_ISOLATION,
  prepareCompatSession,
} from './compat-statements.ts';
import { RecordFailure, SetupError } from './record-failure.ts';
import { ask, askIfMade, askOrNone, readFounded } from './server-identity.ts';

export interface SessionSettings {
  readonly compat: RecordCompat;
  readonly statementTimeoutMs: number;
  /** Reads may use a weaker isolation where serializable reads would take locks. */
  readonly isReader: boolean;
}

const SERIALIZABLE = 'serializable';
/** A snapshot: under serializable isolation YugabyteDB locks what it reads, so reading a page would block writers. */
const READER_OF_YUGABYTE = 'repeatable read';

export async function checkCompatServer(
  client: pg.Client,
  settings: SessionSettings,
  ordersByBytes: boolean,
): Promise<void> {
  const { compat } = settings;
  if (!ordersByBytes) {
    throw new SetupError(
      'the database orders text by a language, and keys are ordered by their bytes: make one with the collation "C"',
    );
  }
  const isolation = compat === 'yugabyte' && settings.isReader ? READER_OF_YUGABYTE : SERIALIZABLE;
  await client.query(prepareCompatSession(settings.statementTimeoutMs, isolation).text);
  const [granted] = await ask(client, SHOW_ISOLATION);
  if (granted !== isolation) {
    throw new SetupError(
      `${nameOfCompat(compat)} answers with ${String(granted)} isolation where ${isolation} was asked for: earlier ` +
        'lives of the cluster would not be fenced. Let this user set default_transaction_isolation',
    );
  }
  const [encoding] = await ask(client, SHOW_ENCODING);
  if (encoding !== 'UTF8') {
    throw new SetupError(
      `the database must be encoded in UTF8, this one is in ${String(encoding)}: create another one`,
    );
  }
  const [readOnly] = await ask(client, COMPAT_PROBE);
  if (readOnly === 'on') throw new RecordFailure('refused', 'not a primary: the server accepts only reads');
}

export async function readCompatIdentity(client: pg.Client, compat: RecordCompat): Promise<SeenServer> {
  const [told] = compat === 'cockroach' ? await askOrNone(client, READ_COCKROACH_CLUSTER) : [];
  const [, name] = await askIfMade(client, READ_COMPAT);
  const { adoption, clusterId, life } = await readFounded(client);
  const named = adoption !== '' ? adoption : typeof name === 'string' ? name : '';
  return {
    system: adoptedSystem(typeof told === 'string' ? told : SYSTEM_UNTOLD, named),
    timeline: 0,
    clusterId,
    life,
  };
}
