/**
 * What a row of PostgreSQL becomes that no owner is known to hold: the cluster's record under its own version, or, where it was
 * changed by hand, a write above it. What was begun meanwhile is judged anew above that. (PROTOCOL R6, R23, decision 43)
 */
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

/** `isEdited`: it was changed by hand since it was committed. False: it cannot be taken now. */
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

/** A row of PostgreSQL becomes the cluster's record, under its own version. (R6, R23) */
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

/** What a row shows that was changed by hand, above its version: under that others may read another change. (decision 43) */
function writeEdited(context: ReplicaContext, state: KeyState, { record }: SealedRecord): boolean {
  const known = counterOf(Math.max(record.version, heldVersion(state)));
  if (waitsForFloor(context, state, known)) return false;
  requeue(context, state);
  const version = makeVersion(Math.max(known, floorOf(context, state, true)) + 1, context.self.id);
  startRound(context, state, 'write', [], {
    sealed: context.effects.seal(recordOf(record, version)),
    conditional: true,
    recorded: !context.effects.writesThrough(state.key),
    coordinator: context.self,
    base: baseOf(state),
    operations: null,
  });
  return true;
}

/** What was begun waits to be judged anew above what is known now. */
function requeue(context: ReplicaContext, state: KeyState): void {
  const round = state.round;
  if (round === null) return;
  const tickets = round.tickets.map((each) => each.ticket).filter((ticket) => !ticket.answered);
  dropRound(context, state);
  if (tickets.length > 0) state.queue = [...tickets, ...state.queue];
}
