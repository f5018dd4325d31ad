/**
 * Converts node statuses to what the page is told. Members may run another version, so newer fields may be missing; a
 * status that cannot be understood at all counts as no answer.
 */
import type { RecentActivity } from '../../core/observability/recent-activity.ts';
import type { NodeStatus } from '../../node/status.ts';
import { reasonsNotReady } from '../../node/readiness.ts';
import type { LiveFacts, LiveNode, LiveRates } from './live-shape.ts';

/** Counters of one process, with the time of reading on the clock of the asking node. */
export interface Counted {
  readonly atMs: number;
  readonly incarnation: number;
  readonly operations: NodeStatus['operations'];
  readonly legacyCalls: number;
}

export function statusIn(json: string | null): NodeStatus | null {
  if (json === null) return null;
  try {
    return JSON.parse(json) as NodeStatus;
  } catch {
    return null;
  }
}

export function countedOf(status: NodeStatus, atMs: number): Counted {
  const { incarnation, operations, legacy } = status;
  return { atMs, incarnation, operations, legacyCalls: legacy.calls };
}

/** Throws if the status lacks a field that every version has. */
export function factsOf(status: NodeStatus, rates: LiveRates | null): LiveFacts {
  const { record, legacy, copy, scrub } = status;
  // Members of earlier versions do not measure this.
  const recent = status.recent as RecentActivity | undefined;
  const { drive } = record;
  const isDriving = drive !== undefined && !drive.isDriven && drive.slotsTotal > 0;
  return {
    phase: status.phase,
    epoch: status.epoch,
    leaseHeld: status.leaseHeld,
    leaseLeftMs: status.leaseLeftMs,
    reasons: reasonsNotReady(status),
    load: status.load,
    disk: status.disk,
    record: {
      state: record.state,
      reason: record.reason,
      isForeign: record.isForeign ?? false,
      drive: isDriving ? { slotsDone: drive.slotsDone, slotsTotal: drive.slotsTotal } : null,
      commitMs: recent?.record.commitMs ?? null,
      rowsPerSecond: recent?.record.rowsPerSecond ?? null,
      oldestUnflushedMs: recent?.record.oldestUnflushedMs ?? null,
    },
    legacy: {
      ...{ state: legacy.state, reason: legacy.reason, calls: legacy.calls },
      failuresPerSecond: recent?.legacy.failuresPerSecond ?? null,
      inFlight: recent?.legacy.inFlight ?? null,
    },
    spool: status.spool,
    keysHeld: status.keysHeld,
    keysInFlight: status.keysInFlight,
    oldestUnfinishedMs: status.oldestUnfinishedMs,
    learnedShare: status.learnedShare,
    copy: {
      ...{ slotsDone: copy.slotsDone, slotsTotal: copy.slotsTotal },
      ...{ bytesPerSecond: copy.bytesPerSecond, secondsLeft: copy.secondsLeft },
    },
    scrub: {
      ...{ isUnderWay: scrub.isUnderWay, share: scrub.share, secondsLeft: scrub.secondsLeft },
      ...{ open: scrub.open, unrepaired: scrub.totals.unrepaired, conflicts: scrub.totals.conflicts },
    },
    rates,
    readMs: recent?.readMs ?? null,
    writeMs: recent?.writeMs ?? null,
  };
}

export function ratesOf(before: Counted | undefined, now: Counted): LiveRates | null {
  if (before === undefined || before.incarnation !== now.incarnation) return null;
  const seconds = (now.atMs - before.atMs) / 1_000;
  if (seconds <= 0) return null;
  const rate = (to: number, from: number): number => Math.max(0, Math.round((to - from) / seconds));
  const { operations: to } = now;
  const { operations: from } = before;
  return {
    reads: rate(to.reads, from.reads),
    writes: rate(to.writes, from.writes),
    failures: rate(to.failures, from.failures),
    staleReads: rate(to.staleReads, from.staleReads),
    legacyCalls: rate(now.legacyCalls, before.legacyCalls),
  };
}

export function nodeOf(member: NodeStatus['members'][number], told: LiveFacts | null): LiveNode {
  const { name, id, address, alive, standing, linkUp, slow, slotsComplete, slotsLearning } = member;
  return { name, id, address, alive, standing, linkUp, slow, slotsComplete, slotsLearning, told };
}

/** A node that is not a member yet. */
export function outsiderOf(status: NodeStatus, told: LiveFacts | null): LiveNode {
  return {
    ...{ name: status.name, id: status.id, address: '', alive: false, standing: 'in', linkUp: true },
    ...{ slow: '', slotsComplete: 0, slotsLearning: 0, told },
  };
}
