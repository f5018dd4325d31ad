/**
 * The cost of judging, counted while it is done: everything judged at once runs in one turn of the event loop, and a
 * short list of changes can create a megabyte at every step, or parse thousands of digits.
 */

export interface WorkMeter {
  /** Bytes produced; other costs are converted to such bytes by measured factors (`limits.ts`). */
  bytes: number;
}
