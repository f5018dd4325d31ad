/**
 * Starting in the modes for relatives of PostgreSQL: what is created, what is refused, and how an earlier life is
 * fenced there.
 */
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { COMPAT_COMMIT, SHOW_ISOLATION } from '../../src/adapters/postgres/compat-statements.ts';
import { checkCompatServer } from '../../src/adapters/postgres/compat-session.ts';
import { Connection } from '../../src/adapters/postgres/connection.ts';
import { RecordFailure, SetupError } from '../../src/adapters/postgres/record-failure.ts';
import { packRows } from '../../src/adapters/postgres/record-rows.ts';
import { retrying } from '../../src/adapters/postgres/retrying.ts';
import { serverFacts, type ServerFacts } from '../../src/cli/doctor-postgres.ts';
import { judgeRelative } from '../../src/cli/doctor-relative-rules.ts';
import { loadConfig } from '../../src/config/config.ts';
import type { RecordCompat } from '../../src/core/system-of-record/record-dialect.ts';
import { makeVersion } from '../../src/core/version.ts';
import { makeRecord } from '../../src/process/record-start.ts';
import type { Founding } from '../../src/ports/system-of-record.ts';
import { RecordCalls, makeRow, type Answer } from '../contracts/record-calls.ts';
import { postgresWorld, type PostgresWorld } from '../support/postgres-world.ts';
import { runOnce } from '../support/postgres.ts';
import { CLUSTER_ID, relativeWorld, strictWorld } from '../support/relative-world.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function kept<World extends PostgresWorld>(world: Promise<World>): Promise<World> {
  const made = await world;
  closing.push(() => made.close());
  return made;
}

const rowsOf = async (world: PostgresWorld, text: string): Promise<unknown[][]> =>
  (await runOnce(world.connectionString, text)).rows.map((row) =>
    Object.values(row as Record<string, unknown>),
  );

const database = (world: PostgresWorld): string => new URL(world.connectionString).pathname.slice(1);

async function refused(world: PostgresWorld, why: RegExp): Promise<void> {
  const started = world.open().start();
  await expect(started).rejects.toBeInstanceOf(SetupError);
  await expect(started).rejects.toThrow(why);
}

