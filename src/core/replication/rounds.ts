/**
 * The coordinator's side of a write: take a version, store, collect every acknowledgement within one epoch, have
 * PostgreSQL commit. What follows is in `completion.ts`. (PROTOCOL R1 to R7)
 */
import { NONE, appended, withoutFirst } from '../../base/short-list.ts';
import { failure } from '../errors.ts';
import { TURN_WORK_BYTES_MAX } from '../limits.ts';
import type { Acknowledge, Invalidate } from '../message.ts';
import { asKept } from '../kept-types.ts';
import type { SlotFloor } from '../upkeep/floors.ts';
import type { IdentifiedOperation } from '../operation-id.ts';
import { isRefusable } from '../operation.ts';
import type { WriteOperation, WriteResult } from '../operation.ts';
import { ORIGIN_LEGACY, recordOf, yieldsToFill } from '../record.ts';
import type { KeyRecord } from '../record.ts';
import { counterOf, makeVersion } from '../version.ts';
import { floorOf, refusalOf, waitsForFloor } from './before-version.ts';
import { announceValid, tryFinish } from './completion.ts';
import { answerWrite, closeKey, failWrite, heldVersion, makeRunnable } from './context.ts';
import type { ReplicaContext } from './context.ts';
import { judge } from './judge.ts';
import type { Judgement } from './judge.ts';
import type { KeyState, Round, RoundTicket, WriteTicket } from './key-state.ts';
import { baseOf, isOpen, recall } from './operations.ts';
import { isMarkOnDisk, isMarked, markStored, spools } from './spooling.ts';
import { abortRound, adopt } from './validity.ts';
import type { Adoption } from './validity.ts';

/** How many operations on one key a single round may carry. */
const COMBINED_COUNT_MAX = 1000;

/** Starts the key's next round, if an operation waits and nothing forbids it. */
export function runQueue(context: ReplicaContext, state: KeyState): void {
  while (state.queue.length > 0 && state.queue[0]!.answered) state.queue = withoutFirst(state.queue);
  const first = state.queue[0];
  if (first === undefined || state.round !== null || state.fetching) return;
  if (!context.effects.leaseHeld()) return;
  const conditional = refuses(context, first.operation);
  // The work allowed for this tick is used up; the next tick looks at every waiting queue.
  if (conditional && isSpent(context)) return;
  // No version is taken above one with operation ids before the fate of that one is known, so that whoever takes the
  // next version knows it. (R33)
  if (!state.valid && (conditional || isOpen(context, state))) return;
  if (conditional && state.held === null && !context.view.topology.loaded && !state.absentInRecord) {
    state.fetching = true;
    context.effects.fetch(state.key);
    return;
  }
  const refusal = refusalOf(context, state);
  if (refusal !== null) {
    const refused = state.queue;
    state.queue = NONE;
    for (const ticket of refused) failWrite(context, ticket, refusal);
    closeKey(context, state);
    return;
  }
  if (conditional && waitsForFloor(context, state, counterOf(heldVersion(state)))) return;
  combine(context, state, conditional);
}

/**
 * Judges the waiting operations one after another, each on the result of the previous one, and combines them into one
 * round (R5). The round is conditional if and only if its first writing operation is: the later ones build on what that
 * one wrote.
 */
function combine(context: ReplicaContext, state: KeyState, conditional: boolean): void {
  const wallNow = context.effects.wallNow();
  const counter =
    Math.max(counterOf(heldVersion(state)), floorOf(context, state, conditional)) + (conditional ? 1 : 2);
  const version = makeVersion(counter, context.self.id);
  let carried: readonly RoundTicket[] = NONE;
  let identified: readonly IdentifiedOperation[] = NONE;
  const standing = state.held?.record;
  let written: KeyRecord | null = null;
  let writers = 0;
  while (state.queue.length > 0 && carried.length < COMBINED_COUNT_MAX) {
    const ticket = state.queue[0]!;
    if (isSpent(context) && refuses(context, ticket.operation)) break;
    const { operationId, kind } = ticket.operation;
    // Until the first write of this round, operations are judged on the held record itself, which must be valid for
    // that. An operation with an id may only join a round that can be refused.
    if ((written === null || operationId !== null) && refuses(context, ticket.operation) !== conditional)
      break;
    state.queue = withoutFirst(state.queue);
    if (ticket.answered) continue;
    const told = operationId === null ? null : recall(context, carried, ticket, operationId, wallNow);
    if (told !== null) {
      carried = told;
      continue;
    }
    if (isForLegacy(context, ticket, written ?? standing, wallNow)) {
      failWrite(context, ticket, failure('not_ready'));
      continue;
    }
    const judgement = judgeTicket(context, ticket, written ?? standing, wallNow);
    const result = resultOf(judgement, version);
    if (judgement.kind !== 'write') {
      if (written === null) answerWrite(context, ticket, result);
      else carried = appended(carried, { ticket, result });
      continue;
    }
    written = recordOf(judgement.content, version);
    writers += 1;
    carried = appended(carried, { ticket, result });
    if (operationId === null) continue;
    identified = appended(identified, { id: operationId, kind, number: judgement.number });
  }
  if (written === null) {
    if (state.queue.length > 0) makeRunnable(context, state);
    closeKey(context, state);
    return;
  }
  for (const each of carried) each.ticket.begun = true;
  const isShared = writers > 1 && context.mutations.sharedAsOwn !== true;
  startRound(context, state, 'write', isShared ? carried.map(sharing) : carried, {
    sealed: context.effects.seal(written),
    conditional,
    recorded: !context.effects.writesThrough(state.key),
    coordinator: context.self,
    base: baseOf(state),
    operations: identified.length === 0 ? null : identified,
  });
}

