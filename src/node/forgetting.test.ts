/** What an owner says when it is to raise floors. What becomes of it: `sim/tombstones.test.ts`. */
import { expect, test } from 'vitest';
import { founded } from '../../test/support/founded.ts';
import { handClock } from '../../test/support/hand-clock.ts';
import type { SlotFloor } from '../core/floors.ts';
import { SlotView } from '../core/replication/slot-view.ts';
import { Forgetting } from './forgetting.ts';
import type { ForgettingParts } from './forgetting.ts';

test('a disk that may have gone back in a slot raises no floor there, and does not say that it has', () => {
  const clock = handClock();
  const raised: SlotFloor[] = [];
  const told: number[] = [];
  const acting = {
    view: new SlotView(founded(1), 1),
    quietSlots: (floors: readonly SlotFloor[]) => floors.map(({ slot }) => slot),
  };
  const parts = {
    shelf: { whenStored: (run: () => void) => clock.defer(run) },
    floors: { raise: (floor: SlotFloor) => void raised.push(floor) },
    mutations: {},
    replica: () => acting,
    mayRaise: (slot: number) => slot !== 3,
  };
  const floors = [3, 4].map((slot) => ({ slot, counter: 9 }));
  new Forgetting(parts as unknown as ForgettingParts).raise({ floors }, (slots) => void told.push(...slots));
  clock.turn();
  expect(raised).toEqual([{ slot: 4, counter: 9 }]);
  expect(told).toEqual([4]);
});
