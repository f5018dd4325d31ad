/**
 * The server, the database or the role has another isolation level by default than "read committed". A statement's
 * snapshot would then be older than the lock that it waited for, and the fence around earlier lives rests on its being
 * newer. (R27)
 */
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import pg from 'pg';
import { commitBatch, makeBatch } from '../../src/adapters/postgres/commit-rows.ts';
import { Connection } from '../../src/adapters/postgres/connection.ts';
import { makeVersion } from '../../src/core/version.ts';
import type { CommitResult, RecordRow } from '../../src/ports/system-of-record.ts';
import { RecordCalls, makeRow } from '../contracts/record-calls.ts';
import { runOnce } from '../support/postgres.ts';
import { postgresWorld, type PostgresWorld } from '../support/postgres-world.ts';
import { until } from '../support/supervisor-program.ts';

const COMMITTED = { kind: 'committed' };

let world: PostgresWorld;
beforeEach(async () => {
  world = await postgresWorld();
});
afterEach(() => world.close());

async function untilWaiting(count: number): Promise<void> {
  const text = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  await until(
    `${count} statements wait`,
    async () => ((await runOnce(world.connectionString, text)).rowCount ?? 0) >= count,
  );
}

/** Writes like a node, over a connection that waits for locks as long as it takes. */
async function patientWriter(): Promise<(row: RecordRow) => Promise<readonly CommitResult[]>> {
  const { connectionString } = world;
  const limits = { statementTimeoutMs: 20_000, connectTimeoutMs: 5_000 };
  const told = { connectionString, applicationName: 'test', compat: 'none', isReader: false } as const;
  const connection = await Connection.open({ ...told, ...limits });
  onTestFinished(() => connection.destroy());
  return (row) => commitBatch(connection, makeBatch(1, [row]), performance.now() + 20_000);
}

test.each(['repeatable read', 'serializable'])(
  '%s by default: a statement that waited for a founding is fenced all the same',
  async (isolation) => {
    const name = new URL(world.connectionString).pathname.slice(1);
    await runOnce(
      world.connectionString,
      `alter database ${name} set default_transaction_isolation = '${isolation}'`,
    );
    const calls = new RecordCalls(world, await world.connect());
    expect((await calls.found(0, 'cluster')).error).toBeNull();
    const write = await patientWriter();
    // Prepared from here on.
    expect(await write(makeRow('a', 1))).toEqual([COMMITTED]);
    const lock = new pg.Client({ connectionString: world.connectionString });
    lock.on('error', () => {});
    await lock.connect();
    onTestFinished(() => lock.end());
    await lock.query('begin; lock table causeway.cluster in row exclusive mode');
    const founding = calls.found(1, 'second');
    await untilWaiting(1);
    const stale = write(makeRow('a', 9)).catch((error: unknown) => error);
    await untilWaiting(2);
    await lock.query('rollback');
    expect((await founding).value).toMatchObject({ life: 2, highestVersion: makeVersion(1, 1) });
    expect(await stale).toMatchObject({ kind: 'refused', fenced: true });
    expect((await calls.read(['a'])).value[0]!.record.version).toBe(makeVersion(1, 1));
  },
);
