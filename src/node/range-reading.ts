/**
 * Everything that this disk has in a range of keys, a page after the other, to the end; where it cannot be read it is asked
 * again after a while.
 */
import type { Clock } from '../ports/clock.ts';
import type { Storage, StorageEntry } from '../ports/storage.ts';

/** Milliseconds before the disk is asked again. */
const AGAIN_AFTER_MS = 500;

export interface RangeReading {
  readonly clock: Clock;
  readonly storage: Storage;
  readonly from: string;
  readonly to: string;
  /** Of one page. */
  readonly entryCountMax: number;
  readonly byteCountMax: number;
  readonly isCurrent: () => boolean;
}

/** `done` is called in a later turn; nothing is any more once the reading is not current. */
export function readRange(
  reading: RangeReading,
  onEntry: (entry: StorageEntry) => void,
  done: () => void,
): void {
  const { clock, storage, to, entryCountMax, byteCountMax, isCurrent } = reading;
  const next = (from: string): void =>
    storage.scan(from, to, entryCountMax, byteCountMax, (error, entries) => {
      if (!isCurrent()) return;
      if (error !== null) return clock.after(AGAIN_AFTER_MS, () => (isCurrent() ? next(from) : undefined));
      for (const entry of entries) onEntry(entry);
      const last = entries.at(-1);
      if (last === undefined) done();
      else next(`${last.key}\u0000`);
    });
  next(reading.from);
}