/** Bounds the judging done in one tick, because it blocks the event loop. */
function isSpent({ judged }: ReplicaContext): boolean {
  return judged.bytes >= TURN_WORK_BYTES_MAX;
}

/** A new tick: judging continues where it was cut off. */
export function renewWork(context: ReplicaContext): void {
  const wasSpent = isSpent(context);
  context.judged.bytes = 0;
  if (!wasSpent) return;
  for (const state of context.table.values()) {
    if (state.queue.length > 0 && state.round === null) makeRunnable(context, state);
  }
}

/** Every owner of these slots has passed these floors: writes that waited for that go on. (R22) */
export function agreeFloors(context: ReplicaContext, floors: readonly SlotFloor[]): void {
  const agreed = new Set<number>();
  for (const floor of floors) {
    const isPast = context.effects.floors.of(floor.slot) >= floor.counter;
    if (!isPast || !context.view.row(floor.slot).owns) continue;
    context.agreed.agree(floor);
    agreed.add(floor.slot);
  }
  for (const state of context.table.values())
    if (agreed.has(state.slot) && state.queue.length > 0 && state.round === null)
      makeRunnable(context, state);
}

function refuses(context: ReplicaContext, operation: WriteOperation): boolean {
  if (operation.kind === 'modify' && context.mutations.modifyUnrefused === true) return false;
  return isRefusable(operation);
}

/**
 * The record that stood when the operation arrived is gone, and no native one has replaced it: the coordinator must ask
 * the legacy source before the operation comes again. (R25)
 */
function isForLegacy(
  { mutations }: ReplicaContext,
  { isLegacyUnheard }: WriteTicket,
  base: KeyRecord | undefined,
  wallNow: number,
): boolean {
  return isLegacyUnheard && yieldsToFill(base, wallNow) && mutations.judgeUnasked !== true;
}

function judgeTicket(
  context: ReplicaContext,
  ticket: WriteTicket,
  base: KeyRecord | undefined,
  wallNow: number,
): Judgement {
  const operation = asKept(ticket.operation, context.view.topology, context.mutations);
  if (context.mutations.fillWithoutCondition === true && operation.kind === 'fill') {
    return judge(operation, undefined, wallNow, ticket.readsLegacy, context.judged);
  }
  if (context.mutations.modifyFirstAlone === true && operation.kind === 'modify') {
    const whole = judge(operation, base, wallNow, ticket.readsLegacy, context.judged);
    const first = { ...operation, changes: operation.changes.slice(0, 1) };
    return {
      ...judge(first, base, wallNow, ticket.readsLegacy, context.judged),
      ...('results' in whole ? { results: whole.results } : {}),
    } as Judgement;
  }
  return judge(operation, base, wallNow, ticket.readsLegacy, context.judged);
}

function resultOf(judgement: Judgement, version: number): WriteResult {
  if (judgement.kind !== 'write') return judgement;
  const { number, results } = judgement;
  return results === null ? { kind: 'done', version, number } : { kind: 'modified', version, results };
}

/** Tells the client that its version carries other writes as well. */
function sharing({ ticket, result }: RoundTicket): RoundTicket {
  const isMade = result.kind === 'done' || result.kind === 'modified';
  return isMade ? { ticket, result: { ...result, isShared: true } } : { ticket, result };
}

/**
 * Starts a round at this node's own store and, where allowed, at the other owners at the same time: this node is one of
 * the nodes the round waits for. (R2)
 */
export function startRound(
  context: ReplicaContext,
  state: KeyState,
  kind: Round['kind'],
  tickets: readonly RoundTicket[],
  write: Adoption,
): void {
  const { epoch, life } = context.view.topology;
  const alreadyHeld = heldVersion(state) === write.sealed.record.version;
  const round: Round = {
    id: context.roundNext,
    kind,
    sealed: write.sealed,
    conditional: write.conditional,
    coordinator: write.coordinator,
    base: write.base,
    operations: write.operations,
    lifeBegan: life,
    tickets,
    phase: 'storing',
    epoch,
    awaiting: NONE,
    outranked: false,
    decided: false,
    recorded: write.recorded,
    sentAt: 0,
    begunAt: context.effects.stamp(),
    storedAt: 0,
    heardAt: 0,
  };
  context.roundNext = context.roundNext === 0xffffffff ? 1 : context.roundNext + 1;
  if (!alreadyHeld) adopt(context, state, write);
  state.round = round;
  context.rounds.set(round.id, state);
  if (state.durable >= round.sealed.record.version || mayBeTold(context, round))
    collect(context, state, round);
}

