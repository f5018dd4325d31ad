/** Asks PostgreSQL about misses: all that wait in a turn go into one statement, each key once. */
import { valueFault } from '../../core/clients/check-key.ts';
import { failure } from '../../core/errors.ts';
import type { Failure } from '../../core/errors.ts';
import { RECORD_READ_KEYS_MAX, VALUE_BYTES_MAX } from '../../core/limits.ts';
import type { SealedRecord } from '../../core/record.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RecordRow, SystemOfRecord } from '../../ports/system-of-record.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { sealRecord } from '../../wire/record-codec.ts';

const STATEMENTS_IN_FLIGHT_MAX = 2;
/**
 * Milliseconds before callers are told that a row is unusable: a write that meets it asks again at once, for as long as
 * the row stands.
 */
const DAMAGED_AFTER_MS = 1_000;

/** `isEdited`: the row was changed by hand, and shows the change under the version it had before. */
export type OnFetched = (
  key: string,
  sealed: SealedRecord | undefined,
  problem: Failure | null,
  isEdited?: boolean,
) => void;

export class RecordReader {
  private readonly record: Pick<SystemOfRecord, 'read'>;
  private readonly clock: Clock;
  private readonly telemetry: Telemetry;
  private readonly onFetched: OnFetched;
  private readonly drive: () => number;
  private readonly waiting = new Set<string>();
  private statements = 0;
  private flushDue = false;

  constructor(
    record: Pick<SystemOfRecord, 'read'>,
    clock: Clock,
    telemetry: Telemetry,
    onFetched: OnFetched,
    drive: () => number = () => 0,
  ) {
    this.record = record;
    this.clock = clock;
    this.telemetry = telemetry;
    this.onFetched = onFetched;
    this.drive = drive;
  }

  add(key: string): void {
    this.waiting.add(key);
    if (this.flushDue) return;
    this.flushDue = true;
    this.clock.defer(() => {
      this.flushDue = false;
      this.flush();
    });
  }

  private flush(): void {
    while (this.statements < STATEMENTS_IN_FLIGHT_MAX && this.waiting.size > 0) {
      const keys: string[] = [];
      for (const key of this.waiting) {
        if (keys.length >= RECORD_READ_KEYS_MAX) break;
        keys.push(key);
      }
      for (const key of keys) this.waiting.delete(key);
      this.statements += 1;
      const drive = this.drive();
      this.record.read(keys, (error, rows) => {
        this.statements -= 1;
        // A row read from the previous server may be gone: it is read again. (R30)
        if (drive !== this.drive()) for (const key of keys) this.waiting.add(key);
        if (drive !== this.drive()) return this.flush();
        this.flush();
        for (let index = 0; index < keys.length; index += 1) {
          if (error !== null) this.onFetched(keys[index]!, undefined, failure('record_unavailable'));
          else this.report(keys[index]!, rows[index]);
        }
      });
    }
  }

  private report(key: string, row: RecordRow | undefined): void {
    if (row === undefined) return this.onFetched(key, undefined, null);
    const sealed = sealRecord(row.record);
    if (sealed.checksum !== row.checksum) {
      const isEdited =
        row.edited === true && valueFault(row.record.value.length, VALUE_BYTES_MAX) === undefined;
      if (isEdited) return this.onFetched(key, sealed, null, true);
      // The row still has the checksum of its former content: it is reported, and not taken for the record.
      this.telemetry.event('error', 'record.row_damaged', { version: row.record.version });
      const problem = failure(
        'record_unavailable',
        'the row in PostgreSQL fails its checksum: correct or remove it',
      );
      this.clock.after(DAMAGED_AFTER_MS, () => this.onFetched(key, undefined, problem));
      return;
    }
    this.onFetched(key, sealed, null);
  }
}
