/**
 * What a command does to keys: steps, each a read or a change of one key, and the reply that is made of their outcomes.
 * A command by itself takes its steps at once, each key by itself; EXEC puts the changes of one key into one write.
 */
import type { Change, ChangeResult } from '../../core/modify/change.ts';
import { errorText } from './error-replies.ts';
import type { ReplyWriter } from './reply-writer.ts';

/** A value that is there. */
export interface Standing {
  readonly value: Uint8Array;
  /** Milliseconds since 1970; 0: never. */
  readonly expiresAt: number;
}

export interface Step {
  readonly key: string;
  /** null: it is only read. */
  readonly change: Change | null;
  /** Its expiry was told as a point in time, and is that to the millisecond. */
  readonly isPointInTime?: boolean;
}

/** Of a read: what stood, undefined for nothing; of a change: what it told. */
export type Outcome =
  | { readonly kind: 'read'; readonly standing: Standing | undefined }
  | { readonly kind: 'changed'; readonly result: ChangeResult };

export interface Plan {
  readonly steps: readonly Step[];
  /** With one outcome for each step, in their order. */
  readonly respond: (out: ReplyWriter, outcomes: readonly Outcome[]) => void;
  /** Bytes of values in the reply at most, by the lengths of what the steps read; left out: all of them. */
  readonly replyBytes?: (lengths: readonly number[]) => number;
  /** Of what is read it tells only whether it is there: no value is kept for it. */
  readonly tellsPresence?: boolean;
  /** Cells of the table that is filled to make the reply: of such commands a client has one under way. */
  readonly cells?: (lengths: readonly number[]) => number;
}

/** `replyBytes` of what tells a number or a word. */
export const SHORT = (): number => 0;

export function replyBytesOf(plan: Plan, lengths: readonly number[]): number {
  return plan.replyBytes?.(lengths) ?? lengths.reduce((sum, length) => sum + length, 0);
}

/** Reads one key. */
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

/** Changes one key. */
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

/** A change that failed by itself is told as that. */
export function respondTo(plan: Plan, out: ReplyWriter, outcomes: readonly Outcome[]): void {
  for (const outcome of outcomes) {
    if (outcome.kind === 'changed' && outcome.result.failure !== null)
      return out.error(errorText(outcome.result.failure));
  }
  plan.respond(out, outcomes);
}
