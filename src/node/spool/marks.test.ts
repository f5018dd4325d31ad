/** The marks of one disk: which mark stands for which version, and the sums shown to people and used for bounds. */
import { expect, test } from 'vitest';
import { sealRecord } from '../../wire/record-codec.ts';
import { decodeSpoolMark, encodeSpoolMark, spoolKey, splitSpoolKey } from '../../wire/spool-codec.ts';
import { SpoolMarks, SpoolTally } from './marks.ts';

const SLOT = 5;

class World {
  readonly store = new Map<string, Uint8Array>();
  wall = 1_700_000_000_000;
  readonly marks: SpoolMarks;

  constructor(entriesMax = 1_000, bytesMax = 1_000_000, tally = new SpoolTally()) {
    const writer = {
      get: (stored: string) => this.store.get(stored),
      putEntry: (stored: string, bytes: Uint8Array | null) =>
        void (bytes === null ? this.store.delete(stored) : this.store.set(stored, bytes)),
      barrier: (done: () => void) => done(),
    };
    this.marks = new SpoolMarks({
      writer,
      wallNow: () => this.wall,
      bounds: { bytesMax, entriesMax },
      tally,
    });
  }

  add(key: string, version: number, valueBytes = 100): void {
    this.marks.add(
      sealRecord({
        ...{ key, version, origin: 0, tombstone: false, value: new Uint8Array(valueBytes) },
        ...{ createdAt: 0, updatedAt: 0, expiresAt: 0, operationId: null, contentType: null },
      }),
      SLOT,
    );
  }
}

test('a key is marked again: one mark, of the higher version, as old as the first', () => {
  const world = new World();
  world.add('key', 10);
  world.wall += 5_000;
  world.add('key', 12);
  world.add('key', 11);
  expect(world.marks.of(SLOT, 'key')!.version).toBe(12);
  expect(world.marks.entries).toBe(1);
  expect(world.marks.oldestMs()).toBe(5_000);
});

test('PostgreSQL holds less than the mark: it stays; as much or more: it goes, and the sums with it', () => {
  const world = new World();
  world.add('key', 10);
  world.add('other', 10);
  world.wall += 3_000;
  expect(world.marks.lift(SLOT, 'key', 9)).toBe(false);
  expect(world.marks.lift(SLOT, 'key', 10)).toBe(true);
  expect(world.marks.lift(SLOT, 'key', 10)).toBe(false);
  expect(world.marks.lift(SLOT, 'other', 99)).toBe(true);
  expect([world.marks.entries, world.marks.bytes, world.marks.oldestMs()]).toEqual([0, 0, 0]);
  expect(world.store.size).toBe(0);
});

test('another process on the same disk counts the same', () => {
  const world = new World();
  for (let index = 0; index < 10; index += 1) world.add(`key ${index}`, 10 + index);
  const tally = new SpoolTally();
  for (const [stored, value] of world.store) tally.found(stored, value);
  expect([tally.entries, tally.bytes]).toEqual([world.marks.entries, world.marks.bytes]);
  expect(new World(1_000, 1_000_000, tally).marks.oldestMs()).toBe(world.marks.oldestMs());
});

test('full by keys or by bytes, and no longer once something was drained', () => {
  const byEntries = new World(2);
  byEntries.add('a', 1);
  expect(byEntries.marks.isFull).toBe(false);
  byEntries.add('b', 1);
  expect(byEntries.marks.isFull).toBe(true);
  byEntries.marks.lift(SLOT, 'a', 1);
  expect(byEntries.marks.isFull).toBe(false);
  const byBytes = new World(1_000, 400);
  byBytes.add('a', 1, 500);
  expect(byBytes.marks.isFull).toBe(true);
});

test('a damaged mark is a mark of an unknown version: nobody lifts it by naming one, and writing it anew mends it', () => {
  const world = new World();
  world.add('key', 10);
  const stored = spoolKey(SLOT, 'key');
  world.store.get(stored)![6]! ^= 1;
  expect(decodeSpoolMark(stored, world.store.get(stored)!)).toBe(undefined);
  expect(world.marks.lift(SLOT, 'key', Number.MAX_SAFE_INTEGER)).toBe(false);
  expect(world.marks.of(SLOT, 'key')!.version).toBe(Infinity);
});

test('a mark under another name is not taken for that key’s', () => {
  const mark = { version: 10, since: 1, byteCount: 3 };
  const bytes = encodeSpoolMark(spoolKey(SLOT, 'key'), mark);
  expect(decodeSpoolMark(spoolKey(SLOT, 'key'), bytes)).toEqual(mark);
  expect(decodeSpoolMark(spoolKey(SLOT, 'yek'), bytes)).toBe(undefined);
  expect(splitSpoolKey(spoolKey(16_383, 'a b'))).toEqual({ slot: 16_383, key: 'a b' });
});

test('a mark is restated for a lower version: it keeps its age', () => {
  const world = new World();
  world.add('key', 12);
  world.wall += 5_000;
  const held = sealRecord({
    ...{ key: 'key', version: 10, origin: 0, tombstone: false, value: new Uint8Array(100) },
    ...{ createdAt: 0, updatedAt: 0, expiresAt: 0, operationId: null, contentType: null },
  });
  world.marks.restate(SLOT, held, world.marks.of(SLOT, 'key')!);
  expect(world.marks.of(SLOT, 'key')).toMatchObject({ version: 10, since: world.wall - 5_000 });
  expect(world.marks.entries).toBe(1);
  expect(world.marks.oldestMs()).toBe(5_000);
});
