/**
 * Detects that a node is asked for more than it can do, and bounds from then on how much it takes at once. The
 * criterion is a standing queue: for a while, everything in flight would take longer than allowed, and even the fastest
 * operation has taken its part of that time (the minimum over a window, as in CoDel, RFC 8289). A burst that is worked
 * off is not a standing queue, nor are a few operations that wait for something of their own, nor a standstill (an
 * epoch, a failover), in which nothing ends.
 *
 * From then on, as many operations may be in flight as end within a part of the allowed time, at the rate at which they
 * have recently ended (Little's law). Admitted operations are answered in time, the node keeps working at its rate, and
 * everything else is refused at once.
 */
import {
  LOOP_LATE_MS_MAX,
  OVERLOAD_CALM_MS,
  OVERLOAD_FOR_MS,
  OVERLOAD_HOLD_SHARE,
  OVERLOAD_IN_FLIGHT_MIN,
  OVERLOAD_STILL_MS_MAX,
  OVERLOAD_WINDOW_MS,
} from '../limits.ts';

/**
 * Windows over which the rate is averaged, so that a batch or a garbage collection does not look like a change of rate.
 */
const RATE_WINDOWS = 5;

/** What is observed on a tick. Times are monotonic milliseconds. */
export interface Sight {
  readonly now: number;
  /** How late the tick was, because the event loop was busy. */
  readonly lateMs: number;
  /** How long an operation may take by itself, without queueing. */
  readonly aloneMs: number;
  /** How long it may additionally spend in queues; 0 if only the fixed limits apply. */
  readonly queuedMs: number;
}

export class Overload {
  /** Operations started and not yet ended. */
  inFlight = 0;
  /** With this many in flight, no more are started; Infinity if there is no standing queue. */
  limit = Infinity;
  /** Operations ended since the start. */
  ended = 0;
  /** Operations refused since the start. */
  refused = 0;
  /** Time of the last tick: accurate to tenths of a second, and saves reading the clock for each operation. */
  private now = 0;
  private window = newWindow(0, 0);
  /** The last windows in which operations ended: how many, in how long, and how long none had ended before. */
  private readonly rates: { readonly ended: number; readonly ms: number; readonly gapMs: number }[] = [];
  private endedAt = 0;
  private standsSince: number | null = null;
  private calmSince = 0;
  /** Before this moment everything stood still: that was not queueing. */
  private stillUntil = 0;

  get isFull(): boolean {
    return this.inFlight >= this.limit;
  }

  /** An operation starts; it is ended with the `mark` of now. */
  begin(): void {
    this.inFlight += 1;
  }

  /** An operation was refused, for whatever reason. */
  refuse(): void {
    this.refused += 1;
    this.turnAway();
  }

  /** An operation would have been refused, but waits elsewhere: the load has not fallen. */
  turnAway(): void {
    this.window.isWanted = true;
  }

  /** The start time to note for an operation that begins now. */
  get mark(): number {
    return this.now;
  }

  end(mark: number): void {
    const { window } = this;
    this.inFlight -= 1;
    this.ended += 1;
    const tookMs = this.now - (mark > this.stillUntil ? mark : this.stillUntil);
    if (tookMs < window.tookMsLeast) window.tookMsLeast = tookMs;
  }

  /** Returns true if the node has begun, or ceased, to refuse because of a standing queue. */
  tick(sight: Sight): boolean {
    const { window } = this;
    const { now } = sight;
    this.now = now;
    window.inFlightLeast = Math.min(window.inFlightLeast, this.inFlight);
    window.lateMsLeast = Math.min(window.lateMsLeast, sight.lateMs);
    const ageMs = now - window.since;
    if (ageMs < OVERLOAD_WINDOW_MS) return false;
    const isStill = this.endedInWindow === 0 && this.inFlight > 0;
    // Operations end in batches: the window is extended until one ends.
    if (isStill && ageMs < this.stillAfterMs()) return false;
    const wasLimited = this.limit !== Infinity;
    if (window.isWanted) this.calmSince = now;
    if (sight.queuedMs === 0 || now - this.calmSince >= OVERLOAD_CALM_MS) this.limit = Infinity;
    if (isStill) {
      this.stillUntil = now;
      this.standsSince = null;
    } else if (this.endedInWindow > 0) this.judge(sight);
    this.window = newWindow(now, this.ended);
    return wasLimited !== (this.limit !== Infinity);
  }

  private get endedInWindow(): number {
    return this.ended - this.window.endedBefore;
  }

  /** If nothing ends for longer than it recently took, this is not a slow batch: everything stands still. */
  private stillAfterMs(): number {
    return Math.min(2 * this.longestGapMs(), OVERLOAD_STILL_MS_MAX);
  }

  /** The longest recent time in which nothing ended: batches somewhere on the way are that slow. */
  private longestGapMs(): number {
    return this.rates.reduce((most, { gapMs }) => Math.max(most, gapMs), OVERLOAD_WINDOW_MS);
  }

  private judge({ now, aloneMs: toldMs, queuedMs }: Sight): void {
    this.rates.push({ ended: this.endedInWindow, ms: now - this.window.since, gapMs: now - this.endedAt });
    this.endedAt = now;
    if (this.rates.length > RATE_WINDOWS) this.rates.shift();
    if (queuedMs === 0) return;
    const aloneMs = Math.max(toldMs, 2 * (this.longestGapMs() - OVERLOAD_WINDOW_MS));
    if (this.limit === Infinity) {
      if (!this.hasStood(now, aloneMs + queuedMs)) return;
      this.calmSince = now;
    }
    this.limit = this.countWithin(aloneMs + queuedMs * OVERLOAD_HOLD_SHARE);
  }

  /** True if more has been in flight, for long enough, than ends within that many milliseconds. */
  private hasStood(now: number, allowedMs: number): boolean {
    const { window } = this;
    const stands =
      window.inFlightLeast > this.countWithin(allowedMs) &&
      window.tookMsLeast > (allowedMs * this.lateShare()) / 2;
    this.standsSince = stands ? (this.standsSince ?? window.since) : null;
    return this.standsSince !== null && now - this.standsSince >= OVERLOAD_FOR_MS;
  }

  private countWithin(ms: number): number {
    return Math.max(OVERLOAD_IN_FLIGHT_MIN, this.endedPerMs() * ms * this.lateShare());
  }

  /**
   * If the event loop itself is late, everything else is too, including heartbeats and leases: this scales the allowed
   * load down.
   */
  private lateShare(): number {
    const { lateMsLeast } = this.window;
    return lateMsLeast > LOOP_LATE_MS_MAX ? LOOP_LATE_MS_MAX / lateMsLeast : 1;
  }

  private endedPerMs(): number {
    let ended = 0;
    let ms = 0;
    for (const each of this.rates) {
      ended += each.ended;
      ms += each.ms;
    }
    return ended / ms;
  }
}

function newWindow(
  since: number,
  endedBefore: number,
): {
  readonly since: number;
  readonly endedBefore: number;
  isWanted: boolean;
  inFlightLeast: number;
  tookMsLeast: number;
  lateMsLeast: number;
} {
  return {
    since,
    endedBefore,
    isWanted: false,
    inFlightLeast: Infinity,
    tookMsLeast: Infinity,
    lateMsLeast: Infinity,
  };
}
