/** A database of the first system becomes one of Causeway automatically, without losing a row. */
import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ORIGIN_OUTSIDE } from '../../src/core/record.ts';
import { NODE_ID_OUTSIDE, makeVersion } from '../../src/core/version.ts';
import { sealRecord } from '../../src/wire/record-codec.ts';
import { RecordCalls, makeRow, slotOfTest } from '../contracts/record-calls.ts';
import { postgresWorld, type PostgresWorld } from '../support/postgres-world.ts';
import { runOnce } from '../support/postgres.ts';

const IMPORTED = makeVersion(1, NODE_ID_OUTSIDE);
const FIRST_TABLE = `create table kv_store (
  key text primary key, value bytea not null, created_at timestamp default current_timestamp)`;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let world: PostgresWorld;
beforeEach(async () => {
  world = await postgresWorld();
});
afterEach(() => world.close());

const sql = async (text: string): Promise<Record<string, unknown>[]> =>
  (await runOnce(world.connectionString, text)).rows as Record<string, unknown>[];
const fill = (count: number): Promise<unknown> =>
  sql(
    `insert into kv_store select 'key ' || i, convert_to('value ' || i, 'UTF8') from generate_series(1, ${count}) i`,
  );
const kindOf = async (name: string): Promise<unknown> =>
  (
    await sql(
      `select relkind from pg_class where relname = '${name}' and relnamespace = 'public'::regnamespace`,
    )
  )[0]?.['relkind'];

test('a table of the first system: its rows are the cluster’s, the table is kept under another name', async () => {
  await sql(FIRST_TABLE);
  await sql(`insert into kv_store values ('user:1', '\\x00ff10', '2024-02-29 12:34:56.789123+00')`);
  const calls = new RecordCalls(world, await world.connect());
  const { value } = await calls.read(['user:1']);
  const { record, slot, checksum } = value[0]!;
  expect(record).toMatchObject({ version: IMPORTED, origin: ORIGIN_OUTSIDE, tombstone: false, expiresAt: 0 });
  expect([...record.value]).toEqual([0, 255, 16]);
  expect(slot).toBe(slotOfTest('user:1'));
  expect(sealRecord(record).checksum).toBe(checksum);
  const [seen] = await sql('SELECT key, created_at FROM kv_store');
  expect(seen!['key']).toBe('user:1');
  expect((seen!['created_at'] as Date).getTime() % 1000).toBe(789);
  expect(await kindOf('kv_store')).toBe('v');
  expect((await sql('select key from kv_store_before_causeway')).length).toBe(1);
});

test('varchar, timestamptz and columns of its own: adopted as well', async () => {
  await sql(
    `create table kv_store (id serial, key varchar(255) unique, node text, value bytea, created_at timestamptz)`,
  );
  await sql(
    `insert into kv_store (key, value, created_at) values ('a', 'x', '2024-01-01 00:00:00.5Z'), ('b', '', null)`,
  );
  const calls = new RecordCalls(world, await world.connect());
  const { value } = await calls.read(['a', 'b']);
  expect(value[0]!.record.createdAt).toBe(Date.UTC(2024, 0, 1, 0, 0, 0, 500));
  expect(Math.abs(value[1]!.record.createdAt - Date.now())).toBeLessThan(600_000);
  expect(value[1]!.record.value.length).toBe(0);
});

test('a row that Causeway already holds is not replaced', async () => {
  const calls = new RecordCalls(world, await world.connect());
  await calls.found(0, 'cluster');
  await calls.commit(1, [
    makeRow('key 1', 5),
    makeRow('key 2', 5, { tombstone: true, value: new Uint8Array(0) }),
  ]);
  await sql('drop view kv_store');
  await sql(FIRST_TABLE);
  await fill(3);
  await world.connect();
  const { value } = await calls.read(['key 1', 'key 2', 'key 3']);
  expect(value.map((row) => row!.record.version)).toEqual([makeVersion(5, 1), makeVersion(5, 1), IMPORTED]);
});

test('interrupted in the middle: the table stays, the next start goes on, later changes count', async () => {
  await sql(FIRST_TABLE);
  await fill(2_500);
  let asked = 0;
  const slotOf = (key: string): number => {
    if ((asked += 1) === 1_500) throw new Error('the power went out');
    return slotOfTest(key);
  };
  await expect(world.open({ slotOf, startTimeoutMs: 0 }).start()).rejects.toThrow(/power/);
  expect(await kindOf('kv_store')).toBe('r');
  expect((await sql('select count(*)::int as n from causeway.record'))[0]!['n']).toBe(1_000);

  const [early] = await sql('select key from causeway.record limit 1');
  await sql(`update kv_store set value = 'changed' where key = '${String(early!['key'])}'`);
  await sql(`insert into kv_store values ('new', 'late')`);
  const calls = new RecordCalls(world, await world.connect());
  expect((await sql('select count(*)::int as n from kv_store'))[0]!['n']).toBe(2_501);
  const { value } = await calls.read([String(early!['key']), 'new']);
  expect(value.map((row) => String(row!.record.value))).toEqual(['changed', 'late']);
  for (const row of value) expect(sealRecord(row!.record).checksum).toBe(row!.checksum);
});

