/**
 * Looks on every tick at what waits in this node and tells the rule what it may take. What an operation takes by itself is
 * no queue: group commit lets it wait for the batch that is under way and then for its own, at the disk and at PostgreSQL, and a
 * read may wait for one fetch of the legacy source.
 */
import { TICK_MS } from '../core/limits.ts';
import type { Instruments } from '../core/instruments.ts';
import type { Overload, Sight } from '../core/overload.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Admission, Verb } from './admission.ts';

export interface LoadWatchParts {
  readonly admission: Admission;
  readonly telemetry: Telemetry;
  /** Milliseconds that an operation may stand in queues; 0: as long as it takes. */
  readonly overloadDelayMs: number;
  /** For one fetch; 0 where there is no legacy source. */
  readonly legacyTimeoutMs: number;
  /** Milliseconds of late that one batch took, at the disk and at PostgreSQL together. */
  readonly batchMs: (now: number) => number;
  readonly instruments: Instruments;
}

export class LoadWatch {
  private readonly parts: LoadWatchParts;
  private tickedAt: number | null = null;

  constructor(parts: LoadWatchParts) {
    this.parts = parts;
  }

  /** Milliseconds since the last tick; 0 before the first. */
  tickAgoMs(now: number): number {
    return this.tickedAt === null ? 0 : now - this.tickedAt;
  }

  tick(now: number): void {
    const { admission, overloadDelayMs, legacyTimeoutMs, batchMs, instruments } = this.parts;
    const lateMs = this.tickedAt === null ? 0 : Math.max(0, now - this.tickedAt - TICK_MS);
    if (this.tickedAt !== null) instruments.time(instruments.loopDelay, lateMs);
    this.tickedAt = now;
    const aloneMs = 2 * batchMs(now);
    const queuedMs = overloadDelayMs;
    this.look('write', admission.write, { now, lateMs, aloneMs, queuedMs });
    this.look('read', admission.read, { now, lateMs, aloneMs: aloneMs + legacyTimeoutMs, queuedMs });
  }

  private look(verb: Verb, queue: Overload, sight: Sight): void {
    if (!queue.tick(sight)) return;
    const { limit, refused, inFlight } = queue;
    const isFull = limit !== Infinity;
    this.parts.telemetry.event(
      isFull ? 'warn' : 'info',
      isFull ? 'overload.began' : 'overload.ended',
      isFull ? { verb, inFlight, limit: Math.round(limit) } : { verb, inFlight, refused },
    );
  }
}
