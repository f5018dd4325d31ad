/** Which node the client avoids, and when it uses that node again. */
import { expect, it } from 'vitest';
import { Pace } from './pace.ts';

function paced(ms: number, calls = 20): Pace {
  const pace = new Pace();
  for (let call = 0; call < calls; call += 1) pace.begin(0)(ms);
  return pace;
}

const OTHERS = [paced(2), paced(3), paced(2)];

/** Checks the pace for half a second, and returns whether the node is avoided at the end. */
function isAvoided(pace: Pace, now: number, others = OTHERS): boolean {
  pace.isAvoided(others, now - 500);
  return pace.isAvoided(others, now);
}

/** How many answers of `ms` milliseconds in a row it takes until the node is used again, at most `countMax`. */
function answersUntilUsed(pace: Pace, ms: number, countMax: number, now: number): number {
  for (let count = 0; count < countMax; count += 1) {
    if (!pace.isAvoided(OTHERS, now)) return count;
    pace.begin(now)(now + ms);
  }
  return countMax;
}

it('a node answers far later than the others: it is avoided, and asked twice a second', () => {
  const pace = paced(200);
  expect(pace.isInDoubt(10_000)).toBe(true);
  expect(pace.isAvoided(OTHERS, 9_700)).toBe(false);
  expect(pace.isAvoided(OTHERS, 10_000)).toBe(true);
  const asked = Array.from({ length: 15 }, (_, at) => 10_000 + at * 100).filter((now) => pace.shouldAsk(now));
  expect(asked).toEqual([10_000, 10_500, 11_000]);
});

it('a call hangs: it is avoided before that call has ended, and not asked beside it', () => {
  const pace = paced(2);
  pace.begin(1_000);
  expect(isAvoided(pace, 1_040)).toBe(false);
  expect(isAvoided(pace, 1_560)).toBe(true);
  expect(pace.shouldAsk(9_000)).toBe(false);
});

it('it answers as fast as ever again: it is used after eight such answers, and in no doubt', () => {
  const pace = paced(1_000);
  isAvoided(pace, 5_000);
  expect(answersUntilUsed(pace, 2, 100, 5_000)).toBe(8);
  expect(pace.isInDoubt(5_100)).toBe(false);
});

it('now and then it happens to answer fast: it stays avoided', () => {
  const pace = paced(1_000);
  isAvoided(pace, 5_000);
  for (let times = 0; times < 20; times += 1) {
    expect(answersUntilUsed(pace, 2, 5, 5_000)).toBe(5);
    pace.begin(5_000)(5_300);
  }
  expect(pace.isAvoided(OTHERS, 5_000)).toBe(true);
});

it('it is slow again soon after: twice as many answers are needed; much later as many as at first', () => {
  const pace = paced(1_000);
  const needed: number[] = [];
  for (const now of [5_000, 10_000, 15_000, 100_000]) {
    pace.begin(now)(now + 1_000);
    isAvoided(pace, now);
    needed.push(answersUntilUsed(pace, 2, 100, now));
  }
  expect(needed).toEqual([8, 16, 32, 8]);
});

it('one late call among many: it is not avoided once that is over', () => {
  const pace = paced(2);
  pace.begin(5_000)(5_500);
  expect(pace.isAvoided(OTHERS, 5_500)).toBe(false);
  for (let call = 0; call < 8; call += 1) pace.begin(5_500)(5_502);
  expect(pace.isAvoided(OTHERS, 6_000)).toBe(false);
  expect(pace.isInDoubt(6_000)).toBe(false);
});

it('all are as late, or there is no other: none is avoided', () => {
  for (const others of [[paced(150), paced(180)], []])
    expect(isAvoided(paced(200), 1_000, others)).toBe(false);
});

it('many calls at once: one of them is measured at a time', () => {
  const pace = new Pace();
  const first = pace.begin(0);
  pace.begin(10)(500);
  expect(pace.lateMs(20)).toBe(20);
  first(40);
  expect(pace.lateMs(50)).toBe(10);
});