/**
 * True if other nodes may hear of the version before it is on this disk, because it is never taken twice whatever
 * becomes of this process. (R8)
 */
function mayBeTold({ effects }: ReplicaContext, { kind, conditional, sealed }: Round): boolean {
  return kind !== 'write' || (!conditional && effects.counters.covers(counterOf(sealed.record.version)));
}

/** Asks everyone in the epoch. Repeated after every change of epoch, since acknowledgements do not outlive one. (R4) */
export function collect(context: ReplicaContext, state: KeyState, round: Round): void {
  // The held record, of this version or one that outranks it, dates from before spooling began: it counts as stored
  // only once its mark is durable too. (R34)
  if (!isMarked(context, state) || !isMarkOnDisk(context, state)) {
    round.phase = 'storing';
    if (!isMarked(context, state)) markStored(context, state);
    return;
  }
  const isStored = state.durable >= round.sealed.record.version;
  if (isStored && round.storedAt === 0) round.storedAt = context.effects.stamp();
  round.phase = 'collecting';
  round.epoch = context.view.topology.epoch;
  round.outranked = heldVersion(state) > round.sealed.record.version;
  const row = context.view.row(state.slot);
  round.awaiting = isStored || context.mutations.leaveOutOwnDisk === true ? row.others : row.all;
  sendInvalidates(context, round);
  if (round.awaiting.length === 0) allAcknowledged(context, state, round);
}

export function sendInvalidates(context: ReplicaContext, round: Round): void {
  round.sentAt = context.effects.now();
  const message: Invalidate = {
    kind: 'invalidate',
    round: round.id,
    sealed: round.sealed,
    conditional: round.conditional,
    recorded: round.recorded,
    coordinator: round.coordinator,
    base: round.base,
    operations: round.operations,
    routeEpoch: round.sealed.record.origin === ORIGIN_LEGACY ? 1 : 0,
  };
  for (const id of round.awaiting) if (id !== context.self.id) context.effects.send(id, message);
}

export function onAcknowledge(context: ReplicaContext, from: number, message: Acknowledge): void {
  const state = context.rounds.get(message.round);
  const round = state?.round;
  if (state === undefined || round === null || round === undefined || round.phase !== 'collecting') return;
  if (!round.awaiting.includes(from)) return;
  if (message.outcome === 'refused') {
    // The member cannot take this version now. It is asked again until an epoch removes the cause.
    context.effects.event('warn', 'replication.refused', { from, conditional: round.conditional });
    return;
  }
  dropAwaited(round, from);
  if (message.outcome === 'higher') {
    round.outranked = true;
    const held = message.held;
    if (held !== null && held.sealed.record.version > heldVersion(state)) adopt(context, state, held);
    if (round.conditional && !round.decided && state.round === round) abortRound(context, state);
    if (state.round !== round) return;
  }
  if (round.awaiting.length === 0) allAcknowledged(context, state, round);
}

function dropAwaited(round: Round, from: number): void {
  round.awaiting = round.awaiting.length === 1 ? NONE : round.awaiting.filter((id) => id !== from);
}

/** This node's own disk has the round's version. */
export function onOwnStored(context: ReplicaContext, state: KeyState, round: Round): void {
  if (round.phase === 'storing') return collect(context, state, round);
  if (round.phase !== 'collecting' || !round.awaiting.includes(context.self.id)) return;
  round.storedAt = context.effects.stamp();
  dropAwaited(round, context.self.id);
  if (round.awaiting.length === 0) allAcknowledged(context, state, round);
}

function allAcknowledged(context: ReplicaContext, state: KeyState, round: Round): void {
  round.heardAt = context.effects.stamp();
  if (!round.outranked) round.decided = true;
  if (context.mutations.validateBeforeRecord === true && !round.outranked)
    announceValid(context, state, round);
  if (round.recorded || spools(context)) {
    round.phase = 'settling';
    tryFinish(context, state, round);
    return;
  }
  round.phase = 'recording';
  context.effects.record(round.sealed, state.slot);
}

/** PostgreSQL's answer for a version: committed, or the version of the row that stands in its place. */
export function onRecorded(
  context: ReplicaContext,
  key: string,
  version: number,
  outcome: 'committed' | number,
): void {
  const state = context.table.get(key);
  const round = state?.round;
  if (state === undefined || round === null || round === undefined || round.sealed.record.version !== version)
    return;
  if (outcome !== 'committed' && outcome > heldVersion(state)) {
    // No owner is known to hold that row: it is installed first, and the writes begun are judged again above it.
    state.fetching = true;
    context.effects.fetch(key);
    return;
  }
  round.recorded = true;
  if (state.held?.record.version === version) state.heldRecorded = true;
  if (round.phase !== 'recording') return;
  round.phase = 'settling';
  tryFinish(context, state, round);
}
