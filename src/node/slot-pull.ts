/** What a learner has asked of one slot that it copies, and has not got yet. */
import type { Offer } from './offered-records.ts';

export interface Pull {
  readonly slot: number;
  afterKey: string;
  /** 0: nobody is asked. */
  source: number;
  /** Monotonic ms at which it is asked again. */
  dueAt: number;
  /** A frame is being applied: nothing is outstanding. */
  applying: boolean;
  /** Not asked yet: the allowance is spent. */
  waiting: boolean;
  /** What this disk holds of the range, as every source is told; null: not read yet. */
  offer: Offer | null;
}

export function beginPull(slot: number, afterKey: string): Pull {
  return { slot, afterKey, source: 0, dueAt: 0, applying: false, waiting: false, offer: null };
}
