/**
 * Records of real nodes that are damaged, lost or set back on a disk while the node is down, and rows of PostgreSQL
 * that somebody has changed: `causeway cluster scrub` finds and repairs them, or says what it could not.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLevelStore } from '../../src/adapters/leveldb/store.ts';
import { RECORD_WITNESS_COUNT } from '../../src/core/limits.ts';
import { slotOf } from '../../src/core/placement/slots.ts';
import type { Storage } from '../../src/ports/storage.ts';
import { openRecord, sealRecord } from '../../src/wire/record-codec.ts';
import { recordKey } from '../../src/wire/store-codec.ts';
import { startCluster } from '../support/cluster.ts';
import type { TestCluster } from '../support/cluster.ts';
import { buildProgram, until } from '../support/supervisor-program.ts';

const TIMEOUT_MS = 120_000;
/** The last round finds nothing. */
const ROUNDS_MAX = 4;
const KEYS = Array.from({ length: 200 }, (_, index) => `key:${index}`);
/**
 * A node now and then looks up in PostgreSQL what it wrote last, even without a round of scrubbing: these are its last
 * writes.
 */
const LAST = Array.from({ length: 2 * RECORD_WITNESS_COUNT }, (_, index) => `last:${index}`);
const [ROTTEN, GONE, OLDER] = KEYS as [string, string, string];
let program: Awaited<ReturnType<typeof buildProgram>>;
const clusters: TestCluster[] = [];

beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
}, TIMEOUT_MS);

afterAll(async () => {
  for (const cluster of clusters) await cluster.close();
  program.remove();
});

async function filled(nodes: number): Promise<TestCluster> {
  const routes = [{ prefix: 'only:', writeThrough: false }];
  const cluster = await startCluster({ entry: program.entry, nodes, legacy: false, routes });
  clusters.push(cluster);
  const client = cluster.client();
  for (const value of ['first', 'second'])
    await Promise.all([...KEYS, 'only:here'].map((key) => client.set(key, `${value} of ${key}`)));
  return cluster;
}

/** In the store of a node that is down: one record fails its checksum, one is missing, one is an older version. */
async function harm(cluster: TestCluster, name: string): Promise<void> {
  const opened = await openLevelStore(join(cluster.node(name).disk, 'data', 'store'));
  if (opened.kind !== 'open') throw new Error(opened.message);
  const { storage } = opened;
  const stored = (key: string): string => recordKey(slotOf(key), key);
  const { record } = openRecord(storage.get(stored(OLDER))!)!;
  const version = record.version - 2 * 4_096;
  const older = sealRecord({ ...record, version, value: Buffer.from(`first of ${OLDER}`) });
  await write(
    storage,
    [stored(ROTTEN), stored('only:here'), stored(GONE), stored(OLDER)],
    [
      flipped(storage.get(stored(ROTTEN))!),
      flipped(storage.get(stored('only:here'))!),
      ...[null, older.bytes],
    ],
  );
  await new Promise<void>((resolve) => storage.close(resolve));
}

function flipped(bytes: Uint8Array): Uint8Array {
  const damaged = Uint8Array.from(bytes);
  damaged[damaged.length - 3]! ^= 0x10;
  return damaged;
}

function write(storage: Storage, keys: string[], values: (Uint8Array | null)[]): Promise<void> {
  return new Promise((resolve, reject) =>
    storage.write(keys, values, (error) => (error === null ? resolve() : reject(new Error(error.message)))),
  );
}

async function isAtRest(cluster: TestCluster): Promise<boolean> {
  const told = await Promise.all(cluster.names.map((name) => cluster.status(name)));
  return told.every(({ phase, keysInFlight }) => phase === 'serving' && keysInFlight === 0);
}

interface Scrubbed {
  readonly code: number;
  readonly rounds: readonly Record<string, number>[];
}

async function scrub(cluster: TestCluster): Promise<Scrubbed> {
  const nodes = cluster.nodes.map(({ address }) => address).join();
  const child = spawn(process.execPath, [program.entry, 'cluster', 'scrub', '--json', '--nodes', nodes]);
  let out = '';
  child.stdout.on('data', (text) => (out += String(text)));
  const code = await new Promise<number>((resolve) => child.once('close', (told) => resolve(told ?? -1)));
  const { nodes: told } = JSON.parse(out) as { nodes: { round: Record<string, number> }[] };
  return { code, rounds: told.map(({ round }) => round) };
}

