/**
 * One direction between two members grows slow by and by, like a path whose buffers fill: nothing is lost, nobody falls
 * silent, and what the one says reaches the other a second after everybody else, who has gone on long since.
 */
import type { Prng } from '../src/base/prng.ts';
import type { SimNetwork } from './network.ts';

export type LagFault = 'lag';

const LAG_MS_MIN = 300;
const LAG_MS_MAX = 2_000;
/** It grows by so much at a time, each time after a little more than that, and so nobody waits long for the next frame. */
const STEP_MS = 250;
const STEP_AFTER_MS = 300;
const LASTS_MS_MIN = 500;
const LASTS_MS_MAX = 5_000;

/** `later`: in so many milliseconds, unless nothing is to be broken any more. */
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
