/**
 * Iterates over all keys of the cluster, or of a slot, page by page. While PostgreSQL has rows that the nodes have not
 * loaded yet, no complete answer is possible, and the error says so.
 */
import { failure } from '../../core/errors.ts';
import {
  OPERATION_TIMEOUT_MS_DEFAULT,
  SCAN_PAGE_BYTES_MAX,
  SCAN_PAGE_RECORDS_MAX,
} from '../../core/limits.ts';
import type { ScanResult } from '../../core/operation.ts';
import type { KeyRecord } from '../../core/record.ts';
import { RESP_SCAN_MS, RESP_SCAN_PAGES_MAX, RESP_SWEEPS_MAX } from '../../core/clients/redis-limits.ts';
import { cursorOf, placeOf } from '../../core/clients/scan-place.ts';
import type { Client } from './client.ts';
import { errorText } from './error-replies.ts';
import { keptTrace } from './traced-command.ts';

export const INCOMPLETE = 'LOADING not all rows of PostgreSQL are held by the nodes yet';
export const TOO_MANY_SWEEPS = errorText(
  failure('overloaded', `${RESP_SWEEPS_MAX} commands look at all keys already: try again when one has ended`),
);

export interface Page {
  readonly records: readonly KeyRecord[];
  readonly next: string | null;
}

/** Where a sweep begins, and how far it goes. */
export interface Range {
  /** Null for the beginning. */
  readonly after: string | null;
  /** The sweep ends after this slot; null: after the last one. */
  readonly slot: number | null;
  /** Usually a single page, as any SCAN reads one: it does not count towards the limit of concurrent sweeps. */
  readonly isShort: boolean;
  readonly limit: number;
}

export const ALL_KEYS: Range = { after: null, slot: null, isShort: false, limit: SCAN_PAGE_RECORDS_MAX };

export function keysOfSlot(slot: number): Range {
  return { ...ALL_KEYS, after: cursorOf({ slot, afterKey: '' }), slot, isShort: true };
}

/** A page, or the text of an error. All pages belong to the trace of the command that is running now. */
function pagesOf(
  client: Client,
): (after: string | null, limit: number, done: (page: Page | string) => void) => void {
  const within = keptTrace(client);
  return (after, limit, done) =>
    within(() =>
      client.api.scan(after, limit, OPERATION_TIMEOUT_MS_DEFAULT, (result: ScanResult) => {
        if (result.kind === 'failed') done(errorText(result.failure));
        else if (result.incomplete) done(INCOMPLETE);
        else done(result);
      }),
    );
}

/** The keys of one or more pages, until there are enough or RESP_SCAN_MS is over; or the text of an error. */
export function readKeys(
  client: Client,
  from: string | null,
  limit: number,
  done: (read: { readonly keys: readonly string[]; readonly next: string | null } | string) => void,
): void {
  const keys: string[] = [];
  const until = performance.now() + RESP_SCAN_MS;
  const readPage = pagesOf(client);
  let pages = 0;
  let bytes = 0;
  const readFrom = (after: string | null): void =>
    readPage(after, limit - keys.length, (page) => {
      // The keys read before are returned, and the client continues from there.
      if (typeof page === 'string') return done(pages === 0 ? page : { keys, next: after });
      pages += 1;
      for (const { key, value } of page.records) {
        keys.push(key);
        bytes += value.length;
      }
      const { next } = page;
      const isEnough = keys.length >= limit || bytes >= SCAN_PAGE_BYTES_MAX || pages >= RESP_SCAN_PAGES_MAX;
      const isOver = performance.now() >= until || client.line.isClosed();
      if (next === null || isEnough || isOver) done({ keys, next });
      else readFrom(next);
    });
  readFrom(from);
}

/**
 * Calls `onRecords` for each page, which calls `goOn` to continue, with a text to stop. `onEnd` gets null, or the
 * reason why the sweep ended early.
 */
export function sweep(
  client: Client,
  range: Range,
  onRecords: (records: readonly KeyRecord[], goOn: (why?: string) => void) => void,
  onEnd: (why: string | null) => void,
): void {
  const { door, line } = client;
  const readPage = pagesOf(client);
  let isCounted = false;
  const end = (why: string | null): void => {
    if (isCounted) door.sweeps -= 1;
    onEnd(why);
  };
  const readFrom = (after: string | null, isFree: boolean): void => {
    // The client is gone, so nobody needs the rest.
    if (line.isClosed()) return end('ERR the connection was closed');
    if (!isFree && !isCounted) {
      if (door.sweeps >= RESP_SWEEPS_MAX) return end(TOO_MANY_SWEEPS);
      door.sweeps += 1;
      isCounted = true;
    }
    readPage(after, range.limit, (page) => {
      if (typeof page === 'string') return end(page);
      const { records, next } = page;
      const isEnd = next === null || (range.slot !== null && placeOf(next)?.slot !== range.slot);
      onRecords(records, (why) => {
        if (why !== undefined) end(why);
        else if (isEnd) end(null);
        else readFrom(next, false);
      });
    });
  };
  readFrom(range.after, range.isShort);
}
