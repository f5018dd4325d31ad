/** What a simulated disk does beyond the storage contract: crashes, faults, images; all drawn from its seed. */
import { expect, test } from 'vitest';
import { Prng } from '../src/base/prng.ts';
import type { Storage, StorageError } from '../src/ports/storage.ts';
import { SimDisk } from './disk.ts';
import { Scheduler, type Life } from './scheduler.ts';

interface World {
  readonly scheduler: Scheduler;
  readonly disk: SimDisk;
}

function makeWorld(seed: number): World {
  return { scheduler: new Scheduler(), disk: new SimDisk(new Prng(seed)) };
}

function begin(world: World): { life: Life; storage: Storage } {
  const life: Life = { alive: true, pausedUntil: 0 };
  return { life, storage: world.disk.open(world.scheduler, life) };
}

function put(storage: Storage, key: string, text: string, told: (StorageError | null)[]): void {
  storage.write([key, `${key}'`], [Buffer.from(text), Buffer.from(text)], (error) => told.push(error));
}

const HOUR_MS = 3_600_000;

test('a crash during a write: it is there whole or not at all, by chance, and is never acknowledged', () => {
  let kept = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const world = makeWorld(seed);
    const first = begin(world);
    const told: (StorageError | null)[] = [];
    put(first.storage, 'a', 'synced', told);
    world.scheduler.runUntil(HOUR_MS);
    put(first.storage, 'b', 'unsynced', told);
    first.life.alive = false;
    world.scheduler.runUntil(2 * HOUR_MS);
    expect(told).toEqual([null]);
    const second = begin(world);
    expect(second.storage.get('a')).toBeDefined();
    expect(second.storage.get('b')).toEqual(second.storage.get("b'"));
    if (second.storage.get('b') !== undefined) kept += 1;
  }
  expect(kept).toBeGreaterThan(60);
  expect(kept).toBeLessThan(140);
});

test.each(['full', 'io'] as const)(
  'a disk that is %s: the write fails, so do all later ones of that life',
  (fault) => {
    const world = makeWorld(3);
    const first = begin(world);
    const told: (StorageError | null)[] = [];
    world.disk.fault = fault;
    put(first.storage, 'a', '1', told);
    world.scheduler.runUntil(HOUR_MS);
    world.disk.fault = 'none';
    put(first.storage, 'b', '2', told);
    world.scheduler.runUntil(2 * HOUR_MS);
    expect(told.map((error) => error?.kind)).toEqual([fault, fault]);
    expect(first.storage.get('a')).toBe(undefined);
    first.life.alive = false;
    const second = begin(world);
    expect(second.storage.get('b')).toBe(undefined);
    put(second.storage, 'c', '3', told);
    world.scheduler.runUntil(3 * HOUR_MS);
    expect(told.at(-1)).toBe(null);
  },
);

test('two writes at a time, and two processes at a time: programmer errors', () => {
  const world = makeWorld(4);
  const { storage } = begin(world);
  put(storage, 'a', '1', []);
  expect(() => put(storage, 'b', '2', [])).toThrow('one write in flight');
  expect(() => begin(world)).toThrow('one process at a time');
  expect(() => world.disk.wipe()).toThrow('one process at a time');
});

test('wiped, and set back to an older image: the next life finds just that', () => {
  const world = makeWorld(5);
  const first = begin(world);
  put(first.storage, 'a', 'old', []);
  world.scheduler.runUntil(HOUR_MS);
  const image = world.disk.image();
  put(first.storage, 'a', 'new', []);
  world.scheduler.runUntil(2 * HOUR_MS);
  first.life.alive = false;
  world.disk.wipe();
  const second = begin(world);
  expect(second.storage.get('a')).toBe(undefined);
  second.life.alive = false;
  world.disk.restore(image);
  expect(Buffer.from(begin(world).storage.get('a')!).toString()).toBe('old');
});

test('a flipped bit: one bit of one admitted value differs, and images taken before keep the value', () => {
  const world = makeWorld(6);
  const { storage } = begin(world);
  put(storage, 'a', 'value', []);
  world.scheduler.runUntil(HOUR_MS);
  const image = world.disk.image();
  expect(world.disk.flipBit((key) => key === 'missing')).toBe(null);
  expect(world.disk.flipBit((key) => key === 'a')).toBe('a');
  const before = image.get('a')!;
  const after = storage.get('a')!;
  const bits = [...before].map(
    (byte, index) => (byte ^ after[index]!).toString(2).replaceAll('0', '').length,
  );
  expect(bits.reduce((sum, count) => sum + count)).toBe(1);
});

test('the same seed: the same times and the same outcome of a crash', () => {
  const run = (seed: number): string => {
    const world = makeWorld(seed);
    const trace: string[] = [];
    for (let life = 0; life < 20; life++) {
      const { life: process, storage } = begin(world);
      storage.write([`k${life}`], [new Uint8Array(1)], () =>
        trace.push(`${life} at ${world.scheduler.time}`),
      );
      world.scheduler.runUntil(world.scheduler.time + 1);
      process.alive = false;
    }
    return `${trace.join()}${[...world.disk.image().keys()].join()}`;
  };
  expect(run(9)).toBe(run(9));
  expect(run(9)).not.toBe(run(10));
});
