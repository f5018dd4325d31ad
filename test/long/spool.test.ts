/**
 * PostgreSQL is killed under load, and the cluster is configured to go on without it: writes continue, nodes are killed
 * meanwhile, and afterwards everything that was acknowledged is in PostgreSQL.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { sealRecord } from '../../src/wire/record-codec.ts';
import { startCluster } from '../support/cluster.ts';
import type { TestCluster } from '../support/cluster.ts';
import { testServer } from '../support/postgres.ts';
import { buildProgram, until } from '../support/supervisor-program.ts';
import { Writers } from '../support/writers.ts';

let program: Awaited<ReturnType<typeof buildProgram>>;
let cluster: TestCluster;
let server: Awaited<ReturnType<typeof testServer>>;
let isDown = false;

beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
  server = await testServer();
});
afterAll(() => program.remove());
beforeEach(async () => {
  cluster = await startCluster({
    entry: program.entry,
    legacy: false,
    surround: () =>
      Promise.resolve({
        settingsOf: () => ({ record: { outage: 'spool' } }),
        envOf: () => ({}),
        close: () => Promise.resolve(),
      }),
  });
});
afterEach(async () => {
  await postgresUp();
  await cluster.close();
});

async function postgresDown(): Promise<void> {
  await server.kill();
  isDown = true;
}

async function postgresUp(): Promise<void> {
  if (isDown) await server.start();
  isDown = false;
}

async function untilAll(what: string, holds: (spool: SpoolStatus) => boolean): Promise<void> {
  await until(
    what,
    async () => {
      const told = await Promise.all(cluster.names.map((name) => cluster.status(name)));
      return told.every(({ spool }) => holds(spool));
    },
    60_000,
  );
}
type SpoolStatus = Awaited<ReturnType<TestCluster['status']>>['spool'];

/** At least the last acknowledged value of every key. */
async function expectRecorded(writers: Writers): Promise<void> {
  const rows = await cluster.rows(`SELECT key, convert_from(value, 'UTF8') AS value FROM causeway.live`);
  const standing = new Map(rows.map((row) => [row['key'] as string, Number(row['value'])]));
  const lacking = [...writers.acknowledged].filter(([key, number]) => (standing.get(key) ?? 0) < number);
  expect(lacking).toEqual([]);
  expect(standing.size).toBeGreaterThan(0);
}

test('killed under load: writes go on, a node is killed and comes back meanwhile, and everything is in PostgreSQL at the end', async () => {
  const writers = new Writers(cluster);
  writers.start();
  await writers.untilAcknowledged(300);
  await postgresDown();
  await untilAll('writes do without PostgreSQL', ({ isOn }) => isOn);
  await writers.untilAcknowledged(500);
  await cluster.kill('node-2');
  await writers.untilAcknowledged(300);
  cluster.start('node-2');
  await cluster.untilReady();
  await writers.untilAcknowledged(300);
  const { spool, record } = await cluster.status('node-2');
  expect(record.state).toBe('down');
  expect(spool.entries).toBeGreaterThan(0);
  expect(spool.oldestMs).toBeGreaterThan(0);

  await postgresUp();
  await untilAll('all is drained', ({ entries, isOn }) => entries === 0 && !isOn);
  await writers.untilAcknowledged(300);
  await writers.stop();
  for (const name of cluster.names) await writers.expectAllAt(name);
  await expectRecorded(writers);
  expect(cluster.logs()).toContain('record.spool_entered');
  expect(cluster.logs()).toContain('record.spool_left');
});

test('all nodes are killed while nothing is in PostgreSQL: they meet, serve, go on, and drain when it is back', async () => {
  const writers = new Writers(cluster);
  writers.start();
  await postgresDown();
  await untilAll('writes do without PostgreSQL', ({ isOn }) => isOn);
  await writers.untilAcknowledged(500);
  await cluster.kill();
  for (const name of cluster.names) cluster.start(name);
  await cluster.untilReady();
  await writers.untilAcknowledged(200);
  await writers.stop();
  for (const name of cluster.names) await writers.expectAllAt(name);

  await postgresUp();
  await untilAll('all is drained', ({ entries, isOn }) => entries === 0 && !isOn);
  await expectRecorded(writers);
});

test('a row is changed from outside before it is drained: it wins, everywhere, and is shown', async () => {
  const client = cluster.client();
  await client.set('key', 'before');
  await postgresDown();
  const giveUpAt = Date.now() + 30_000;
  for (let isSet = false; !isSet && Date.now() < giveUpAt;)
    isSet = await client.set('key', 'ours').then(
      () => true,
      () => false,
    );
  const { entry } = await cluster.inspect('node-1', 'key');
  const version = entry!.version + 10 * 4096;
  const [value, times] = [Buffer.from('theirs'), { createdAt: 1_000, updatedAt: 2_000, expiresAt: 0 }];
  const theirs = {
    key: 'key',
    version,
    origin: 0,
    tombstone: false,
    value,
    ...times,
    operationId: null,
    contentType: null,
  } as const;
  const { checksum } = sealRecord(theirs);
  // Nobody drains while somebody else changes the row.
  await cluster.kill();
  await postgresUp();
  await cluster.rows(
    `UPDATE causeway.record SET value = $1, version = $2, checksum = $3, origin = 0, deleted = false, expires_at = NULL,
       created_at = to_timestamp(1), updated_at = to_timestamp(2) WHERE key = 'key'`,
    [value, version, checksum],
  );
  for (const name of cluster.names) cluster.start(name);
  await cluster.untilReady();
  await untilAll('all is drained', ({ entries }) => entries === 0);
  for (const name of cluster.names)
    expect(Buffer.from((await cluster.client(name).get('key'))!).toString()).toBe('theirs');
  const told = await Promise.all(cluster.names.map((name) => cluster.status(name)));
  expect(told.reduce((sum, { spool }) => sum + spool.conflicts, 0)).toBe(1);
});
