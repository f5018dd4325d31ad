/**
 * Reads and replaces the founding in force: life + 1 by compare-and-set, in one transaction that first waits for all
 * statements of the old life to end and blocks new ones. The highest version read after that is final: nothing of an
 * earlier life can be written later. Where waiting for the lock does not renew the snapshot, the version is read in a
 * separate transaction that begins when the founding is committed. (R27)
 */
import { VERSION_NONE } from '../../core/version.ts';
import type { RecordIdentity } from '../../core/membership/topology.ts';
import type { Founding } from '../../ports/system-of-record.ts';
import type { Connection } from './connection.ts';
import { checkFit } from './fitness.ts';
import { FORGET_LIVES, NOTE_LIFE_BEFORE } from './life-statements.ts';
import { identityText } from './server-identity.ts';
import { BEGIN, COMMIT_TRANSACTION, limitTransaction } from './server-statements.ts';
import { FOUND_FIRST, FOUND_NEXT, READ_FOUNDING } from './statements.ts';

export async function found(
  connection: Connection,
  expectLife: number,
  clusterId: string,
  timeoutMs: number,
  deadline: number,
): Promise<Founding | null> {
  const { lockFounding, unlimitLocks, foundsAndReadsAtOnce } = connection.sql;
  await checkFit(connection, deadline);
  const inForce = await inTransaction(connection, timeoutMs, deadline, async () => {
    if (unlimitLocks !== null) await connection.run(unlimitLocks, [], deadline);
    await connection.run(lockFounding, [], deadline);
    const identity = identityText(connection.identity);
    await connection.run(FORGET_LIVES, [expectLife], deadline);
    await connection.run(NOTE_LIFE_BEFORE, [expectLife], deadline);
    if (expectLife === 0) await connection.run(FOUND_FIRST, [clusterId, identity], deadline);
    else await connection.run(FOUND_NEXT, [clusterId, identity, expectLife], deadline);
    return foundsAndReadsAtOnce ? readInForce(connection, deadline) : null;
  });
  if (foundsAndReadsAtOnce) return inForce;
  return inTransaction(connection, timeoutMs, deadline, () => readInForce(connection, deadline));
}

async function readInForce(connection: Connection, deadline: number): Promise<Founding | null> {
  const [reply] = await connection.run(READ_FOUNDING, [], deadline);
  const [clusterId, life, highest, floor] = reply as [
    string | null,
    number | null,
    number | null,
    number | null,
  ];
  if (clusterId === null || life === null) return null;
  const highestVersion = Math.max(highest ?? VERSION_NONE, floor ?? VERSION_NONE);
  return { clusterId, life, identity: identityOf(connection), highestVersion, hasRows: highest !== null };
}

function identityOf({ identity: { system, timeline } }: Connection): RecordIdentity {
  return { system, timeline };
}

/** If the transaction fails in the middle, closing the connection rolls it back. */
export async function inTransaction<T>(
  connection: Connection,
  timeoutMs: number,
  deadline: number,
  work: () => Promise<T>,
): Promise<T> {
  let isDone = false;
  try {
    await connection.run(BEGIN, [], deadline);
    await connection.run(limitTransaction(Math.ceil(timeoutMs)), [], deadline);
    const result = await work();
    await connection.run(COMMIT_TRANSACTION, [], deadline);
    isDone = true;
    return result;
  } finally {
    if (!isDone) connection.destroy();
  }
}
