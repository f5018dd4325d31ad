/** Preparing a database: migrations, refusals, and the view that anyone may read. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { SetupError } from '../../src/adapters/postgres/record-failure.ts';
import { RecordCalls, makeRow } from '../contracts/record-calls.ts';
import { MIGRATIONS_DIRECTORY, postgresWorld, type PostgresWorld } from '../support/postgres-world.ts';
import { runOnce, testServer } from '../support/postgres.ts';

let world: PostgresWorld;
beforeEach(async () => {
  world = await postgresWorld();
});
afterEach(() => world.close());

const sql = async (text: string): Promise<Record<string, unknown>[]> =>
  (await runOnce(world.connectionString, text)).rows as Record<string, unknown>[];

async function alterDatabase(setting: string): Promise<void> {
  await runOnce(
    world.connectionString,
    `alter database ${new URL(world.connectionString).pathname.slice(1)} ${setting}`,
  );
}

describe('starting', () => {
  test('before it has started: every call is refused', async () => {
    const calls = new RecordCalls(world, world.open());
    expect((await calls.commit(1, [makeRow('a', 1)])).error).toMatchObject({
      kind: 'refused',
      fenced: false,
    });
    expect((await calls.readLife()).error).toMatchObject({ kind: 'refused' });
    expect(calls.record.health()).toMatchObject({ state: 'down' });
  });

  test('three nodes on a new database at the same moment: each migration is applied once, all start', async () => {
    await Promise.all([world.connect(), world.connect(), world.connect()]);
    const names = (await sql('select name from causeway.migration order by id')).map((row) => row['name']);
    expect(names[0]).toBe('0001_record');
    expect(new Set(names).size).toBe(names.length);
  });

  test('a second start on the same database changes nothing', async () => {
    const first = new RecordCalls(world, await world.connect());
    await first.found(0, 'cluster');
    await first.commit(1, [makeRow('a', 1)]);
    const second = new RecordCalls(world, await world.connect());
    expect((await second.read(['a'])).value[0]!.checksum).toBe(makeRow('a', 1).checksum);
  });

  test('a user named like our schema, so that its names need no prefix: a second start knows its own view', async () => {
    await alterDatabase('set search_path = causeway, public');
    await world.connect();
    await world.connect();
  });

  test('a user who may write, and make neither schemas nor tables: starts where all is made already', async () => {
    await world.connect();
    await sql(`create role writer_${process.pid}`);
    onTestFinished(async () => {
      await sql(`drop owned by writer_${process.pid}; drop role writer_${process.pid}`);
    });
    await sql(`grant usage on schema causeway to writer_${process.pid};
      grant select, insert, update, delete on all tables in schema causeway to writer_${process.pid}`);
    const role = encodeURIComponent(`-c role=writer_${process.pid}`);
    const connectionString = `${world.connectionString}?options=${role}`;
    const record = world.open({ connectionString });
    await record.start();
    const calls = new RecordCalls(world, record);
    await calls.found(0, 'cluster');
    await calls.commit(1, [makeRow('a', 1)]);
    expect((await calls.read(['a'])).value[0]!.checksum).toBe(makeRow('a', 1).checksum);
  });

  test('its tables are to be changed while a transaction stays open: writers go on, who is in the way is told, and then it starts', async () => {
    const earlier = mkdtempSync(join(tmpdir(), 'causeway-migrations-'));
    onTestFinished(() => rmSync(earlier, { recursive: true }));
    cpSync(join(MIGRATIONS_DIRECTORY, '0001_record.sql'), join(earlier, '0001_record.sql'));
    await world.open({ migrationsDirectory: earlier }).start();
    const dump = new pg.Client({ connectionString: world.connectionString, application_name: 'a dump' });
    await dump.connect();
    onTestFinished(() => dump.end());
    await dump.query('begin; select from causeway.record');
    const record = world.open({ statementTimeoutMs: 1_000 });
    const started = record.start();
    const waiting = `select from pg_locks where relation = 'causeway.record'::regclass and not granted`;
    await vi.waitUntil(async () => (await sql(waiting)).length > 0, { timeout: 30_000 });
    await sql(`set statement_timeout = 5000; insert into causeway.record
      (key, slot, version, origin, created_at, updated_at, deleted, checksum) values ('a', 0, 1, 0, now(), now(), true, 0)`);
    const reason = expect.stringMatching(/waits for a lock, .* by 'a dump', process \d+ of/) as string;
    await vi.waitFor(() => expect(record.health()).toMatchObject({ state: 'down', reason }), {
      timeout: 30_000,
    });
    await dump.query('commit');
    await started;
    expect((await sql('select content_type from causeway.record')).length).toBe(1);
  });

  test('the server is away: start waits for it', async () => {
    const server = await testServer();
    await server.kill();
    const record = world.open();
    const started = record.start();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(record.health()).toMatchObject({ state: 'down' });
    await server.start();
    await started;
    expect(record.health()).toEqual({ state: 'up' });
  });

  test('the server stays away: start gives up in time and says why', async () => {
    const connectionString = 'postgres://postgres@127.0.0.1:1/none';
    await expect(world.open({ connectionString, startTimeoutMs: 100 }).start()).rejects.toThrow(
      /ECONNREFUSED/,
    );
  });

  test('closed while it waits for a server: start ends', async () => {
    const record = world.open({ connectionString: 'postgres://postgres@127.0.0.1:1/none' });
    const started = expect(record.start()).rejects.toThrow(/closed/);
    await record.close();
    await started;
  });
});

describe('a server that is not fit', () => {
  test('synchronous_commit is off: refused at once, with what to do', async () => {
    await alterDatabase('set synchronous_commit = off');
    const started = world.open().start();
    await expect(started).rejects.toBeInstanceOf(SetupError);
    await expect(started).rejects.toThrow(/synchronous_commit is off/);
  });

  test('it only takes reads: not used, start goes on waiting for a primary', async () => {
    await alterDatabase('set default_transaction_read_only = on');
    await expect(world.open({ startTimeoutMs: 200 }).start()).rejects.toThrow(/not a primary/);
  });

  test('another encoding than UTF-8: refused at once', async () => {
    const url = new URL(world.connectionString);
    await sql(`create database latin encoding 'LATIN1' template template0 locale 'C'`);
    url.pathname = '/latin';
    await expect(world.open({ connectionString: url.href }).start()).rejects.toThrow(/UTF8/);
    await sql('drop database latin');
  });

  test('no such database: refused at once', async () => {
    const url = new URL(world.connectionString);
    url.pathname = '/no_such_database';
    await expect(world.open({ connectionString: url.href }).start()).rejects.toBeInstanceOf(SetupError);
  });
});

describe('what anyone sees by SQL', () => {
  test('kv_store shows what is live, and nothing deleted or expired', async () => {
    const calls = new RecordCalls(world, await world.connect());
    await calls.found(0, 'cluster');
    const createdAt = 1_700_000_000_123;
    await calls.commit(1, [
      makeRow('live', 1, { createdAt }),
      makeRow('expires later', 1, { expiresAt: Date.now() + 3_600_000 }),
      makeRow('expired', 1, { expiresAt: Date.now() - 1 }),
      makeRow('deleted', 1, { tombstone: true, value: new Uint8Array(0) }),
    ]);
    const rows = await sql('SELECT key, created_at FROM kv_store ORDER BY key;');
    expect(rows.map((row) => row['key'])).toEqual(['expires later', 'live']);
    expect((rows[1]!['created_at'] as Date).getTime()).toBe(createdAt);
    const [live] = await sql(`select * from kv_store where key = 'live'`);
    expect(Object.keys(live!)).toEqual(['key', 'value', 'created_at', 'updated_at', 'expires_at', 'version']);
    expect(String(live!['value'])).toBe('live@1');
  });

  test('a value cannot be changed through the view behind the cluster’s back', async () => {
    await world.connect();
    await expect(sql(`update kv_store set value = 'x'`)).rejects.toThrow(/cannot update view/);
    await expect(sql('delete from kv_store')).rejects.toThrow(/cannot delete from view/);
  });

  test('an update of a value touches no index', async () => {
    const calls = new RecordCalls(world, await world.connect());
    await calls.found(0, 'cluster');
    for (let counter = 1; counter <= 20; counter += 1) await calls.commit(1, [makeRow('a', counter)]);
    let hotUpdates = 0;
    for (let i = 0; i < 100 && hotUpdates === 0; i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      await calls.commit(1, [makeRow('a', 21 + i)]);
      const [row] = await sql(`select n_tup_hot_upd::int as hot, n_tup_upd::int as all
        from pg_stat_user_tables where schemaname = 'causeway' and relname = 'record'`);
      hotUpdates = row!['hot'] as number;
      if (hotUpdates > 0) expect(hotUpdates).toBe(row!['all']);
    }
    expect(hotUpdates).toBeGreaterThan(0);
  });
});
