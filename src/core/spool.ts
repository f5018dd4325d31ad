/**
 * What is decided about spooling: while PostgreSQL is away the members may agree, by an epoch, that a write is complete
 * once every owner and learner has it on disk with a durable mark that PostgreSQL lacks it; afterwards the marks are
 * drained. Here: when that epoch comes and when it ends, and what is to be done about one mark. (PROTOCOL R34)
 */
import { SPOOL_AFTER_MS, SPOOL_END_AFTER_MS } from './limits.ts';
import { majorityOf } from './topology.ts';
import type { Topology } from './topology.ts';

/** A member's latest word on PostgreSQL; only who is set to spool says any, and everybody while the cluster spools. */
export interface RecordWord {
  /** Milliseconds for which it has not answered the member; 0: it answers. */
  readonly awayMs: number;
  /** Milliseconds for which it has answered without a failure; 0: it does not. */
  readonly backMs: number;
  /** The member has no room for more marks. */
  readonly isFull: boolean;
}

/**
 * Is the flag to change, and to what; null: it stays. Spooling begins when *all* live members say that PostgreSQL has been
 * away from them for long enough: one that still reaches it, is set to reject, or says nothing, forbids it. It ends when
 * *most* of them have had their answers for a while: the others refuse writes then, as without a spool.
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

/** Asked for with every tick, and mostly answered by the first of them. */
function isAwayFromAll(topology: Topology, wordOf: (memberId: number) => RecordWord | undefined): boolean {
  let isAway = false;
  for (const { id, alive } of topology.members) {
    if (!alive) continue;
    isAway = (wordOf(id)?.awayMs ?? 0) >= SPOOL_AFTER_MS;
    if (!isAway) return false;
  }
  return isAway;
}

/** Null where it is so already. */
export function setSpooling(topology: Topology, isOn: boolean): Topology | null {
  if ((topology.spooling === true) === isOn) return null;
  const { spooling: _before, ...rest } = topology;
  const next = { ...rest, epoch: topology.epoch + 1 };
  return isOn ? { ...next, spooling: true } : next;
}

/** What a complete owner holds of a marked key: its version where it is readable, or why it is not. */
export type HeldOfMark =
  | { readonly kind: 'readable'; readonly version: number }
  /** In flight: whoever finishes it has it recorded or marked, too. */
  | { readonly kind: 'unfinished' }
  /** Being fetched from another owner. */
  | { readonly kind: 'damaged' }
  | { readonly kind: 'none' };

/**
 * drain: PostgreSQL is to be given what is held. wait: look again later. lower: the version that was marked never became
 * the cluster's, since a complete owner at rest holds less; there is one mark a key, so that it may have hidden that one's.
 * drop: nothing is held that PostgreSQL could lack.
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
 * PostgreSQL was seen to hold a version. mayLift: a mark for so much or less may go. overtaken: it holds more than any
 * owner does, so the row was changed from outside: it is the cluster's before the mark goes.
 */
export function judgeRow(rowVersion: number, heldVersion: number): 'mayLift' | 'overtaken' {
  return rowVersion > heldVersion ? 'overtaken' : 'mayLift';
}
