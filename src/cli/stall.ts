/** An export or import that makes no progress: it is retried for a while, and the user is told what is waited for. */
import type { Output } from './client-command.ts';

/** Milliseconds without any success after which to give up. */
const STALLED_AFTER_MS = 60_000;
/** Milliseconds before the user is told: what the next attempt cures is not worth mentioning. */
const TOLD_AFTER_MS = 1_000;

export class Stall {
  readonly #output: Output;
  #since = Date.now();
  #isTold = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /** To be called after a success. */
  end(): void {
    this.#since = Date.now();
    this.#isTold = false;
  }

  /** To be called after a failed attempt; returns true if it was the last one. */
  isOver(fault: string): boolean {
    const stalledMs = Date.now() - this.#since;
    if (stalledMs > STALLED_AFTER_MS) return true;
    if (!this.#isTold && stalledMs >= TOLD_AFTER_MS) {
      this.#isTold = true;
      this.#output.write(`${fault}; trying again, for a minute at most\n`);
    }
    return false;
  }
}
