/** The Clock port on this machine's clocks and on Node's timers. */
import { uptime } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { Clock } from '../../ports/clock.ts';

/**
 * Where the time since boot counts through suspension and is exact to some milliseconds. Elsewhere it is told
 * in whole seconds, which would look like gaps all the time; the wall clock then is all there is.
 */
const BOOT_CLOCK_IS_FINE = process.platform === 'linux' || process.platform === 'win32';

/** Its timers do not keep a process alive that has nothing else to do. */
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

/** What is asked for in one turn of the event loop is one immediate of Node's: one for each costs more than many of them do. */
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
