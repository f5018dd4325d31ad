/**
 * Somebody holds locks on rows: the error names these rows, so that the others are written and the locked ones are not
 * waited for.
 */
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import pg from 'pg';
import { RecordCalls, makeRow } from '../contracts/record-calls.ts';
import { postgresWorld, type PostgresWorld } from '../support/postgres-world.ts';

const COMMITTED = { kind: 'committed' };

let world: PostgresWorld;
let calls: RecordCalls;

beforeEach(async () => {
  world = await postgresWorld();
  const record = world.open({ statementTimeoutMs: 20_000 });
  await record.start();
  calls = new RecordCalls(world, record);
  expect((await calls.found(0, 'cluster')).error).toBeNull();
});
afterEach(() => world.close());

async function hold(sql: string): Promise<{ release(): Promise<void> }> {
  const client = new pg.Client({ connectionString: world.connectionString });
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.end());
  await client.query('begin');
  await client.query(sql);
  return { release: async () => void (await client.query('rollback')) };
}

const rows = (counter: number): ReturnType<typeof makeRow>[] =>
  Array.from({ length: 20 }, (_, at) => makeRow(`key ${at}`, counter));

test('two rows of twenty are held: they are named, nothing of the batch was written, and the others are written without them', async () => {
  await calls.commit(1, rows(1));
  const lock = await hold(`select from causeway.record where key in ('key 3', 'key 11') for update`);
  const { error } = await calls.commit(1, rows(2));
  expect(error).toMatchObject({ kind: 'unknown', ofRows: true });
  expect([...error!.heldKeys!].sort()).toEqual(['key 11', 'key 3']);
  const others = rows(2).filter(({ record }) => !error!.heldKeys!.includes(record.key));
  expect((await calls.commit(1, others)).value).toEqual(others.map(() => COMMITTED));
  // Known to be locked, and so certainly not written: they need not be read.
  const suspects = rows(2).filter(({ record }) => error!.heldKeys!.includes(record.key));
  const looked = suspects.map((row) => ({ ...row, wasHeld: true as const }));
  const again = await calls.commit(1, looked);
  expect(again.error).toMatchObject({ kind: 'refused', ofRows: true });
  expect([...again.error!.heldKeys!].sort()).toEqual(['key 11', 'key 3']);
  await lock.release();
  expect((await calls.commit(1, looked)).value).toEqual([COMMITTED, COMMITTED]);
});

test('a lock that keeps no writer of values waiting, as of a key that is referred to: not taken for one', async () => {
  await calls.commit(1, rows(1));
  await hold(`select from causeway.record where key = 'key 3' for key share`);
  const looked = rows(2).map((row) => ({ ...row, wasHeld: true as const }));
  expect((await calls.commit(1, looked)).value).toEqual(looked.map(() => COMMITTED));
});

test('somebody has inserted a row and not committed it: not told which, and it speaks of rows all the same', async () => {
  const columns = 'key, slot, version, origin, created_at, updated_at, deleted, checksum';
  await hold(`insert into causeway.record (${columns}) values ('key 3', 0, 1, 0, now(), now(), true, 0)`);
  const { error } = await calls.commit(1, rows(2));
  expect(error).toMatchObject({ kind: 'unknown', ofRows: true });
  expect(error!.heldKeys).toBeUndefined();
});