const sumOf = ({ rounds }: Scrubbed, what: string): number =>
  rounds.reduce((sum, round) => sum + round[what]!, 0);

/** Rows that were found missing in the last comparison of slots with PostgreSQL. */
async function rowsDriven(cluster: TestCluster): Promise<number> {
  const told = await Promise.all(cluster.names.map((name) => cluster.status(name)));
  return told.reduce((sum, { record }) => sum + (record.drive?.rowsDriven ?? 0), 0);
}

async function expectWhole(cluster: TestCluster): Promise<void> {
  for (const name of cluster.names) {
    for (const key of [ROTTEN, GONE, OLDER, KEYS[3]!, KEYS[4]!, KEYS[5]!]) {
      const { entry } = await cluster.inspect(name, key);
      expect(Buffer.from(entry!.value).toString()).toBe(`second of ${key}`);
    }
  }
  const rows = await cluster.rows("SELECT convert_from(value, 'UTF8') AS value FROM causeway.record");
  expect(rows.filter(({ value }) => String(value).startsWith('second of key:')).length).toBe(KEYS.length);
}

test(
  'three nodes go down, the disk of one is harmed, and rows are changed in PostgreSQL: all is found, and made whole',
  async () => {
    const cluster = await filled(3);
    await cluster.kill();
    await harm(cluster, 'node-3');
    for (const name of cluster.names) cluster.start(name);
    await cluster.untilReady();
    // What the kill has left in flight is finished first: that alone would commit its rows again.
    await until('nothing is in flight', () => isAtRest(cluster), 20_000);
    const client = cluster.client();
    await Promise.all(LAST.map((key) => client.set(key, 'a write since the start')));
    await until('nothing is in flight again', () => isAtRest(cluster), 20_000);
    await cluster.rows(
      `DELETE FROM causeway.record WHERE key = $1 AND set_config('causeway.unwatched', 'on', true) = 'on'`,
      [KEYS[3]],
    );
    await cluster.rows('UPDATE causeway.record SET version = version - 8192 WHERE key = $1', [KEYS[4]]);
    await cluster.rows(
      `UPDATE causeway.record SET value = 'exchanged' WHERE key = $1 AND set_config('causeway.unwatched', 'on', true) = 'on'`,
      [KEYS[5]],
    );
    // One round is enough if nothing else happens. A member that is removed for slowness meanwhile, as on a busy
    // machine, takes its share of the slots with it.
    const rounds = [await scrub(cluster)];
    while (sumOf(rounds.at(-1)!, 'found') > 0 && rounds.length < ROUNDS_MAX)
      rounds.push(await scrub(cluster));
    for (const { code } of rounds) expect(code).toBe(0);
    const total = (what: string): number => rounds.reduce((sum, round) => sum + sumOf(round, what), 0);
    // The first missing row triggers a comparison of all others: that may restore the other one before the round gets
    // there.
    expect(total('found') + (await rowsDriven(cluster))).toBeGreaterThanOrEqual(2);
    expect(total('repaired')).toBe(total('found'));
    await expectWhole(cluster);
    // A version that was set back also fails its checksum, unless the row has been restored before.
    expect(total('rowsDamaged')).toBeGreaterThanOrEqual(1);
    expect(sumOf(rounds.at(-1)!, 'found')).toBe(0);
  },
  TIMEOUT_MS,
);

test(
  'the only owner was harmed: PostgreSQL stands in; what is not written there is told, with exit code 1',
  async () => {
    const cluster = await filled(1);
    await cluster.kill();
    await harm(cluster, 'node-1');
    cluster.start('node-1');
    await cluster.untilReady();
    const scrubbed = await scrub(cluster);
    expect(scrubbed).toMatchObject({ code: 1, rounds: [{ found: 4, repaired: 3, unrepaired: 1 }] });
    await expectWhole(cluster);
    const read = cluster.client().get('only:here', { timeoutMs: 2_000 });
    await expect(read).rejects.toMatchObject({ certainty: 'definite' });
  },
  TIMEOUT_MS,
);
