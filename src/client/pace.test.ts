/** Which node a client keeps away from, and when it tries it again. */
import { expect, it } from 'vitest';
import { Pace } from './pace.ts';

function paced(ms: number, calls = 20): Pace {
  const pace = new Pace();
  for (let call = 0; call < calls; call += 1) pace.begin(0)(ms);
  return pace;
}

const OTHERS = [paced(2), paced(3), paced(2)];

it('a node answers far later than the others: it is tried once a second, and avoided in between', () => {
  const pace = paced(200);
  const tried = Array.from({ length: 30 }, (_, at) => at * 100).filter(
    (now) => !pace.isAvoided(OTHERS, 10_000 + now),
  );
  expect(tried).toEqual([0, 1_000, 2_000]);
});

it('a call hangs: it is avoided before that call has ended', () => {
  const pace = paced(2);
  pace.begin(1_000);
  expect(pace.isAvoided(OTHERS, 1_040)).toBe(false);
  expect(pace.isAvoided(OTHERS, 1_300)).toBe(false);
  expect(pace.isAvoided(OTHERS, 1_400)).toBe(true);
});

it('it answers as fast as ever again: it is avoided no more', () => {
  const pace = paced(200);
  pace.isAvoided(OTHERS, 5_000);
  for (let call = 0; call < 6; call += 1) pace.begin(5_000)(5_002);
  expect(pace.isAvoided(OTHERS, 5_100)).toBe(false);
});

it('all are as late, or there is no other: none is avoided', () => {
  for (const others of [[paced(150), paced(180)], []]) {
    const pace = paced(200);
    for (let now = 0; now < 500; now += 100) expect(pace.isAvoided(others, now)).toBe(false);
  }
});

it('many calls at once: one of them is measured at a time', () => {
  const pace = new Pace();
  const first = pace.begin(0);
  pace.begin(10)(500);
  expect(pace.lateMs(20)).toBe(20);
  first(40);
  expect(pace.lateMs(50)).toBe(10);
});
