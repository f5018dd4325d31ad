/**
 * The server, the database or the role has another isolation level by default than "read committed". A statement's
 * snapshot would then be older than the lock that it waited for, and the fence around earlier lives rests on its being
 * newer. (R27)
 */
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import pg from 'pg';
import { makeVersion } from '../../src/core/version.ts';
import { RecordCalls, makeRow } from '../contracts/record-calls.ts';
import { patientWriter, untilWaiting } from '../support/own-connection.ts';
import { runOnce } from '../support/postgres.ts';
import { postgresWorld, type PostgresWorld } from '../support/postgres-world.ts';

const COMMITTED = { kind: 'committed' };

let world: PostgresWorld;
beforeEach(async () => {
  world = await postgresWorld();
});
afterEach(() => world.close());

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
    const write = await patientWriter(world.connectionString);
    // Prepared from here on.
    expect(await write(makeRow('a', 1))).toEqual([COMMITTED]);
    const lock = new pg.Client({ connectionString: world.connectionString });
    lock.on('error', () => {});
    await lock.connect();
    onTestFinished(() => lock.end());
    await lock.query('begin; lock table causeway.cluster in row exclusive mode');
    const founding = calls.found(1, 'second');
    await untilWaiting(world.connectionString, 1);
    const stale = write(makeRow('a', 9)).catch((error: unknown) => error);
    await untilWaiting(world.connectionString, 2);
    await lock.query('rollback');
    expect((await founding).value).toMatchObject({ life: 2, highestVersion: makeVersion(1, 1) });
    expect(await stale).toMatchObject({ kind: 'refused', fenced: true });
    expect((await calls.read(['a'])).value[0]!.record.version).toBe(makeVersion(1, 1));
  },
);
