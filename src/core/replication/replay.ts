/**
 * Finishes writes whose coordinator cannot: asks the coordinator, and replays the write under the same version if the
 * coordinator is gone or does not know it. Several nodes may replay; the outcome is the same. (PROTOCOL R4, R13, R17)
 */
import { NONE } from '../../base/short-list.ts';
import { QUERY_AFTER_MS, REPLAY_STAGGER_MS, RESEND_AFTER_MS } from '../limits.ts';
import type { Query, QueryAnswer } from '../message.ts';
import type { SealedRecord } from '../record.ts';
import { nodeIdOf } from '../version.ts';
import { tryFinish } from './completion.ts';
import { closeKey, heldVersion, openKey } from './context.ts';
import type { ReplicaContext } from './context.ts';
import type { KeyState } from './key-state.ts';
import { baseOf } from './operations.ts';
import { collect, runQueue, sendInvalidates, startRound } from './rounds.ts';
import type { Adoption } from './validity.ts';

/** Every tick: retries the rounds that wait only for time. */
export function settleRounds(context: ReplicaContext): void {
  for (const state of [...context.settling]) {
    const round = state.round;
    if (round === null || round.phase !== 'settling') context.settling.delete(state);
    else tryFinish(context, state, round);
  }
}

/** Every few ticks, for each key in flight: resends, asks, replays, and drops readers whose time is over. */
export function sweepKeys(context: ReplicaContext): void {
  const now = context.effects.now();
  for (const state of [...context.table.values()]) {
    if (state.readers.some((reader) => reader.answered)) {
      state.readers = state.readers.filter((reader) => !reader.answered);
    }
    const round = state.round;
    if (round !== null) {
      if (round.phase === 'collecting' && now - round.sentAt > RESEND_AFTER_MS)
        sendInvalidates(context, round);
      continue;
    }
    if (!state.valid && state.held !== null && !state.fetching) attend(context, state, now);
    else if (state.queue.length > 0) runQueue(context, state);
    closeKey(context, state);
  }
}

/**
 * Handles an invalid key that no round here drives. A waiting unconditional write may go above it; otherwise its
 * coordinator is asked, or the version replayed.
 */
function attend(context: ReplicaContext, state: KeyState, now: number): void {
  if (state.queue.length > 0) {
    runQueue(context, state);
    if (state.round !== null) return;
  }
  const waited = now - state.since;
  if (waited < QUERY_AFTER_MS) return;
  const { id, incarnation } = state.heldCoordinator;
  const row = context.view.row(state.slot);
  const self = id === context.self.id && incarnation === context.self.incarnation;
  if (!self && context.view.coordinatorLives(id, incarnation)) {
    state.since = now;
    context.effects.send(id, { kind: 'query', key: state.key, version: heldVersion(state) });
    return;
  }
  if (waited >= QUERY_AFTER_MS + Math.max(0, row.place) * REPLAY_STAGGER_MS) replay(context, state);
}

/** Finishes the held version under its own number. Only an owner may do this; a learner waits for one. */
export function replay(context: ReplicaContext, state: KeyState): void {
  if (state.round !== null || state.held === null || state.valid || state.fetching) return;
  if (!context.view.row(state.slot).owns || !context.effects.leaseHeld()) return;
  context.effects.event('debug', 'replication.replay', { slot: state.slot });
  startRound(context, state, 'replay', [], {
    sealed: state.held,
    conditional: state.heldConditional,
    recorded: state.heldRecorded,
    coordinator: state.heldCoordinator,
    base: state.heldBase,
    operations: state.heldOperations,
  });
}

/**
 * Sends a record that is at rest at this or another complete owner of the epoch round once more, under its own version.
 * Every node that lost it stores it, and so does PostgreSQL. Returns false if what is held here does not allow it.
 * (R13)
 */
export function reaffirm(context: ReplicaContext, slot: number, sealed: SealedRecord): boolean {
  const { key, version } = sealed.record;
  if (context.table.has(key) || !context.view.row(slot).owns || !context.effects.leaseHeld()) return false;
  const state = openKey(context, key, slot);
  if (state === 'damaged') return false;
  const held = heldVersion(state);
  const isAllowed = held < version || (held === version && state.held!.checksum === sealed.checksum);
  if (isAllowed) {
    startRound(context, state, 'replay', [], {
      sealed,
      conditional: false,
      recorded: !context.effects.writesThrough(key),
      coordinator: context.self,
      base: baseOf(state),
      operations: null,
    });
  }
  closeKey(context, state);
  return isAllowed;
}

/**
 * PostgreSQL is said to have a higher version than this node: fetches the row, which is installed at all owners if that
 * is true. (R6)
 */
