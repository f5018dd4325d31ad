/**
 * What judging has cost, counted while it is done: all that is judged at once stands in one turn of the event loop, and a
 * short list of changes can make a value of a megabyte at every step, or read thousands of digits.
 */

export interface WorkMeter {
  /** Bytes made, and the rest by measurement in such bytes (`limits.ts`). */
  bytes: number;
}
