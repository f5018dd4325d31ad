/**
 * How long this node's store takes to write a batch to disk, measured on the batches that it writes anyway. A store
 * that was late and has nothing to write is given a small entry now and then, to find out when it is well again.
 * (PROTOCOL R32)
 */
import { NO_INSTRUMENTS } from '../../core/observability/instruments.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage, StorageError } from '../../ports/storage.ts';

/** Weight of the previous mean when a new batch is added. */
const MEAN_KEEPS = 0.75;
/** Milliseconds without a batch after which a store that was late is tried. */
const IDLE_MS = 150;

export class StorePulse {
  private readonly storage: Pick<Storage, 'write'>;
  private readonly clock: Clock;
  private readonly instruments: typeof NO_INSTRUMENTS;
  private meanMs = 0;
  private begunAt: number | null = null;
  private endedAt = -Infinity;

  constructor(storage: Pick<Storage, 'write'>, clock: Clock, instruments = NO_INSTRUMENTS) {
    this.storage = storage;
    this.instruments = instruments;
    this.clock = clock;
  }

  write(
    keys: readonly string[],
    values: readonly (Uint8Array | null)[],
    done: (error: StorageError | null) => void,
  ): void {
    const begunAt = this.clock.now();
    this.begunAt = begunAt;
    this.storage.write(keys, values, (error) => {
      this.endedAt = this.clock.now();
      this.begunAt = null;
      this.instruments.time(this.instruments.storeSync, this.endedAt - begunAt);
      this.meanMs = this.meanMs * MEAN_KEEPS + (this.endedAt - begunAt) * (1 - MEAN_KEEPS);
      done(error);
    });
  }

  /** Recent milliseconds per batch; for a batch that takes longer, the time it has taken so far. */
  lateMs(now: number): number {
    return this.begunAt === null ? this.meanMs : Math.max(this.meanMs, now - this.begunAt);
  }

  /** Milliseconds that the current batch has taken; 0 if there is none. */
  underWayMs(now: number): number {
    return this.begunAt === null ? 0 : now - this.begunAt;
  }

  isIdle(now: number): boolean {
    return this.begunAt === null && now - this.endedAt >= IDLE_MS;
  }
}
