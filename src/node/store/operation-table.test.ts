/**
 * What a node remembers of identified operations, on an in-memory disk: with the record, for a while, within bounds.
 */
import { expect, test } from 'vitest';
import { compareUtf8 } from '../../base/utf8-order.ts';
import {
  OPERATION_FORGET_EVERY_MS,
  OPERATION_ID_WINDOW_MS,
  OPERATION_TABLE_BYTES_MAX,
} from '../../core/limits.ts';
import { operationIdRefusal } from '../../core/operation-id.ts';
import type { IdentifiedOperation } from '../../core/operation-id.ts';
import type { StoredWrite } from '../../core/replication/context.ts';
import { ORIGIN_CLIENT } from '../../core/record.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage } from '../../ports/storage.ts';
import { operationKey } from '../../wire/operation-codec.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import { metaKey } from '../../wire/store-codec.ts';
import { OperationTable } from './operation-table.ts';
import { StoreWriter } from './store-writer.ts';

const START = 1_700_000_000_000;

class World {
  readonly disk = new Map<string, Uint8Array>();
  readonly batches: string[][] = [];
  time = 0;
  private turn: (() => void)[] = [];
  private readonly clock: Clock = {
    now: () => this.time,
    wallNow: () => START + this.time,
    bootNow: () => this.time,
    after: () => () => undefined,
    defer: (run) => void this.turn.push(run),
  };
  private readonly storage: Storage = {
    get: (key) => this.disk.get(key),
    write: (keys, values, done) => {
      this.batches.push([...keys]);
      keys.forEach((key, at) => {
        if (values[at] === null) this.disk.delete(key);
        else this.disk.set(key, Uint8Array.from(values[at]!));
      });
      this.turn.push(() => done(null));
    },
    scan: (from, to, countMax, _bytes, done) => {
      const keys = [...this.disk.keys()].sort(compareUtf8).filter((key) => key >= from && key < to);
      const entries = keys.slice(0, countMax).map((key) => ({ key, value: this.disk.get(key)! }));
      this.turn.push(() => done(null, entries));
    },
    close: (done) => done(),
  };
  readonly writer = new StoreWriter({
    storage: this.storage,
    clock: this.clock,
    batchFirst: 1,
    onStored: () => undefined,
    onFailed: () => undefined,
  });
  table = this.open();

  open(byteCount = 0): OperationTable {
    return (this.table = new OperationTable(this.writer, this.storage, this.clock, byteCount));
  }

  settle(): void {
    while (this.turn.length > 0) this.turn.shift()!();
  }

  store(version: number, change: Partial<Pick<StoredWrite, 'operations' | 'voided'>>): void {
    const content = { key: 'k', origin: ORIGIN_CLIENT, tombstone: false, value: Buffer.from('v') } as const;
    const times = { createdAt: 0, updatedAt: 0, expiresAt: 0, operationId: null, contentType: null };
    const write: StoredWrite = {
      sealed: sealRecord({ ...content, ...times, version }),
      slot: 1,
      conditional: true,
      recorded: true,
      coordinator: { id: 1, incarnation: 1 },
      base: 0,
      operations: null,
      voided: null,
      replaced: null,
      ...change,
    };
    this.writer.put(write, this.table.changesOf(write));
  }
}

function increment(number: bigint, time = START): IdentifiedOperation {
  const id = Buffer.alloc(16, Number(number));
  id.writeUIntBE(time, 0, 6);
  return { id, kind: 'increment', number };
}

test('an operation goes to disk in the batch of its record, and is found before and after', () => {
  const world = new World();
  const one = increment(1n);
  world.store(4097, { operations: [one] });
  const known = { kind: 'increment', version: 4097, number: 1n };
  expect(world.table.find('k', one.id)).toEqual(known);
  world.settle();
  expect(world.batches[0]).toContain(operationKey('k', one.id));
  expect(world.batches[0]!.some((key) => key.startsWith('r'))).toBe(true);
  expect(world.table.find('k', one.id)).toEqual(known);
  expect(world.table.find('another key', one.id)).toBeUndefined();
});

test('the next record makes an operation void and carries it again: the new one stands', () => {
  const world = new World();
  const one = increment(1n);
  world.store(4097, { operations: [one] });
  world.settle();
  world.store(8193, { voided: [one] });
  expect(world.table.find('k', one.id)).toBeUndefined();
  world.store(12289, { voided: [one], operations: [{ ...one, number: 7n }] });
  world.settle();
  expect(world.table.find('k', one.id)).toEqual({ kind: 'increment', version: 12289, number: 7n });
});

test('a damaged entry: is neither known nor unknown', () => {
  const world = new World();
  const one = increment(1n);
  world.store(4097, { operations: [one] });
  world.settle();
  world.disk.get(operationKey('k', one.id))![8]! ^= 1;
  expect(world.table.find('k', one.id)).toBe('damaged');
});

test('an owner that begins knows nothing of before; that outlives its process', () => {
  const world = new World();
  expect(world.table.forgottenThrough()).toBe(Infinity);
  world.time = 5;
  world.table.begin();
  world.settle();
  world.time = 99;
  world.open().begin();
  expect(world.table.forgottenThrough()).toBe(START + 5);
});

