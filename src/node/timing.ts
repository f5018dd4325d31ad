/**
 * Where operations spend their time. Each leaves time stamps in objects that exist anyway, and at its end the
 * differences go to the instruments; one that took long is logged, stage by stage.
 */
import type { ErrorCode } from '../core/errors.ts';
import { NO_INSTRUMENTS } from '../core/observability/instruments.ts';
import type { Instruments } from '../core/observability/instruments.ts';
import type { WriteStamps } from '../core/replication/key-state.ts';
import { stampedMs } from '../core/stamps.ts';
import type { Clock } from '../ports/clock.ts';
import type { SlowLog } from './slow-log.ts';

/** Time stamps; 0 if the stage was not reached, or timing is off. */
export interface TimedWrite extends WriteStamps {
  readonly kind: string;
  readonly key: string;
  /** 0 if the operation did not arrive at a door of this node. */
  readonly arrivedAt: number;
  readonly startedAt: number;
  /** When the operation was forwarded to another node, and when that node answered. */
  readonly forwardedAt: number;
  readonly backAt: number;
}

export interface TimedRead {
  readonly key: string;
  readonly arrivedAt: number;
  readonly startedAt: number;
  readonly forwardedAt: number;
  readonly backAt: number;
  /** When the legacy source was asked. */
  readonly legacyAt: number;
}

export class Timing {
  readonly instruments: Instruments;
  private readonly clock: Clock | null;
  private readonly slow: SlowLog | null;

  /** Without a clock nothing is timed. */
  constructor(instruments: Instruments, clock: Clock | null, slow: SlowLog | null) {
    this.instruments = instruments;
    this.clock = clock;
    this.slow = slow;
  }

  /** The stamp of the present moment. */
  stamp(): number {
    return this.clock === null || !this.instruments.isOn ? 0 : this.instruments.stamp(this.clock.now());
  }

  /** The write was answered; `problem` is its error, if any. */
  wrote(write: TimedWrite, problem: ErrorCode | null): void {
    if (problem !== null) this.instruments.failed(problem);
    if (write.startedAt === 0) return;
    const endedAt = this.stamp();
    const { instruments, slow } = this;
    const { arrivedAt, startedAt, begunAt, storedAt, heardAt, forwardedAt, backAt } = write;
    const { stages } = instruments;
    if (forwardedAt !== 0) stages.forwarded.record(stampedMs(forwardedAt, backAt === 0 ? endedAt : backAt));
    if (begunAt !== 0) {
      // Time spent at another node, whether it succeeded or not, is not waiting for the key.
      stages.queue.record(stampedMs(backAt === 0 ? startedAt : backAt, begunAt));
      if (storedAt !== 0) stages.store.record(stampedMs(begunAt, storedAt));
      if (heardAt !== 0) {
        stages.peers.record(stampedMs(storedAt, heardAt));
        stages.record.record(stampedMs(heardAt, endedAt));
      }
    }
    const firstAt = arrivedAt === 0 ? startedAt : arrivedAt;
    const totalMs = stampedMs(firstAt, endedAt);
    if (arrivedAt !== 0) {
      stages.door.record(stampedMs(arrivedAt, startedAt));
      instruments.write.record(totalMs);
    }
    if (slow !== null && totalMs >= slow.thresholdMs) slow.wrote(write, endedAt, problem ?? 'done');
  }

  read(read: TimedRead, problem: ErrorCode | null): void {
    if (problem !== null) this.instruments.failed(problem);
    if (read.startedAt === 0) return;
    const endedAt = this.stamp();
    const firstAt = read.arrivedAt === 0 ? read.startedAt : read.arrivedAt;
    const totalMs = stampedMs(firstAt, endedAt);
    if (read.arrivedAt !== 0) this.instruments.read.record(totalMs);
    const { slow } = this;
    if (slow !== null && totalMs >= slow.thresholdMs) slow.read(read, endedAt, problem ?? 'done');
  }
}

export const UNTIMED = new Timing(NO_INSTRUMENTS, null, null);
