/**
 * Which owner a learner asks for the slots it copies: consecutive slots are read together if one owner is asked for
 * them.
 */
import { expect, test } from 'vitest';
import { CopyPace } from '../../core/copying/copy-pace.ts';
import { SLOT_RUN_SLOTS_MAX } from '../../core/copying/copy-limits.ts';
import type { PeerMessage } from '../../core/message.ts';
import type { Replica } from '../../core/replication/replica.ts';
import { SlotDigests } from '../store/slot-digests.ts';
import { SlotPulls } from './slot-pulls.ts';
import type { SlotPullsParts } from './slot-pulls.ts';

interface Scene {
  readonly pulls: SlotPulls;
  /** Slot and member of each request, in order. */
  readonly asked: [slot: number, of: number][];
  /** Owners of each slot; the first is asked if none is preferred. */
  readonly owners: (slot: number) => readonly number[];
  /** Slots that have been copied, in order. */
  readonly copied: number[];
  /** Answers that every requested slot is empty, or just this one. */
  answer(only?: number): void;
}

function begin(owners: (slot: number) => readonly number[]): Scene {
  const asked: Scene['asked'] = [];
  const copied: number[] = [];
  const waiting: { slot: number; from: number }[] = [];
  const parts = {
    clock: { now: () => 0 },
    shelf: { copiedThroughOf: () => '', digests: new SlotDigests() },
    writer: { barrier: (done: () => void) => done() },
    pace: new CopyPace(0, 0),
    mutations: {},
    send: (to: number, message: PeerMessage) => {
      if (message.kind !== 'learnPull') throw new Error(`a ${message.kind} was sent`);
      asked.push([message.slot, to]);
      waiting.push({ slot: message.slot, from: to });
    },
    sourceOf: (slot: number, preferred: number) =>
      owners(slot).includes(preferred) ? preferred : owners(slot)[0]!,
    answerTimeoutMs: () => 200,
    onCopied: (slot: number) => void copied.push(slot),
  } as unknown as SlotPullsParts;
  const pulls = new SlotPulls(parts);
  pulls.begin(7, {} as Replica);
  const empty = ({ slot, from }: { slot: number; from: number }): void => {
    const nothing = { afterKey: '', records: [], same: [], last: true };
    pulls.onFrame(from, { kind: 'learnFrame', session: 7, slot, ...nothing });
  };
  const answer = (only?: number): void => {
    if (only !== undefined) return empty(waiting.find(({ slot }) => slot === only)!);
    while (pulls.size > 0) {
      for (const each of waiting.splice(0)) empty(each);
      pulls.proceed();
    }
  };
  return { pulls, asked, copied, owners, answer };
}

test('consecutive slots are requested from the owner of the first, even where another owner would be asked otherwise', () => {
  const scene = begin((slot) => (slot % 2 === 0 ? [1, 2, 3] : [2, 3, 1]));
  for (const slot of [4, 5, 6, 7]) scene.pulls.add(slot);
  scene.pulls.proceed();
  expect(scene.asked).toEqual([
    [4, 1],
    [5, 1],
    [6, 1],
    [7, 1],
  ]);
});

test('a slot that stands alone, or whose owners are others, is asked as it is by itself', () => {
  const scene = begin((slot) => (slot % 2 === 0 ? [1, 2] : [3, 2]));
  for (const slot of [4, 5, 9]) scene.pulls.add(slot);
  scene.pulls.proceed();
  expect(scene.asked).toEqual([
    [4, 1],
    [5, 3],
    [9, 3],
  ]);
});

test('no owner is asked for everything: after some consecutive slots another one has its turn', () => {
  const scene = begin((slot) => (slot < SLOT_RUN_SLOTS_MAX ? [1, 2] : [2, 1]));
  for (let slot = 0; slot < 3 * SLOT_RUN_SLOTS_MAX; slot += 1) scene.pulls.add(slot);
  scene.pulls.proceed();
  scene.answer();
  const of = (member: number): number => scene.asked.filter(([, asked]) => asked === member).length;
  expect([of(1), of(2)]).toEqual([SLOT_RUN_SLOTS_MAX, 2 * SLOT_RUN_SLOTS_MAX]);
});

test('an owner did not answer: the repeated request goes to the owner that would be asked for that slot alone', () => {
  const turn = { owners: [1, 2] };
  const scene = begin(() => turn.owners);
  for (const slot of [4, 5]) scene.pulls.add(slot);
  scene.pulls.proceed();
  turn.owners = [2, 1];
  scene.pulls.askAgain(scene.pulls.late(1_000));
  expect(scene.asked).toEqual([
    [4, 1],
    [5, 1],
    [4, 2],
    [5, 2],
  ]);
});

test('answers of several owners come in any order: they are taken in that of the slots, and asking goes on meanwhile', () => {
  const scene = begin((slot) => [slot]);
  for (let slot = 1; slot <= 40; slot += 1) scene.pulls.add(slot);
  scene.pulls.proceed();
  const asked = scene.asked.length;
  expect(asked).toBeLessThan(40);
  scene.answer(2);
  scene.answer(3);
  scene.pulls.proceed();
  expect([scene.copied, scene.asked.length]).toEqual([[], asked + 2]);
  scene.answer(1);
  expect(scene.copied).toEqual([1, 2, 3]);
});

test('a new session begins while an answer waits for another one: it counts for nothing, and holds up nothing', () => {
  const scene = begin((slot) => [slot]);
  for (const slot of [1, 2]) scene.pulls.add(slot);
  scene.pulls.proceed();
  scene.answer(2);
  scene.pulls.begin(7, {} as Replica);
  for (const slot of [1, 2]) scene.pulls.add(slot);
  scene.pulls.proceed();
  expect(scene.copied).toEqual([]);
  scene.answer();
  expect(scene.copied).toEqual([1, 2]);
});
