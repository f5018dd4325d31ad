/**
 * Checks on each tick whether this process or its machine stood still. If so, its lease is over, and silence of the
 * others meanwhile means nothing. (PROTOCOL R16)
 */
import { ClockGap } from '../../core/membership/lease.ts';
import type { LeaseHolder } from '../../core/membership/lease.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { PeerWatch } from './peer-watch.ts';

/** Milliseconds within which all clocks must be read, and how often the reading is repeated at most. */
const READ_WITHIN_MS = 1;
const READINGS_MAX = 4;

interface Reading {
  readonly wall: number;
  readonly boot: number;
  readonly now: number;
}

export class ClockWatch {
  readonly gap: ClockGap;
  /** The clocks showed a gap at the last tick, so the lease was dropped. */
  hadGap = false;
  /** The clock that counts through suspension, as of the last tick: reading it costs three system calls. */
  bootNow: number;
  private readonly clock: Clock;
  private readonly telemetry: Telemetry;
  private readonly suspectAfterMs: number;
  private tickedAt: number;

  constructor(clock: Clock, telemetry: Telemetry, suspectAfterMs: number) {
    this.clock = clock;
    this.telemetry = telemetry;
    this.suspectAfterMs = suspectAfterMs;
    const { wall, boot, now } = readTogether(clock);
    this.tickedAt = now;
    this.bootNow = boot;
    this.gap = new ClockGap(now, wall, boot);
  }

  /** Returns the monotonic time of the tick. */
  tick(lease: LeaseHolder, watch: PeerWatch): number {
    const { clock } = this;
    const { wall, boot, now } = readTogether(clock);
    const slept = now - this.tickedAt;
    this.tickedAt = now;
    this.bootNow = boot;
    this.hadGap = this.gap.tick(now, wall, boot);
    if (this.hadGap) {
      this.telemetry.event('warn', 'membership.clock.gap', {});
      lease.drop(now);
    }
    if (this.hadGap || slept > this.suspectAfterMs / 2) watch.stalled(now);
    return now;
  }
}

/**
 * Reads the monotonic clock last: a process that is preempted between two readings has not slept. Otherwise the next
 * tick would compare with these readings, take the time for a sleep, and drop a lease for nothing; on a busy machine
 * that happened every few seconds.
 */
function readTogether(clock: Clock): Reading {
  for (let left = READINGS_MAX - 1; ; left -= 1) {
    const before = clock.now();
    const wall = clock.wallNow();
    const boot = clock.bootNow();
    const now = clock.now();
    if (now - before <= READ_WITHIN_MS || left === 0) return { wall, boot, now };
  }
}
