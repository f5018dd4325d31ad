/**
 * The pace at which slots are copied or compared: an allowance of bytes that fills with time and is spent by what has
 * arrived, so that clients keep their share of disks and links. Also keeps the progress shown to people. (DESIGN 3)
 *
 * Copying gives way to clients (decision 60): when they wait too long, the rate drops to a fraction of what was
 * recently copied, and while they do not it grows back in small steps (as in congestion control; the idea of background
 * transport that yields is that of RFC 6817). The rate never falls below a minimum that doubles every ten minutes, so
 * that a crowded cluster gets its new member in the end.
 */
import { Allowance } from '../allowance.ts';
import {
  COPY_BYTES_PER_SECOND_MIN,
  COPY_PATIENCE_MS,
  DELAY_FACTOR_MAX,
  DELAY_WORD_MS,
  GIVE_WAY_EVERY_MS,
} from './copy-limits.ts';

/** Milliseconds over which the reported rate is averaged. */
const RATE_OVER_MS = 2_000;
/** Minimum and maximum factor by which the rate drops at once, and the factor by which it grows. */
const FALL_SHARE_MIN = 0.5;
const FALL_SHARE_MAX = 0.9;
const GROW_SHARE = 1.15;

export class CopyPace {
  private readonly allowance: Allowance;
  private readonly bytesPerSecondMax: number;
  /** Bytes per second allowed at the moment. */
  private allowed: number;
  private changedAt = -Infinity;
  /** When the delay of clients was last known. */
  private knownAt = -Infinity;
  /** Since when clients have waited too long; null if they have not. */
  private givesWaySince: number | null = null;
  /** Bytes that have arrived since the last change, and whether the allowance has held back a request since then. */
  private arrivedSince = 0;
  private wasHeld = false;
  private bytesTotal = 0;
  private bytesCopied = 0;
  private recordsCopied = 0;
  private slotsDone = 0;
  private slotsTotal = 0;
  private beganAt = 0;
  /** The total of arrived bytes at some recent moments, oldest first. */
  private readonly marks: { readonly at: number; readonly bytes: number }[] = [];

  /** A maximum of 0 means no limit. */
  constructor(bytesPerSecondMax: number, now: number) {
    this.bytesPerSecondMax = bytesPerSecondMax;
    this.allowed = bytesPerSecondMax;
    this.allowance = new Allowance(bytesPerSecondMax, now);
  }

  /** True if the next piece may be requested now. */
  mayAsk(now: number): boolean {
    const may = this.allowance.has(now);
    if (!may) this.wasHeld = true;
    return may;
  }

  /**
   * Adapts the rate to the delay of clients. `delayFactor`: how many times as long as before clients wait on the node
   * where they wait longest; 0 if no node knows, in which case the last known value holds for a while. `isUrgent`:
   * slots have fewer copies than they should, which takes precedence. Called any number of times while slots are
   * copied. Returns true when clients wait too long for the first time since copying began.
   */
  giveWay(delayFactor: number, isUrgent: boolean, now: number): boolean {
    const { bytesPerSecondMax } = this;
    if (bytesPerSecondMax === 0) return false;
    if (delayFactor > 0) this.knownAt = now;
    if (isUrgent || now - this.knownAt >= DELAY_WORD_MS) return this.allow(bytesPerSecondMax, now);
    const ms = now - this.changedAt;
    if (delayFactor === 0 || ms < GIVE_WAY_EVERY_MS) return false;
    const isFirst = this.givesWaySince === null && delayFactor > DELAY_FACTOR_MAX;
    const seen = (this.arrivedSince * 1_000) / Math.min(ms, RATE_OVER_MS);
    const wasHeld = this.wasHeld;
    this.changedAt = now;
    this.arrivedSince = 0;
    this.wasHeld = false;
    if (delayFactor > DELAY_FACTOR_MAX) {
      this.givesWaySince ??= now;
      const share = Math.max(FALL_SHARE_MIN, Math.min(FALL_SHARE_MAX, DELAY_FACTOR_MAX / delayFactor));
      this.allow(Math.max(this.least(now), Math.min(this.allowed, seen) * share), now);
    } else if (wasHeld) this.allow(Math.max(this.least(now), this.allowed * GROW_SHARE), now);
    return isFirst;
  }

  private least(now: number): number {
    const times = Math.floor((now - (this.givesWaySince ?? now)) / COPY_PATIENCE_MS);
    return COPY_BYTES_PER_SECOND_MIN * 2 ** times;
  }

  /** Returns false, so that `giveWay` can return it: there is nothing to report. */
  private allow(bytesPerSecond: number, now: number): false {
    const allowed = Math.min(bytesPerSecond, this.bytesPerSecondMax);
    if (allowed !== this.allowed) this.allowance.setRate(allowed, now);
    this.allowed = allowed;
    return false;
  }

  /** Milliseconds until the next piece may be requested; 0 if it may be now. */
  waitMs(now: number): number {
    return this.allowance.waitMs(now);
  }

  arrived(recordCount: number, byteCount: number, now: number): void {
    this.allowance.spend(byteCount);
    this.arrivedSince += byteCount;
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

  /** `slotsLeft`: slots still to be copied, including those that wait for their turn; 0 when done. */
  progress(slotsLeft: number, now: number): void {
    if (slotsLeft === 0) {
      this.slotsTotal = 0;
      this.slotsDone = 0;
      this.bytesTotal = 0;
      this.marks.length = 0;
      this.givesWaySince = null;
      this.allow(this.bytesPerSecondMax, now);
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
    givesWay: boolean;
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
    const givesWay = slotsTotal > 0 && this.allowed < this.bytesPerSecondMax;
    const progress = { slotsDone, slotsTotal, bytes, bytesPerSecond, secondsLeft, givesWay };
    return { ...progress, recordsCopied, bytesCopied };
  }

  private rate(now: number): number {
    const oldest = this.marks.find((mark) => now - mark.at <= RATE_OVER_MS);
    if (oldest === undefined || now <= oldest.at) return 0;
    return Math.round(((this.bytesTotal - oldest.bytes) * 1_000) / (now - oldest.at));
  }
}
