/** Which rows PostgreSQL accepts below a floor, and what happens to refused ones. */
import { describe, expect, test } from 'vitest';
import { isAsGoodAsAbsent, isKeptOut, isValueBelow, judgeKeptOut, versionOfFloor } from './record-floors.ts';
import { VERSION_MAX, counterOf, makeVersion } from '../version.ts';

const at = (counter: number): number => makeVersion(counter, 2);

test('a floor is kept as the highest version that is not above it, whoever made that', () => {
  expect(versionOfFloor(5)).toBe(makeVersion(6, 0) - 1);
  expect(counterOf(versionOfFloor(5))).toBe(5);
  expect(versionOfFloor(counterOf(VERSION_MAX))).toBe(VERSION_MAX);
});

describe('a version is kept out', () => {
  test.each<[string, number, number, number | undefined, boolean]>([
    ['above the floor', at(6), 5, undefined, false],
    ['at the floor', at(5), 5, undefined, true],
    ['below it', at(1), 5, undefined, true],
    ['where the floor was never raised', at(1), 0, undefined, false],
    ['sent by one who knew the floor', at(5), 5, 5, false],
    ['sent by one who knew an earlier floor: a deletion may have come since', at(4), 5, 4, true],
    ['sent by one who knew a later floor: the server was set back', at(4), 5, 9, false],
  ])('%s', (_what, version, floor, pastFloor, isOut) =>
    expect(isKeptOut(version, floor, pastFloor)).toBe(isOut),
  );
});

test('a deletion at or below the floor is as good as nothing; one above it is not, and a value never', () => {
  expect(isAsGoodAsAbsent({ version: at(5), tombstone: true }, 5)).toBe(true);
  expect(isAsGoodAsAbsent({ version: at(6), tombstone: true }, 5)).toBe(false);
  expect(isAsGoodAsAbsent({ version: at(5), tombstone: false }, 5)).toBe(false);
});

describe('what becomes of a version that was kept out', () => {
  test.each([
    ['it is held, at rest', { version: at(5), inFlight: false }, 9, 'knowing'],
    [
      'it is held, at rest, on a disk that has a lower floor',
      { version: at(5), inFlight: false },
      8,
      'again',
    ],
    ['it is held, and its round is under way', { version: at(5), inFlight: true }, 9, 'knowing'],
    [
      'its round is under way, on a disk that has a lower floor',
      { version: at(5), inFlight: true },
      0,
      'knowing',
    ],
    ['something higher is under way: a row will stand', { version: at(9), inFlight: true }, 9, 'again'],
    ['something higher is at rest: its round is over', { version: at(9), inFlight: false }, 9, 'drop'],
    ['nothing is held: it was deleted, and that forgotten', null, 9, 'drop'],
  ] as const)('%s', (_what, held, own, verdict) =>
    expect(judgeKeptOut(at(5), held, { own, told: 9, leaseHeld: true })).toBe(verdict),
  );

  test.each([true, false])(
    'it is held, but the lease is over: it may have been deleted since',
    (inFlight) => {
      const knows = { own: 9, told: 9, leaseHeld: false };
      expect(judgeKeptOut(at(5), { version: at(5), inFlight }, knows)).toBe('again');
    },
  );
});

test('left over below a floor is a value at or below it, and no deletion', () => {
  expect(isValueBelow({ version: at(5), tombstone: false }, 5)).toBe(true);
  expect(isValueBelow({ version: at(6), tombstone: false }, 5)).toBe(false);
  expect(isValueBelow({ version: at(5), tombstone: true }, 5)).toBe(false);
});
