/**
 * One node's part in spooling: its marks of what PostgreSQL lacks, copying and draining them, and reporting on them.
 * When the cluster spools is decided by the membership (outage-watch.ts). (PROTOCOL R34)
 */
import type { LearnSpoolFrame, LearnSpool, SpoolDrained } from '../../core/system-of-record/spool-message.ts';
import type { ReplicaEffects } from '../../core/replication/context.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { NodeStatus } from '../status.ts';
import { SpoolCopy } from './copy.ts';
import { SpoolDrain } from './drain.ts';
import type { SpoolDrainParts } from './drain.ts';
import { SpoolMarks } from './marks.ts';

export interface SpoolSettings {
  /** What happens to writes while PostgreSQL is away. */
  readonly outage: 'reject' | 'spool';
  readonly spoolBytesMax: number;
  readonly spoolEntriesMax: number;
  /** A node counts as ready only while PostgreSQL is up; if left out, readiness does not depend on it. */
  readonly readyNeedsIt?: boolean;
}

/** Milliseconds over which the reported rate is averaged. */
const RATE_OVER_MS = 1_000;

export interface SpoolParts extends Omit<SpoolDrainParts, 'record' | 'recordWriter'> {
  readonly settings: SpoolSettings;
  /** Null if there is no PostgreSQL: then nothing is ever marked. */
  readonly record: SpoolDrainParts['record'] | null;
  readonly recordWriter: SpoolDrainParts['recordWriter'] | null;
  readonly topology: () => Topology | null;
  /** Some member has said that it has no room for more. */
  readonly isFullElsewhere: () => boolean;
}

export class Spool {
  readonly marks: SpoolMarks;
  readonly copy: SpoolCopy;
  private readonly parts: SpoolParts;
  private readonly drain: SpoolDrain | null;
  private hadMarks: boolean;
  private countedAt = 0;
  private countedBefore = 0;
  private perSecond = 0;

  constructor(parts: SpoolParts) {
    const { clock, storage, replica, send, mutations, record, recordWriter, marks } = parts;
    this.parts = parts;
    this.marks = marks;
    this.hadMarks = marks.entries > 0;
    this.copy = new SpoolCopy({
      ...{ clock, storage, marks, replica, send },
      skip: mutations.spoolMarksNotLearned === true,
    });
    this.drain =
      record === null || recordWriter === null ? null : new SpoolDrain({ ...parts, record, recordWriter });
  }

  /** The effects by which the replication rules reach the marks. */
  effects(
    onSpooled: (key: string, version: number) => void,
  ): Pick<ReplicaEffects, 'spool' | 'spoolStored' | 'spoolFull'> {
    const { marks } = this;
    return {
      spool: (sealed, slot) => marks.add(sealed, slot),
      spoolStored: (sealed, slot) => {
        marks.add(sealed, slot);
        marks.whenDurable(() => onSpooled(sealed.record.key, sealed.record.version));
      },
      spoolFull: () => marks.isFull || this.parts.isFullElsewhere(),
    };
  }

  /** Every few ticks. */
  tick(): void {
    const hasMarks = this.marks.entries > 0;
    if (this.hadMarks && !hasMarks) this.parts.telemetry.event('info', 'record.spool_drained', {});
    this.hadMarks = hasMarks;
    this.copy.tick();
    this.drain?.tick();
    const now = this.parts.clock.now();
    if (now - this.countedAt < RATE_OVER_MS) return;
    const drained = this.drain?.drainedCount ?? 0;
    this.perSecond = Math.round(((drained - this.countedBefore) * 1_000) / (now - this.countedAt));
    this.countedAt = now;
    this.countedBefore = drained;
  }

  /** Call after the replica has been told. */
  onRecorded(key: string, version: number, outcome: 'committed' | number): void {
    if (this.marks.entries > 0) this.drain?.onRecorded(key, version, outcome);
  }

  onMessage(from: number, message: LearnSpool | LearnSpoolFrame | SpoolDrained): void {
    if (message.kind === 'learnSpool') this.copy.onAsked(from, message);
    else if (message.kind === 'learnSpoolFrame') this.copy.onFrame(from, message);
    else this.drain?.onDrained(message);
  }

  status(): NodeStatus['spool'] {
    return {
      outage: this.parts.settings.outage,
      isOn: this.parts.topology()?.spooling === true,
      isFull: this.marks.isFull,
      entries: this.marks.entries,
      bytes: this.marks.bytes,
      oldestMs: this.marks.oldestMs(),
      conflicts: this.drain?.conflicts ?? 0,
      drainedPerSecond: this.perSecond,
    };
  }
}
