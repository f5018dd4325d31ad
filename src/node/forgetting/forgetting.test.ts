/** What an owner answers when it is asked to raise floors. The consequences: `sim/tombstones.test.ts`. */
import { expect, test } from 'vitest';
import { founded } from '../../../test/support/founded.ts';
import { handClock } from '../../../test/support/hand-clock.ts';
import { SlotFloors } from '../../core/upkeep/floors.ts';
import type { SlotFloor } from '../../core/upkeep/floors.ts';
import { SlotView } from '../../core/replication/slot-view.ts';
import { Forgetting } from './forgetting.ts';
import type { ForgettingParts } from './forgetting.ts';

test('a disk that may have gone back in a slot raises no floor there, and does not say that it has', () => {
  const clock = handClock();
  const raised: SlotFloor[] = [];
  const told: number[] = [];
  const floors = new SlotFloors();
  floors.raise(5, 9);
  const acting = {
    view: new SlotView(founded(1), 1),
    promiseFloors: () => undefined,
    quietSlots: (floors: readonly SlotFloor[]) => floors.map(({ slot }) => slot),
  };
  const parts = {
    shelf: { whenStored: (run: () => void) => clock.defer(run) },
    floors: { floors, raise: (floor: SlotFloor) => void raised.push(floor) },
    mutations: {},
    replica: () => acting,
    mayRaise: (slot: number) => slot === 4,
  };
  const asked = [3, 4, 5].map((slot) => ({ slot, counter: 9 }));
  const forgetting = new Forgetting(parts as unknown as ForgettingParts);
  forgetting.raise({ floors: asked }, (slots) => void told.push(...slots));
  clock.turn();
  expect(raised).toEqual([
    { slot: 4, counter: 9 },
    { slot: 5, counter: 9 },
  ]);
  // It has already passed the floor of 5, so confirming that hides nothing.
  expect(told).toEqual([4, 5]);
});
