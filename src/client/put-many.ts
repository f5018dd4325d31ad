/**
 * Many puts, sent in calls of at most as many as a node accepts. Each put has its own outcome; a put with an operation
 * id is repeated under it until its outcome is known, like a single write. (PROTOCOL R33)
 */
import { PIPELINE_BYTES_MAX, PIPELINE_OPERATIONS_MAX } from '../core/clients/grpc-limits.ts';
import type { causeway } from '../gen/protocol.js';
import type { Bound } from './bound.ts';
import { CausewayError } from './causeway-error.ts';
import { errorOfFailure } from './entry.ts';
import type { Outcome } from './options.ts';
import { repeatEach } from './repeat.ts';
import type { Attempted } from './repeat.ts';

export interface Put extends causeway.v1.PutRequestFields {
  readonly value: Uint8Array;
  /** Empty if the put has no operation id. */
  readonly operationId: Uint8Array;
}

type Call = (puts: readonly Put[], timeoutMs: number) => Promise<causeway.v1.PutManyResponse>;

/** Returns the new versions in the order of the puts. If a call fails as a whole, every put in it fails. */
export async function putMany(puts: readonly Put[], bound: Bound, call: Call): Promise<Outcome<number>[]> {
  const attempt = (chunk: readonly Put[], attemptMs: number): Promise<Attempted<number>[]> =>
    putOnce(chunk, attemptMs, call);
  const outcomes: Outcome<number>[] = [];
  for (const chunk of chunksOf(puts)) {
    const isNamed = chunk[0]!.operationId.length > 0;
    const put = isNamed ? repeatEach(chunk, bound, attempt) : attempt(chunk, bound.timeoutMs);
    outcomes.push(...(await put));
  }
  return outcomes;
}

async function putOnce(puts: readonly Put[], timeoutMs: number, call: Call): Promise<Attempted<number>[]> {
  try {
    const { results } = await call(puts, timeoutMs);
    return results.map(({ put, failure }) =>
      failure === null
        ? { ok: true, result: put?.version ?? 0, isDone: true }
        : { ok: false, error: errorOfFailure(failure) },
    );
  } catch (error) {
    if (!(error instanceof CausewayError)) throw error;
    return puts.map(() => ({ ok: false, error }));
  }
}

/**
 * Puts with and without an id never share a chunk, because only those with an id are repeated, within the same timeout.
 */
function* chunksOf(puts: readonly Put[]): Generator<Put[]> {
  let chunk: Put[] = [];
  let bytes = 0;
  for (const put of puts) {
    const isFull = chunk.length >= PIPELINE_OPERATIONS_MAX || bytes + put.value.length > PIPELINE_BYTES_MAX;
    const isOther = chunk.length > 0 && chunk[0]!.operationId.length !== put.operationId.length;
    if ((isFull || isOther) && chunk.length > 0) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(put);
    bytes += put.value.length;
  }
  if (chunk.length > 0) yield chunk;
}
