/**
 * Marks of what PostgreSQL lacks, as far as a write's round depends on them: in an epoch that spools nothing counts as
 * stored before its mark is as durable as the record. (PROTOCOL R34)
 */
import type { SealedRecord } from '../record.ts';
import { heldVersion } from './context.ts';
import type { ReplicaContext } from './context.ts';
import type { KeyState } from './key-state.ts';

/** Do writes complete without PostgreSQL? Said by the epoch, never by what this node sees of it. */
export function spools(context: ReplicaContext): boolean {
  if (context.view.spools) return true;
  return context.mutations.spoolByOneNode === true && !context.effects.recordAvailable();
}

/** Before the record is handed to the store: the mark is durable no later than it. */
export function markNew(context: ReplicaContext, state: KeyState, sealed: SealedRecord): void {
  context.effects.spool(sealed, state.slot);
  state.spooled = sealed.record.version;
}

/** What is held here needs no mark, or has one that is as durable as the record. */
export function isMarked(context: ReplicaContext, state: KeyState): boolean {
  if (!spools(context) || state.valid || state.heldRecorded) return true;
  return state.spooled >= heldVersion(state) || context.mutations.acknowledgeUnmarked === true;
}

/** A mark of its own batch is on disk when the record is. */
export function isMarkOnDisk(context: ReplicaContext, state: KeyState): boolean {
  if (!spools(context) || state.valid || state.heldRecorded) return true;
  return state.durable >= heldVersion(state) || context.mutations.acknowledgeUnmarked === true;
}

/** It was stored before the epoch that spools: the mark comes after, and `onSpooled` with it. */
export function markStored(context: ReplicaContext, state: KeyState): void {
  if (state.held !== null) context.effects.spoolStored(state.held, state.slot);
}
