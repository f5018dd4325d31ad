/** The end of a call of the port: promises within, callbacks without. */
import type { RecordError } from '../../ports/system-of-record.ts';
import { toRecordError } from './record-failure.ts';

/** What a callback throws is a programmer's error and ends the process as an unhandled rejection. */
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
