/**
 * Counters that this node has put by on its disk. A version of one of them may be told to others before it is stored
 * here: should this process die first, the next one on this disk takes its versions above all that were put by, and no
 * version is taken twice. Those not used are passed over. (PROTOCOL R8)
 */
import type { OwnCounters } from '../core/replication/context.ts';
import { COUNTERS_PUT_BY } from '../core/version.ts';
import { COUNTERS_NAME, encodeCounters } from '../wire/store-codec.ts';
import type { StoreWriter } from './store-writer.ts';

export class CounterReserve implements OwnCounters {
  spentThrough: number;
  private readonly writer: StoreWriter;
  private putBy: number;
  /** What the disk is to say next. */
  private asked: number;
  /** The highest that was taken here: it may be above that while the disk has an earlier word to store. */
  private taken = 0;
  private isStoring = false;

  /** `spentThrough`: what the disk says was put by at the start. */
  constructor(writer: StoreWriter, spentThrough: number) {
    this.writer = writer;
    this.spentThrough = spentThrough;
    this.putBy = spentThrough;
    this.asked = spentThrough;
  }

  passOver(): void {
    this.spentThrough = Math.max(this.asked, this.taken);
  }

  covers(counter: number): boolean {
    this.taken = Math.max(this.taken, counter);
    this.putMoreBy();
    return counter <= this.putBy;
  }

  private putMoreBy(): void {
    if (this.isStoring || this.taken <= this.putBy - COUNTERS_PUT_BY / 2) return;
    const through = this.taken + COUNTERS_PUT_BY;
    this.isStoring = true;
    this.asked = through;
    this.writer.putMeta(COUNTERS_NAME, encodeCounters(through), (error) => {
      this.isStoring = false;
      if (error !== null) return;
      this.putBy = through;
      // A higher one was taken meanwhile, of another key.
      this.putMoreBy();
    });
  }
}
