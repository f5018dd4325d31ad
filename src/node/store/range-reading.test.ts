/** A range of the disk is read to its end, even if the disk fails in between. */
import { expect, test } from 'vitest';
import { handClock } from '../../../test/support/hand-clock.ts';
import type { Storage, StorageEntry, StorageError } from '../../ports/storage.ts';
import { readRange } from './range-reading.ts';

const FAILED: StorageError = { kind: 'io', message: 'no answer' };

function readingOf(pages: readonly (StorageError | readonly string[])[]) {
  const clock = handClock();
  const asked: string[] = [];
  const read: string[] = [];
  const state = { isCurrent: true, isDone: false };
  const scan: Storage['scan'] = (from, to, _count, _bytes, done) => {
    const page = pages[asked.length]!;
    asked.push(`${from}-${to}`);
    if ('kind' in page) return done(page, []);
    done(
      null,
      page.map((key): StorageEntry => ({ key, value: new Uint8Array() })),
    );
  };
  const limits = { entryCountMax: 2, byteCountMax: 100 };
  const range = { from: 'a', to: 'z', ...limits, isCurrent: () => state.isCurrent };
  readRange(
    { clock, storage: { scan } as Storage, ...range },
    ({ key }) => void read.push(key),
    () => (state.isDone = true),
  );
  return { clock, asked, read, state };
}

test('the disk fails in the middle: it is asked again after a while, for what comes after the page before', () => {
  const { clock, asked, read, state } = readingOf([['b', 'c'], FAILED, ['d'], []]);
  expect([read, state.isDone]).toEqual([['b', 'c'], false]);
  clock.advance(499);
  expect(asked).toEqual(['a-z', 'c\u0000-z']);
  clock.advance(1);
  expect(asked).toEqual(['a-z', 'c\u0000-z', 'c\u0000-z', 'd\u0000-z']);
  expect([read, state.isDone]).toEqual([['b', 'c', 'd'], true]);
});

test('the reading is no longer current when the disk would be read again: it is not read, and nothing is called', () => {
  const { clock, asked, read, state } = readingOf([FAILED, ['b'], []]);
  state.isCurrent = false;
  clock.advance(500);
  expect([asked.length, read, state.isDone]).toEqual([1, [], false]);
});
