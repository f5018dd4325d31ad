/**
 * Goes through all keys of the cluster, page by page, for commands that ask about all of them. As long as PostgreSQL has
 * rows that the nodes do not hold yet, there is no true answer, and it says so.
 */
import { failure } from '../../core/errors.ts';
import { OPERATION_TIMEOUT_MS_DEFAULT, RESP_SWEEPS_MAX, SCAN_PAGE_RECORDS_MAX } from '../../core/limits.ts';
import type { ScanResult } from '../../core/operation.ts';
import type { KeyRecord } from '../../core/record.ts';
import type { Client } from './client.ts';
import { errorText } from './error-replies.ts';

export const INCOMPLETE = 'LOADING not all rows of PostgreSQL are held by the nodes yet';
const TOO_MANY = errorText(failure('overloaded', `${RESP_SWEEPS_MAX} commands look at all keys already`));

export interface Page {
  readonly records: readonly KeyRecord[];
  readonly next: string | null;
}

/** One page; a text: why there is none. */
export function readPage(
  client: Client,
  after: string | null,
  limit: number,
  done: (page: Page | string) => void,
): void {
  client.api.scan(after, limit, OPERATION_TIMEOUT_MS_DEFAULT, (result: ScanResult) => {
    if (result.kind === 'failed') done(errorText(result.failure));
    else if (result.incomplete) done(INCOMPLETE);
    else done(result);
  });
}

/**
 * `onRecords` is called for each page, and calls `goOn` when it may go on, with a text to stop. `onEnd` gets null, or
 * why it ended early.
 */
export function sweep(
  client: Client,
  onRecords: (records: readonly KeyRecord[], goOn: (why?: string) => void) => void,
  onEnd: (why: string | null) => void,
): void {
  const { door, line } = client;
  if (door.sweeps >= RESP_SWEEPS_MAX) return onEnd(TOO_MANY);
  door.sweeps += 1;
  const end = (why: string | null): void => {
    door.sweeps -= 1;
    onEnd(why);
  };
  const readFrom = (after: string | null): void => {
    // Nobody is left to hear of it.
    if (line.isClosed()) return end('ERR the connection was closed');
    readPage(client, after, SCAN_PAGE_RECORDS_MAX, (page) => {
      if (typeof page === 'string') return end(page);
      onRecords(page.records, (why) => {
        if (why !== undefined) end(why);
        else if (page.next === null) end(null);
        else readFrom(page.next);
      });
    });
  };
  readFrom(null);
}
