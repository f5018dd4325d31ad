/**
 * The part that spool marks play in a write's round: in an epoch that spools, no record counts as stored until its
 * mark, which says that PostgreSQL lacks it, is as durable as the record. (PROTOCOL R34)
 */
import type { SealedRecord } from '../record.ts';
import { heldVersion } from './context.ts';
import type { ReplicaContext } from './context.ts';
import type { KeyState } from './key-state.ts';

/** True if writes complete without PostgreSQL. Only the epoch decides this, never what this node sees of PostgreSQL. */
export function spools(context: ReplicaContext): boolean {
  if (context.view.spools) return true;
  return context.mutations.spoolByOneNode === true && !context.effects.recordAvailable();
}

/** Called before the record is handed to the store, so that the mark is durable no later than the record. */
export function markNew(context: ReplicaContext, state: KeyState, sealed: SealedRecord): void {
  context.effects.spool(sealed, state.slot);
  state.spooled = sealed.record.version;
}

/** True if the held record needs no mark, or has one that is handed to the store with it or before it. */
export function isMarked(context: ReplicaContext, state: KeyState): boolean {
  if (!spools(context) || state.valid || state.heldRecorded) return true;
  return state.spooled >= heldVersion(state) || context.mutations.acknowledgeUnmarked === true;
}

/** True if a mark written in the record's own batch is on disk, because the record is. */
export function isMarkOnDisk(context: ReplicaContext, state: KeyState): boolean {
  if (!spools(context) || state.valid || state.heldRecorded) return true;
  return state.durable >= heldVersion(state) || context.mutations.acknowledgeUnmarked === true;
}

/** Marks a record that was stored before the epoch began to spool; `onSpooled` follows. */
export function markStored(context: ReplicaContext, state: KeyState): void {
  if (state.held !== null) context.effects.spoolStored(state.held, state.slot);
}
