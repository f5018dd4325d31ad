/** How long a store takes, measured by its batches. */
import { expect, it } from 'vitest';
import type { Clock } from '../../ports/clock.ts';
import type { Storage, StorageError } from '../../ports/storage.ts';
import { StorePulse } from './store-pulse.ts';

let now = 0;
let end: (error: StorageError | null) => void = () => undefined;

function opened(): StorePulse {
  now = 1_000;
  const clock = { now: () => now } as Clock;
  const storage = {
    write: (_keys, _values, done) => {
      end = done;
    },
  } as Partial<Storage> as Storage;
  return new StorePulse(storage, clock);
}

function write(pulse: StorePulse, ms: number): void {
  let isDone = false;
  pulse.write([], [], () => (isDone = true));
  now += ms;
  end(null);
  expect(isDone).toBe(true);
}

it('batches take as long as one another: that long', () => {
  const pulse = opened();
  for (let batch = 0; batch < 40; batch += 1) write(pulse, 20);
  expect(pulse.lateMs(now)).toBeCloseTo(20, 1);
});

it('one batch hangs: as long as it has taken so far', () => {
  const pulse = opened();
  write(pulse, 2);
  pulse.write([], [], () => undefined);
  expect(pulse.lateMs(now + 700)).toBe(700);
  expect(pulse.isIdle(now + 700)).toBe(false);
});

it('nothing was written for a while: it is idle, and what it took is known still', () => {
  const pulse = opened();
  for (let batch = 0; batch < 40; batch += 1) write(pulse, 80);
  expect(pulse.isIdle(now + 10)).toBe(false);
  expect(pulse.isIdle(now + 1_000)).toBe(true);
  expect(pulse.lateMs(now + 1_000)).toBeCloseTo(80, 1);
});
