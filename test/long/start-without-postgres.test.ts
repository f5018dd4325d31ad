/**
 * Nodes that start while PostgreSQL is away. The cluster's data is on its members' disks, so a member comes back and
 * serves reads. Founding a cluster is another matter: it waits, and nothing is kept in memory meanwhile.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/client/index.ts';
import { TestCluster, startCluster } from '../support/cluster.ts';
import { testServer } from '../support/postgres.ts';
import { buildProgram, until } from '../support/supervisor-program.ts';
import { Writers } from '../support/writers.ts';

let program: Awaited<ReturnType<typeof buildProgram>>;
let cluster: TestCluster;
let server: Awaited<ReturnType<typeof testServer>>;

beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
  server = await testServer();
});
afterAll(() => program.remove());
afterEach(async () => {
  await postgresUp();
  await cluster.close();
});

let isDown = false;
async function postgresDown(): Promise<void> {
  await server.kill();
  isDown = true;
}
async function postgresUp(): Promise<void> {
  if (isDown) await server.start();
  isDown = false;
}

const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString();

async function expectServedByAll(key: string, value: string): Promise<void> {
  for (const name of cluster.names) {
    expect(textOf(await cluster.client(name).get(key))).toBe(value);
    const { owner, valid, entry } = await cluster.inspect(name, key);
    expect([owner, valid, textOf(entry?.value)]).toEqual([true, true, value]);
  }
}

test('one member, killed under writes: it learns, is an owner again and serves what the cluster holds', async () => {
  cluster = await startCluster({ entry: program.entry });
  await cluster.client().set('held', 'value');
  const writers = new Writers(cluster);
  writers.start();
  await writers.untilAcknowledged(300);
  await postgresDown();
  await cluster.kill('node-2');
  cluster.start('node-2');
  await cluster.untilReady();

  await expectServedByAll('held', 'value');
  expect((await cluster.status('node-2')).record).toMatchObject({ state: 'down' });
  const refused = { code: 'record_unavailable', certainty: 'definite' };
  await expect(cluster.client('node-2').set('new', 'value')).rejects.toMatchObject(refused);

  await postgresUp();
  await writers.untilAcknowledged(200);
  await writers.stop();
  await writers.expectAllAt('node-2');
});

test('one member whose disk was lost too: it is filled from the others, and serves', async () => {
  cluster = await startCluster({ entry: program.entry });
  await cluster.client().set('held', 'value');
  await postgresDown();
  await cluster.kill('node-3');
  cluster.wipe('node-3');
  cluster.start('node-3');
  await cluster.untilReady();
  await expectServedByAll('held', 'value');
});

test('all members at once: they meet, serve what they hold, and write when PostgreSQL is back', async () => {
  cluster = await startCluster({ entry: program.entry });
  await cluster.client().set('held', 'value');
  // Later writes remove the note on disk that a key is in flight.
  for (let at = 0; at < 50; at += 1) await cluster.client().set(`later ${at}`, 'value');
  await postgresDown();
  await cluster.kill();
  for (const name of cluster.names) cluster.start(name);
  await cluster.untilReady();
  await expectServedByAll('held', 'value');
  expect((await cluster.status('node-1')).record).toMatchObject({ state: 'down' });

  await postgresUp();
  await until('a write is acknowledged', async () => {
    return (
      (await cluster
        .client()
        .set('held', 'after')
        .catch(() => 0)) > 0
    );
  });
  await expectServedByAll('held', 'after');
});

test('all members and all their disks: nothing is founded, read or written until PostgreSQL is there', async () => {
  cluster = await startCluster({ entry: program.entry });
  await cluster.client().set('held', 'value');
  await postgresDown();
  await cluster.kill();
  for (const name of cluster.names) {
    cluster.wipe(name);
    cluster.start(name);
  }
  await until('each node says what it waits for', async () => {
    const answers = await Promise.all(cluster.names.map((name) => cluster.http(name, '/readyz')));
    return answers.every((answer) => JSON.stringify(answer?.body ?? null).includes('PostgreSQL is awaited'));
  });
  await until('a founding was tried, and refused', () =>
    cluster.logs().includes('membership.founding.failed'),
  );
  for (const name of cluster.names) {
    expect(await cluster.status(name)).toMatchObject({ phase: 'founding', epoch: 0, leaseHeld: false });
    const client = connect({ nodes: [cluster.node(name).address] });
    await expect(client.set('new', 'value')).rejects.toMatchObject({ certainty: 'definite' });
    await expect(client.get('held')).rejects.toMatchObject({ certainty: 'definite' });
    client.close();
  }
  await postgresUp();
  await cluster.untilReady();
  // Each node finds out by itself that PostgreSQL is back; until then it refuses.
  const reader = cluster.client('node-3');
  await until('node-3 reads what PostgreSQL has kept', async () => {
    const value = await reader.get('held').catch(() => undefined);
    return value !== undefined && textOf(value) === 'value';
  });
});
