/**
 * A server that answers but is not fit to be written to: commits that are not durable, a full disk, something that
 * somebody has made at the table.
 */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { PostgresRecord } from '../../src/adapters/postgres/postgres-record.ts';
import { unprepared } from '../../src/base/sql-statement.ts';
import { makeVersion } from '../../src/core/version.ts';
import { RecordCalls, makeRow } from '../contracts/record-calls.ts';
import { openConnection } from '../support/own-connection.ts';
import { PostgresPooler } from '../support/postgres-pooler.ts';
import { postgresWorld, type PostgresWorld } from '../support/postgres-world.ts';
import { runOnce } from '../support/postgres.ts';

const COMMITTED = { kind: 'committed' };
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let world: PostgresWorld;
let record: PostgresRecord;
let calls: RecordCalls;

beforeEach(async () => {
  world = await postgresWorld();
  record = world.open({ connectTimeoutMs: 1_000 });
  await record.start();
  calls = new RecordCalls(world, record);
  expect((await calls.found(0, 'cluster')).error).toBeNull();
});
afterEach(() => world.close());

const untilUp = (): Promise<unknown> =>
  vi.waitFor(() => expect(record.health()).toEqual({ state: 'up' }), { timeout: 20_000 });

describe('commits that are told before they are durable', () => {
  /** As an operator does on a running server: open connections adopt the new value. */
  async function setSynchronousCommit(value: 'off' | 'on'): Promise<void> {
    await runOnce(world.connectionString, `alter system set synchronous_commit = '${value}'`);
    await runOnce(world.connectionString, 'select pg_reload_conf()');
    const shown = async (): Promise<unknown> =>
      (await runOnce(world.connectionString, 'show synchronous_commit')).rows[0];
    await vi.waitUntil(async () => JSON.stringify(await shown()).includes(`"${value}"`), { timeout: 20_000 });
  }
  afterEach(async () => {
    await runOnce(world.connectionString, 'alter system reset synchronous_commit');
    await runOnce(world.connectionString, 'select pg_reload_conf()');
  });

  test('turned off while connections stand: nothing is written by them, which is definite and told, until it is on again', async () => {
    expect((await calls.commit(1, [makeRow('a', 1)])).value).toEqual([COMMITTED]);
    await setSynchronousCommit('off');
    const { error } = await calls.commit(1, [makeRow('b', 1)]);
    expect(error).toMatchObject({ kind: 'refused', fenced: false });
    expect(error?.message).toContain('synchronous_commit is off');
    const { rows } = await runOnce(world.connectionString, 'select key from causeway.record');
    expect(rows).toEqual([{ key: 'a' }]);
    expect(record.health()).toMatchObject({
      state: 'down',
      reason: expect.stringContaining('synchronous_commit is off') as string,
    });
    // The floors for deletions depend on durable data, too.
    const [floor] = (await calls.readFloors([1])).value;
    expect((await calls.raiseFloors(1, [{ slot: 1, ...floor!, counter: 5 }])).error).toMatchObject({
      kind: 'refused',
    });
    await setSynchronousCommit('on');
    await untilUp();
    expect((await calls.commit(1, [makeRow('b', 1)])).value).toEqual([COMMITTED]);
  });

  test('turned off while nothing is written: no founding is begun there', async () => {
    await setSynchronousCommit('off');
    expect((await calls.found(1, 'cluster')).error).toMatchObject({ kind: 'refused' });
    await setSynchronousCommit('on');
    await untilUp();
    expect((await calls.found(1, 'cluster')).value).toMatchObject({ life: 2 });
  });
});

describe('the disk of the server is full', () => {
  /** Makes every change of a row fail as on a full disk; everything else works as usual. */
  async function fill(): Promise<{ empty(): Promise<void> }> {
    await runOnce(
      world.connectionString,
      `create function full_disk() returns trigger language plpgsql as $$
begin raise exception 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$;
create trigger full_disk before insert or update on causeway.record for each row execute function full_disk()`,
    );
    const empty = async (): Promise<void> =>
      void (await runOnce(world.connectionString, 'drop function full_disk cascade'));
    return { empty };
  }

  test('writes stay refused while reads are answered, until a write goes through', async () => {
    expect((await calls.commit(1, [makeRow('a', 1)])).value).toEqual([COMMITTED]);
    const disk = await fill();
    expect((await calls.commit(1, [makeRow('b', 1)])).error).toMatchObject({ kind: 'unknown' });
    const isRefusing = (): void =>
      expect(record.health()).toMatchObject({
        state: 'down',
        reason: expect.stringContaining('No space left') as string,
      });
    for (let look = 0; look < 20; look += 1) {
      isRefusing();
      expect((await calls.read(['a'])).value[0]?.record.version).toBe(makeVersion(1, 1));
      await sleep(50);
    }
    // A writer whose row waits keeps trying: that is how the recovery is noticed.
    expect((await calls.commit(1, [makeRow('b', 1)])).error).toMatchObject({ kind: 'unknown' });
    isRefusing();
    await disk.empty();
    expect((await calls.commit(1, [makeRow('b', 1)])).value).toEqual([COMMITTED]);
    expect(record.health()).toEqual({ state: 'up' });
  });
});

