/**
 * The end of a round: its clients are answered, and its version is made valid if no higher one was met. (PROTOCOL R1,
 * R3, R7, R15)
 */
import { failure } from '../errors.ts';
import { answerWrite, failWrite, heldVersion, makeRunnable } from './context.ts';
import type { ReplicaContext } from './context.ts';
import type { KeyState, Round, WriteStamps } from './key-state.ts';
import { becomeValid, dropRound } from './validity.ts';

/** Completes the round if nothing forbids it, and makes the version valid if no higher one was met. (R1, R7, R15) */
export function tryFinish(context: ReplicaContext, state: KeyState, round: Round): void {
  const row = context.view.row(state.slot);
  if (
    context.effects.blockedUntil(state.slot) > context.effects.now() ||
    row.owners.length < context.view.ownersNeeded
  ) {
    context.settling.add(state);
    return;
  }
  dropRound(context, state);
  const lost = round.conditional && round.outranked && !standsOutranked(context, round);
  for (const { ticket, result } of round.tickets) {
    if (ticket.stamps !== undefined) noteMoments(ticket.stamps, round);
    if (lost) failWrite(context, ticket, failure('outcome_unknown'));
    else answerWrite(context, ticket, result);
  }
  if (!round.outranked || context.mutations.validateDespiteHigher === true)
    announceValid(context, state, round);
  makeRunnable(context, state);
}

/**
 * A conditional write that all owners had in one epoch has taken effect, before whatever outranks it later: each of them
 * took that above it, and judged no condition in between. Of a write with an operation id its coordinator learns that
 * from the id. In another life of the cluster others may have gone on from less. (R3, decision 67)
 */
function standsOutranked({ view }: ReplicaContext, { decided, operations, lifeBegan }: Round): boolean {
  return decided && operations === null && lifeBegan === view.topology.life;
}

function noteMoments(stamps: WriteStamps, { begunAt, storedAt, heardAt }: Round): void {
  stamps.begunAt = begunAt;
  stamps.storedAt = storedAt;
  stamps.heardAt = heardAt;
}

export function announceValid(context: ReplicaContext, state: KeyState, round: Round): void {
  const version = round.sealed.record.version;
  for (const id of context.view.row(state.slot).others) {
    context.effects.send(id, { kind: 'validate', key: state.key, version });
  }
  if (heldVersion(state) === version) becomeValid(context, state);
}
