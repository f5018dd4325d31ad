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
  /** What the disk is to say next; no counter above it has been told to anybody. */
  private asked: number;
  private isStoring = false;

  /** `spentThrough`: what the disk says was put by at the start. */
  constructor(writer: StoreWriter, spentThrough: number) {
    this.writer = writer;
    this.spentThrough = spentThrough;
    this.putBy = spentThrough;
    this.asked = spentThrough;
  }

  passOver(): void {
    this.spentThrough = this.asked;
  }

  covers(counter: number): boolean {
    if (counter > this.putBy - COUNTERS_PUT_BY / 2 && !this.isStoring) this.put(counter + COUNTERS_PUT_BY);
    return counter <= this.putBy;
  }

  private put(through: number): void {
    this.isStoring = true;
    this.asked = through;
    this.writer.putMeta(COUNTERS_NAME, encodeCounters(through), (error) => {
      this.isStoring = false;
      if (error === null) this.putBy = through;
    });
  }
}
