/**
 * Repeats a write under one operation id until its outcome is known; only the id makes repeating safe. A write that
 * took effect is answered again as it was the first time. Any other answer to a repetition concerns that attempt alone,
 * and the write stays indefinite. (PROTOCOL R33)
 */
import { randomFillSync } from 'node:crypto';
import { OPERATION_ID_BYTES } from '../core/limits.ts';
import { pause } from './bound.ts';
import type { Bound } from './bound.ts';
import { CausewayError, ClosedError } from './causeway-error.ts';
import type { Outcome } from './options.ts';

/** Minimum time for one attempt, and the range of the pauses between attempts, in milliseconds. */
const ATTEMPT_MS_MIN = 1_000;
const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 1_000;

/** 16 bytes in the form of a UUID version 7: 48 bits of time, then random bits. Valid for 15 minutes, for one key. */
export function newOperationId(): Uint8Array {
  const id = Buffer.alloc(OPERATION_ID_BYTES);
  randomFillSync(id, 6);
  id.writeUIntBE(Date.now(), 0, 6);
  id[6] = 0x70 | (id[6]! & 0x0f);
  id[8] = 0x80 | (id[8]! & 0x3f);
  return id;
}

/**
 * Calls `attempt` with the milliseconds it may take. `isDone` says whether an answer means that the write took effect.
 */
export async function repeatUnderId<Answer>(
  bound: Bound,
  attempt: (timeoutMs: number) => Promise<Answer>,
  isDone: (answer: Answer) => boolean,
): Promise<Answer> {
  const outcomes = await repeatEach([null], bound, async (_, attemptMs) => {
    try {
      const result = await attempt(attemptMs);
      return [{ ok: true, result, isDone: isDone(result) }];
    } catch (error) {
      if (error instanceof CausewayError) return [{ ok: false, error }];
      throw error;
    }
  });
  const outcome = outcomes[0]!;
  if (outcome.ok) return outcome.result;
  throw outcome.error;
}

/** The outcome of one write in one attempt. If not `isDone`, the answer says that the attempt changed nothing. */
export type Attempted<Answer> =
  | { readonly ok: true; readonly result: Answer; readonly isDone: boolean }
  | { readonly ok: false; readonly error: CausewayError };

/** Like `repeatUnderId` for many writes, each with its own id: those whose outcome is unknown are retried together. */
export async function repeatEach<Item, Answer>(
  items: readonly Item[],
  { timeoutMs, signal }: Bound,
  attempt: (items: readonly Item[], timeoutMs: number) => Promise<readonly Attempted<Answer>[]>,
): Promise<Outcome<Answer>[]> {
  const deadline = performance.now() + timeoutMs;
  const outcomes = new Array<Outcome<Answer>>(items.length);
  let open = items.map((item, at) => ({ item, at, doubt: new Doubt() }));
  for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    const leftMs = Math.max(1, deadline - performance.now());
    // A node that hangs must not use up the time in which another one would answer.
    const attemptMs = Math.min(leftMs, Math.max(ATTEMPT_MS_MIN, leftMs / 2));
    const attempted = await attempt(
      open.map(({ item }) => item),
      attemptMs,
    );
    open = open.filter(({ at, doubt }, index) => {
      const outcome = doubt.after(attempted[index]!);
      if (outcome !== null) outcomes[at] = outcome;
      return outcome === null;
    });
    if (open.length === 0) return outcomes;
    if (performance.now() + pauseMs >= deadline) {
      for (const { at, doubt } of open) outcomes[at] = doubt.told('the time is over');
      return outcomes;
    }
    await pause(pauseMs * (0.5 + Math.random() / 2), signal);
  }
}

/** What is known of one write after the attempts so far. */
class Doubt {
  private error: CausewayError | null = null;

  /** Returns the outcome, or null if another attempt could clarify it. */
  after<Answer>(attempted: Attempted<Answer>): Outcome<Answer> | null {
    if (attempted.ok) {
      const { result, isDone } = attempted;
      if (this.error === null || isDone) return { ok: true, result };
      return this.told('its condition does not hold, and an earlier attempt is open');
    }
    const { error } = attempted;
    if (error.code === 'operation_id_expired') return { ok: false, error };
    // The caller gave up. All that remains to report is whether an attempt may have taken effect.
    if (error.code === 'aborted') return { ok: false, error: this.abortedAs(error) };
    if (error.certainty === 'indefinite') this.error = error;
    else if (this.error === null) return { ok: false, error };
    else if (!mayPass(error)) return this.told(error.message);
    return null;
  }

  private abortedAs(error: CausewayError): CausewayError {
    if (this.error === null) return error;
    const doubtful = new CausewayError(
      'aborted',
      'indefinite',
      `${error.message} (an earlier attempt is open)`,
    );
    doubtful.cause = error.cause;
    return doubtful;
  }

  told(why: string): Outcome<never> {
    const { code, message } = this.error!;
    const error = new CausewayError(code, 'indefinite', `${message} (repeated under its id: ${why})`);
    return { ok: false, error };
  }
}

/** Whether another node, or the same one later, might decide differently. */
function mayPass(error: CausewayError): boolean {
  const { code } = error;
  if (error instanceof ClosedError) return false;
  return code !== 'invalid_argument' && code !== 'not_an_integer' && code !== 'integer_overflow';
}