test('the moment of what is forgotten is damaged on the disk: nothing is known of before, and no id of before is new', () => {
  for (const damage of [() => new Uint8Array(0), lowered]) {
    const world = new World();
    world.time = 5;
    world.table.begin();
    world.settle();
    const stored = metaKey('operations');
    world.disk.set(stored, damage(world.disk.get(stored)!));
    world.time = 99;
    expect(world.open().forgottenThrough()).toBe(Infinity);
    world.table.begin();
    expect(world.table.forgottenThrough()).toBe(START + 99);
  }
});

/** Changes one bit, which makes it a much earlier moment. */
function lowered(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, at) => (at === 6 ? byte ^ 0x10 : byte));
}

test('the moment of what is forgotten, as stores of before kept it: is read', () => {
  const world = new World();
  const moment = Buffer.alloc(8);
  moment.writeDoubleLE(START, 0);
  world.disk.set(metaKey('operations'), moment);
  expect(world.open().forgottenThrough()).toBe(START);
});

test('what is older than the window is forgotten, and then told as such, not before', () => {
  const world = new World();
  world.table.begin();
  const [old, young] = [increment(1n, START + 1_000), increment(2n, START + 60_000)];
  world.store(4097, { operations: [old, young] });
  world.settle();
  const full = world.table.bytes;
  world.time = OPERATION_ID_WINDOW_MS + 2_000;
  world.table.tick();
  world.settle();
  expect(world.table.find('k', old.id)).toBeUndefined();
  expect(world.table.find('k', young.id)).toBeDefined();
  expect(world.table.forgottenThrough()).toBe(START + 1_000);
  expect(world.table.bytes).toBe(full / 2);
  expect(world.open().forgottenThrough()).toBe(START + 1_000);
  world.time += OPERATION_FORGET_EVERY_MS;
  world.table.tick();
  world.settle();
  expect(world.table.find('k', young.id)).toBeDefined();
});

test('the clock on the wall is a day ahead for a while: what went is told as forgotten, and ids of later are new', () => {
  const world = new World();
  world.table.begin();
  const used = increment(1n, START + 1_000);
  world.store(4097, { operations: [used] });
  world.settle();
  const DAY_MS = 24 * 3_600_000;
  world.time += DAY_MS;
  world.table.tick();
  world.settle();
  world.time -= DAY_MS - 2_000;
  expect(world.table.find('k', used.id)).toBeUndefined();
  const refusal = ({ id }: IdentifiedOperation): string | undefined =>
    operationIdRefusal(id, START + world.time, world.table.forgottenThrough())?.code;
  expect(refusal(used)).toBe('operation_id_expired');
  expect(refusal(increment(2n, START + 1_500))).toBeUndefined();
});

test('bytes are counted by what stands: the same operation twice counts once, a full table says so', () => {
  const world = new World();
  const one = increment(1n);
  world.store(4097, { operations: [one] });
  const bytes = world.table.bytes;
  world.store(8193, { operations: [one] });
  expect(world.table.bytes).toBe(bytes);
  world.store(12289, { voided: [one] });
  expect(world.table.bytes).toBe(0);
  expect(world.table.isFull()).toBe(false);
  expect(world.open(OPERATION_TABLE_BYTES_MAX).isFull()).toBe(true);
});

test('a learner: takes what its source knows, drops what it lacks, keeps what came in this session', () => {
  const world = new World();
  const [leftover, told, fresh] = [increment(1n), increment(2n), increment(3n)];
  world.store(4097, { operations: [leftover, told] });
  world.settle();
  world.table.doubtAll();
  world.store(12289, { operations: [fresh] });
  const stored = [leftover, told, fresh].map(({ id }) => operationKey('k', id));
  world.table.copy(1, stored[1]!, { kind: 'increment', version: 8193, number: 5n });
  for (const each of [stored[0]!, stored[2]!]) world.table.dropLeftover(1, each);
  expect(world.table.find('k', leftover.id)).toBeUndefined();
  expect(world.table.find('k', told.id)).toMatchObject({ version: 8193, number: 5n });
  expect(world.table.find('k', fresh.id)).toMatchObject({ version: 12289 });
  world.table.copy(1, stored[2]!, { kind: 'increment', version: 8193, number: 3n });
  expect(world.table.find('k', fresh.id)).toMatchObject({ version: 12289 });
});

test('what this disk calls in flight stays while the slot is learnt, though its source does not tell it yet', () => {
  const world = new World();
  const [open, left] = [increment(1n), increment(2n)];
  world.store(4097, { operations: [open, left] });
  world.table.confirm(1);
  world.settle();
  world.table.doubt(1);
  world.table.keep(1, 'k', [open]);
  for (const { id } of [open, left]) world.table.dropLeftover(1, operationKey('k', id));
  world.settle();
  expect(world.table.find('k', open.id)).toMatchObject({ version: 4097 });
  expect(world.table.find('k', left.id)).toBeUndefined();
});
