/** What happens to a key whose copy here is compared with PostgreSQL. */
import { describe, expect, test } from 'vitest';
import { forgottenDeletion, judgeKey } from './record-drive.ts';
import { isValueBelow } from './record-floors.ts';
import { makeVersion } from '../version.ts';

const at = (version: number, checksum = version): { version: number; checksum: number } => ({
  version,
  checksum,
});

describe('at rest here', () => {
  const held = { ...at(5), inFlight: false };
  test.each([
    ['no row there: driven', undefined, 'drive'],
    ['a lower one there: driven', at(4), 'drive'],
    ['the same there: settled', at(5), 'settled'],
    [
      'the same version with another content there: a conflict, which nothing repeated heals',
      at(5, 9),
      'conflict',
    ],
    ['a higher one there, of a write on its way: settled', at(6), 'settled'],
  ])('%s', (_what, standing, verdict) => expect(judgeKey(held, standing, undefined)).toBe(verdict));
});

describe('in flight here', () => {
  const held = { ...at(5), inFlight: true };
  test('PostgreSQL has less: it waits, for its coordinator may have completed it', () => {
    expect(judgeKey(held, at(4), undefined)).toBe('wait');
    expect(judgeKey(held, undefined, undefined)).toBe('wait');
  });

  test('PostgreSQL has as much: settled', () => {
    expect(judgeKey(held, at(5), undefined)).toBe('settled');
  });

  test('it was waited for at a lower version, which PostgreSQL has by now: settled, however often it is written', () => {
    expect(judgeKey({ ...at(9), inFlight: true }, at(7), 5)).toBe('settled');
    expect(judgeKey({ ...at(9), inFlight: true }, at(4), 5)).toBe('wait');
  });
});

describe('not held here, and deletions of the slot were forgotten up to a floor', () => {
  const row = (counter: number, tombstone = false): { version: number; tombstone: boolean } => ({
    version: makeVersion(counter, 3),
    tombstone,
  });

  test('a value at or below the floor is back from before its deletion; one above it, or a deletion, is not', () => {
    expect([row(6), row(7), row(8), row(6, true)].map((each) => isValueBelow(each, 7))).toEqual([
      ...[true, true, false, false],
    ]);
    expect(isValueBelow(row(1), 0)).toBe(false);
  });

  test('what takes its place is a deletion above it, and below any that its owner can have forgotten', () => {
    const { version, tombstone } = forgottenDeletion('key', makeVersion(6, 3));
    expect(tombstone).toBe(true);
    expect(version).toBeGreaterThan(makeVersion(6, 3));
    expect(version).toBeLessThan(makeVersion(7, 1));
  });
});
