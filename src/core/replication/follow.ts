/**
 * The follower's side of a write: store a higher version, acknowledge only what is on disk, and make readable only what
 * was validated. A learner does the same, but never lets an unverified leftover stand in the way (R19).
 */
import { NONE, appended } from '../../base/short-list.ts';
import type { Acknowledge, HeldRecord, Invalidate, Validate } from '../message.ts';
import { isEarlyExpiry } from '../record.ts';
import type { SealedRecord } from '../record.ts';
import { COUNTER_JUMP_MAX, counterOf } from '../version.ts';
import { closeKey, heldVersion, openKey } from './context.ts';
import type { ReplicaContext } from './context.ts';
import { NOBODY } from './key-state.ts';
import type { KeyState, OwedAcknowledgement } from './key-state.ts';
import { onOwnStored } from './rounds.ts';
import { isMarked, markStored } from './spooling.ts';
import { adopt, becomeValid, validateOverwritten } from './validity.ts';

export function onInvalidate(context: ReplicaContext, from: number, slot: number, message: Invalidate): void {
  const row = context.view.row(slot);
  if (!row.owns && !row.learns) return;
  const { sealed } = message;
  const version = sealed.record.version;
  if (counterOf(version) > context.counterHighest + COUNTER_JUMP_MAX) {
    context.effects.event('error', 'replication.counter_jump', { from, slot, version });
    refuse(context, from, message.round);
    return;
  }
  const state = openKey(context, sealed.record.key, slot);
  if (state === 'damaged') {
    refuse(context, from, message.round);
    return;
  }
  const owed: OwedAcknowledgement = {
    to: from,
    round: message.round,
    sealed,
    conditional: message.conditional,
  };
  const held = heldVersion(state);
  const isFenced = held === 0 && context.effects.floors.isLate(slot, version);
  if (isFenced && context.mutations.passFence !== true) {
    // A deletion at or below the floor equals the absence that stands here, so it is acknowledged. A value there comes
    // too late: nobody waits for an answer. (R22)
    if (sealed.record.tombstone) acknowledge(context, state, owed);
    closeKey(context, state);
    return;
  }
  const isExpiry = sealed.record.tombstone && sealed.record.expiresAt !== 0;
  const mayBeEarly = isExpiry && context.mutations.takeEarlyExpiry !== true;
  if (mayBeEarly && version > held && row.owns && isEarlyExpiry(sealed.record, context.effects.wallShown())) {
    // The coordinator will ask again until this node's clock has passed the expiry time too: clocks may delay an
    // expiry, never advance it. A clock that was set back counts as having passed whatever it has already shown: this
    // node may have let the expiry begin on that reading, and the key cannot be read until the expiry is done. (R26)
    refuse(context, from, message.round);
    closeKey(context, state);
    return;
  }
  if (version > held) {
    adopt(context, state, message);
  } else if (version === held && state.held!.checksum !== sealed.checksum) {
    context.effects.event('error', 'replication.checksum_conflict', { from, slot, version });
    refuse(context, from, message.round);
    closeKey(context, state);
    return;
  } else if (version === held && !state.valid) {
    state.since = context.effects.now();
  }
  const isUnmarked = !isMarked(context, state);
  if (isUnmarked) markStored(context, state);
  if (context.mutations.acknowledgeBeforeStore === true) acknowledge(context, state, owed);
  else if (state.durable >= heldVersion(state) && !isUnmarked) acknowledge(context, state, owed);
  else state.owed = appended(state.owed, owed);
  closeKey(context, state);
}

/**
 * The store has written this version and everything handed to it before. A version higher than the one held was handed
 * in before the slot was given up and learnt anew, so it says nothing about what is held since.
 */
export function onStored(context: ReplicaContext, key: string, version: number): void {
  const state = context.table.get(key);
  if (state === undefined) return;
  const counts = version <= heldVersion(state) || context.mutations.countEveryStore === true;
  if (counts && version > state.durable) state.durable = version;
  goOn(context, state);
}

/** The mark that PostgreSQL lacks this version is durable. (R34) */
export function onSpooled(context: ReplicaContext, key: string, version: number): void {
  const state = context.table.get(key);
  if (state === undefined) return;
  if (version <= heldVersion(state) && version > state.spooled) state.spooled = version;
  goOn(context, state);
}

/** Continues what waited for the disk: acknowledgements owed, and this node's own round. */
function goOn(context: ReplicaContext, state: KeyState): void {
  if (state.durable >= heldVersion(state) && state.owed.length > 0 && isMarked(context, state)) {
    const owed = state.owed;
    state.owed = NONE;
    for (const each of owed) acknowledge(context, state, each);
  }
  const round = state.round;
  if (round !== null && state.durable >= round.sealed.record.version) onOwnStored(context, state, round);
  closeKey(context, state);
}

/**
 * Sent only once the highest version held is durable, so that an answer of *higher* lasts as long as one of *equal*.
 * (R1)
 */
function acknowledge(context: ReplicaContext, state: KeyState, owed: OwedAcknowledgement): void {
  const higher = heldVersion(state) > owed.sealed.record.version;
  const message: Acknowledge = {
    kind: 'acknowledge',
    round: owed.round,
    outcome: higher ? 'higher' : 'equal',
    held: higher && owed.conditional ? heldRecordOf(state) : null,
  };
  context.effects.send(owed.to, message);
}

function refuse(context: ReplicaContext, to: number, round: number): void {
  context.effects.send(to, { kind: 'acknowledge', round, outcome: 'refused', held: null });
}

/**
 * True while the highest version of the key is still on its way to this disk. If this process died first, the next one
 * on this disk could take that version for another write, so no other node may hold it yet. (R8)
 */
export function isUnstored(state: KeyState): boolean {
  return state.durable < heldVersion(state);
}

export function heldRecordOf(state: KeyState): HeldRecord | null {
  if (state.held === null) return null;
  return {
    sealed: state.held,
    conditional: state.heldConditional,
    recorded: state.heldRecorded,
    coordinator: state.heldCoordinator,
    base: state.heldBase,
    operations: state.heldOperations,
    valid: state.valid,
  };
}

/** A record at rest is valid, and no coordinator drives it. */
export function heldAtRest(sealed: SealedRecord): HeldRecord {
  return {
    sealed,
    conditional: false,
    recorded: true,
    coordinator: NOBODY,
    base: 0,
    operations: null,
    valid: true,
  };
}

/**
 * A Validate is true in every epoch and may be repeated freely. It makes readable exactly the version it names. (R9,
 * R13)
 */
export function onValidate(context: ReplicaContext, message: Validate): void {
  const state = context.table.get(message.key);
  if (state === undefined || state.valid) return;
  const held = heldVersion(state);
  if (held === message.version) {
    if (state.round !== null && state.round.kind === 'replay') {
      context.rounds.delete(state.round.id);
      context.settling.delete(state);
      state.round = null;
    }
    becomeValid(context, state);
  } else if (held > message.version) {
    validateOverwritten(context, state, message.version);
    closeKey(context, state);
  }
}
