/**
 * How a key becomes invalid and valid again: adopting a higher version, aborting a round that it outranks, validating,
 * and releasing waiting readers and writers. (PROTOCOL R1, R2, R3, R9)
 */
import { NONE, appended, withoutFirst } from '../../base/short-list.ts';
import { failure } from '../errors.ts';
import type { Coordinator, HeldRecord } from '../message.ts';
import type { IdentifiedOperation } from '../operation-id.ts';
import type { SealedRecord } from '../record.ts';
import { counterOf } from '../version.ts';
import { answerRead, closeKey, failWrite, heldVersion, makeRunnable } from './context.ts';
import type { ReplicaContext } from './context.ts';
import type { KeyState, Round } from './key-state.ts';
import { rememberedOf, voidedBy } from './operations.ts';
import { markNew, spools } from './spooling.ts';

/**
 * Overwritten records kept per key for waiting readers; if there are more, the oldest is dropped and its readers wait
 * for a later one.
 */
const OVERWRITTEN_COUNT_MAX = 16;

export interface Adoption {
  readonly sealed: SealedRecord;
  readonly conditional: boolean;
  readonly recorded: boolean;
  readonly coordinator: Coordinator;
  readonly base: number;
  readonly operations: readonly IdentifiedOperation[] | null;
}

/**
 * Takes a version higher than the one held. It is stored with its in-flight entry and cannot be read until it is
 * validated.
 */
export function adopt(context: ReplicaContext, state: KeyState, incoming: Adoption): void {
  const version = incoming.sealed.record.version;
  const round = state.round;
  if (round !== null && round.sealed.record.version < version) outrank(context, state, round);
  keepForReaders(state);
  const replaced = state.held;
  const voided = state.heldOperations === null ? null : voidedBy(context, state, incoming.base);
  state.held = incoming.sealed;
  state.heldConditional = incoming.conditional;
  state.heldRecorded = incoming.recorded;
  state.heldCoordinator = incoming.coordinator;
  state.heldBase = incoming.base;
  state.heldOperations = incoming.operations === null ? null : rememberedOf(context, incoming);
  state.valid = false;
  state.since = context.effects.now();
  context.counterHighest = Math.max(context.counterHighest, counterOf(version));
  const { sealed, conditional, recorded, coordinator, base } = incoming;
  if (!recorded && spools(context)) markNew(context, state, sealed);
  const operations = state.heldOperations;
  const write = {
    sealed,
    slot: state.slot,
    conditional,
    recorded,
    coordinator,
    base,
    operations,
    voided,
    replaced,
  };
  state.batches = appended(state.batches, context.effects.store(write));
}

/** Takes over what another member holds of a key that is in flight here. */
export function takeCopy(context: ReplicaContext, state: KeyState, copy: HeldRecord): void {
  const { version } = copy.sealed.record;
  if (version > heldVersion(state)) adopt(context, state, copy);
  if (version !== heldVersion(state)) return;
  // Two different contents under one version: a Validate for one must not make the other readable. (R8)
  if (state.held?.checksum !== copy.sealed.checksum)
    context.effects.event('error', 'replication.checksum_conflict', { slot: state.slot, version });
  else if (copy.valid && !state.valid) becomeValid(context, state);
}

/**
 * The coordinator is follower 0 of its own write: a higher version held here outranks the round as it would at any
 * follower. (R2)
 */
function outrank(context: ReplicaContext, state: KeyState, round: Round): void {
  if (round.phase !== 'storing' && round.awaiting.length === 0) return;
  if (!round.conditional) {
    round.outranked = true;
    return;
  }
  if (context.mutations.noSelfAbort === true) return;
  if (round.decided) round.outranked = true;
  else abortRound(context, state);
}

function keepForReaders(state: KeyState): void {
  if (state.held === null || state.valid || state.readers.length === 0) return;
  state.overwritten = appended(state.overwritten, state.held);
  if (state.overwritten.length > OVERWRITTEN_COUNT_MAX) state.overwritten = withoutFirst(state.overwritten);
}

/**
 * Ends a conditional round that met a higher version. Its record stays as it is. Its clients get a definite answer only
 * once a higher version is valid: only then the aborted write certainly never takes effect.
 */
export function abortRound(context: ReplicaContext, state: KeyState): void {
  const round = state.round;
  if (round === null) return;
  dropRound(context, state);
  const tickets = round.tickets.map((each) => each.ticket).filter((ticket) => !ticket.answered);
  if (tickets.length === 0) return;
  if (context.mutations.undoneAtOnce === true) for (const ticket of tickets) ticket.begun = false;
  state.aborted = appended(state.aborted, {
    tickets,
    version: round.sealed.record.version,
    lifeBegan: round.lifeBegan,
  });
}

export function dropRound(context: ReplicaContext, state: KeyState): void {
  if (state.round === null) return;
  context.rounds.delete(state.round.id);
  if (context.settling.size > 0) context.settling.delete(state);
  state.round = null;
  state.since = context.effects.now();
}

/** The held version is durable everywhere and outranked nowhere: it becomes readable. */
export function becomeValid(context: ReplicaContext, state: KeyState): void {
  const held = state.held;
  if (held === null) return;
  state.valid = true;
  state.heldOperations = null;
  state.overwritten = NONE;
  releaseReaders(context, state, held);
  judgeAborted(context, state);
  if (held.record.version <= state.durable) context.effects.settled(held);
  makeRunnable(context, state);
  closeKey(context, state);
}

/** A version below the held one turned out valid: it is returned to the readers that may see it. (R9) */
export function validateOverwritten(context: ReplicaContext, state: KeyState, version: number): void {
  const index = state.overwritten.findIndex((sealed) => sealed.record.version === version);
  if (index >= 0) releaseReaders(context, state, state.overwritten[index]!);
  else if (context.mutations.releaseReadersByAnyValidate === true && state.held !== null) {
    const released = state.readers;
    state.readers = NONE;
    for (const reader of released) answerRead(context, reader, state.held, null);
  }
}

function releaseReaders(context: ReplicaContext, state: KeyState, sealed: SealedRecord): void {
  const version = sealed.record.version;
  const readers = state.readers;
  if (readers.length === 0) return;
  state.readers = readers.filter((reader) => reader.lowest > version && !reader.answered);
  for (const reader of readers) if (reader.lowest <= version) answerRead(context, reader, sealed, null);
}

/**
 * A higher version is valid: what it outranked before all owners had it never takes effect, and is retried. This node
 * has been an owner ever since it began those rounds, or `Replica.release` would have ended them. So in no epoch could
 * anybody else have made their versions valid without it; and since the higher version came, it has acknowledged them
 * to nobody. In another life of the cluster, members of the last one may have gone on without this node. (R3,
 * decision 67)
 */
function judgeAborted(context: ReplicaContext, state: KeyState): void {
  if (state.aborted.length === 0) return;
  const { life } = context.view.topology;
  const again = [];
  for (const aborted of state.aborted) {
    const definite = aborted.lifeBegan === life && aborted.version < heldVersion(state);
    for (const ticket of aborted.tickets) {
      if (ticket.answered) continue;
      if (!definite) {
        failWrite(context, ticket, failure('outcome_unknown'));
        continue;
      }
      ticket.begun = false;
      ticket.retries += 1;
      again.push(ticket);
    }
  }
  state.aborted = NONE;
  if (again.length > 0) state.queue = [...again, ...state.queue];
}
