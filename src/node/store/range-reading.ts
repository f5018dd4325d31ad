/**
 * Reads everything that this disk has in a range of keys, page by page to the end; if the disk cannot be read, tries
 * again after a while.
 */
import type { Clock } from '../../ports/clock.ts';
import type { Storage, StorageEntry } from '../../ports/storage.ts';

/** Milliseconds before the disk is asked again. */
const AGAIN_AFTER_MS = 500;

export interface RangeReading {
  readonly clock: Clock;
  readonly storage: Storage;
  readonly from: string;
  readonly to: string;
  /** Per page. */
  readonly entryCountMax: number;
  readonly byteCountMax: number;
  readonly isCurrent: () => boolean;
}

/** Calls `done` in a later turn; calls nothing once the reading is no longer current. */
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
