/**
 * Logs operations that took long, one line each with where the time was spent; a limited number of lines per second,
 * because what slows one operation down slows down thousands. Lines left out are counted and reported.
 */
import { stampedMs } from '../core/stamps.ts';
import type { Clock } from '../ports/clock.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { LineRate } from './line-rate.ts';
import type { TimedRead, TimedWrite } from './timing.ts';

export interface SlowLogSettings {
  /** Milliseconds from which an operation is logged; 0 turns this off. */
  readonly thresholdMs: number;
  readonly linesPerSecondMax: number;
}

export class SlowLog {
  readonly thresholdMs: number;
  private readonly telemetry: Telemetry;
  private readonly rate: LineRate;

  constructor(settings: SlowLogSettings, clock: Clock, telemetry: Telemetry) {
    this.thresholdMs = settings.thresholdMs;
    this.telemetry = telemetry;
    this.rate = new LineRate(settings.linesPerSecondMax, clock, (count) =>
      telemetry.event('warn', 'operation.slow_left_out', { count }),
    );
  }

  wrote(write: TimedWrite, endedAt: number, outcome: string): void {
    if (!this.rate.mayTell()) return;
    const { kind, key, arrivedAt, startedAt, begunAt, storedAt, heardAt, forwardedAt, backAt } = write;
    const firstAt = arrivedAt === 0 ? startedAt : arrivedAt;
    // The stage that was not reached takes the rest of the time: the operation was waiting for it at its end.
    const forwardedUntil = forwardedAt === 0 ? 0 : backAt || endedAt;
    const queueFrom = backAt === 0 ? startedAt : backAt;
    this.tell({
      ...{ kind, key, from: arrivedAt === 0 ? 'peer' : 'client', outcome },
      totalMs: stampedMs(firstAt, endedAt),
      doorMs: stampedMs(firstAt, startedAt),
      forwardedMs: stampedMs(forwardedAt, forwardedUntil),
      queueMs: forwardedAt !== 0 && begunAt === 0 ? 0 : stampedMs(queueFrom, begunAt || endedAt),
      storeMs: stampedMs(begunAt, storedAt || endedAt),
      peersMs: stampedMs(storedAt, heardAt || endedAt),
      recordMs: stampedMs(heardAt, endedAt),
    });
  }

  read(read: TimedRead, endedAt: number, outcome: string): void {
    if (!this.rate.mayTell()) return;
    const { key, arrivedAt, startedAt, forwardedAt, backAt, legacyAt } = read;
    const firstAt = arrivedAt === 0 ? startedAt : arrivedAt;
    const totalMs = stampedMs(firstAt, endedAt);
    const doorMs = stampedMs(firstAt, startedAt);
    const forwardedMs = forwardedAt === 0 ? 0 : stampedMs(forwardedAt, backAt || endedAt);
    const legacyMs = stampedMs(legacyAt, endedAt);
    this.tell({
      ...{ kind: 'get', key, from: arrivedAt === 0 ? 'peer' : 'client', outcome },
      ...{ totalMs, doorMs, forwardedMs, legacyMs },
      // Waiting for a write of its key, for PostgreSQL, or for a lease.
      waitMs: Math.max(0, totalMs - doorMs - forwardedMs - legacyMs),
    });
  }

  private tell(fields: Readonly<Record<string, string | number>>): void {
    const rounded: Record<string, string | number> = {};
    for (const [name, field] of Object.entries(fields))
      rounded[name] = typeof field === 'number' ? Math.round(field * 10) / 10 : field;
    this.telemetry.event('warn', 'operation.slow', rounded);
  }
}
