/**
 * Where operations spend their time: each leaves a stamp where it passes, in the objects that it has anyway, and at its
 * end the differences go to the instruments; one that took long is told of, part by part.
 */
import type { ErrorCode } from '../core/errors.ts';
import { NO_INSTRUMENTS } from '../core/instruments.ts';
import type { Instruments } from '../core/instruments.ts';
import type { WriteStamps } from '../core/replication/key-state.ts';
import { stampedMs } from '../core/stamps.ts';
import type { Clock } from '../ports/clock.ts';
import type { SlowLog } from './slow-log.ts';

/** Stamps; 0 where the operation did not pass, or nothing is timed. */
export interface TimedWrite extends WriteStamps {
  readonly kind: string;
  readonly key: string;
  /** 0: it did not come in by a door of this node. */
  readonly arrivedAt: number;
  readonly startedAt: number;
  /** When it was handed to another node, and when that one's answer came. */
  readonly handedAt: number;
  readonly backAt: number;
}

export interface TimedRead {
  readonly key: string;
  readonly arrivedAt: number;
  readonly startedAt: number;
  readonly handedAt: number;
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

  /** Of now. */
  stamp(): number {
    return this.clock === null || !this.instruments.isOn ? 0 : this.instruments.stamp(this.clock.now());
  }

  /** It is answered; `problem` is what it failed with. */
  wrote(write: TimedWrite, problem: ErrorCode | null): void {
    if (problem !== null) this.instruments.failed(problem);
    if (write.startedAt === 0) return;
    const endedAt = this.stamp();
    const { instruments, slow } = this;
    const { arrivedAt, startedAt, begunAt, storedAt, heardAt, handedAt, backAt } = write;
    const { stages } = instruments;
    if (handedAt !== 0) stages.handedOn.record(stampedMs(handedAt, backAt === 0 ? endedAt : backAt));
    if (begunAt !== 0) {
      // What another node has done before, or could not do, is no wait for the key.
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
