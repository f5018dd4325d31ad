/**
 * One direction between two members gradually becomes slow, like a path whose buffers fill up: nothing is lost and
 * nobody falls silent, but what one member says reaches the other a second after everyone else, who has long moved on.
 */
import type { Prng } from '../src/base/prng.ts';
import type { SimNetwork } from './network.ts';

export type LagFault = 'lag';

const LAG_MS_MIN = 300;
const LAG_MS_MAX = 2_000;
/**
 * The delay grows in steps of this size, with a little more than that between them, so that nobody waits long for the
 * next frame.
 */
const STEP_MS = 250;
const STEP_AFTER_MS = 300;
const LASTS_MS_MIN = 500;
const LASTS_MS_MAX = 5_000;

/** `later` runs a function after a delay, unless faults are over by then. */
export function lagLink(
  network: SimNetwork,
  from: string,
  to: string,
  prng: Prng,
  later: (ms: number, run: () => void) => void,
): string {
  const lagMs = prng.between(LAG_MS_MIN, LAG_MS_MAX);
  const lastsMs = prng.between(LASTS_MS_MIN, LASTS_MS_MAX);
  const grow = (ms: number): void => {
    network.lag(from, to, ms);
    if (ms < lagMs) later(STEP_AFTER_MS, () => grow(Math.min(lagMs, ms + STEP_MS)));
    else later(lastsMs, () => network.lag(from, to, 0));
  };
  grow(STEP_MS);
  return `${from} to ${to} ${lagMs.toFixed(0)} ms`;
}
