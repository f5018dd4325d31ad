/** Which counters a node skips, so that none is taken twice. */
import { expect, test } from 'vitest';
import { COUNTERS_RESERVED_AHEAD } from '../../core/version.ts';
import { CounterReserve } from './counter-reserve.ts';
import type { StoreWriter } from './store-writer.ts';

/** A disk that completes writes when the test says so. */
function begin(spentThrough = 0): { reserve: CounterReserve; stored: () => number; pending: () => number } {
  const waiting: (() => void)[] = [];
  const putMeta = (_name: string, _bytes: Uint8Array, done: (error: Error | null) => void): void =>
    void waiting.push(() => done(null));
  const reserve = new CounterReserve({ putMeta } as unknown as StoreWriter, spentThrough);
  const stored = (): number => {
    const all = waiting.splice(0);
    for (const done of all) done();
    return all.length;
  };
  return { reserve, stored, pending: () => waiting.length };
}

/** The second version waits for this disk before it is sent: nothing else records that its counter is taken. */
test('two counters far apart are taken at once and then given up: both are skipped', () => {
  const { reserve } = begin();
  expect([reserve.covers(10), reserve.covers(10 * COUNTERS_RESERVED_AHEAD)]).toEqual([false, false]);
  reserve.passOver();
  expect(reserve.spentThrough).toBeGreaterThanOrEqual(10 * COUNTERS_RESERVED_AHEAD);
});

test('a much higher counter is taken while the disk stores another: it is reserved as soon as that is done', () => {
  const { reserve, stored, pending } = begin();
  reserve.covers(10);
  reserve.covers(10 * COUNTERS_RESERVED_AHEAD);
  stored();
  expect(pending()).toBe(1);
  stored();
  expect(pending()).toBe(0);
  expect(reserve.covers(10 * COUNTERS_RESERVED_AHEAD + 1)).toBe(true);
});
