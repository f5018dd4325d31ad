/**
 * PostgreSQL answers, but finishes no write: its synchronous standby is gone, or somebody holds a lock on a table. That
 * is an outage for whoever writes, and it lasts until a write comes to its end.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import pg from 'pg';
import type { PostgresRecord } from '../../src/adapters/postgres/postgres-record.ts';
import type { RecordError } from '../../src/ports/system-of-record.ts';
import { END_OVERDUE } from '../../src/adapters/postgres/server-statements.ts';
import { RecordCalls, makeRow } from '../contracts/record-calls.ts';
import { postgresWorld, type PostgresWorld } from '../support/postgres-world.ts';
import { runOnce, testServer } from '../support/postgres.ts';

const STATEMENT_MS = 600;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let world: PostgresWorld;
let record: PostgresRecord;
let calls: RecordCalls;

beforeEach(async () => {
  world = await postgresWorld();
  record = world.open({ statementTimeoutMs: STATEMENT_MS });
  await record.start();
  calls = new RecordCalls(world, record);
  expect((await calls.found(0, 'cluster')).error).toBeNull();
});
afterEach(async () => {
  await waitForStandby(null);
  await world.close();
  await (await testServer()).heal();
});

/** From now on commits wait for a standby of that name; null: for none. */
async function waitForStandby(name: string | null): Promise<void> {
  const client = new pg.Client({ connectionString: world.connectionString });
  await client.connect();
  await client.query(`alter system set synchronous_standby_names = '${name ?? ''}'`);
  await client.query('select pg_reload_conf()');
  const isSet = async (): Promise<boolean> => {
    const reply = await client.query<{ is: string }>(
      `select current_setting('synchronous_standby_names') as is`,
    );
    return reply.rows[0]!.is === (name ?? '');
  };
  while (!(await isSet())) await sleep(5);
  // Another process of the server tells all of them to wait; it may take up the setting later than this one.
  while (name !== null && !(await commitsWait(client))) await sleep(5);
  await client.end();
}

/** Whether a commit waits for the standby; it waits no longer then. */
async function commitsWait(other: pg.Client): Promise<boolean> {
  const client = new pg.Client({ connectionString: world.connectionString });
  await client.connect();
  const { pid } = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!;
  let isOver = false;
  const write = client
    .query(`select pg_logical_emit_message(true, 'trial', '')`)
    .finally(() => (isOver = true));
  const endWait = `select pg_cancel_backend(pid) from pg_stat_activity where pid = $1 and wait_event = 'SyncRep'`;
  let waits = false;
  while (!isOver && !waits) waits = (await other.query(endWait, [pid])).rowCount === 1;
  await write;
  await client.end();
  return waits;
}

async function until(isDone: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + 20_000;
  while (!isDone()) {
    if (Date.now() > giveUpAt) throw new Error(`still ${JSON.stringify(record.health())}`);
    await sleep(5);
  }
}

/** While reads go on being answered, each of which says nothing of writes. */
async function staysDown(): Promise<void> {
  for (let answered = 0; answered < 30;) {
    if ((await calls.read(['a'])).error === null) answered += 1;
    expect(record.health().state).toBe('down');
    await sleep(20);
  }
}

test('its synchronous standby is gone: down, although it is read from, until a write is finished again', async () => {
  await waitForStandby('nobody');
  expect((await calls.commit(1, [makeRow('a', 1)])).error).toMatchObject({ kind: 'unknown' });
  await staysDown();
  // The row stands by now, and finding it there shows nothing.
  await calls.commit(1, [makeRow('a', 1)]);
  await staysDown();
  await waitForStandby(null);
  await until(() => record.health().state === 'up');
  expect((await calls.commit(1, [makeRow('b', 1)])).value).toEqual([{ kind: 'committed' }]);
});

test('a sign of life is never answered, and the server answers all else: it does not count as down for that', async () => {
  const events: string[] = [];
  const telemetry = { event: (_level: string, name: string) => events.push(name), count: () => undefined };
  const idle = world.open({ statementTimeoutMs: STATEMENT_MS, telemetry });
  await idle.start();
  await waitForStandby('nobody');
  const signed = await new Promise<RecordError | null>((resolve) =>
    idle.signLife({ clusterId: 'cluster', life: 1 }, [{ name: 'node-1', address: 'a:1' }], resolve),
  );
  expect(signed).toMatchObject({ kind: 'unknown' });
  for (let looks = 0; looks < 30; looks += 1) {
    expect(idle.health().state).toBe('up');
    await sleep(20);
  }
  expect(events.filter((name) => name.startsWith('postgres.'))).toEqual(['postgres.up']);
});