test('three nodes start on it, a transaction of the first system is open: adopted once, with its row', async () => {
  await sql(FIRST_TABLE);
  await fill(2_000);
  const open = await begin(`insert into kv_store values ('open', 'x')`);
  const started = Promise.all([world.connect(), world.connect(), world.connect()]);
  // Each node opens two connections when it gets to the adoption; by then all have found the table.
  const nodes = `select count(*)::int / 2 as n from pg_stat_activity
    where datname = current_database() and application_name = 'causeway'`;
  while (((await sql(nodes))[0]!['n'] as number) < 3) await sleep(20);
  await sleep(300);
  await open.query('commit');
  await started;
  expect((await sql('select count(*)::int as n from kv_store'))[0]!['n']).toBe(2_001);
  expect((await sql('select count(*)::int as n from kv_store_before_causeway'))[0]!['n']).toBe(2_001);
  expect(await kindOf('kv_store')).toBe('v');
  await open.end();
});

test('a row that another node commits while it is imported: not replaced', async () => {
  await world.connect();
  await sql('drop view kv_store');
  await sql(FIRST_TABLE);
  await fill(3);
  const open = await begin(`insert into causeway.record values
    ('key 2', ${slotOfTest('key 2')}, 'newer', 99999, 0, now(), now(), null, false, 1, null)`);
  const started = world.connect();
  await sleep(300);
  await open.query('commit');
  const { value } = await new RecordCalls(world, await started).read(['key 2']);
  expect(String(value[0]!.record.value)).toBe('newer');
  await open.end();
});

/** A connection of someone else, in a transaction that has executed `text`. */
async function begin(text: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: world.connectionString });
  await client.connect();
  await client.query('begin');
  await client.query(text);
  return client;
}

test.each([
  [
    'a table of another shape',
    'create table kv_store (key integer, value text)',
    /it has the columns \(key integer/,
  ],
  ['a view of something else', 'create view kv_store as select 1 as key', /view of something else/],
  ['a sequence', 'create sequence kv_store', /neither a table nor a view/],
])('%s: refused, with what is expected, and left alone', async (_, create, message) => {
  await sql(create);
  const started = world.open().start();
  await expect(started).rejects.toThrow(message);
  await expect(started).rejects.toThrow(/expected is the table of the first system/);
});

test.each([
  ['an empty key', `('', 'x')`, /empty key/],
  ['a key that is too long', `(repeat('k', 1025), 'x')`, /key of 1025 bytes/],
  ['no value', `('a', null)`, /"a" \(no value\)/],
  ['a key twice', `('a', 'x'), ('a', 'y')`, /"a" \(stands 2 times\)/],
])('%s: reported, and the table is left as it is', async (_, values, message) => {
  await sql('create table kv_store (key text, value bytea, created_at timestamp)');
  await sql(`insert into kv_store (key, value) values ('good', 'x'), ${values}`);
  await expect(world.open().start()).rejects.toThrow(message);
  expect(await kindOf('kv_store')).toBe('r');
  expect((await sql('select count(*)::int as n from causeway.record'))[0]!['n']).toBe(0);
});

test('a kept table is already there: refused before anything is changed', async () => {
  await sql(FIRST_TABLE);
  await sql('create table kv_store_before_causeway (key text)');
  await expect(world.open().start()).rejects.toThrow(/kv_store_before_causeway already stands/);
  expect(await kindOf('kv_store')).toBe('r');
});

test('somebody holds the table of the first system for long: one line says so and what to do, and it is adopted afterwards', async () => {
  await sql(FIRST_TABLE);
  await fill(3);
  const open = await begin('select from kv_store');
  const record = world.open();
  const started = record.start();
  const reason = expect.stringMatching(
    /^the schema is to be changed, which waits for .*kv_store.*end it/,
  ) as string;
  await vi.waitFor(() => expect(record.health()).toMatchObject({ state: 'down', reason }), {
    timeout: 30_000,
  });
  await open.query('commit');
  await open.end();
  await started;
  expect(await kindOf('kv_store')).toBe('v');
}, 60_000);
