/**
 * Brings a row of PostgreSQL that no owner is known to hold into the cluster: as a record under its own version or, if
 * the row was changed by hand, as a new write above it. Writes begun meanwhile are judged again above that version.
 * (PROTOCOL R6, R23, decision 43)
 */
import { shownAsKept } from '../kept-types.ts';
import { recordOf } from '../record.ts';
import type { SealedRecord } from '../record.ts';
import { counterOf, makeVersion } from '../version.ts';
import { floorOf, waitsForFloor } from './before-version.ts';
import { heldVersion } from './context.ts';
import type { ReplicaContext } from './context.ts';
import type { KeyState } from './key-state.ts';
import { baseOf } from './operations.ts';
import { startRound } from './rounds.ts';
import { dropRound } from './validity.ts';

/** `isEdited`: the row was changed by hand since it was committed. Returns false if the row cannot be taken now. */
export function takeRow(
  context: ReplicaContext,
  state: KeyState,
  row: SealedRecord,
  isEdited: boolean,
): boolean {
  if (isEdited && context.mutations.editAsItStands !== true) return writeEdited(context, state, row);
  install(context, state, row);
  return true;
}

/** Replicates the row to all owners under its own version. (R6, R23) */
function install(context: ReplicaContext, state: KeyState, sealed: SealedRecord): void {
  requeue(context, state);
  startRound(context, state, 'install', [], {
    sealed,
    conditional: false,
    recorded: true,
    coordinator: context.self,
    base: baseOf(state),
    operations: null,
  });
}

/**
 * Writes the content of a row that was changed by hand under a new, higher version: another node may have read a
 * different change under the row's own version. (decision 43)
 */
function writeEdited(context: ReplicaContext, state: KeyState, { record }: SealedRecord): boolean {
  const known = counterOf(Math.max(record.version, heldVersion(state)));
  if (waitsForFloor(context, state, known)) return false;
  requeue(context, state);
  const kept = shownAsKept(record, context.view.topology, context.mutations);
  const version = makeVersion(Math.max(known, floorOf(context, state, true)) + 1, context.self.id);
  startRound(context, state, 'write', [], {
    sealed: context.effects.seal(recordOf(kept, version)),
    conditional: true,
    recorded: !context.effects.writesThrough(state.key),
    coordinator: context.self,
    base: baseOf(state),
    operations: null,
  });
  return true;
}

/** Puts the writes of the current round back in the queue, to be judged again above what is known now. */
function requeue(context: ReplicaContext, state: KeyState): void {
  const round = state.round;
  if (round === null) return;
  const tickets = round.tickets.map((each) => each.ticket).filter((ticket) => !ticket.answered);
  dropRound(context, state);
  if (tickets.length > 0) state.queue = [...tickets, ...state.queue];
}
