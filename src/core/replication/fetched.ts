/** Handles PostgreSQL's answer about a key on behalf of everyone who waits for it. (PROTOCOL R6, R9) */
import { NONE } from '../../base/short-list.ts';
import { failure } from '../errors.ts';
import type { Failure } from '../errors.ts';
import type { SealedRecord } from '../record.ts';
import { answerRead, closeKey, failWrite, heldVersion } from './context.ts';
import type { ReplicaContext } from './context.ts';
import { takeRow } from './install.ts';
import type { KeyState } from './key-state.ts';
import { runQueue } from './rounds.ts';

/**
 * Takes the row, its absence (`sealed` undefined), or PostgreSQL's failure to answer (`problem`). `isEdited`: the row
 * was changed by hand.
 */
export function onFetched(
  context: ReplicaContext,
  key: string,
  sealed: SealedRecord | undefined,
  problem: Failure | null,
  isEdited: boolean,
): void {
  const state = context.table.get(key);
  if (state === undefined || !state.fetching) return;
  state.fetching = false;
  if (problem !== null) fetchFailed(context, state, problem);
  else if (
    sealed !== undefined &&
    (sealed.record.version > heldVersion(state) || (isEdited && state.held === null))
  ) {
    if (!takeRow(context, state, sealed, isEdited)) fetchFailed(context, state, failure('not_ready'));
  } else if (state.held === null) confirmAbsent(context, state);
  else if (state.round !== null && state.round.phase === 'recording') {
    // The higher row has meanwhile been learnt from its owner, or is gone: the write is sent to PostgreSQL again.
    context.effects.record(state.round.sealed, state.slot);
  }
  runQueue(context, state);
  closeKey(context, state);
}

function fetchFailed(context: ReplicaContext, state: KeyState, problem: Failure): void {
  if (state.round !== null) {
    if (state.round.phase === 'recording') context.effects.record(state.round.sealed, state.slot);
    return;
  }
  if (state.held !== null) return;
  const { readers, queue } = state;
  state.readers = NONE;
  state.queue = NONE;
  for (const reader of readers) answerRead(context, reader, undefined, problem);
  for (const ticket of queue) failWrite(context, ticket, problem);
}

function confirmAbsent(context: ReplicaContext, state: KeyState): void {
  state.absentInRecord = true;
  const { readers } = state;
  state.readers = NONE;
  for (const reader of readers) answerRead(context, reader, undefined, null);
}
