/**
 * A write under an operation id, repeated until its outcome is known: only the same id makes that safe. What took effect
 * is answered as the first time. Any other answer to a repeated write concerns that attempt alone, and the write stays
 * indefinite. (PROTOCOL R33)
 */
import { randomFillSync } from 'node:crypto';
import { OPERATION_ID_BYTES } from '../core/limits.ts';
import { CausewayError } from './causeway-error.ts';

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
  const deadline = performance.now() + timeoutMs;
  let doubt: CausewayError | null = null;
  for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    let refusal: string | null = null;
    const leftMs = Math.max(1, deadline - performance.now());
    try {
      // A node that hangs must not use up the time in which another would answer.
      const answer = await attempt(Math.min(leftMs, Math.max(ATTEMPT_MS_MIN, leftMs / 2)));
      if (doubt === null || isDone(answer)) return answer;
      refusal = 'its condition does not hold, and an earlier attempt is open';
    } catch (error) {
      if (!(error instanceof CausewayError) || error.code === 'operation_id_expired') throw error;
      if (error.certainty === 'indefinite') doubt = error;
      else if (doubt === null) throw error;
      else if (!mayPass(error)) refusal = error.message;
    }
    if (refusal !== null) throw unknown(doubt, refusal);
    if (performance.now() + pauseMs >= deadline) throw unknown(doubt, 'the time is over');
    await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random() / 2)));
  }
}

/** A refusal that another moment or another node may not repeat. */
function mayPass({ code }: CausewayError): boolean {
  return code !== 'invalid_argument' && code !== 'not_an_integer' && code !== 'integer_overflow';
}

function unknown(doubt: CausewayError, why: string): CausewayError {
  return new CausewayError(doubt.code, 'indefinite', `${doubt.message} (repeated under its id: ${why})`);
}
