/**
 * Measures on every tick what waits in this node, and tells the overload rule how much is allowed. What an operation
 * takes by itself is not queueing: with group commit it waits for the batch under way and then for its own, at the disk
 * and at PostgreSQL; and a read may wait for one fetch from the legacy source.
 */
import { ClientDelay } from '../core/copying/client-delay.ts';
import { NO_INSTRUMENTS } from '../core/observability/instruments.ts';
import type { Instruments } from '../core/observability/instruments.ts';
import { TICK_MS } from '../core/limits.ts';
import type { Overload, Sight } from '../core/clients/overload.ts';
import { movesOf } from '../core/placement/slot-moves.ts';
import type { Topology } from '../core/membership/topology.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Admission, Verb } from './admission.ts';
import type { NodeParts } from './node-parts.ts';
import type { RecordWriter } from './system-of-record/record-writer.ts';
import type { StoreWriter } from './store/store-writer.ts';

export interface LoadWatchParts {
  readonly admission: Admission;
  readonly telemetry: Telemetry;
  /** Milliseconds that an operation may spend in queues; 0 means no limit. */
  readonly overloadDelayMs: number;
  /** Timeout of one fetch; 0 if there is no legacy source. */
  readonly legacyTimeoutMs: number;
  /** Milliseconds that one batch has recently taken, at the disk and at PostgreSQL together. */
  readonly batchMs: (now: number) => number;
  readonly instruments: Instruments;
  /** Some node copies slots, as far as this node knows. */
  readonly isCopying: () => boolean;
}

export class LoadWatch {
  private readonly parts: LoadWatchParts;
  private tickedAt: number | null = null;
  private readonly writeDelay = new ClientDelay();
  private readonly readDelay = new ClientDelay();

  constructor(parts: LoadWatchParts) {
    this.parts = parts;
  }

  /** Milliseconds since the last tick; 0 before the first one. */
  tickAgoMs(now: number): number {
    return this.tickedAt === null ? 0 : now - this.tickedAt;
  }

  /** How many times as long as usual this node's clients wait while slots are copied; 0 if unknown. */
  get clientDelayFactor(): number {
    return Math.max(this.writeDelay.factor, this.readDelay.factor);
  }

  tick(now: number): void {
    this.lookAtDelays(now);
    const { admission, overloadDelayMs, legacyTimeoutMs, batchMs, instruments } = this.parts;
    const lateMs = this.tickedAt === null ? 0 : Math.max(0, now - this.tickedAt - TICK_MS);
    if (this.tickedAt !== null) instruments.time(instruments.loopDelay, lateMs);
    this.tickedAt = now;
    const aloneMs = 2 * batchMs(now);
    const queuedMs = overloadDelayMs;
    this.look('write', admission.write, { now, lateMs, aloneMs, queuedMs });
    this.look('read', admission.read, { now, lateMs, aloneMs: aloneMs + legacyTimeoutMs, queuedMs });
  }

  private lookAtDelays(now: number): void {
    const { read, write } = this.parts.admission;
    const isCopying = this.parts.isCopying();
    this.writeDelay.look({ now, inFlight: write.inFlight, ended: write.ended, isCopying });
    this.readDelay.look({ now, inFlight: read.inFlight, ended: read.ended, isCopying });
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

/** Builds the watch from the parts of a node. */
export function loadWatchOf(
  parts: NodeParts,
  admission: Admission,
  writer: StoreWriter,
  recordWriter: RecordWriter | null,
  topology: () => Topology | null,
): LoadWatch {
  return new LoadWatch({
    admission,
    telemetry: parts.telemetry,
    instruments: parts.instruments ?? NO_INSTRUMENTS,
    isCopying: () => {
      const known = topology();
      return known !== null && movesOf(known).learning.size > 0;
    },
    overloadDelayMs: parts.overloadDelayMs,
    legacyTimeoutMs: parts.legacySource === null ? 0 : parts.legacyTimeoutMs,
    batchMs: (now) => writer.pulse.lateMs(now) + (recordWriter?.statementMs(now) ?? 0),
  });
}
