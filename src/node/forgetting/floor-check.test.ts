/** In which steps a disk that went back in time is examined. The consequences: `sim/gone-back.test.ts`. */
import { expect, test } from 'vitest';
import { handClock } from '../../../test/support/hand-clock.ts';
import { SCRUB_PAGE_BYTES_MAX, SCRUB_TOLD_RECORDS_MAX, SLOT_COUNT } from '../../core/limits.ts';
import { restingState } from '../../core/replication/key-state.ts';
import type { KeyState } from '../../core/replication/key-state.ts';
import { makeVersion } from '../../core/version.ts';
import { forgottenDeletion } from '../../core/system-of-record/record-drive.ts';
import type { Clock } from '../../ports/clock.ts';
import type { StorageEntry } from '../../ports/storage.ts';
import { openRecord, sealRecord } from '../../wire/record-codec.ts';
import { recordKey, slotRange, splitRecordKey } from '../../wire/store-codec.ts';
import { FloorCheck } from './floor-check.ts';
import type { FloorCheckParts } from './floor-check.ts';

/** This node owns the first `slotCount` slots. */
function viewOwning(slotCount: number, topology: object) {
  const slotRow = new Uint16Array(SLOT_COUNT).fill(1).fill(0, 0, slotCount);
  return { topology: { ...topology, slotRow }, rows: [{ owns: true }, { owns: false }] };
}

test('a slot is behind: it is read a page at a time, bounded in records and in bytes, while the others are done', () => {
  const behind = 3;
  const pages: (readonly [number, number])[] = [];
  const asked: number[] = [];
  const view = viewOwning(behind + 1, {});
  const replica = { view, stateOf: () => undefined };
  const parts = {
    clock: handClock(),
    telemetry: { event: () => undefined },
    storage: {
      scan: (_from: string, _to: string, countMax: number, bytesMax: number) =>
        void pages.push([countMax, bytesMax]),
    },
    systemOfRecord: {
      readFloors: (slots: readonly number[], done: (error: null, floors: readonly object[]) => void) => {
        asked.push(...slots);
        done(
          null,
          slots.map((slot) => ({ counter: slot === behind ? 5 : 0, turn: 0 })),
        );
      },
    },
    floors: { floors: { of: () => 0 } },
    shelf: { digests: { countOf: () => 1 } },
    replica: () => replica,
    mutations: {},
  };
  const check = new FloorCheck(parts as unknown as FloorCheckParts);
  for (let tick = 0; tick < 4; tick += 1) check.tick();
  expect(asked).toEqual(Array.from({ length: SLOT_COUNT }, (_, slot) => slot).slice(0, behind + 1));
  expect(pages).toEqual([[SCRUB_TOLD_RECORDS_MAX, SCRUB_PAGE_BYTES_MAX]]);
  expect(check.isChecked).toBe(false);
});

/** Another owner's answer: that it holds nothing, or no answer at all. */
function inquiryOf(clock: Clock, other: { readonly isHeard: boolean; readonly isAbsent?: boolean }) {
  return {
    ask: (_slot: number, keys: readonly string[], onWord: (...all: unknown[]) => void, done: () => void) =>
      clock.defer(() => {
        for (const key of keys)
          onWord(key, { held: null, isAbsentAt: other.isAbsent === true, isWhole: other.isHeard });
        done();
      }),
  };
}

