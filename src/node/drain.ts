/**
 * The first step of a clean stop: lets what is under way finish, within a time limit. Clients are turned away first,
 * and peers only after the last client of this node has its answer: an operation of this node may be at another node
 * that needs this one to finish it, and both would wait for each other. (PROTOCOL R18)
 */
import { TICK_MS } from '../core/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { Admission } from './admission.ts';

/** Milliseconds that a clean stop waits for the operations under way. */
export const DRAIN_MS_MAX = 3_000;

/** Calls back once, when nothing is under way or at the deadline. */
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
