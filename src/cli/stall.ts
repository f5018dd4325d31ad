/** An export or an import that gets no further: it is tried again for a while, and people are told what is waited for. */
import type { Output } from './client-command.ts';

/** Milliseconds without anything that succeeds, after which it is given up. */
const STALLED_AFTER_MS = 60_000;
/** Milliseconds until it is told: what one more attempt mends is no news. */
const TOLD_AFTER_MS = 1_000;

export class Stall {
  readonly #output: Output;
  #since = Date.now();
  #isTold = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Something has succeeded. */
  end(): void {
    this.#since = Date.now();
    this.#isTold = false;
  }

  /** After an attempt that failed: whether there is to be no other one. */
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