describe('starting', () => {
  test('three nodes on an empty database at the same moment: all start, with one name for it', async () => {
    const world = await kept(relativeWorld('cockroach'));
    const records = await Promise.all([world.connect(), world.connect(), world.connect()]);
    const systems = new Set(records.map((record) => record.seen()!.system));
    expect(systems.size).toBe(1);
    expect([...systems][0]).toMatch(new RegExp(`^${CLUSTER_ID}#[0-9a-f]{32}$`));
    expect((await rowsOf(world, 'select count(*)::int from causeway.slot_floor'))[0]).toEqual([16_384]);
    expect(world.beyond()).toEqual([]);
  });

  test('its tables have the columns that those of PostgreSQL itself have', async () => {
    const columns = (world: PostgresWorld): Promise<unknown[][]> =>
      rowsOf(
        world,
        `select table_name, column_name, data_type, is_nullable from information_schema.columns
where table_schema = 'causeway' and table_name not in ('migration', 'compat', 'compat_migration')
order by table_name, column_name`,
      );
    const [itself, relative] = [await kept(postgresWorld()), await kept(relativeWorld('yugabyte'))];
    await itself.connect();
    await relative.connect();
    expect(await columns(relative)).toEqual(await columns(itself));
  });

  test('a node that is told nothing meets a relative: told what to set', async () => {
    await refused(await kept(relativeWorld('cockroach', 'none')), /set postgres.compat to cockroach/);
    await refused(await kept(relativeWorld('yugabyte', 'none')), /set postgres.compat to yugabyte/);
  });

  test('a node that is told of a relative meets PostgreSQL itself, or another relative: refused', async () => {
    const itself = await kept(postgresWorld());
    const started = itself.open({ compat: 'cockroach' }).start();
    await expect(started).rejects.toThrow(/take postgres.compat out/);
    await refused(await kept(relativeWorld('yugabyte', 'cockroach')), /set postgres.compat to yugabyte/);
  });

  test('the tables were made in one mode: a node of another is refused, in both directions, and makes none', async () => {
    const world = await kept(relativeWorld('cockroach'));
    await world.connect();
    await runOnce(world.connectionString, `alter database ${database(world)} reset search_path`);
    await expect(world.open({ compat: 'none' }).start()).rejects.toThrow(
      /made with postgres.compat: cockroach/,
    );

    const other = await kept(relativeWorld('yugabyte'));
    await runOnce(other.connectionString, 'create schema causeway; create table causeway.migration (id int)');
    await refused(other, /made with postgres.compat: none/);
    expect(await rowsOf(other, `select pg_catalog.to_regclass('causeway.compat') is null`)).toEqual([[true]]);
  });

  test('a table of the first system stands there: refused, with what to do, and left as it is', async () => {
    const world = await kept(relativeWorld('yugabyte'));
    await runOnce(
      world.connectionString,
      `create table public.kv_store (key text); insert into public.kv_store values ('a')`,
    );
    await refused(world, /causeway import/);
    expect(await rowsOf(world, 'select key from public.kv_store')).toEqual([['a']]);
  });

  test('Citus is there: used as long as it has spread none of our tables', async () => {
    const world = await kept(postgresWorld());
    await runOnce(
      world.connectionString,
      'create table citus_tables (table_name regclass, citus_table_type text)',
    );
    await world.connect();
    const put = `insert into citus_tables values ('causeway.record', `;
    await runOnce(world.connectionString, `${put}'local')`);
    await world.connect();
    await runOnce(world.connectionString, `${put}'distributed')`);
    await refused(world, /Citus has spread or copied causeway.record.*undistribute_table/);
    await runOnce(
      world.connectionString,
      `alter database ${database(world)} set search_path = causeway, public`,
    );
    await refused(world, /Citus has spread or copied causeway.record/);
  });
});

describe('what the contract is held against', () => {
  test('a node that sends what the relative lacks is seen, and the server refuses it what it can', async () => {
    const world = await kept(relativeWorld('cockroach', 'none'));
    await expect(runOnce(world.connectionString, 'select pg_try_advisory_lock(1)')).rejects.toMatchObject({
      code: '0A000',
    });
    await runOnce(world.connectionString, `alter database ${database(world)} reset search_path`);
    const calls = new RecordCalls(world, await world.connect());
    await calls.found(0, 'ours');
    await calls.commit(1, [makeRow('a', 1)]);
    const told = world.beyond().join('\n');
    for (const lack of [
      'pg_control_system',
      'system catalogue',
      'lock table',
      'fence by the lock of a writer',
    ])
      expect(told).toContain(lack);
  });
});

describe('a session', () => {
  const settings = { compat: 'yugabyte', statementTimeoutMs: 1_000, isReader: false } as const;
  /** A server that gives these answers, and 'ok' to settings. */
  const answering = (answers: Record<string, unknown[]>): pg.Client =>
    ({
      query: (asked: string | { text: string }) => {
        const text = typeof asked === 'string' ? asked : asked.text;
        const found = Object.entries(answers).find(([part]) => text.includes(part));
        return Promise.resolve({ rows: found === undefined ? [] : [found[1]] });
      },
    }) as unknown as pg.Client;
  const FIT = {
    transaction_isolation: ['serializable'],
    server_encoding: ['UTF8'],
    transaction_read_only: ['off'],
  };

  test.each([
    [{ transaction_isolation: ['read committed'] }, SetupError, /answers with read committed isolation/],
    [{ server_encoding: ['SQL_ASCII'] }, SetupError, /UTF8/],
    [{ transaction_read_only: ['on'] }, RecordFailure, /only reads/],
  ])('%j: not used', async (lack, kind, why) => {
    await checkCompatServer(answering(FIT), settings, true);
    const checked = checkCompatServer(answering({ ...FIT, ...lack }), settings, true);
    await expect(checked).rejects.toBeInstanceOf(kind);
    await expect(checked).rejects.toThrow(why);
  });

  test('text in the order of a language: not used', async () => {
    await expect(checkCompatServer(answering(FIT), settings, false)).rejects.toThrow(/collation "C"/);
  });

  test('what writes is serializable; YugabyteDB, which would lock it, reads a snapshot', async () => {
    const granted = async (compat: 'cockroach' | 'yugabyte', isReader: boolean): Promise<unknown> => {
      const { connectionString } = await kept(strictWorld(compat));
      const limits = { applicationName: 'test', connectTimeoutMs: 5_000, statementTimeoutMs: 5_000 };
      const connection = await Connection.open({ connectionString, compat, isReader, ...limits });
      const [row] = await connection.run(SHOW_ISOLATION, [], performance.now() + 5_000);
      connection.destroy();
      return row![0];
    };
    expect(await granted('yugabyte', true)).toBe('repeatable read');
    expect(await granted('yugabyte', false)).toBe('serializable');
    expect(await granted('cockroach', true)).toBe('serializable');
  });
});