test('the role may not write any more: writes stay refused while all else is answered, until one goes through', async () => {
  expect((await calls.commit(1, [makeRow('a', 1)])).value).toEqual([COMMITTED]);
  await runOnce(
    world.connectionString,
    `create function not_yours() returns trigger language plpgsql as $$
begin raise exception 'permission denied for table record' using errcode = 'insufficient_privilege'; end $$;
create trigger not_yours before insert or update on causeway.record for each row execute function not_yours()`,
  );
  expect((await calls.commit(1, [makeRow('b', 1)])).error).toMatchObject({ kind: 'unknown' });
  for (let look = 0; look < 20; look += 1) {
    expect(record.health()).toMatchObject({ state: 'down' });
    expect((await calls.read(['a'])).value[0]?.record.version).toBe(makeVersion(1, 1));
    await sleep(50);
  }
  await runOnce(world.connectionString, 'drop function not_yours cascade');
  expect((await calls.commit(1, [makeRow('b', 1)])).value).toEqual([COMMITTED]);
  expect(record.health()).toEqual({ state: 'up' });
});

test('the table has been renamed, so that reads fail as well: still down until a write goes through', async () => {
  const rename = (from: string, to: string): Promise<unknown> =>
    runOnce(world.connectionString, `alter table causeway.${from} rename to ${to}`);
  await rename('record', 'elsewhere');
  expect((await calls.commit(1, [makeRow('a', 1)])).error).toMatchObject({ kind: 'unknown' });
  for (let look = 0; look < 20; look += 1) {
    expect((await calls.read(['a'])).error).toMatchObject({ kind: 'unknown' });
    expect(record.health()).toMatchObject({ state: 'down' });
    await sleep(50);
  }
  await rename('elsewhere', 'record');
  expect((await calls.commit(1, [makeRow('a', 1)])).value).toEqual([COMMITTED]);
  expect(record.health()).toEqual({ state: 'up' });
});

test('a connection whose prepared statements are gone at the server, as behind a pooler: it is given up, and another one goes on', async () => {
  await runOnce(
    world.connectionString,
    `create function forget_statements() returns trigger language plpgsql as $$
begin execute 'deallocate all'; return null; end $$;
create trigger forget_statements after insert on causeway.record for each statement execute function forget_statements()`,
  );
  expect((await calls.commit(1, [makeRow('a', 1)])).value).toEqual([COMMITTED]);
  await runOnce(world.connectionString, 'drop function forget_statements cascade');
  expect((await calls.commit(1, [makeRow('b', 1)])).error).toMatchObject({ kind: 'unknown' });
  await untilUp();
  expect((await calls.commit(1, [makeRow('b', 1)])).value).toEqual([COMMITTED]);
  expect((await calls.read(['b'])).value[0]?.record.version).toBe(makeVersion(1, 1));
});

test('a pooler that exchanges sessions between transactions: refused, and told what to change', async () => {
  const { pooler, url } = await PostgresPooler.start(world.connectionString, 'transaction');
  const behind = world.open({ connectionString: url });
  await expect(behind.start()).rejects.toThrow(/^a pooler stands before PostgreSQL and exchanges sessions/);
  await pooler.close();
});

test('a pooler that exchanges sessions between statements, and refuses transactions: not used, in its own words', async () => {
  const { pooler, url } = await PostgresPooler.start(world.connectionString, 'statement');
  await expect(openConnection(url)).rejects.toThrow(/not allowed in statement pooling mode/);
  await pooler.close();
});

test('a pooler by session that cleans nothing up: used as the server itself, also after the connections changed hands', async () => {
  const { pooler, url } = await PostgresPooler.start(world.connectionString, 'session');
  for (const version of [1, 2, 3]) {
    const behind = world.open({ connectionString: url });
    await behind.start();
    const own = new RecordCalls(world, behind);
    expect((await own.commit(1, [makeRow('a', version)])).value).toEqual([COMMITTED]);
    expect((await own.read(['a'])).value[0]?.record.version).toBe(makeVersion(version, 1));
    await behind.close();
  }
  await pooler.close();
});

test('a pooler whose connections are all in use: what it does is not known, and the connection is used', async () => {
  const { pooler, url } = await PostgresPooler.start(world.connectionString, 'session');
  pooler.backendsMax = 1;
  const connection = await openConnection(url);
  await connection.run(unprepared('select 1'), [], performance.now() + 5_000);
  connection.destroy();
  await pooler.close();
});

test('a column of another type, made while connections stand: statements that were prepared before are prepared anew', async () => {
  expect((await calls.commit(1, [makeRow('a', 1)])).value).toEqual([COMMITTED]);
  expect((await calls.read(['a'])).value[0]?.record.version).toBe(makeVersion(1, 1));
  await runOnce(world.connectionString, 'alter table causeway.record alter column origin type integer');
  expect((await calls.read(['a'])).error).toMatchObject({ kind: 'unknown' });
  await untilUp();
  expect((await calls.read(['a'])).value[0]?.record.version).toBe(makeVersion(1, 1));
});

