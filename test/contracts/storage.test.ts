/** The storage contract in both implementations, and what only a real process can show: kill -9 and a broken file. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, expect, test } from 'vitest';
import { Scheduler, type Life } from '../../sim/scheduler.ts';
import { SimDisk } from '../../sim/disk.ts';
import { openLevelStore } from '../../src/adapters/leveldb/store.ts';
import { Prng } from '../../src/base/prng.ts';
import type { Storage } from '../../src/ports/storage.ts';
import { describeStorage, scan, writeBytes, type StorageUnderTest } from './storage.ts';

const root = mkdtempSync(join(tmpdir(), 'causeway-storage-'));
const openStores: Storage[] = [];
let directoryCount = 0;
afterAll(async () => {
  await Promise.all(openStores.map((storage) => new Promise<void>((resolve) => storage.close(resolve))));
  rmSync(root, { recursive: true, force: true });
});

async function openLevel(directory: string): Promise<Storage> {
  const result = await openLevelStore(directory);
  if (result.kind !== 'open') throw new Error(result.message);
  openStores.push(result.storage);
  return result.storage;
}

function closeLevel(storage: Storage): Promise<void> {
  openStores.splice(openStores.indexOf(storage), 1);
  return new Promise((resolve) => storage.close(resolve));
}

function freshDirectory(): string {
  directoryCount += 1;
  return join(root, String(directoryCount));
}

describeStorage('LevelDB', () => {
  const directory = freshDirectory();
  return Promise.resolve({
    open: () => openLevel(directory),
    close: closeLevel,
    settle: <T>(promise: Promise<T>) => promise,
  });
});

describeStorage('simulated disk', () => {
  const scheduler = new Scheduler();
  const disk = new SimDisk(new Prng(7));
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    let settled = false;
    const note = (): void => void (settled = true);
    promise.then(note, note);
    for (let idle = 0; !settled && idle < 100; idle++) {
      if (scheduler.step(Infinity)) idle = 0;
      await Promise.resolve();
    }
    expect(settled, 'the simulated world came to rest without an answer').toBe(true);
    return promise;
  };
  const life: Life = { alive: true, pausedUntil: 0 };
  const subject: StorageUnderTest = {
    open: () => Promise.resolve(disk.open(scheduler, life)),
    close: (storage) => settle(new Promise<void>((resolve) => storage.close(resolve))),
    settle,
  };
  return Promise.resolve(subject);
});

/** Compiled next to the installed packages, so that it finds them. */
function buildWriter(): string {
  const folder = join(import.meta.dirname, '../../node_modules/.cache/causeway-test');
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, `storage-writer-${process.pid}.mjs`);
  const entry = join(import.meta.dirname, 'storage-writer.ts');
  buildSync({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['classic-level'],
  });
  return outfile;
}