export function refetch(context: ReplicaContext, slot: number, key: string): void {
  if (!context.view.row(slot).owns || !context.effects.leaseHeld()) return;
  const state = openKey(context, key, slot);
  if (state === 'damaged') return;
  if (!state.fetching && state.round === null) {
    state.fetching = true;
    context.effects.fetch(key);
  }
  closeKey(context, state);
}

export function onQuery(context: ReplicaContext, from: number, slot: number, message: Query): void {
  const { key, version } = message;
  const state = context.table.get(key);
  if (state?.round?.sealed.record.version === version) {
    context.effects.send(from, { kind: 'queryAnswer', key, version, answer: 'pending' });
    return;
  }
  const atRest = state === undefined ? context.effects.load(key, slot) : state.valid ? state.held : null;
  const valid =
    atRest !== undefined && atRest !== 'damaged' && atRest !== null && atRest.record.version === version;
  if (valid && context.view.row(slot).owns) context.effects.send(from, { kind: 'validate', key, version });
  else context.effects.send(from, { kind: 'queryAnswer', key, version, answer: 'unknown' });
}

export function onQueryAnswer(context: ReplicaContext, message: QueryAnswer): void {
  const state = context.table.get(message.key);
  if (state === undefined || state.valid || heldVersion(state) !== message.version) return;
  state.since = context.effects.now();
  if (message.answer === 'unknown') replay(context, state);
}

/**
 * On a new epoch every unfinished round asks everyone again (R4), and the owners take up, in their order, versions
 * whose coordinator is no longer a member (R13). Requests of the previous epoch are not answered in this one: the asker
 * may be another process by now, which has reused the round's number for a write of its own.
 */
export function onEpoch(context: ReplicaContext, isNewDrive: boolean): void {
  if (isNewDrive && context.mutations.keepRecorded !== true) forgetRecorded(context);
  const now = context.effects.now();
  for (const state of [...context.table.values()]) {
    if (context.mutations.acknowledgeEarlierEpoch !== true) state.owed = NONE;
    const round = state.round;
    if (round !== null) {
      const isStored = round.phase !== 'storing' || state.durable >= round.sealed.record.version;
      if (isStored && context.mutations.keepAcknowledgements !== true) collect(context, state, round);
      continue;
    }
    closeKey(context, state);
    const { id, incarnation } = state.heldCoordinator;
    if (state.valid || state.held === null || context.view.coordinatorLives(id, incarnation)) continue;
    const place = Math.max(0, context.view.row(state.slot).place);
    state.since = now - QUERY_AFTER_MS;
    if (place === 0) replay(context, state);
  }
}

/**
 * The server that had committed the writes in flight may be gone, and their rows with it: they are committed again.
 * (R6, R30)
 */
function forgetRecorded({ table, effects }: ReplicaContext): void {
  for (const state of table.values()) {
    const isRecorded = !effects.writesThrough(state.key);
    state.heldRecorded = isRecorded;
    if (state.round !== null) state.round.recorded = isRecorded;
  }
}

/**
 * Keys in flight here at a version that the learner took as an earlier process. The learner's disk may have lost the
 * version, since its source need not know of it; if the learner were made complete, it could take the same version for
 * another write. (R8, R20)
 */
export function untoldTo(context: ReplicaContext, learnerId: number): KeyState[] {
  const untold: KeyState[] = [];
  for (const state of context.table.values()) {
    if (state.valid || nodeIdOf(heldVersion(state)) !== learnerId) continue;
    const row = context.view.row(state.slot);
    if (row.others.includes(learnerId) && !row.owners.includes(learnerId)) untold.push(state);
  }
  return untold;
}

/** See `Replica.restoreInFlight`. */
export function restoreInFlight(
  context: ReplicaContext,
  slot: number,
  held: Adoption,
  batches: readonly number[],
): void {
  const state = openKey(context, held.sealed.record.key, slot);
  if (state === 'damaged' || state.held === null) return;
  state.batches = [...state.batches, ...batches];
  state.valid = false;
  state.heldConditional = held.conditional;
  // What an earlier process knew of PostgreSQL may have been true of another server; committing again does no harm.
  // (R30)
  state.heldRecorded = held.recorded && !context.effects.writesThrough(state.key);
  state.heldCoordinator = held.coordinator;
  state.heldBase = held.base;
  state.heldOperations = held.operations;
  state.since = context.effects.now();
}

/** The link to a member is new. Messages sent on the old one may be lost, so the member is asked again at once. */
export function onPeerBack(context: ReplicaContext, memberId: number): void {
  for (const state of context.table.values()) {
    const round = state.round;
    if (round === null || round.phase !== 'collecting' || !round.awaiting.includes(memberId)) continue;
    sendInvalidates(context, round);
  }
}
