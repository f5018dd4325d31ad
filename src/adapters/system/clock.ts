/** The Clock port on this machine's clocks and Node's timers. */
import { uptime } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { Clock } from '../../ports/clock.ts';

/**
 * Whether the time since boot includes suspension and is accurate to a few milliseconds. On other systems it has whole
 * seconds only, which would constantly look like gaps, so only the wall clock is left.
 */
const BOOT_CLOCK_IS_FINE = process.platform === 'linux' || process.platform === 'win32';

/** Its timers do not keep an otherwise idle process alive. */
export function systemClock(): Clock {
  return {
    now: () => performance.now(),
    wallNow: () => Date.now(),
    bootNow: () => (BOOT_CLOCK_IS_FINE ? uptime() * 1000 : Date.now()),
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      timer.unref();
      return () => clearTimeout(timer);
    },
    defer: deferring(),
  };
}

/**
 * Everything deferred in one turn of the event loop shares one immediate: a separate one would often cost more than the
 * callback itself.
 */
function deferring(): Clock['defer'] {
  let due: (() => void)[] = [];
  const runAll = (): void => {
    const runs = due;
    due = [];
    for (const run of runs) run();
  };
  return (run) => {
    if (due.length === 0) setImmediate(runAll);
    due.push(run);
  };
}
