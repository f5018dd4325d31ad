/**
 * Operations with an id take effect once. They are remembered in the batch that stores their version, at every owner
 * and learner, and forgotten in the batch that stores what outranked it; so on a valid record the memory of a complete
 * owner holds exactly those that took effect. Whether a version that is replaced took effect is told by the base of the
 * one that replaces it. (PROTOCOL R33, proof in decision 7)
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
 * Looked up before a version is taken, on a valid record. Null: it is new, and is to be judged. Else nothing is left to
 * judge: it took effect before, or cannot be told from one that did, and is answered; or it is part of the round that is
 * being made, and is carried along.
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
    // Who else was in that version is not remembered.
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

/** The highest version known here to be valid: what a version that is taken now stands on. */
export function baseOf(state: KeyState): number {
  return state.valid ? heldVersion(state) : state.heldBase;
}

/** Its operations with an id may have taken effect or not. */
export function isOpen(context: ReplicaContext, state: KeyState): boolean {
  return state.heldOperations !== null && context.mutations.passOpenOperations !== true;
}

/**
 * What is held is replaced before it was seen to be valid. Whoever took the next version had seen it valid, or had not
 * held it: then it never was, and never will be, acknowledged by everyone.
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
