/** When nothing succeeds for a while, the user is told once what is waited for, and then it ends. */
import { afterEach, expect, test, vi } from 'vitest';
import { keptIo } from '../../test/support/command-io.ts';
import { Stall } from './stall.ts';

afterEach(() => void vi.useRealTimers());

test('a stall: told once a second has gone, given up after a minute, and forgotten when something comes', () => {
  vi.useFakeTimers();
  const { io, ran } = keptIo();
  const stall = new Stall(io.stderr);
  const after = (ms: number): [boolean, string] => {
    vi.advanceTimersByTime(ms);
    const isOver = stall.isOver('transport: cannot connect');
    return [isOver, ran.err];
  };
  const once = 'transport: cannot connect; trying again, for a minute at most\n';
  expect(after(900)).toEqual([false, '']);
  expect(after(100)).toEqual([false, once]);
  expect(after(58_000)).toEqual([false, once]);
  expect(after(1_001)).toEqual([true, once]);
  stall.end();
  expect(after(900)).toEqual([false, once]);
  expect(after(100)).toEqual([false, once + once]);
});
