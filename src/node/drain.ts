/**
 * A clean stop begins here: what is under way comes to its end, within a time. Clients are turned away first, and
 * peers only when the last client of this node has its answer: an operation of ours may stand at another node that
 * needs this one to go on, and would wait for us as we wait for it. (PROTOCOL R18)
 */
import { TICK_MS } from '../core/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { Admission } from './admission.ts';

/** Milliseconds that a clean stop waits for the operations under way. */
export const DRAIN_MS_MAX = 3_000;

/** Calls back once, with nothing under way or at the deadline. */
export function drain(admission: Admission, clock: Clock, done: () => void): void {
  const until = clock.now() + DRAIN_MS_MAX;
  admission.close('client');
  const look = (): void => {
    const isLate = clock.now() >= until;
    if (admission.inFlight('client') === 0 || isLate) admission.close('peer');
    if (isLate || (admission.isClosed('peer') && admission.inFlight('peer') === 0)) done();
    else clock.after(TICK_MS, look);
  };
  look();
}
