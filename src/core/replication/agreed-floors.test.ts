/**
 * How long this node knows that every owner has passed a floor. What it is used for:
 * `sim/scenarios/forgetting.test.ts`.
 */
import { expect, test } from 'vitest';
import { founded } from '../../../test/support/founded.ts';
import { rowOfSlot } from '../membership/topology.ts';
import type { Topology } from '../membership/topology.ts';
import { AgreedFloors } from './agreed-floors.ts';
import { SlotView } from './slot-view.ts';

const SLOT = 7;
const BEFORE = founded(4);
const SELF = rowOfSlot(BEFORE, SLOT).owners[0]!;
const OTHER = rowOfSlot(BEFORE, SLOT).owners[1]!;

function afterwards(change: Partial<Topology>, selfId = SELF): number {
  const agreed = new AgreedFloors();
  agreed.agree({ slot: SLOT, counter: 9 });
  const now = { ...BEFORE, epoch: BEFORE.epoch + 1, ...change };
  agreed.onEpoch(new SlotView(BEFORE, selfId), new SlotView(now, selfId));
  return agreed.of(SLOT);
}

function withMember(id: number, change: Partial<Topology['members'][number]>): Partial<Topology> {
  return { members: BEFORE.members.map((each) => (each.id === id ? { ...each, ...change } : each)) };
}

function withOwners(owners: readonly number[]): Partial<Topology> {
  return { rows: BEFORE.rows.map(() => ({ owners, complete: owners })) };
}

test('a lower floor is agreed on after a higher one: the higher one is known', () => {
  const agreed = new AgreedFloors();
  for (const counter of [9, 4]) agreed.agree({ slot: SLOT, counter });
  expect([agreed.of(SLOT), agreed.of(SLOT + 1)]).toEqual([9, 0]);
});

test('the next epoch with the same owners, or fewer of them: it is known', () => {
  expect(afterwards({})).toBe(9);
  expect(afterwards(withMember(OTHER, { alive: false }))).toBe(9);
});

test('an epoch was missed: nothing is known', () => {
  expect(afterwards({ epoch: BEFORE.epoch + 2 })).toBe(0);
});

test('somebody becomes an owner, or is another process by now: nothing is known', () => {
  const { owners } = rowOfSlot(BEFORE, SLOT);
  const stranger = [1, 2, 3, 4].find((id) => !owners.includes(id))!;
  expect(afterwards(withOwners([...owners, stranger]))).toBe(0);
  expect(afterwards(withMember(OTHER, { incarnation: 2 }))).toBe(0);
});

test('this node owns the slot no more: nothing is known', () => {
  const { owners } = rowOfSlot(BEFORE, SLOT);
  expect(afterwards(withOwners(owners.filter((id) => id !== SELF)))).toBe(0);
});
