/**
 * Each tick: did this process or its machine stand still? Then its lease is over, and what it did not hear meanwhile
 * says nothing about the others. (PROTOCOL R16)
 */
import { ClockGap } from '../core/lease.ts';
import type { LeaseHolder } from '../core/lease.ts';
import type { Clock } from '../ports/clock.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { PeerWatch } from './peer-watch.ts';

export class ClockWatch {
  readonly gap: ClockGap;
  /** The clocks showed a gap at the last tick: the lease was dropped. */
  hadGap = false;
  private readonly clock: Clock;
  private readonly telemetry: Telemetry;
  private readonly suspectAfterMs: number;
  private tickedAt: number;

  constructor(clock: Clock, telemetry: Telemetry, suspectAfterMs: number) {
    this.clock = clock;
    this.telemetry = telemetry;
    this.suspectAfterMs = suspectAfterMs;
    this.tickedAt = clock.now();
    this.gap = new ClockGap(this.tickedAt, clock.wallNow(), clock.bootNow());
  }

  /** Tells the monotonic time of the tick. */
  tick(lease: LeaseHolder, watch: PeerWatch): number {
    const { clock } = this;
    // The monotonic clock last: who is put aside between two readings has not slept.
    const [wall, boot, now] = [clock.wallNow(), clock.bootNow(), clock.now()];
    const slept = now - this.tickedAt;
    this.tickedAt = now;
    this.hadGap = this.gap.tick(now, wall, boot);
    if (this.hadGap) {
      this.telemetry.event('warn', 'membership.clock.gap', {});
      lease.drop(now);
    }
    if (this.hadGap || slept > this.suspectAfterMs / 2) watch.stalled(now);
    return now;
  }
}
