/**
 * A real PostgreSQL comes back without its newest rows, under real nodes: as a promoted standby that lacked them, or as
 * a backup restored in place without notice; or an operator adopts another one. What was acknowledged is in it again
 * afterwards. (PROTOCOL R30)
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { NodeStatus } from '../../src/node/status.ts';
import type { Backup, TestServer } from '../support/postgres.ts';
import { runOnce, testServer } from '../support/postgres.ts';
import { startCluster } from '../support/cluster.ts';
import type { TestCluster } from '../support/cluster.ts';
import { buildProgram, runProgram, until } from '../support/supervisor-program.ts';

const KEYS = Array.from({ length: 60 }, (_, at) => `key ${at}`);

let program: Awaited<ReturnType<typeof buildProgram>>;
let server: TestServer;
/** Taken while all is well. */
let backup: Backup;
let cluster: TestCluster;

beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
  server = await testServer();
});
afterAll(() => program.remove());
beforeEach(async () => {
  cluster = await startCluster({ entry: program.entry, legacy: false });
});
afterEach(() => cluster.close());

const setAll = async (value: (key: string) => string): Promise<void> => {
  await Promise.all(KEYS.map((key) => cluster.client().set(key, value(key))));
};

/** What anybody sees who asks PostgreSQL. */
async function standing(): Promise<Record<string, string>> {
  const rows = await cluster.rows(`SELECT key, convert_from(value, 'UTF8') AS value FROM kv_store`);
  return Object.fromEntries(rows.map((row) => [String(row['key']), String(row['value'])]));
}

const untilAll = (what: string, holds: (status: NodeStatus) => boolean): Promise<void> =>
  until(
    what,
    async () => (await Promise.all(cluster.names.map((name) => cluster.status(name)))).every(holds),
    30_000,
  );

const untilDriven = (drive: number): Promise<void> =>
  untilAll(
    'PostgreSQL has all again',
    ({ record }) => record.drive!.drive >= drive && record.drive!.isDriven,
  );

/** The copy has the first value of each key, and the last value was acknowledged after it. */
async function writtenAfterCopy(): Promise<Record<string, string>> {
  const client = cluster.client();
  await setAll((key) => `before ${key}`);
  backup = await server.backUp();
  for (const key of KEYS.slice(0, 20)) await client.set(key, `after ${key}`);
  for (const key of KEYS.slice(20, 30)) await client.delete(key);
  for (const key of KEYS.slice(0, 10)) await client.set(`new ${key}`, 'new');
  return standing();
}

test('a standby without the newest rows is promoted: an epoch names it, and they are committed to it again', async () => {
  const acknowledged = await writtenAfterCopy();
  await server.goBackTo(backup, 'failover');
  await untilDriven(1);
  expect(await standing()).toEqual(acknowledged);
  expect(await cluster.client().get('key 3')).toEqual(Buffer.from('after key 3'));
  await cluster.client().set('key 3', 'last');
  expect((await standing())['key 3']).toBe('last');
  const status = runProgram(program.entry, ['status', '--nodes', cluster.node('node-1').address]);
  expect(await status.ended).toBe(0);
  await acceptAnother({ ...acknowledged, 'key 3': 'last' });
});

const codeOf = (error: unknown): string => (error as { readonly code: string }).code;

/** Another, empty database on the same server: the server's identity alone would not distinguish them. */
async function acceptAnother(acknowledged: Record<string, string>): Promise<void> {
  const former = cluster.databaseUrl;
  const next = await server.createDatabase();
  const adopt = (...words: string[]): Promise<number | string> =>
    runProgram(program.entry, [
      ...['cluster', 'adopt-record', '--nodes', cluster.node('node-1').address],
      ...words,
    ]).ended;
  await cluster.pointAt('node-1', next);
  const servesOn = async (): Promise<boolean> =>
    ((await cluster.http('node-1', '/status'))?.body as NodeStatus | undefined)?.leaseHeld === true;
  await until('node-1 serves on', servesOn, 30_000);
  const { record } = await cluster.status('node-1');
  expect(record).toMatchObject({ state: 'down', isForeign: true });
  expect(record.reason).toContain('causeway cluster adopt-record');
  expect(await cluster.client('node-1').get('key 3')).toEqual(Buffer.from('last'));
  await cluster.client('node-2').set('key 4', 'to the former one');
  expect(await adopt()).toBe(1);
  expect(await adopt('--yes')).toBe(0);
  await untilAll('all know of it', ({ record: { known } }) => known!.system.includes('#'));
  await until('node-2 is told apart', async () => (await cluster.status('node-2')).record.isForeign!, 30_000);
  const refused = await cluster
    .client('node-2')
    .set('key 5', 'too late')
    .then(() => 'done', codeOf);
  // A write that had begun when the server was recognised as another may still take effect: in the new one, never in
  // the old.
  expect(['record_unavailable', 'outcome_unknown']).toContain(refused);
  for (const name of ['node-2', 'node-3']) {
    await cluster.pointAt(name, next);
    await cluster.untilReady(name);
  }
  cluster.databaseUrl = next;
  await untilAll(
    'the next one has all',
    ({ record: { drive, isForeign } }) => drive!.isDriven && !isForeign!,
  );
  const { 'key 5': fifth, ...others } = await standing();
  const { 'key 5': before, ...rest } = acknowledged;
  expect(others).toEqual({ ...rest, 'key 4': 'to the former one' });
  expect(refused === 'outcome_unknown' ? [before, 'too late'] : [before]).toContain(fifth);
  const [late5] = (
    await runOnce(former, `SELECT convert_from(value, 'UTF8') AS value FROM kv_store WHERE key = 'key 5'`)
  ).rows as { value: string }[];
  expect(late5!.value).toBe(acknowledged['key 5']);
  await cluster.client().set('key 5', 'to the next one');
  expect((await standing())['key 5']).toBe('to the next one');
}

test('a backup is put in its place: it is noticed by what is gone, and that is committed to it again', async () => {
  const acknowledged = await writtenAfterCopy();
  await server.goBackTo(backup, 'restore');
  await untilDriven(1);
  expect(await standing()).toEqual(acknowledged);
});

test('a backup is put in its place while all nodes are down: they compare when they start', async () => {
  const acknowledged = await writtenAfterCopy();
  await cluster.stop();
  await server.goBackTo(backup, 'restore');
  for (const name of cluster.names) cluster.start(name);
  await cluster.untilReady();
  await untilDriven(1);
  expect(await standing()).toEqual(acknowledged);
});
