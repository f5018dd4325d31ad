/**
 * Version counters that this node has reserved on its disk. A version with a reserved counter may be sent to others
 * before it is stored here: if this process dies first, the next one on this disk takes its versions above everything
 * reserved, so no version is taken twice. Unused counters are skipped. (PROTOCOL R8)
 */
import type { OwnCounters } from '../../core/replication/context.ts';
import { COUNTERS_RESERVED_AHEAD } from '../../core/version.ts';
import { COUNTERS_NAME, encodeCounters } from '../../wire/store-codec.ts';
import type { StoreWriter } from './store-writer.ts';

export class CounterReserve implements OwnCounters {
  spentThrough: number;
  private readonly writer: StoreWriter;
  private reserved: number;
  /** The counter to be written to disk next. */
  private asked: number;
  /** The highest counter taken here; it may exceed `asked` while an earlier reservation is being stored. */
  private taken = 0;
  private isStoring = false;

  /** `spentThrough`: what was reserved on disk when this process started. */
  constructor(writer: StoreWriter, spentThrough: number) {
    this.writer = writer;
    this.spentThrough = spentThrough;
    this.reserved = spentThrough;
    this.asked = spentThrough;
  }

  passOver(): void {
    this.spentThrough = Math.max(this.asked, this.taken);
  }

  covers(counter: number): boolean {
    this.taken = Math.max(this.taken, counter);
    this.reserveMore();
    return counter <= this.reserved;
  }

  private reserveMore(): void {
    if (this.isStoring || this.taken <= this.reserved - COUNTERS_RESERVED_AHEAD / 2) return;
    const through = this.taken + COUNTERS_RESERVED_AHEAD;
    this.isStoring = true;
    this.asked = through;
    this.writer.putMeta(COUNTERS_NAME, encodeCounters(through), (error) => {
      this.isStoring = false;
      if (error !== null) return;
      this.reserved = through;
      // A higher counter was taken meanwhile, for another key.
      this.reserveMore();
    });
  }
}
