/** When a process that every member refuses is told so: once, and only if it has never been a member. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { handClock } from '../../test/support/hand-clock.ts';
import { RefusalWatch } from './refusal-watch.ts';
import type { Transport, TransportHandler } from '../ports/transport.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function world(isMember: boolean) {
  const clock = handClock();
  const told: string[] = [];
  const watch = new RefusalWatch(
    clock,
    () => isMember,
    (reason) => told.push(reason),
  );
  let overheard: TransportHandler | undefined;
  const bare = {
    start: (_hello: unknown, handler: TransportHandler) => (overheard = handler),
    dial: () => undefined,
  };
  const handler = { onRefused: () => undefined } as unknown as TransportHandler;
  const transport = watch.watch(bare as unknown as Transport);
  transport.start({} as never, handler);
  transport.dial('b', 'b:1');
  const pass = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 500) {
      overheard!.onRefused('b', 'clusterName: x');
      clock.advance(500);
      vi.advanceTimersByTime(500);
    }
  };
  return { told, pass, watch };
}

test('refused for long by all who are there: told once', () => {
  const { told, pass } = world(false);
  pass(4_500);
  expect(told).toEqual([]);
  pass(5_000);
  expect(told).toEqual([
    'it and b refuse each other: clusterName: x; set it alike everywhere, then start again',
  ]);
});

test('a member of before, and a process that is stopped: neither is ended for it', () => {
  const member = world(true);
  member.pass(10_000);
  const stopped = world(false);
  void stopped.watch.close();
  stopped.pass(10_000);
  expect([member.told, stopped.told]).toEqual([[], []]);
});
