/**
 * Stores of real nodes that are damaged while they are down: each node comes back by itself with a blank store and
 * copies everything. If all are damaged at once, they say what has to be done, and serve nothing that they do not know.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLevelStore } from '../../src/adapters/leveldb/store.ts';
import { inFlightKey } from '../../src/wire/store-codec.ts';
import { startCluster } from '../support/cluster.ts';
import type { TestCluster } from '../support/cluster.ts';
import { buildProgram, until } from '../support/supervisor-program.ts';

const TIMEOUT_MS = 120_000;
const KEYS = Array.from({ length: 300 }, (_, index) => `key:${index}`);
let program: Awaited<ReturnType<typeof buildProgram>>;
let cluster: TestCluster;

beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
  cluster = await startCluster({ entry: program.entry, legacy: false });
  const client = cluster.client();
  await Promise.all(KEYS.map((key) => client.set(key, `of ${key}`)));
}, TIMEOUT_MS);

afterAll(async () => {
  await cluster.close();
  program.remove();
});

const storeOf = (name: string): string => join(cluster.node(name).disk, 'data', 'store');

function damageManifest(name: string): void {
  const file = readdirSync(storeOf(name)).find((each) => each.startsWith('MANIFEST'))!;
  writeFileSync(join(storeOf(name), file), readFileSync(join(storeOf(name), file)).fill(0xff, 0, 40));
}

async function damageInFlightEntry(name: string): Promise<void> {
  const opened = await openLevelStore(storeOf(name));
  if (opened.kind !== 'open') throw new Error(opened.message);
  await new Promise<void>((resolve, reject) => {
    opened.storage.write([inFlightKey(1)], [Buffer.from('no such entry')], (error) =>
      error === null ? resolve() : reject(new Error(error.message)),
    );
  });
  await new Promise<void>((resolve) => opened.storage.close(resolve));
}

test.each([
  { what: 'its manifest', name: 'node-2', damage: async (name: string) => damageManifest(name) },
  { what: 'an in-flight entry', name: 'node-3', damage: damageInFlightEntry },
])(
  '$what is damaged while a node is down: it comes back by itself and holds everything',
  async ({ name, damage }) => {
    const { id } = await cluster.status(name);
    await cluster.kill(name);
    await damage(name);
    cluster.start(name);
    await cluster.untilReady(name);
    const status = await cluster.status(name);
    expect(status.store.setAside).toEqual([expect.stringContaining(`${storeOf(name)}.broken-`)]);
    expect(status.store.reason).toContain('damaged');
    expect(status.store.inDoubt).toBe(false);
    expect(status.id).toBeGreaterThan(id);
    expect(status.keysHeld).toBe(KEYS.length);
    for (const key of KEYS.slice(0, 20)) {
      const { entry } = await cluster.inspect(name, key);
      expect(Buffer.from(entry!.value).toString()).toBe(`of ${key}`);
    }
    expect(cluster.logs()).toContain('store.set_aside');
  },
  TIMEOUT_MS,
);

test(
  'all at once: no key is absent, each says what it waits for; with their directories removed PostgreSQL fills them',
  async () => {
    await cluster.kill();
    for (const name of cluster.names) damageManifest(name);
    for (const name of cluster.names) cluster.start(name);
    for (const name of cluster.names) {
      const says = async (): Promise<boolean> => {
        const answer = await cluster.http(name, '/readyz');
        return /its store was damaged and lies in .*store\.broken-/.test(JSON.stringify(answer?.body));
      };
      await until(`${name} says that its store was damaged`, says, 30_000);
      const read = cluster.client(name).get(KEYS[0]!, { timeoutMs: 5_000 });
      await expect(read).rejects.toMatchObject({ code: 'not_ready', certainty: 'definite' });
    }
    await cluster.kill();
    for (const name of cluster.names) cluster.wipe(name);
    for (const name of cluster.names) cluster.start(name);
    await cluster.untilReady();
    const values = await Promise.all(KEYS.map((key) => cluster.client('node-1').get(key)));
    expect(values.map((value) => Buffer.from(value!).toString())).toEqual(KEYS.map((key) => `of ${key}`));
  },
  TIMEOUT_MS,
);
