/**
 * Deletions and expiries on real nodes and a real PostgreSQL: their rows are removed, every store forgets them, and
 * nothing that they deleted comes back, whichever node was killed, away, or wiped meanwhile. (PROTOCOL R22, R24)
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCluster } from '../support/cluster.ts';
import type { TestCluster } from '../support/cluster.ts';
import { buildProgram, until } from '../support/supervisor-program.ts';

const TIMEOUT_MS = 180_000;
const KEEP_MS = 1_000;
const DELETED = Array.from({ length: 200 }, (_, index) => `deleted:${index}`);
const EXPIRED = Array.from({ length: 100 }, (_, index) => `expired:${index}`);
const GONE = [...DELETED, ...EXPIRED];
let program: Awaited<ReturnType<typeof buildProgram>>;
let cluster: TestCluster;
/** As PostgreSQL last had them, before their rows were removed. */
let deletedAt: ReadonlyMap<string, number> = new Map();

beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
  cluster = await startCluster({
    entry: program.entry,
    legacy: false,
    surround: async () => ({
      settingsOf: () => ({ tombstones: { keepMs: KEEP_MS } }),
      envOf: () => ({}),
      close: async () => undefined,
    }),
  });
}, TIMEOUT_MS);

afterAll(async () => {
  await cluster.close();
  program.remove();
});

async function held(name: string): Promise<number> {
  return (await cluster.status(name)).tombstones.held;
}

async function untilForgotten(names: readonly string[]): Promise<void> {
  for (const name of names)
    await until(`${name} has forgotten all deletions`, async () => (await held(name)) === 0, 60_000);
}

async function expectAbsent(name: string): Promise<void> {
  const client = cluster.client(name);
  for (const key of GONE) expect(await client.get(key), `${key} at ${name}`).toBeUndefined();
}

async function versionsOf(keys: readonly string[]): Promise<Map<string, number>> {
  const rows = await cluster.rows(
    'SELECT key, version::float8 AS version FROM causeway.record WHERE key = ANY($1)',
    [keys],
  );
  return new Map(rows.map(({ key, version }) => [key as string, version as number]));
}

test(
  'deletions are old: PostgreSQL has no row of them, every store forgets them; nothing comes back after kills, an absence and a lost disk',
  async () => {
    const client = cluster.client();
    await Promise.all(DELETED.map((key) => client.set(key, 'first')));
    await Promise.all(EXPIRED.map((key) => client.set(key, 'for a moment', { ttlMs: 500 })));
    await cluster.kill('node-2');
    await Promise.all(DELETED.map((key) => client.delete(key)));
    const left = 'SELECT key FROM causeway.record WHERE NOT deleted';
    await until('all are deleted', async () => (await cluster.rows(left)).length === 0, 30_000);
    deletedAt = await versionsOf(GONE);
    expect(deletedAt.size).toBe(GONE.length);
    // What the first two have forgotten, the third has never heard of.
    await untilForgotten(['node-1', 'node-3']);
    expect(await cluster.rows('SELECT key FROM causeway.record')).toEqual([]);
    const removed = await Promise.all(['node-1', 'node-3'].map((name) => cluster.status(name)));
    expect(removed.reduce((sum, { tombstones }) => sum + tombstones.rowsRemoved, 0)).toBe(GONE.length);
    cluster.start('node-2');
    await cluster.untilReady();
    await untilForgotten(cluster.names);
    for (const name of cluster.names) await expectAbsent(name);

    await cluster.kill(...cluster.names);
    for (const name of cluster.names) cluster.start(name);
    await cluster.untilReady();
    for (const name of cluster.names) await expectAbsent(name);

    await cluster.kill('node-3');
    cluster.wipe('node-3');
    cluster.start('node-3');
    await cluster.untilReady();
    await expectAbsent('node-3');
    expect(await cluster.rows('SELECT key FROM kv_store')).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  'the keys are written again, at the node that had lost its disk: each version is above all that was there',
  async () => {
    const client = cluster.client('node-3');
    await Promise.all(GONE.map((key) => client.set(key, 'again')));
    const after = await versionsOf(GONE);
    for (const key of GONE) expect(after.get(key)!, key).toBeGreaterThan(deletedAt.get(key)!);
    for (const name of cluster.names) {
      const reader = cluster.client(name);
      for (const key of GONE) expect(Buffer.from((await reader.get(key))!).toString()).toBe('again');
    }
  },
  TIMEOUT_MS,
);
