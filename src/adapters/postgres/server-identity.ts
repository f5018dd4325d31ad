/** Which server a connection leads to, and which founding is recorded there. (PROTOCOL R30) */
import type pg from 'pg';
import type { Statement } from '../../base/sql-statement.ts';
import {
  SYSTEM_UNTOLD,
  adoptedSystem,
  partsOfSystem,
  type SeenServer,
} from '../../core/system-of-record/record-standing.ts';
import type { RecordIdentity } from '../../core/membership/topology.ts';
import { LOCK_NOT_AVAILABLE, sqlStateOf } from './record-failure.ts';
import { READ_SYSTEM, READ_WAL_FILE } from './server-statements.ts';
import { READ_CLUSTER } from './statements.ts';

export async function readIdentity(client: pg.Client): Promise<SeenServer> {
  const [system] = await askOrNone(client, READ_SYSTEM);
  const [walFile] = await askOrNone(client, READ_WAL_FILE);
  const { adoption, clusterId, life } = await readFounded(client);
  return {
    system: adoptedSystem(typeof system === 'string' ? system : SYSTEM_UNTOLD, adoption),
    timeline: typeof walFile === 'string' ? Number.parseInt(walFile.slice(0, 8), 16) : 0,
    clusterId,
    life,
  };
}

export interface Founded {
  /** '' if there is none. The columns about the server itself date from when the row was written, and are not used. */
  readonly adoption: string;
  /** '' and 0 if there is no founding. */
  readonly clusterId: string;
  readonly life: number;
}

export async function readFounded(client: pg.Client): Promise<Founded> {
  const [clusterId, life, identity] = await askIfMade(client, READ_CLUSTER);
  return {
    adoption: typeof identity === 'string' ? partsOfSystem(identity.split('/')[0]!).adoption : '',
    clusterId: typeof clusterId === 'string' ? clusterId : '',
    life: typeof life === 'number' ? life : 0,
  };
}

export function identityText({ system, timeline }: RecordIdentity): string {
  return `${system}/${timeline}`;
}

export async function ask(client: pg.Client, statement: Statement): Promise<readonly unknown[]> {
  const reply = await client.query<unknown[]>({ text: statement.text, rowMode: 'array' });
  return reply.rows[0] ?? [];
}

/**
 * Classes of errors that pass: of the connection (08), of transactions that meet (40), too few resources (53), a person
 * or a limit of time (57), a file that cannot be read (58), damage (XX); and a lock that somebody holds.
 */
const CLASSES_OF_MOMENTS: readonly string[] = ['08', '40', '53', '57', '58', 'XX'];
/** The table, or its schema, does not exist. */
const NOT_MADE: readonly string[] = ['42P01', '3F000'];

/** Returns no row if the server refuses to answer, as managed and distributed servers may. */
export function askOrNone(client: pg.Client, statement: Statement): Promise<readonly unknown[]> {
  return askUnless(
    client,
    statement,
    (sqlState) => sqlState !== LOCK_NOT_AVAILABLE && !CLASSES_OF_MOMENTS.includes(sqlState.slice(0, 2)),
  );
}

/**
 * Returns no row if there is no such table yet. By any other error nobody knows what is there: a server must not be
 * taken for an emptied one.
 */
export function askIfMade(client: pg.Client, statement: Statement): Promise<readonly unknown[]> {
  return askUnless(client, statement, (sqlState) => NOT_MADE.includes(sqlState));
}

async function askUnless(
  client: pg.Client,
  statement: Statement,
  isNone: (sqlState: string) => boolean,
): Promise<readonly unknown[]> {
  try {
    return await ask(client, statement);
  } catch (error) {
    const sqlState = sqlStateOf(error);
    if (sqlState === null || !isNone(sqlState)) throw error;
    return [];
  }
}
