/**
 * A write under an operation id, repeated until its outcome is known: only the same id makes that safe. What took effect
 * is answered as the first time. Any other answer to a repeated write concerns that attempt alone, and the write stays
 * indefinite. (PROTOCOL R33)
 */
import { randomFillSync } from 'node:crypto';
import { OPERATION_ID_BYTES } from '../core/limits.ts';
import { CausewayError } from './causeway-error.ts';
import type { Outcome } from './options.ts';

/** Milliseconds that an attempt is given at least, and pauses between attempts. */
const ATTEMPT_MS_MIN = 1_000;
const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 1_000;

/** 16 bytes, a UUID of version 7: 48 bits of time, then chance. Good for 15 minutes, on one key. */
export function newOperationId(): Uint8Array {
  const id = Buffer.alloc(OPERATION_ID_BYTES);
  randomFillSync(id, 6);
  id.writeUIntBE(Date.now(), 0, 6);
  id[6] = 0x70 | (id[6]! & 0x0f);
  id[8] = 0x80 | (id[8]! & 0x3f);
  return id;
}

/** `attempt` is given its milliseconds; `isDone`: the answer says that the write took effect. */
export async function repeatUnderId<Answer>(
  timeoutMs: number,
  attempt: (timeoutMs: number) => Promise<Answer>,
  isDone: (answer: Answer) => boolean,
): Promise<Answer> {
  const outcomes = await repeatEach([null], timeoutMs, async (_, attemptMs) => {
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

/** What became of one write in one attempt; not `isDone`: the answer says that nothing was changed by it. */
export type Attempted<Answer> =
  | { readonly ok: true; readonly result: Answer; readonly isDone: boolean }
  | { readonly ok: false; readonly error: CausewayError };

/** Many at once, each with an id of its own: those of which it is not known what became are tried again, together. */
export async function repeatEach<Item, Answer>(
  items: readonly Item[],
  timeoutMs: number,
  attempt: (items: readonly Item[], timeoutMs: number) => Promise<readonly Attempted<Answer>[]>,
): Promise<Outcome<Answer>[]> {
  const deadline = performance.now() + timeoutMs;
  const outcomes = new Array<Outcome<Answer>>(items.length);
  let open = items.map((item, at) => ({ item, at, doubt: new Doubt() }));
  for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    const leftMs = Math.max(1, deadline - performance.now());
    // A node that hangs must not use up the time in which another would answer.
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
    await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random() / 2)));
  }
}

/** What is known of one write after its attempts so far. */
class Doubt {
  private error: CausewayError | null = null;

  /** Null: another attempt may tell. */
  after<Answer>(attempted: Attempted<Answer>): Outcome<Answer> | null {
    if (attempted.ok) {
      const { result, isDone } = attempted;
      if (this.error === null || isDone) return { ok: true, result };
      return this.told('its condition does not hold, and an earlier attempt is open');
    }
    const { error } = attempted;
    if (error.code === 'operation_id_expired') return { ok: false, error };
    if (error.certainty === 'indefinite') this.error = error;
    else if (this.error === null) return { ok: false, error };
    else if (!mayPass(error)) return this.told(error.message);
    return null;
  }

  told(why: string): Outcome<never> {
    const { code, message } = this.error!;
    const error = new CausewayError(code, 'indefinite', `${message} (repeated under its id: ${why})`);
    return { ok: false, error };
  }
}

/** A refusal that another moment or another node may not repeat. */
function mayPass({ code }: CausewayError): boolean {
  return code !== 'invalid_argument' && code !== 'not_an_integer' && code !== 'integer_overflow';
}
