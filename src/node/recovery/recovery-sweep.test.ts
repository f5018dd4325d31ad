/** How many given-up slots are examined at once, however many there are. */
import { expect, test } from 'vitest';
import { handClock } from '../../../test/support/hand-clock.ts';
import { DRIVE_SLOTS_IN_FLIGHT_MAX } from '../../core/limits.ts';
import type { Storage, StorageEntry } from '../../ports/storage.ts';
import { RecoverySweeps } from './recovery-sweep.ts';
import type { RecoverySweep } from './recovery-sweep.ts';

test('all slots are given up: a few are looked through at a time, and with many waiting no more are asked for', () => {
  const reads: ((error: null, entries: readonly StorageEntry[]) => void)[] = [];
  const storage = { scan: (_from, _to, _count, _bytes, done) => void reads.push(done) } as Storage;
  const sweeps = new RecoverySweeps();
  const done: number[] = [];
  const slotCount = 2 * DRIVE_SLOTS_IN_FLIGHT_MAX;
  for (let slot = 0; slot < slotCount; slot += 1) {
    expect(sweeps.isFull).toBe(false);
    const sweep = { clock: handClock(), storage, slot, counter: 1, isCurrent: () => true };
    sweeps.add(sweep as unknown as RecoverySweep, () => done.push(slot));
  }
  expect([reads.length, sweeps.isFull]).toEqual([DRIVE_SLOTS_IN_FLIGHT_MAX, true]);
  for (let at = 0; at < slotCount; at += 1) {
    expect(reads.length).toBe(Math.min(slotCount, at + DRIVE_SLOTS_IN_FLIGHT_MAX));
    reads[at]!(null, []);
  }
  expect([done.length, sweeps.isFull]).toEqual([slotCount, false]);
});