test('the doctor asks it no more than it has, and tells when it is not what was set', async () => {
  const world = await kept(strictWorld('cockroach'));
  const asked = (compat: RecordCompat): Promise<ServerFacts> =>
    serverFacts({ url: world.connectionString, compat }, 5_000, new AbortController().signal);
  const { kind, facts } = (await asked('cockroach')) as Extract<ServerFacts, { kind: 'relative' }>;
  expect(kind).toBe('relative');
  expect(facts).toMatchObject({ compat: 'cockroach', madeFor: 'cockroach', isolation: 'serializable' });
  expect(judgeRelative(facts).filter(({ level }) => level === 'fault' || level === 'warning')).toEqual([]);
  expect(await asked('none')).toMatchObject({ kind: 'other' });
});

test('a node goes by its settings', async () => {
  const world = await kept(strictWorld('yugabyte'));
  const flags = {
    'node.name': 'a',
    'node.dataDir': '/nowhere',
    'cluster.members': 'a=127.0.0.1:1,b=127.0.0.1:2',
    'postgres.url': world.connectionString,
    'postgres.compat': 'yugabyte',
  };
  const { config } = loadConfig({ flags });
  const record = makeRecord(config, config.postgres!, { event: () => {}, count: () => {} });
  closing.push(() => record.close());
  await record.start();
  expect(record.seen()!.system).toMatch(/^unknown#/);
});

describe('which database it is', () => {
  test('a copy in another cluster of CockroachDB is not used; one that does not tell is known by its name', async () => {
    const world = await kept(relativeWorld('cockroach'));
    const calls = new RecordCalls(world, await world.connect());
    await calls.found(0, 'ours');
    const { value } = await calls.survey();
    calls.record.choose(value!.server);

    const chosen = async (): Promise<string> => {
      const record = await world.connect();
      record.choose(value!.server);
      const { error } = await new RecordCalls(world, record).commit(1, [makeRow('a', 1)]);
      return error === null ? 'used' : error.message;
    };
    expect(await chosen()).toBe('used');
    await runOnce(world.connectionString, 'drop function crdb_internal.cluster_id()');
    expect(await chosen()).toBe('used');
    await runOnce(
      world.connectionString,
      `create function crdb_internal.cluster_id() returns uuid language sql as $$ select '${CLUSTER_ID.replace('9', '8')}'::uuid $$`,
    );
    expect(await chosen()).toMatch(/another PostgreSQL/);
  });

  test('another database of the same mode has another name', async () => {
    const [one, two] = [await kept(relativeWorld('yugabyte')), await kept(relativeWorld('yugabyte'))];
    const [first, second] = [await one.connect(), await two.connect()];
    expect(first.seen()!.system).toMatch(/^unknown#/);
    expect(first.seen()!.system).not.toBe(second.seen()!.system);
  });
});

describe('a call that loses against another transaction', () => {
  const bounds = { retriesMax: 3, firstMs: 0, pauseMsMax: 0 };
  const lost = new RecordFailure('unknown', 'restart transaction', { isRetryable: true });
  const failing = (errors: Error[]): (() => Promise<string>) => {
    return () => (errors.length === 0 ? Promise.resolve('done') : Promise.reject(errors.shift()!));
  };

  test('is made again until it is done, but not for ever; nothing else is', async () => {
    let retries = 0;
    const around = { random: Math.random, onRetry: () => (retries += 1) };
    expect(await retrying(bounds, around, failing([lost, lost, lost]))).toBe('done');
    expect(retries).toBe(3);
    await expect(retrying(bounds, around, failing([lost, lost, lost, lost]))).rejects.toBe(lost);
    const other = new RecordFailure('unknown', 'lost');
    await expect(retrying(bounds, around, failing([other]))).rejects.toBe(other);
    expect(retries).toBe(6);
  });

  test('is counted: one that the server ends in favour of another', async () => {
    const world = await kept(strictWorld('cockroach'));
    const counted: string[] = [];
    const telemetry = { event: () => {}, count: (name: string) => void counted.push(name) };
    const record = world.open({ telemetry });
    await record.start();
    const calls = new RecordCalls(world, record);
    await calls.found(0, 'ours');
    const client = new pg.Client({ connectionString: world.connectionString });
    await client.connect();
    closing.push(() => client.end());
    await client.query('begin');
    await client.query('update causeway.cluster set floor = floor + 1');
    const committed = calls.commit(1, [makeRow('a', 1)]);
    await whenWaiting(world);
    await client.query('commit');
    expect((await committed).value).toEqual([{ kind: 'committed' }]);
    expect(counted).toContain('record.retries');
  });
});

/**
 * A statement of the first life has written, but not committed, when the second life is founded. `sharesLock` and
 * `isolation`: which of the two safeguards it uses.
 */
interface Late {
  readonly client: pg.Client;
  readonly founding: Promise<Answer<Founding | null>>;
  readonly world: PostgresWorld;
}

const LATE = makeVersion(50, 1);

async function lateWriter(sharesLock: boolean, isolation: string): Promise<Late> {
  const world = await kept(strictWorld('yugabyte'));
  const calls = new RecordCalls(world, await world.connect());
  await calls.found(0, 'first');
  await calls.commit(1, [makeRow('early', 5)]);
  const client = new pg.Client({ connectionString: world.connectionString });
  await client.connect();
  closing.push(() => client.end());
  await client.query(`begin isolation level ${isolation}`);
  const text = sharesLock ? COMPAT_COMMIT.text : COMPAT_COMMIT.text.replace(' for share', '');
  await client.query(text, [1, ...packRows([makeRow('late', 50)])]);
  return { client, world, founding: calls.found(1, 'second') };
}

async function whenWaiting(world: PostgresWorld): Promise<void> {
  const waiting = `select count(*)::int from pg_stat_activity where datname = '${database(world)}' and wait_event_type = 'Lock'`;
  while ((await rowsOf(world, waiting))[0]![0] === 0) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('the fence', () => {
  test.each(['serializable', 'repeatable read', 'read committed'])(
    'with the lock, %s: the founding waits for the late statement, and knows what it wrote',
    async (isolation) => {
      const { client, world, founding } = await lateWriter(true, isolation);
      await whenWaiting(world);
      await client.query('commit');
      expect((await founding).value).toMatchObject({ life: 2, highestVersion: LATE });
    },
  );

  test('without the lock, serializable: the founding goes ahead, and the late statement cannot commit', async () => {
    const { client, founding, world } = await lateWriter(false, 'serializable');
    expect((await founding).value).toMatchObject({ life: 2, highestVersion: makeVersion(5, 1) });
    await expect(client.query('commit')).rejects.toMatchObject({ code: '40001' });
    expect(await rowsOf(world, `select key from causeway.record`)).toEqual([['early']]);
  });

  test('with neither there is none: a row stands above the version that the second life begins from', async () => {
    const { client, founding, world } = await lateWriter(false, 'read committed');
    expect((await founding).value).toMatchObject({ life: 2, highestVersion: makeVersion(5, 1) });
    await client.query('commit');
    expect(await rowsOf(world, `select max(version)::text from causeway.record`)).toEqual([[String(LATE)]]);
  });
});