test('writes are tried again and again: what hangs at the server is ended, and does not use up its connections', async () => {
  await waitForStandby('nobody');
  const hanging = async (): Promise<number> => {
    const text = `select count(*)::int as n from pg_stat_activity
      where application_name = 'causeway' and wait_event = 'SyncRep'`;
    return ((await runOnce(world.connectionString, text)).rows[0] as { n: number }).n;
  };
  for (let index = 0; index < 8; index += 1) {
    expect((await calls.commit(1, [makeRow(`key ${index}`, 1)])).error).not.toBeNull();
    // Of those that may hang, and one that the probe has under way.
    expect(await hanging()).toBeLessThanOrEqual(4);
  }
  const giveUpAt = Date.now() + 20_000;
  while ((await hanging()) > 1 && Date.now() < giveUpAt) await sleep(5);
  expect(await hanging()).toBeLessThanOrEqual(1);
});

test('writes that waited for a connection and had little time left: what they leave behind is ended, too', async () => {
  await waitForStandby('nobody');
  const left = async (): Promise<number> => {
    const text = `select count(*)::int as n from pg_stat_activity where application_name = 'causeway'
      and wait_event = 'SyncRep' and query not like '%pg_logical_emit_message%'`;
    return ((await runOnce(world.connectionString, text)).rows[0] as { n: number }).n;
  };
  const written: Promise<unknown>[] = [];
  for (let index = 0; index < 6; index += 1) {
    written.push(calls.commit(1, [makeRow(`key ${index}`, 1)]));
    await sleep(STATEMENT_MS / 3);
  }
  await Promise.all(written);
  const giveUpAt = Date.now() + 20_000;
  while ((await left()) > 0 && Date.now() < giveUpAt) await sleep(20);
  expect(await left()).toBe(0);
});

test('a table is locked: the same', async () => {
  const client = new pg.Client({ connectionString: world.connectionString });
  await client.connect();
  await client.query('begin; lock table causeway.record in exclusive mode');
  expect((await calls.commit(1, [makeRow('a', 1)])).error).toMatchObject({ kind: 'unknown' });
  await staysDown();
  await client.query('rollback');
  await client.end();
  await until(() => record.health().state === 'up');
});

test('signs of life hang, too: that shows nothing else, and it stays down', async () => {
  await waitForStandby('nobody');
  expect((await calls.commit(1, [makeRow('a', 1)])).error).toMatchObject({ kind: 'unknown' });
  const signed = (): Promise<RecordError | null> =>
    new Promise((resolve) => record.signLife({ clusterId: 'cluster', life: 1 }, [], resolve));
  for (let index = 0; index < 3; index += 1) {
    expect(await signed()).not.toBeNull();
    await staysDown();
  }
  await waitForStandby(null);
  await until(() => record.health().state === 'up');
});

test('another program has a process whose number was ours: it is not ended', async () => {
  const open = async (application_name: string): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: world.connectionString, application_name });
    await client.connect();
    return client;
  };
  const [ours, other] = [await open('causeway'), await open('pg_dump')];
  const { pid } = (await other.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!;
  await ours.query('select pg_advisory_lock(1)');
  const waiting = other.query('select pg_advisory_lock(1)');
  const isWaiting = `select from pg_stat_activity where pid = ${pid} and wait_event_type = 'Lock'`;
  while ((await ours.query(isWaiting)).rowCount === 0) await sleep(5);
  expect((await ours.query(END_OVERDUE.text, [[pid], 0])).rowCount).toBe(0);
  await ours.query('select pg_advisory_unlock(1)');
  await waiting;
  await Promise.all([ours.end(), other.end()]);
});

test('who has nothing to write asks: it learns that writes are not finished, and when they are', async () => {
  await waitForStandby('nobody');
  expect(record.health().state).toBe('up');
  const asked = (): Promise<unknown> => new Promise((resolve) => record.tryWriting(() => resolve(null)));
  await asked();
  await staysDown();
  await waitForStandby(null);
  await until(() => record.health().state === 'up');
  await asked();
  expect(record.health().state).toBe('up');
});

test('it stalls, and then is gone: up again when it answers, until the next write stalls', async () => {
  await waitForStandby('nobody');
  await calls.commit(1, [makeRow('a', 1)]);
  expect(record.health().state).toBe('down');
  const server = await testServer();
  await server.kill();
  await until(() => JSON.stringify(record.health()).includes('connect'));
  await server.start();
  // It answers again, and nobody has tried a write since.
  await until(() => record.health().state === 'up');
  await calls.commit(1, [makeRow('b', 1)]);
  await staysDown();
  await waitForStandby(null);
  await until(() => record.health().state === 'up');
});

test('a single statement was ended by a person: writes are finished all the same, and it is up at once', async () => {
  const lock = new pg.Client({ connectionString: world.connectionString });
  await lock.connect();
  await lock.query('begin; lock table causeway.record in exclusive mode');
  const written = calls.commit(1, [makeRow('a', 1)]);
  const waiting = `select pg_cancel_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'causeway' and wait_event_type = 'Lock'`;
  while ((await runOnce(world.connectionString, waiting)).rows.length === 0) await sleep(5);
  await lock.query('rollback');
  await lock.end();
  expect((await written).error).toMatchObject({ kind: 'unknown' });
  await until(() => record.health().state === 'up');
});
