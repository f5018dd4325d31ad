/** Stores what was fetched from the legacy source, by a conditional write. (PROTOCOL R25) */
import { certaintyOf, failure } from '../core/errors.ts';
import type { Failure } from '../core/errors.ts';
import type { ReadResult, WriteOperation } from '../core/operation.ts';
import type { LegacyValue } from '../ports/legacy-source.ts';
import { startRead } from './get.ts';
import { startWrite } from './put.ts';
import type { Serving } from './serving.ts';

const FILL_TIMEOUT_MS = 5_000;

/** A fetched value is stored only if nothing native stands; the asker gets what then stands. (R25) */
export function fillFromLegacy(
  serving: Serving,
  key: string,
  { value, contentType }: LegacyValue,
  done: (result: ReadResult) => void,
): void {
  const operation: WriteOperation = { kind: 'fill', key, value, operationId: null, contentType };
  const trace = serving.traces?.causeOfFill(key);
  startWrite(serving, { operation, timeoutMs: FILL_TIMEOUT_MS, hops: 1, trace }, (result) => {
    if (result.kind === 'failed') return done({ kind: 'failed', failure: asReader(result.failure) });
    startRead(serving, { key, timeoutMs: FILL_TIMEOUT_MS, hops: 1, miss: false, mayAskLegacy: false }, done);
  });
}

/** A reader that waits for a fill has changed nothing, whatever becomes of the fill. */
function asReader(problem: Failure): Failure {
  return certaintyOf(problem.code) === 'definite' ? problem : failure('read_timeout');
}