/** Runs the writer, kills it once it has acknowledged `batchCount` batches, and returns the last acknowledged one. */
async function writeAndKill(program: string, directory: string, batchCount: number): Promise<number> {
  const child = spawn(process.execPath, [program, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  child.stdout.on('data', (chunk: Buffer) => {
    told += chunk.toString();
    if (told.split('\n').length > batchCount) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.on('close', resolve));
  const lines = told.split('\n').slice(0, -1);
  return Number(lines.at(-1));
}

test(
  'LevelDB: kill -9 during writes loses nothing acknowledged and tears no batch',
  { timeout: 60_000 },
  async () => {
    const program = buildWriter();
    const directory = freshDirectory();
    for (let round = 1; round <= 3; round++) {
      const acknowledged = await writeAndKill(program, directory, 40 * round);
      const storage = await openLevel(directory);
      const entries = await scan(storage, '', '~', 100_000, 1e9);
      const sizes = new Map<string, number>();
      for (const entry of entries) {
        const batch = entry.key.slice(0, 8);
        sizes.set(batch, (sizes.get(batch) ?? 0) + 1);
      }
      expect(acknowledged).toBeGreaterThanOrEqual(39);
      // One batch beyond the last acknowledged one may be there; then those before it must be there too.
      expect(sizes.size).toBeGreaterThanOrEqual(acknowledged + 1);
      expect([...sizes.keys()]).toEqual(
        Array.from({ length: sizes.size }, (_, n) => String(n).padStart(8, '0')),
      );
      expect([...sizes.values()].every((size) => size === 50)).toBe(true);
      await closeLevel(storage);
    }
    rmSync(program);
  },
);

test('LevelDB: after a write that failed every later one fails, and what was acknowledged is there', async () => {
  const program = buildWriter();
  const directory = freshDirectory();
  // Limits files to 64 KiB (POSIX counts in 512 bytes): for the log this limit is like a broken disk.
  const limited = `trap '' XFSZ; ulimit -f 128; exec "$0" "$1" "$2"`;
  const child = spawn('sh', ['-c', limited, process.execPath, program, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let told = '';
  child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()));
  await new Promise((resolve) => child.on('close', resolve));
  const lines = told.trim().split('\n');
  expect(lines.slice(-2)).toEqual(['error io', 'again io']);
  const storage = await openLevel(directory);
  const acknowledged = Number(lines.at(-3));
  expect(acknowledged).toBeGreaterThan(3);
  for (let batch = 0; batch <= acknowledged; batch++) {
    expect(storage.get(`${String(batch).padStart(8, '0')}-49`)?.length).toBe(100);
  }
  rmSync(program);
});

test('LevelDB: a second process or store at the same directory is refused as locked', async () => {
  const directory = freshDirectory();
  await openLevel(directory);
  const second = await openLevelStore(directory);
  expect(second).toMatchObject({ kind: 'locked' });
  expect(second).toHaveProperty('message', `another process uses the store in ${directory}`);
});

test('LevelDB: a store whose files are damaged is told as such, and the directory stays as it was', async () => {
  for (const content of ['', 'MANIFEST-999999\n', 'nonsense\n']) {
    const directory = freshDirectory();
    await closeLevel(await openLevel(directory));
    writeFileSync(join(directory, 'CURRENT'), content);
    expect((await openLevelStore(directory)).kind).toBe('damaged');
  }
});

test('LevelDB: a store without the file that names its parts is damage, and not a new one in its place', async () => {
  const directory = freshDirectory();
  const storage = await openLevel(directory);
  await writeBytes(storage, ['a'], [Buffer.from('1')]);
  await closeLevel(storage);
  rmSync(join(directory, 'CURRENT'));
  const before = readdirSync(directory);
  expect((await openLevelStore(directory)).kind).toBe('damaged');
  expect(readdirSync(directory)).toEqual(before);
});

test('LevelDB: a directory that cannot be made is a failure, and not damage', async () => {
  const file = freshDirectory();
  writeFileSync(file, '');
  expect((await openLevelStore(join(file, 'store'))).kind).toBe('failed');
});

async function storeWithBatches(): Promise<{ directory: string; log: string }> {
  const directory = freshDirectory();
  const storage = await openLevel(directory);
  for (let batch = 0; batch < 20; batch++) {
    await writeBytes(storage, [`k${batch}`], [new Uint8Array(10_000).fill(batch)]);
  }
  await closeLevel(storage);
  const name = readdirSync(directory).find((file) => file.endsWith('.log'))!;
  return { directory, log: join(directory, name) };
}

test('LevelDB: a bit flipped in the middle of the log is damage, not silent loss', async () => {
  for (const place of [3, 5, 6, 5_000, 40_000, 100_000]) {
    const { directory, log } = await storeWithBatches();
    const bytes = readFileSync(log);
    bytes[place]! ^= 4;
    writeFileSync(log, bytes);
    expect((await openLevelStore(directory)).kind, `flipped at ${place}`).toBe('damaged');
  }
});

test('LevelDB: a damaged table is found by whoever reads it, as damage', async () => {
  const directory = freshDirectory();
  const result = await openLevelStore(directory, { writeBufferBytes: 64 * 1024 });
  if (result.kind !== 'open') throw new Error(result.message);
  const bytes = new Uint8Array(4_000);
  for (let n = 0; n < 200; n++) {
    for (let index = 0; index < bytes.length; index++)
      bytes[index] = (index * 7 + n * 13 + ((index * n) >> 3)) & 255;
    await writeBytes(result.storage, [`k${String(n).padStart(3, '0')}`], [bytes]);
  }
  await new Promise<void>((resolve) => result.storage.close(resolve));
  for (const name of readdirSync(directory).filter((file) => file.endsWith('.ldb'))) {
    const table = readFileSync(join(directory, name));
    writeFileSync(join(directory, name), table.fill(0xff, 0, table.length >> 1));
  }
  const damages: string[] = [];
  const opened = await openLevelStore(directory, { onDamaged: (message) => damages.push(message) });
  if (opened.kind !== 'open') throw new Error(opened.message);
  const again = opened.storage;
  openStores.push(again);
  const error = await scan(again, '', '~', 10_000, 1e9).then(
    () => null,
    (reason: unknown) => String(reason),
  );
  expect(error).toContain('damaged: ');
  // Nor is a record in it taken for absent.
  const lengths = Array.from({ length: 200 }, (_, n) => again.get(`k${String(n).padStart(3, '0')}`)?.length);
  expect(new Set(lengths)).toEqual(new Set([0, bytes.length]));
  expect(damages).toHaveLength(lengths.filter((length) => length === 0).length);
  expect(damages[0]).toMatch(/corruption/i);
});

test('LevelDB: a last batch torn by a power cut is dropped, and the rest is there', async () => {
  const tear: ((log: Buffer) => Buffer)[] = [
    (log) => log.subarray(0, log.length - 3),
    (log) => log.subarray(0, log.length - 9_990),
    (log) => log.fill(0, log.length - 5_000),
    (log) => Buffer.concat([log, Buffer.alloc(70_000)]),
  ];
  for (const cut of tear) {
    const { directory, log } = await storeWithBatches();
    writeFileSync(log, cut(readFileSync(log)));
    const storage = await openLevel(directory);
    for (let batch = 0; batch < 19; batch++) expect(storage.get(`k${batch}`)?.[77]).toBe(batch);
  }
});
