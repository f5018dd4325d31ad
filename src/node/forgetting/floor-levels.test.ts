/** Which floors are checked in PostgreSQL, when they are checked again, and on which turn they are raised there. */
import { expect, test } from 'vitest';
import { founded } from '../../../test/support/founded.ts';
import { handClock } from '../../../test/support/hand-clock.ts';
import type { SlotFloor } from '../../core/upkeep/floors.ts';
import { COLLECTION_PATIENCE_MS } from '../../core/limits.ts';
import { SlotView } from '../../core/replication/slot-view.ts';
import type { RecordError, RecordFloor, SystemOfRecord } from '../../ports/system-of-record.ts';
import { FloorLevels } from './floor-levels.ts';
import type { FloorLevelsParts } from './floor-levels.ts';

const DOWN: RecordError = { kind: 'unknown', fenced: false, message: 'down' };
const OURS = founded(1);
const LATER = {
  ...OURS,
  epoch: OURS.epoch + 1,
  record: { system: 'a', timeline: 2, drive: 1, driven: true },
};

/** The floors of this node, and PostgreSQL's. */
function levelsOf(own: Readonly<Record<number, number>>, stand: Record<number, RecordFloor>) {
  const clock = handClock();
  const raised: (SlotFloor & RecordFloor)[] = [];
  const world = { clock, raised, isDown: false, isLeaseHeld: true, reads: 0 };
  const systemOfRecord: Pick<SystemOfRecord, 'readFloors' | 'raiseFloors'> = {
    readFloors: (slots, done) => {
      world.reads += 1;
      const floors = slots.map((slot) => stand[slot] ?? { counter: 0, turn: 0 });
      clock.defer(() => (world.isDown ? done(DOWN, []) : done(null, floors)));
    },
    raiseFloors: (_life, floors) => void raised.push(...floors),
  };
  const floors = { floors: { of: (slot: number) => own[slot] ?? 0 } };
  const telemetry = { event: () => undefined };
  const leaseHeld = (): boolean => world.isLeaseHeld;
  const parts = { clock, telemetry, systemOfRecord, floors, leaseHeld, mutations: {} };
  const levels = new FloorLevels(parts as unknown as FloorLevelsParts);
  const look = (topology = OURS, view = new SlotView(topology, 1)): readonly SlotFloor[] | null => {
    let lower: readonly SlotFloor[] = [];
    const isAsked = levels.look(view, (told) => (lower = told));
    clock.turn();
    return isAsked ? lower : null;
  };
  return { ...world, world, levels, look };
}

test('PostgreSQL has a lower floor: it is told, raised on the turn that was read, and looked at once more after a while', () => {
  const stand: Record<number, RecordFloor> = { 3: { counter: 4, turn: 7 }, 5: { counter: 9, turn: 2 } };
  const { levels, look, clock, raised } = levelsOf({ 3: 6, 5: 9 }, stand);
  expect(look()).toEqual([{ slot: 3, counter: 6 }]);
  levels.bring(new SlotView(OURS, 1), [{ slot: 3, counter: 6 }]);
  expect(raised).toEqual([{ slot: 3, counter: 6, turn: 7 }]);
  expect(look()).toBeNull();
  clock.advance(2 * COLLECTION_PATIENCE_MS);
  stand[3] = { counter: 6, turn: 8 };
  expect(look()).toEqual([]);
  expect(look()).toBeNull();
});

test('PostgreSQL is away: it is asked again later', () => {
  const { world, look, clock } = levelsOf({ 3: 6 }, {});
  world.isDown = true;
  expect([look(), look()]).toEqual([[], null]);
  world.isDown = false;
  clock.advance(500);
  expect(look()).toEqual([{ slot: 3, counter: 6 }]);
});

test('the lease ends while the floors are read: nothing is raised on that reading, and they are read again', () => {
  const { world, look, levels, raised, clock } = levelsOf({ 3: 6 }, {});
  world.isLeaseHeld = false;
  expect(look()).toEqual([]);
  levels.bring(new SlotView(OURS, 1), [{ slot: 3, counter: 6 }]);
  expect(raised).toEqual([]);
  world.isLeaseHeld = true;
  clock.advance(500);
  expect(look()).toEqual([{ slot: 3, counter: 6 }]);
});

test('a new drive begins: floors are checked again after it, and neither checked nor raised during it', () => {
  const { levels, look, raised } = levelsOf({ 3: 6 }, { 3: { counter: 6, turn: 0 } });
  expect([look(), look()]).toEqual([[], null]);
  const driving = { ...LATER, record: { ...LATER.record, driven: false } };
  expect(look(driving)).toBeNull();
  expect(look({ ...LATER, epoch: LATER.epoch + 1 })).toEqual([]);
  levels.bring(new SlotView(OURS, 1), [{ slot: 3, counter: 6 }]);
  expect(raised).toEqual([]);
});