/** PostgreSQL's floors by slot, against 0 here; and how many records this disk has in each slot. */
function checkOf(
  stand: readonly number[],
  countOf: (slot: number) => number,
  loaded = true,
  floorCounter = 1,
) {
  /** This disk's leftovers in its first slot, and whether another owner answers about them. */
  const other = { isHeard: true, isAbsent: false, left: [] as StorageEntry[] };
  const clock = handClock();
  const own = new Map<number, number>();
  const events: string[] = [];
  const scans = { count: 0 };
  const cleared: string[] = [];
  const view = viewOwning(stand.length, { loaded, floorCounter });
  const parts = {
    clock,
    telemetry: { event: (_level: string, name: string) => void events.push(name) },
    storage: {
      scan: (
        from: string,
        _to: string,
        _count: number,
        _bytes: number,
        done: (...all: unknown[]) => void,
      ) => {
        scans.count += 1;
        clock.defer(() => done(null, from === slotRange(0).from ? other.left : []));
      },
    },
    systemOfRecord: {
      read: (_keys: readonly string[], done: (error: null, rows: readonly undefined[]) => void) =>
        clock.defer(() => done(null, [undefined])),
      readFloors: (slots: readonly number[], done: (error: null, floors: readonly object[]) => void) =>
        clock.defer(() =>
          done(
            null,
            slots.map((slot) => ({ counter: stand[slot], turn: 0 })),
          ),
        ),
    },
    floors: {
      floors: { of: (slot: number) => own.get(slot) ?? 0 },
      raise: ({ slot, counter }: { slot: number; counter: number }) => void own.set(slot, counter),
    },
    inquiry: inquiryOf(clock, other),
    writesThrough: () => true,
    shelf: {
      digests: { countOf },
      read: (key: string) => {
        const entry = other.left.find((each) => splitRecordKey(each.key).key === key);
        return entry === undefined ? undefined : openRecord(entry.value);
      },
      replaceAtRest: (_slot: number, key: string) => void cleared.push(key),
    },
    mutations: {},
  };
  /** What is not closed of each key. */
  const states = new Map<string, KeyState>();
  const acting = { view, stateOf: (key: string) => states.get(key) };
  const check = new FloorCheck({ ...parts, replica: () => acting } as unknown as FloorCheckParts);
  return { check, clock, own, events, scans, other, states, cleared };
}

test('all slots of a full disk are behind: one piece follows the other without waiting for a tick', () => {
  const { check, clock, own, scans } = checkOf([5, 5, 5, 5], () => 1);
  check.tick();
  clock.turn();
  check.tick();
  for (let turn = 0; turn < 4; turn += 1) clock.turn();
  expect([scans.count, check.isChecked]).toEqual([4, true]);
  expect([...own.values()]).toEqual([5, 5, 5, 5]);
});

test('a blank disk, as after a founding anew, has not gone back: it takes the floors over, and nobody is alarmed', () => {
  const { check, clock, own, events, scans } = checkOf([5, 0, 7], () => 0);
  check.tick();
  clock.turn();
  expect(check.isChecked).toBe(true);
  expect([...own]).toEqual([
    [0, 5],
    [2, 7],
  ]);
  expect([scans.count, events]).toEqual([0, []]);
});

test('rows are still brought from PostgreSQL since the founding, which began above its floors: no disk has gone back', () => {
  const { check, clock, own, events } = checkOf([5, 9], () => 3, false, 8);
  check.tick();
  clock.turn();
  expect([[...own], check.isChecked, events]).toEqual([[[0, 5]], false, ['store.gone_back']]);
});

function leftover(key: string): StorageEntry {
  const deletion = forgottenDeletion(key, makeVersion(3, 1));
  const { bytes } = sealRecord({ ...deletion, tombstone: false, value: Buffer.from('left') });
  return { key: recordKey(0, key), value: bytes };
}

/** Returns a function that lets the check look at everything once. */
function lookWith(check: FloorCheck, clock: ReturnType<typeof handClock>): () => void {
  return () => {
    check.tick();
    for (let turn = 0; turn < 6; turn += 1) {
      clock.turn();
      check.tick();
    }
  };
}

test('the floor of a slot is not raised before it was compared, nor while another owner has not answered; that owner is asked again later', () => {
  const { check, clock, own, other } = checkOf([5, 0], () => 1);
  other.left = [leftover('key')];
  other.isHeard = false;
  const look = lookWith(check, clock);
  expect([check.mayRaise(0), check.mayRaise(1)]).toEqual([false, false]);
  look();
  expect([check.isChecked, check.mayRaise(0), check.mayRaise(1), own.size]).toEqual([true, false, true, 0]);
  other.isHeard = true;
  look();
  expect(check.mayRaise(0)).toBe(false);
  clock.advance(30_000);
  look();
  expect([check.isChecked, check.mayRaise(0), own.get(0)]).toEqual([true, true, 5]);
});

test('something waits on what is left over: it does not pass for what is in flight, and goes once nothing waits any more', () => {
  const { check, clock, own, other, states, cleared } = checkOf([5], () => 1);
  other.left = [leftover('key')];
  other.isAbsent = true;
  const look = lookWith(check, clock);
  const sealed = openRecord(other.left[0]!.value)!;
  states.set('key', { ...restingState('key', 0, sealed, 0), fetching: true });
  look();
  expect([cleared, check.mayRaise(0), own.size]).toEqual([[], false, 0]);
  states.clear();
  clock.advance(30_000);
  look();
  expect([cleared, check.mayRaise(0), own.get(0)]).toEqual([['key'], true, 5]);
});
