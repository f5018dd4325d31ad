/** Group commit to the disk: what is handed in is seen at once; an in-flight entry stays until its last key is valid. */
import { expect, test } from 'vitest';
import { GATHER_ITEMS_MIN, GATHER_MANY_ITEMS_MIN } from '../../core/gather-limits.ts';
import { STORE_BATCH_BYTES_MAX } from '../../core/limits.ts';
import { ORIGIN_CLIENT } from '../../core/record.ts';
import type { StoredWrite } from '../../core/replication/context.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage } from '../../ports/storage.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import { decodeInFlight, inFlightKey, metaKey, recordKey } from '../../wire/store-codec.ts';
import { StoreWriter } from './store-writer.ts';

interface World {
  readonly writer: StoreWriter;
  readonly disk: Map<string, Uint8Array>;
  readonly stored: string[];
  /** Runs what is due at the end of the turn. */
  endTurn(): void;
  /** The same, also for what is due later; then ends the write under way. */
  settle(): void;
  isWriting(): boolean;
}

function world(): World {
  const disk = new Map<string, Uint8Array>();
  const stored: string[] = [];
  let due: (() => void)[] = [];
  const timed = new Set<() => void>();
  let finish: (() => void) | null = null;
  const later = (run: () => void): (() => void) => {
    timed.add(run);
    return () => timed.delete(run);
  };
  const clock = {
    now: () => 0,
    after: (_ms: number, run: () => void) => later(run),
    defer: (run: () => void) => void due.push(run),
  } as unknown as Clock;
  const storage = {
    get: (key: string) => disk.get(key),
    write: (keys: string[], values: (Uint8Array | null)[], done: (error: null) => void) => {
      finish = () => {
        keys.forEach((key, at) => {
          const value = values[at]!;
          if (value === null) disk.delete(key);
          else disk.set(key, value);
        });
        done(null);
      };
    },
  } as unknown as Storage;
  const fail = (): void => expect.unreachable('the disk does not fail');
  const writer = new StoreWriter({
    ...{ storage, clock, batchFirst: 1 },
    onStored: (key) => stored.push(key),
    onFailed: fail,
  });
  const endTurn = (): void => {
    const runs = due;
    due = [];
    for (const run of runs) run();
  };
  const settle = (): void => {
    endTurn();
    for (const run of [...timed]) if (timed.delete(run)) run();
    const end = finish;
    finish = null;
    end?.();
  };
  return { writer, disk, stored, endTurn, settle, isWriting: () => finish !== null };
}

function write(key: string, version = 1): StoredWrite {
  const sealed = sealRecord({
    key,
    version,
    origin: ORIGIN_CLIENT,
    tombstone: false,
    value: Buffer.from(key),
    createdAt: 1,
    updatedAt: 1,
    expiresAt: 0,
    operationId: null,
    contentType: null,
  });
  const coordinator = { id: 1, incarnation: 1 };
  const judged = { base: 0, operations: null, voided: null };
  return { sealed, slot: 7, conditional: false, recorded: false, coordinator, replaced: null, ...judged };
}

test('handed in, under way, on disk: seen all the time, and reported once it is on disk', () => {
  const { writer, disk, stored, settle } = world();
  writer.put(write('a'));
  expect(writer.get(recordKey(7, 'a'))).toEqual(write('a').sealed.bytes);
  writer.putAtRest(7, 'a', null);
  expect(writer.get(recordKey(7, 'a'))).toBeUndefined();
  writer.put(write('a', 2));
  expect(stored).toEqual([]);
  settle();
  expect(stored).toEqual(['a', 'a']);
  expect(disk.get(recordKey(7, 'a'))).toEqual(write('a', 2).sealed.bytes);
});

test('all keys of a batch are at rest: its in-flight entry goes with the next batch', () => {
  const { writer, disk, settle } = world();
  const batch = writer.put(write('a'));
  settle();
  expect(decodeInFlight(disk.get(inFlightKey(batch))!)?.map((write) => write.key)).toEqual(['a']);
  writer.endInFlight([batch]);
  writer.put(write('b'));
  settle();
  expect(disk.has(inFlightKey(batch))).toBe(false);
});

test('the only key of a batch comes to rest before it leaves, and another joins: the other keeps its entry', () => {
  const { writer, disk, settle } = world();
  const batch = writer.put(write('a'));
  writer.endInFlight([batch]);
  expect(writer.put(write('b'))).toBe(batch);
  settle();
  const entry = disk.get(inFlightKey(batch));
  expect(entry === undefined ? [] : decodeInFlight(entry)!.map((write) => write.key)).toContain('b');
});

test('copies of many batches wait, and a promise of the register comes: it is on disk with the next batch, each in its order', () => {
  const { writer, disk, settle } = world();
  const copies = ['a', 'b', 'c', 'd'];
  for (const copy of copies) writer.putAtRest(7, copy, new Uint8Array(STORE_BATCH_BYTES_MAX - 64));
  const told: string[] = [];
  const promise = (text: string): void =>
    writer.putMeta('register', Buffer.from(text), () => told.push(text));
  promise('first');
  promise('second');
  expect(writer.get(metaKey('register'))).toEqual(Buffer.from('second'));
  settle();
  expect(told).toEqual(['first', 'second']);
  expect(disk.get(metaKey('register'))).toEqual(Buffer.from('second'));
  const onDisk = (): string[] => copies.filter((copy) => disk.has(recordKey(7, copy)));
  expect(onDisk()).toEqual(['a']);
  // The second batch is under way by now, so the promise goes with the one after that.
  promise('third');
  settle();
  expect(told).toEqual(['first', 'second']);
  settle();
  expect(told).toEqual(['first', 'second', 'third']);
  expect(onDisk()).toEqual(['a', 'b', 'c']);
});

test('a record waits a moment for more, and a promise of the register comes: they leave with the turn', () => {
  const { writer, disk, endTurn, settle, isWriting } = world();
  for (let at = 0; at < GATHER_ITEMS_MIN; at += 1) writer.put(write(`before:${at}`));
  settle();
  writer.put(write('a'));
  endTurn();
  expect(isWriting()).toBe(false);
  writer.putMeta('register', Buffer.from('promise'), () => undefined);
  endTurn();
  expect(isWriting()).toBe(true);
  settle();
  expect([disk.has(metaKey('register')), disk.has(recordKey(7, 'a'))]).toEqual([true, true]);
});

test('records come during a sync: few leave at its end, and where there were very many a moment later', () => {
  const { writer, endTurn, settle, isWriting } = world();
  const put = (name: string, count: number): void => {
    for (let at = 0; at < count; at += 1) writer.put(write(`${name}:${at}`));
  };
  put('few', GATHER_MANY_ITEMS_MIN - 1);
  endTurn();
  put('many', GATHER_MANY_ITEMS_MIN);
  settle();
  expect(isWriting()).toBe(true);
  put('fewer', 1);
  settle();
  endTurn();
  expect(isWriting()).toBe(false);
  put('as many', GATHER_MANY_ITEMS_MIN - 1);
  endTurn();
  expect(isWriting()).toBe(true);
});

test('very many came before, and a promise of the register comes during the sync: it leaves at its end', () => {
  const { writer, endTurn, settle, isWriting } = world();
  for (let at = 0; at < GATHER_MANY_ITEMS_MIN; at += 1) writer.put(write(`before:${at}`));
  endTurn();
  writer.put(write('a'));
  writer.putMeta('register', Buffer.from('promise'), () => undefined);
  settle();
  expect(isWriting()).toBe(true);
});