test('an index of somebody else that a value is too large for: this row alone is refused, and PostgreSQL is not taken for down', async () => {
  await runOnce(world.connectionString, 'create index by_value on causeway.record (value)');
  const large = makeRow('large', 1, { value: randomBytes(6_000) });
  expect((await calls.commit(1, [large, makeRow('a', 1)])).error).toMatchObject({
    kind: 'unknown',
    ofRows: true,
  });
  expect(record.health()).toEqual({ state: 'up' });
  expect((await calls.commit(1, [makeRow('a', 1)])).value).toEqual([COMMITTED]);
  await runOnce(world.connectionString, 'drop index causeway.by_value');
  expect((await calls.commit(1, [large])).value).toEqual([COMMITTED]);
});

test.each([
  [
    'a trigger that forgets to return its row',
    `create function forgetful() returns trigger language plpgsql as $$ begin new.updated_at := now(); end $$;
create trigger forgetful before insert or update on causeway.record for each row execute function forgetful()`,
    'drop function forgetful cascade',
  ],
  [
    'a rule in the place of what is to be done',
    'create rule instead as on insert to causeway.record do instead nothing',
    'drop rule instead on causeway.record',
  ],
  [
    'a publication of a table that has no replica identity',
    'create publication everything for all tables; alter table causeway.record replica identity nothing',
    'drop publication everything',
  ],
])(
  'all rows are refused because of %s: down until a write goes through, and reads are answered',
  async (_what, make, undo) => {
    expect((await calls.commit(1, [makeRow('a', 1)])).value).toEqual([COMMITTED]);
    await runOnce(world.connectionString, make);
    expect((await calls.commit(1, [makeRow('b', 1)])).error).toMatchObject({ kind: 'unknown' });
    for (let look = 0; look < 20; look += 1) {
      expect(record.health()).toMatchObject({ state: 'down' });
      expect((await calls.read(['a'])).value[0]?.record.version).toBe(makeVersion(1, 1));
      await sleep(50);
    }
    await runOnce(world.connectionString, undo);
    expect((await calls.commit(1, [makeRow('b', 1)])).value).toEqual([COMMITTED]);
    expect(record.health()).toEqual({ state: 'up' });
  },
);

test('the note of the founding cannot be read for a moment: not taken for a server that was emptied', async () => {
  // A server that holds a lock up answers within the time for a connection.
  const patient = world.open({ connectTimeoutMs: 10_000 });
  await patient.start();
  patient.choose({ ...patient.seen()!, clusterId: 'cluster', life: 1 });
  const lock = new pg.Client({ connectionString: world.connectionString });
  lock.on('error', () => {});
  await lock.connect();
  onTestFinished(() => lock.end());
  await lock.query('begin; lock table causeway.cluster in access exclusive mode');
  await runOnce(
    world.connectionString,
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and state = 'idle'`,
  );
  await vi.waitFor(
    () =>
      expect(patient.health()).toMatchObject({
        state: 'down',
        reason: expect.stringContaining('canceling statement due to lock timeout') as string,
      }),
    { timeout: 10_000 },
  );
  await lock.query('rollback');
  await vi.waitFor(() => expect(patient.health()).toEqual({ state: 'up' }), { timeout: 20_000 });
});

/** As a role that has all rights on the tables, and does not own them. */
async function openAsPlain(): Promise<PostgresRecord> {
  await runOnce(
    world.connectionString,
    `do $$ begin create role plain; exception when duplicate_object then null; end $$;
grant all on schema causeway to plain; grant all on all tables in schema causeway to plain;
grant all on public.kv_store to plain`,
  );
  return world.open({ connectionString: `${world.connectionString}?options=-c%20role%3Dplain` });
}

test('the role may not read the note of the founding: that is told, and the server is not taken for an emptied one', async () => {
  const asPlain = await openAsPlain();
  await runOnce(world.connectionString, 'revoke all on causeway.cluster from plain');
  await expect(asPlain.start()).rejects.toThrow('permission denied for table cluster');
});

test('a policy hides rows from the role of the nodes: told as a failure, never as an absence or an empty table', async () => {
  await calls.commit(1, [makeRow('a', 1)]);
  const asPlain = await openAsPlain();
  await asPlain.start();
  const plain = new RecordCalls(world, asPlain);
  expect((await plain.read(['a'])).value[0]?.record.version).toBe(makeVersion(1, 1));
  await runOnce(world.connectionString, 'alter table causeway.record enable row level security');
  expect((await plain.read(['a'])).error).toMatchObject({ kind: 'unknown' });
  expect((await plain.found(1, 'cluster')).error).not.toBeNull();
  await runOnce(world.connectionString, 'alter table causeway.record disable row level security');
  await vi.waitFor(() => expect(asPlain.health()).toEqual({ state: 'up' }), { timeout: 20_000 });
  expect((await plain.read(['a'])).value[0]?.record.version).toBe(makeVersion(1, 1));
});
