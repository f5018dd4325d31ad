/** Whether the server behind a connection is still one to write to; that can change while the connection is open. */
import type { Connection } from './connection.ts';
import type { ConnectionPool } from './connection-pool.ts';
import { NOT_DURABLE, RecordFailure } from './record-failure.ts';

/** Rejects if the server takes no writes, or acknowledges commits before they are durable. */
export async function checkFit(connection: Connection, deadline: number): Promise<void> {
  const [reply = []] = await connection.run(connection.sql.probe, [], deadline);
  const [isStandby, takesOnlyReads, isLossy] = reply;
  if (isLossy === true) throw new RecordFailure('refused', NOT_DURABLE, { isUnfit: true });
  if ([isStandby, takesOnlyReads].some((told) => told === true || told === 'on'))
    throw new RecordFailure('refused', 'not a primary');
}

/** Rejects if the server does not finish a write in time, where it has a statement that tells. */
export async function finishWrite(connection: Connection, deadline: number): Promise<void> {
  const { tryWriting, probe } = connection.sql;
  await connection.run(tryWriting ?? probe, [], deadline);
}

/**
 * Like the pool's `use`; `force` dials although the server is known to be down. A connection found unfit is not reused.
 */
export function lend<T>(
  pool: ConnectionPool,
  deadline: number,
  force: boolean,
  work: (connection: Connection, deadline: number) => Promise<T>,
): Promise<T> {
  return pool.use(deadline, force, async (connection) => {
    try {
      return await work(connection, deadline);
    } catch (error) {
      if (error instanceof RecordFailure && error.isUnfit) connection.destroy();
      throw error;
    }
  });
}
