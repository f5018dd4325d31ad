/** The cost of comparing a slot with many rows of which some cannot be read, or do not match their checksums. */
import { expect, test } from 'vitest';
import type { KeyRecord, SealedRecord } from '../../core/record.ts';
import { makeVersion } from '../../core/version.ts';
import type { RecordError } from '../../ports/system-of-record.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import { recordKey, splitRecordKey } from '../../wire/store-codec.ts';
import { ScrubRows } from './rows.ts';
import type { ScrubRowsParts } from './rows.ts';
import type { ScrubRun } from './stage.ts';

const SLOT = 7;
const UNREADABLE: RecordError = { kind: 'unknown', message: 'rotten', fenced: false, ofRows: true };

interface World {
  now: number;
  isDone: boolean;
  /** Records read from disk. */
  read: number;
  /** Statements that read whole rows. */
  asked: number;
  damaged: number;
  uncompared: number;
  /** The slot of the last such statement. */
  slot: number;
  /** Rows being restored, one at a time. */
  readonly putting: (() => void)[];
}

function recordAt(at: number): SealedRecord {
  const key = `k${String(at).padStart(5, '0')}`;
  return sealRecord({
    ...{ key, version: makeVersion(9, 2), origin: 0, tombstone: false, value: Buffer.from(key) },
    ...{ createdAt: 1, updatedAt: 1, expiresAt: 0, operationId: null, contentType: null },
  });
}

/**
 * A slot whose rows are all as they are held here, except for the unreadable one, and for the values if all are
 * `spoilt`.
 */
function compared(count: number, { unreadable = '', isLost = false, spoilt = false, pageMax = Infinity }) {
  const world: World = {
    ...{ now: 1_000, isDone: false, read: 0, asked: 0, damaged: 0, uncompared: 0, slot: 0, putting: [] },
  };
  const held = new Map(
    Array.from({ length: count }, (_, at) => recordAt(at)).map((it) => [it.record.key, it]),
  );
  const after = (key: string, max: number): SealedRecord[] => {
    const page: SealedRecord[] = [];
    for (const it of held.values()) if (it.record.key > key && page.length < max) page.push(it);
    return page;
  };
  const rowOf = ({ record, checksum }: SealedRecord) => {
    const whole: KeyRecord = spoilt ? { ...record, value: Buffer.from('other') } : record;
    return { key: record.key, version: record.version, checksum, tombstone: false, record: whole };
  };
  const parts = {
    clock: { now: () => world.now },
    storage: {
      scan(...[from, , max, , done]: [string, string, number, number, (e: null, l: object[]) => void]) {
        const page = after(splitRecordKey(from).key.replace('\u0000', ''), Math.min(max, pageMax));
        world.read += page.length;
        const entries = page.map(({ record, bytes }) => ({
          key: recordKey(splitRecordKey(from).slot, record.key),
          value: bytes,
        }));
        done(null, entries);
      },
    },
    shelf: { digests: { isEmpty: () => false }, read: (key: string) => held.get(key) },
    report: {
      ...{ open: 0, readRows: () => undefined, found: () => undefined, restored: () => undefined },
      rowDamaged: () => (world.damaged += 1),
      uncompared: (slots: number) => (world.uncompared += slots),
    },
    budget: { pace: { mayGo: () => true, spend: () => undefined }, isBusy: () => false },
    systemOfRecord: {
      versionsOf: (
        _slot: number,
        key: string,
        max: number,
        done: (e: RecordError | null, rows: object[]) => void,
      ) => (isLost ? done(UNREADABLE, []) : done(null, after(key, max).map(rowOf))),
      scrub: {
        readRows(
          slot: number,
          key: string,
          max: number,
          done: (e: RecordError | null, rows: object[]) => void,
        ) {
          world.asked += 1;
          world.slot = slot;
          const page = after(key, Math.min(max, pageMax));
          if (slot === SLOT && page.some(({ record }) => record.key === unreadable)) done(UNREADABLE, []);
          else done(null, page.map(rowOf));
        },
        restoreRow: (_life: number, _row: object, done: (e: null, isRestored: boolean) => void) =>
          world.putting.push(() => done(null, true)),
      },
    },
    ...{ writesThrough: () => true, leaseFrom: () => world.now, floorOf: () => 0, trusting: false },
    ...{ onDebris: () => undefined, onLoss: () => undefined },
  };
  const run = {
    view: { selfId: 1, topology: { loaded: true, life: 1 }, row: () => ({ owns: true, first: 1 }) },
    ...{ replica: { stateOf: () => undefined }, first: SLOT, end: SLOT + 2 },
  };
  const rows = new ScrubRows(parts as unknown as ScrubRowsParts);
  rows.begin(run as unknown as ScrubRun, () => (world.isDone = true));
  return { world, tick: (): void => rows.tick((world.now += 10)) };
}

test('one row of a large slot cannot be read: behind it pages are whole again', () => {
  const { world, tick } = compared(3_000, { unreadable: 'k00050' });
  for (let n = 0; n < 10; n += 1) {
    tick();
    world.putting.shift()?.();
  }
  expect(world).toMatchObject({ isDone: true, damaged: 1 });
  expect(world.asked).toBeLessThan(100);
  expect(world.read).toBeLessThan(20_000);
});

test('every row of a slot is damaged: no further page is read while rows of the last one are not put back', () => {
  const { world, tick } = compared(50, { spoilt: true, pageMax: 1 });
  for (let n = 0; n < 20; n += 1) tick();
  expect(world).toMatchObject({ asked: 1, damaged: 1, isDone: false });
  for (let n = 0; n < 300; n += 1) {
    tick();
    world.putting.shift()?.();
  }
  expect(world).toMatchObject({ isDone: true, damaged: 100 });
});

test('not even the version of a row can be read: its slot is told as not compared, and the next one is compared', () => {
  const { world, tick } = compared(10, { unreadable: 'k00005', isLost: true });
  for (let n = 0; n < 20; n += 1) tick();
  expect(world).toMatchObject({ isDone: true, damaged: 0, uncompared: 1, slot: SLOT + 1 });
});
