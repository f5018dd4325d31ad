/**
 * When a tick concludes that this process stood still. What counts as a gap is tested in `core/membership/lease.test.ts`.
 */
import { expect, test } from 'vitest';
import { LeaseHolder } from '../../core/membership/lease.ts';
import { SUSPECT_AFTER_MS } from '../../core/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import { ClockWatch } from './clock-watch.ts';
import type { PeerWatch } from './peer-watch.ts';

/** The clocks of a machine on which this process is preempted while it reads them. */
class BusyMachine {
  asideMs: number[] = [];
  private awakeMs = 0;
  private asleepMs = 0;

  pass(ms: number): void {
    this.awakeMs += ms;
  }

  sleep(ms: number): void {
    this.asleepMs += ms;
  }

  get clock(): Clock {
    return {
      now: () => this.awakeMs,
      wallNow: () => this.awakeMs + this.asleepMs,
      bootNow: () => {
        const read = this.awakeMs + this.asleepMs;
        this.pass(this.asideMs.shift() ?? 0);
        return read;
      },
    } as Partial<Clock> as Clock;
  }
}

function ticking(machine: BusyMachine): () => boolean {
  const telemetry = { event: () => undefined, count: () => undefined };
  const watch = new ClockWatch(machine.clock, telemetry, SUSPECT_AFTER_MS);
  const peers = { stalled: () => undefined } as Partial<PeerWatch> as PeerWatch;
  const lease = new LeaseHolder({});
  return () => {
    machine.pass(10);
    watch.tick(lease, peers);
    return watch.hadGap;
  };
}

test('a process that is preempted while it reads the clocks: has not slept, at this tick or the next', () => {
  const machine = new BusyMachine();
  const tick = ticking(machine);
  expect(tick()).toBe(false);
  machine.asideMs = [30, 15];
  expect(tick()).toBe(false);
  expect(tick()).toBe(false);
});

test('it is preempted, and then the machine sleeps: the gap is noticed', () => {
  const machine = new BusyMachine();
  const tick = ticking(machine);
  machine.asideMs = [30];
  expect(tick()).toBe(false);
  machine.sleep(11);
  expect(tick()).toBe(true);
  expect(tick()).toBe(false);
});

test('it is preempted at every reading: the tick ends, and assumes that the machine slept', () => {
  const machine = new BusyMachine();
  const tick = ticking(machine);
  machine.asideMs = Array.from({ length: 4 }, () => 30);
  expect(tick()).toBe(false);
  expect(tick()).toBe(true);
});
