/**
 * How fast slots are worked through: an allowance of bytes that fills with time, spent by what has arrived, so that the load of
 * clients keeps its share of disks and links; and what people are told about how far it has come. (DESIGN 3)
 */
import { Allowance } from './allowance.ts';

/** Milliseconds over which the rate is told. */
const RATE_OVER_MS = 2_000;

export class CopyPace {
  private readonly allowance: Allowance;
  private bytesTotal = 0;
  private bytesCopied = 0;
  private recordsCopied = 0;
  private slotsDone = 0;
  private slotsTotal = 0;
  private beganAt = 0;
  /** Bytes that had arrived at some moments of late, the oldest first. */
  private readonly marks: { readonly at: number; readonly bytes: number }[] = [];

  /** 0: as fast as it goes. */
  constructor(bytesPerSecondMax: number, now: number) {
    this.allowance = new Allowance(bytesPerSecondMax, now);
  }

  /** May the next piece be asked for now? */
  mayAsk(now: number): boolean {
    return this.allowance.has(now);
  }

  /** Milliseconds until the next piece may be asked for; 0: now. */
  waitMs(now: number): number {
    return this.allowance.waitMs(now);
  }

  arrived(recordCount: number, byteCount: number, now: number): void {
    this.allowance.spend(byteCount);
    this.bytesTotal += byteCount;
    this.bytesCopied += byteCount;
    this.recordsCopied += recordCount;
    const oldest = this.marks[0];
    if (oldest !== undefined && now - oldest.at > RATE_OVER_MS * 2) this.marks.length = 0;
    const last = this.marks.at(-1);
    if (last === undefined || now - last.at >= RATE_OVER_MS / 20) {
      this.marks.push({ at: now, bytes: this.bytesTotal });
      if (this.marks.length > 20) this.marks.shift();
    }
  }

  /** Slots that are still to be copied, with those that wait for their turn; 0: done. */
  progress(slotsLeft: number, now: number): void {
    if (slotsLeft === 0) {
      this.slotsTotal = 0;
      this.slotsDone = 0;
      this.bytesTotal = 0;
      this.marks.length = 0;
      return;
    }
    if (this.slotsTotal === 0) this.beganAt = now;
    this.slotsTotal = Math.max(this.slotsTotal, slotsLeft);
    this.slotsDone = this.slotsTotal - slotsLeft;
  }

  status(now: number): {
    slotsDone: number;
    slotsTotal: number;
    bytes: number;
    bytesPerSecond: number;
    secondsLeft: number | null;
    recordsCopied: number;
    bytesCopied: number;
  } {
    const { slotsDone, slotsTotal, bytesTotal: bytes, recordsCopied, bytesCopied } = this;
    const elapsedMs = now - this.beganAt;
    const isTold = slotsDone > 0 && elapsedMs > 0;
    const secondsLeft = isTold
      ? Math.ceil(((slotsTotal - slotsDone) * elapsedMs) / slotsDone / 1_000)
      : slotsTotal === 0
        ? 0
        : null;
    const bytesPerSecond = this.rate(now);
    return { slotsDone, slotsTotal, bytes, bytesPerSecond, secondsLeft, recordsCopied, bytesCopied };
  }

  private rate(now: number): number {
    const oldest = this.marks.find((mark) => now - mark.at <= RATE_OVER_MS);
    if (oldest === undefined || now <= oldest.at) return 0;
    return Math.round(((this.bytesTotal - oldest.bytes) * 1_000) / (now - oldest.at));
  }
}
