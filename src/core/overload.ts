/**
 * When a node is asked for more than it gets done, and how much it takes at once from then on. What counts is a queue that
 * stands: for a while all that is in flight would take longer than what is allowed, and even the fastest has taken its part
 * of it (the minimum over a window, as in CoDel, RFC 8289). A burst that is worked off is none, nor are a few operations that
 * wait for something of their own, nor a stop of everything (an epoch, a failover): nothing ends in a stop.
 *
 * Then as many may be in flight as end within a part of what is allowed, by the rate at which they have ended of late (Little's
 * law): whoever is admitted is answered in time, the node goes on working at its rate, and whoever is not is told at once.
 */
import {
  LOOP_LATE_MS_MAX,
  OVERLOAD_CALM_MS,
  OVERLOAD_FOR_MS,
  OVERLOAD_HOLD_SHARE,
  OVERLOAD_IN_FLIGHT_MIN,
  OVERLOAD_STILL_MS_MAX,
  OVERLOAD_WINDOW_MS,
} from './limits.ts';

/** Windows over which the rate is taken: a batch, a collection of garbage must not pass for a change of it. */
const RATE_WINDOWS = 5;

/** What is seen on a tick. Times are monotonic milliseconds. */
export interface Sight {
  readonly now: number;
  /** By how much the tick was late: what the event loop had to do before. */
  readonly lateMs: number;
  /** What an operation may take by itself, without any queue. */
  readonly aloneMs: number;
  /** How long it may stand in queues beside; 0: no limit but the fixed ones. */
  readonly queuedMs: number;
}

export class Overload {
  /** Operations begun and not yet ended. */
  inFlight = 0;
  /** With as many in flight no more are begun; Infinity: no queue stands. */
  limit = Infinity;
  /** Ended since the start. */
  ended = 0;
  /** Refused since the start. */
  refused = 0;
  /** Of the last tick: precise enough to tell tenths of a second, and costs an operation no look at a clock. */
  private now = 0;
  private window = newWindow(0, 0);
  /** Of the last windows in which some ended: how many in how long, and how long none had ended before. */
  private readonly rates: { readonly ended: number; readonly ms: number; readonly gapMs: number }[] = [];
  private endedAt = 0;
  private standsSince: number | null = null;
  private calmSince = 0;
  /** Before this everything stood still: nobody was waiting in a queue then. */
  private stillUntil = 0;

  get isFull(): boolean {
    return this.inFlight >= this.limit;
  }

  /** One is begun, to be ended with the mark of now. */
  begin(): void {
    this.inFlight += 1;
  }

  /** One was refused, for whatever reason. */
  refuse(): void {
    this.refused += 1;
    this.turnAway();
  }

  /** One would have been, and waits elsewhere: the load has not fallen. */
  turnAway(): void {
    this.window.isWanted = true;
  }

  /** When what is begun now was begun. */
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

  /** True where the node has begun or ceased to refuse for a queue that stands. */
  tick(sight: Sight): boolean {
    const { window } = this;
    const { now } = sight;
    this.now = now;
    window.inFlightLeast = Math.min(window.inFlightLeast, this.inFlight);
    window.lateMsLeast = Math.min(window.lateMsLeast, sight.lateMs);
    const ageMs = now - window.since;
    if (ageMs < OVERLOAD_WINDOW_MS) return false;
    const isStill = this.endedInWindow === 0 && this.inFlight > 0;
    // Batches end now and then: a window waits for the end of one.
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

  /** Nothing has ended for longer than it ever took of late: it is no slow batch, everything stands still. */
  private stillAfterMs(): number {
    return Math.min(2 * this.longestGapMs(), OVERLOAD_STILL_MS_MAX);
  }

  /** Of those of late in which nothing ended: batches somewhere on the way are as slow as that. */
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

  /** Has more been in flight, for long enough, than ends within so many milliseconds? */
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

  /** Where the loop itself is late, everything else is, too: heartbeats and leases among it. */
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
