/** Passes the result of a promise to the callback of a port. */
import type { RecordError } from '../../ports/system-of-record.ts';
import { toRecordError } from './record-failure.ts';

/** An exception in a callback is a programmer's error; it ends the process as an unhandled rejection. */
export function deliver<T>(
  outcome: Promise<T>,
  done: (error: RecordError | null, result: T) => void,
  nothing: T,
): void {
  void outcome.then(
    (result) => done(null, result),
    (error: unknown) => done(toRecordError(error), nothing),
  );
}
