/** How often restoring rows is tried when PostgreSQL fails, because of one row or as a whole. */
import { expect, test } from 'vitest';
import { handClock } from '../../../test/support/hand-clock.ts';
import type { RecordError, RecordRow } from '../../ports/system-of-record.ts';
import { RowRestorer } from './restore.ts';
import type { RowRestorerParts } from './restore.ts';

const KEYS = ['a', 'b', 'c'];

function restoring(fail: (key: string) => Partial<RecordError> | null) {
  const clock = handClock();
  const asked: string[] = [];
  const told: string[] = [];
  const parts = {
    clock,
    report: {
      found: () => undefined,
      restored: (key: string, problem: string | null) => told.push(`${key}: ${problem ?? 'restored'}`),
    },
    budget: { pace: { spend: () => undefined } },
    systemOfRecord: {
      scrub: {
        restoreRow: (_life: number, { record }: RecordRow, done: (error: unknown) => void) => {
          asked.push(record.key);
          done(fail(record.key));
        },
      },
    },
  };
  const restorer = new RowRestorer(parts as unknown as RowRestorerParts);
  for (const key of KEYS)
    restorer.add({ record: { key, version: 1, value: new Uint8Array(1) }, slot: 1 } as unknown as RecordRow);
  for (let n = 0; n < 100 && !restorer.isIdle; n += 1) {
    restorer.tick(clock.now(), 1);
    clock.advance(500);
  }
  return { isIdle: restorer.isIdle, asked: asked.join(''), told };
}

test('PostgreSQL is away: it is asked a few times for all of them together, and the next round finds them anew', () => {
  const { isIdle, asked, told } = restoring(() => ({ message: 'away' }));
  expect([isIdle, asked]).toEqual([true, 'aaaaa']);
  expect(told).toEqual(KEYS.map((key) => `${key}: PostgreSQL: away`));
});

test('one row is refused each time: the others are put back', () => {
  const { asked, told } = restoring((key) => (key === 'a' ? { message: 'rotten', ofRows: true } : null));
  expect(asked).toBe('aaaaabc');
  expect(told).toEqual(['a: PostgreSQL: rotten', 'b: restored', 'c: restored']);
});

test('PostgreSQL fails now and then: what was put back in between begins the count anew', () => {
  let calls = 0;
  const { asked, told } = restoring(() => ((calls += 1) % 4 === 0 ? null : { message: 'hiccup' }));
  expect(asked).toBe('aaaabbbbcccc');
  expect(told).toEqual(KEYS.map((key) => `${key}: restored`));
});
