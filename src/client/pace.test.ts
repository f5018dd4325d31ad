/** Which node a client keeps away from, and when it tries it again. */
import { expect, it } from 'vitest';
import { Pace } from './pace.ts';

function paced(ms: number, calls = 20): Pace {
  const pace = new Pace();
  for (let call = 0; call < calls; call += 1) pace.begin(0)(ms);
  return pace;
}

const OTHERS = [paced(2), paced(3), paced(2)];

it('a node answers far later than the others: it is slow, and asked twice a second', () => {
  const pace = paced(200);
  expect(pace.isSlow(OTHERS, 10_000)).toBe(true);
  const asked = Array.from({ length: 15 }, (_, at) => 10_000 + at * 100).filter((now) => pace.shouldAsk(now));
  expect(asked).toEqual([10_000, 10_500, 11_000]);
});

it('a call hangs: it is slow before that call has ended, and not asked beside it', () => {
  const pace = paced(2);
  pace.begin(1_000);
  expect(pace.isSlow(OTHERS, 1_040)).toBe(false);
  expect(pace.isSlow(OTHERS, 1_060)).toBe(true);
  expect(pace.shouldAsk(9_000)).toBe(false);
});

it('it answers as fast as ever again: it is slow no more after a few answers', () => {
  const pace = paced(1_000);
  for (let call = 0; call < 5; call += 1) pace.begin(5_000)(5_002);
  expect(pace.isSlow(OTHERS, 5_100)).toBe(false);
});

it('one late call among many: it is not slow once that is over', () => {
  const pace = paced(2);
  pace.begin(5_000)(5_150);
  expect(pace.isSlow(OTHERS, 5_200)).toBe(false);
});

it('all are as late, or there is no other: none is slow', () => {
  for (const others of [[paced(150), paced(180)], []]) expect(paced(200).isSlow(others, 500)).toBe(false);
});

it('many calls at once: one of them is measured at a time', () => {
  const pace = new Pace();
  const first = pace.begin(0);
  pace.begin(10)(500);
  expect(pace.lateMs(20)).toBe(20);
  first(40);
  expect(pace.lateMs(50)).toBe(10);
});
