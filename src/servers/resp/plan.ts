/**
 * What a command does to keys, as data: steps, each a read or a change of one key, and the reply made from their
 * outcomes. By itself a command runs its steps at once, each key separately; EXEC combines the changes of one key into
 * one write.
 */
import type { Change, ChangeResult } from '../../core/modify/change.ts';
import { errorText } from './error-replies.ts';
import type { ReplyWriter } from './reply-writer.ts';

/** A value that is present. */
export interface Standing {
  readonly value: Uint8Array;
  /** Milliseconds since 1970; 0 means never. */
  readonly expiresAt: number;
}

export interface Step {
  readonly key: string;
  /** Null if the step only reads the key. */
  readonly change: Change | null;
  /** The expiry was given as a point in time, and must be exact to the millisecond. */
  readonly isPointInTime?: boolean;
}

/** For a read: the value, or undefined if there is none. For a change: its result. */
export type Outcome =
  | { readonly kind: 'read'; readonly standing: Standing | undefined }
  | { readonly kind: 'changed'; readonly result: ChangeResult };

export interface Plan {
  readonly steps: readonly Step[];
  /** Called with one outcome for each step, in order. */
  readonly respond: (out: ReplyWriter, outcomes: readonly Outcome[]) => void;
  /** Upper bound of the bytes of values in the reply, given the lengths that the steps read. Default: their sum. */
  readonly replyBytes?: (lengths: readonly number[]) => number;
  /** The reply only says whether keys exist, so their values are not kept. */
  readonly tellsPresence?: boolean;
  /** Number of table cells that are computed for the reply. A client runs only one such command at a time. */
  readonly cells?: (lengths: readonly number[]) => number;
}

/** `replyBytes` for a reply that consists of numbers or words. */
export const SHORT = (): number => 0;

export function replyBytesOf(plan: Plan, lengths: readonly number[]): number {
  return plan.replyBytes?.(lengths) ?? lengths.reduce((sum, length) => sum + length, 0);
}

/** A plan that reads one key. */
export function reading(
  key: string,
  respond: (out: ReplyWriter, standing: Standing | undefined) => void,
  replyBytes?: (lengths: readonly number[]) => number,
): Plan {
  return {
    steps: [{ key, change: null }],
    ...(replyBytes === undefined ? {} : { replyBytes }),
    respond: (out, [outcome]) => respond(out, outcome?.kind === 'read' ? outcome.standing : undefined),
  };
}

/** A plan that changes one key. */
export function changing(
  key: string,
  change: Change,
  respond: (out: ReplyWriter, result: ChangeResult) => void,
  isPointInTime = false,
): Plan {
  return {
    steps: [{ key, change, isPointInTime }],
    respond: (out, [outcome]) => {
      if (outcome?.kind === 'changed') respond(out, outcome.result);
    },
  };
}

/** If a single change failed, its error is the reply. */
export function respondTo(plan: Plan, out: ReplyWriter, outcomes: readonly Outcome[]): void {
  for (const outcome of outcomes) {
    if (outcome.kind === 'changed' && outcome.result.failure !== null)
      return out.error(errorText(outcome.result.failure));
  }
  plan.respond(out, outcomes);
}
