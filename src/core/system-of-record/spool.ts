/**
 * Decisions about spooling. While PostgreSQL is away, the members may agree by an epoch that a write is complete once
 * every owner and learner has it on disk with a durable mark that PostgreSQL lacks it; the marks are drained
 * afterwards. This module decides when spooling begins and ends, and what is done about one mark. (PROTOCOL R34)
 */
import { SPOOL_AFTER_MS, SPOOL_END_AFTER_MS } from '../limits.ts';
import { majorityOf } from '../membership/topology.ts';
import type { Topology } from '../membership/topology.ts';

/**
 * A member's latest report on PostgreSQL. Only members configured to spool send one; while the cluster spools, all do.
 */
export interface RecordWord {
  /** Milliseconds for which PostgreSQL has not answered the member; 0 if it answers. */
  readonly awayMs: number;
  /** Milliseconds for which PostgreSQL has answered without a failure; 0 if it does not answer. */
  readonly backMs: number;
  /** The member has no room for more marks. */
  readonly isFull: boolean;
}

/**
 * Returns the new value of the flag if it should change, otherwise null. Spooling begins when *all* live members report
 * that PostgreSQL has been away for long enough: one member that still reaches it, is configured to reject, or reports
 * nothing, prevents that. Spooling ends when *most* members have been answered for a while; the others then refuse
 * writes, as they would without a spool.
 */
export function planSpooling(
  topology: Topology,
  wordOf: (memberId: number) => RecordWord | undefined,
): boolean | null {
  if (topology.spooling !== true) return isAwayFromAll(topology, wordOf) ? true : null;
  const living = topology.members.filter((member) => member.alive);
  const back = living.filter(({ id }) => (wordOf(id)?.backMs ?? 0) >= SPOOL_END_AFTER_MS);
  return back.length >= majorityOf(living.length) ? false : null;
}

/** Asked on every tick, and usually decided by the first member. */
function isAwayFromAll(topology: Topology, wordOf: (memberId: number) => RecordWord | undefined): boolean {
  let isAway = false;
  for (const { id, alive } of topology.members) {
    if (!alive) continue;
    isAway = (wordOf(id)?.awayMs ?? 0) >= SPOOL_AFTER_MS;
    if (!isAway) return false;
  }
  return isAway;
}

/** Null if the flag already has that value. */
export function setSpooling(topology: Topology, isOn: boolean): Topology | null {
  if ((topology.spooling === true) === isOn) return null;
  const { spooling: _before, ...rest } = topology;
  const next = { ...rest, epoch: topology.epoch + 1 };
  return isOn ? { ...next, spooling: true } : next;
}

/** What a complete owner holds of a marked key: the readable version, or why there is none. */
export type HeldOfMark =
  | { readonly kind: 'readable'; readonly version: number }
  /** In flight: whoever finishes the write also records or marks it. */
  | { readonly kind: 'unfinished' }
  /** Being fetched from another owner. */
  | { readonly kind: 'damaged' }
  | { readonly kind: 'none' };

/**
 * - drain: give PostgreSQL what is held.
 * - wait: check again later.
 * - lower: the marked version never became the cluster's, since a complete owner at rest holds a lower one. As there is
 *   one mark per key, it may have hidden the mark of the lower version.
 * - drop: nothing is held that PostgreSQL could lack.
 */
export function judgeMark(markedVersion: number, held: HeldOfMark): 'drain' | 'wait' | 'lower' | 'drop' {
  switch (held.kind) {
    case 'readable':
      return held.version >= markedVersion ? 'drain' : 'lower';
    case 'none':
      return 'drop';
    default:
      return 'wait';
  }
}

/**
 * Judges a version that PostgreSQL was seen to hold.
 * - mayLift: marks up to that version may be dropped.
 * - overtaken: PostgreSQL holds more than any owner, so the row was changed from outside; it must become the cluster's
 *   before the mark is dropped.
 */
export function judgeRow(rowVersion: number, heldVersion: number): 'mayLift' | 'overtaken' {
  return rowVersion > heldVersion ? 'overtaken' : 'mayLift';
}
