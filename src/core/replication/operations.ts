/**
 * An operation with an id takes effect once. Every owner and learner remembers the id in the batch that stores the
 * operation's version, and forgets it in the batch that stores a version outranking it. So on a valid record, the
 * memory of a complete owner holds exactly the operations that took effect. Whether a replaced version took effect is
 * told by the base of the version that replaces it. (PROTOCOL R33, proof in decision 7)
 */
import { appended } from '../../base/short-list.ts';
import { failure } from '../errors.ts';
import { isSameId, operationIdRefusal } from '../operation-id.ts';
import type { IdentifiedOperation } from '../operation-id.ts';
import type { WriteResult } from '../operation.ts';
import { answerWrite, heldVersion } from './context.ts';
import type { ReplicaContext } from './context.ts';
import type { KeyState, RoundTicket, WriteTicket } from './key-state.ts';
import type { Adoption } from './validity.ts';

/**
 * Looks up an operation id before a version is taken, on a valid record. Returns null for a new operation, which is
 * then judged. Otherwise nothing is left to judge: the operation has taken effect before, or cannot be told from one
 * that has, and is answered; or it is already part of the round being built and is carried along.
 */
export function recall(
  context: ReplicaContext,
  carried: readonly RoundTicket[],
  ticket: WriteTicket,
  id: Uint8Array,
  wallNow: number,
): readonly RoundTicket[] | null {
  for (const each of carried) {
    const other = each.ticket.operation.operationId;
    if (other === null || each.result.kind !== 'done' || !isSameId(other, id)) continue;
    const isAlike = each.ticket.operation.kind === ticket.operation.kind;
    return appended(carried, { ticket, result: isAlike ? each.result : usedOtherwise() });
  }
  const result = resultOf(context, ticket, id, wallNow);
  if (result === null) return null;
  answerWrite(context, ticket, result);
  return carried;
}

function resultOf(
  context: ReplicaContext,
  ticket: WriteTicket,
  id: Uint8Array,
  wallNow: number,
): WriteResult | null {
  const { operations } = context.effects;
  const { key, kind } = ticket.operation;
  const known = operations.find(key, id);
  if (known === 'damaged') return { kind: 'failed', failure: failure('record_damaged') };
  if (known !== undefined) {
    if (known.kind !== kind) return usedOtherwise();
    // Which other operations share that version is not remembered.
    return { kind: 'done', version: known.version, number: known.number, isShared: true };
  }
  const refusal = operationIdRefusal(id, wallNow, operations.forgottenThrough());
  if (refusal !== null) return { kind: 'failed', failure: refusal };
  if (!operations.isFull()) return null;
  return {
    kind: 'failed',
    failure: failure('overloaded', 'too many operation ids are remembered: write without, or later'),
  };
}

function usedOtherwise(): WriteResult {
  return {
    kind: 'failed',
    failure: failure('invalid_argument', 'the operation id was used for an operation of another kind'),
  };
}

/** The highest version known here to be valid: the base of a version taken now. */
export function baseOf(state: KeyState): number {
  return state.valid ? heldVersion(state) : state.heldBase;
}

/** True if it is unknown whether the identified operations of the held version took effect. */
export function isOpen(context: ReplicaContext, state: KeyState): boolean {
  return state.heldOperations !== null && context.mutations.passOpenOperations !== true;
}

/**
 * The operations that certainly never took effect, when the held version is replaced before this node saw it valid. If
 * the coordinator of the next version had not seen the held version valid either, or did not hold it at all, not
 * everyone acknowledged it, and not everyone ever will.
 */
export function voidedBy(
  context: ReplicaContext,
  state: KeyState,
  baseOfNext: number,
): readonly IdentifiedOperation[] | null {
  if (baseOfNext === heldVersion(state) || context.mutations.keepVoidOperations === true) return null;
  return state.heldOperations;
}

export function rememberedOf(
  context: ReplicaContext,
  incoming: Adoption,
): readonly IdentifiedOperation[] | null {
  const { coordinator } = incoming;
  const own = coordinator.id === context.self.id && coordinator.incarnation === context.self.incarnation;
  return own || context.mutations.operationIdsAtCoordinatorOnly !== true ? incoming.operations : null;
}
