/** What a node asks of the simulated PostgreSQL besides its writes: changes by hand, and rows for a scrubber. */
import type { OutsideEdits } from '../src/ports/outside-edits.ts';
import type { RowScrub } from '../src/ports/row-scrub.ts';
import type { RecordError } from '../src/ports/system-of-record.ts';
import type { FloorsSeen, SimRecordServer } from './record-server.ts';
import type { Life } from './scheduler.ts';
import type { SimDatabase } from './system-of-record.ts';

/**
 * Runs a statement that has arrived at the server: returns its answer, or that nothing was done. `seen`: the floors at
 * the time when the statement began at the server; default: it begins now.
 */
export type Execute<T> = (
  server: SimRecordServer,
  seen?: FloorsSeen,
) => { readonly answer: T } | { readonly fenced: string } | { readonly fault: RecordError };

type Done<T> = (error: RecordError | null, answer: T) => void;

/** The two ways over a connection: reads fail only with the server, writes in every possible way. */
interface Ways {
  ask<T>(execute: Execute<T>, done: Done<T>, nothing: T): void;
  write<T>(execute: Execute<T>, done: Done<T>, nothing: T): void;
}

export function ifInForce<T>(life: number, answer: T | null): { answer: T } | { fenced: string } {
  return answer === null ? { fenced: `life ${life} is not in force` } : { answer };
}

export function simEdits(database: SimDatabase, owner: Life, { ask, write }: Ways): OutsideEdits {
  return {
    readEdits: (afterId, editCountMax, ageMs, done) => {
      // In a run without changes by hand nothing is drawn for them.
      if (!database.isEdited) return void database.scheduler.after(1, () => done(null, []), owner);
      ask(
        (server) => ({ answer: server.edits.read(afterId, editCountMax, database.clock - ageMs) }),
        done,
        [],
      );
    },
    stampEdits: (life, edits, stampMs, done) =>
      write((server) => ifInForce(life, server.stampEdits(life, edits, stampMs)), done, null),
    settleEdits: (life, written, others, done) =>
      write((server) => ifInForce(life, server.settleEdits(life, written, others)), done, []),
  };
}

export function simScrub(database: SimDatabase, { ask, write }: Ways): RowScrub {
  return {
    readRows: (slot, afterKey, rowCountMax, done) => {
      const { prng, settings } = database;
      ask(
        (server) => {
          const rows = server.whole(slot, afterKey, rowCountMax, prng, settings.shortPageShare);
          return ifReadable(server, rows, ({ key }) => key);
        },
        done,
        [],
      );
    },
    restoreRow: (life, row, done) =>
      write((server) => ifInForce(life, server.restore(life, row)), done, false),
  };
}

/** If one row cannot be read, the whole statement fails. */
export function ifReadable<Row>(
  { unreadable }: SimRecordServer,
  rows: readonly Row[],
  keyOf: (row: Row) => string,
): { answer: readonly Row[] } | { fault: RecordError } {
  return rows.some((row) => unreadable.has(keyOf(row))) ? { fault: UNREADABLE } : { answer: rows };
}

const UNREADABLE: RecordError = {
  ...{ kind: 'unknown', fenced: false, ofRows: true, message: 'a row cannot be read' },
};
