/**
 * Modifications for histories in tests: drawn at random, and carried out on a plain object written independently of the
 * checker's model. Without expiry.
 */
import type { Prng } from '../../src/base/prng.ts';
import type { HistoryOutcome } from './history.ts';
import type { HistoryChange, HistoryTold } from './modifications.ts';

export function drawChanges(prng: Prng, value: string): HistoryChange[] {
  const set = (condition: 'always' | 'ifAbsent' | 'ifPresent'): HistoryChange => ({
    ...{ kind: 'set', value, condition, expiresAt: 0 },
  });
  const add: HistoryChange = { kind: 'increment', delta: BigInt(prng.below(3)) };
  return prng.pick<HistoryChange[]>([
    [{ kind: 'remove' }],
    [{ kind: 'remove' }, set('ifAbsent')],
    [set('ifAbsent')],
    [set('ifPresent')],
    [set('always'), { kind: 'append', value: 'y' }],
    [{ kind: 'read' }, { kind: 'append', value: 'x' }],
    [{ kind: 'read' }, add],
    [add, add],
    [{ kind: 'persist' }],
  ]);
}

export function serveChanges(
  changes: readonly HistoryChange[],
  before: string | null,
): { state: string | null; outcome: HistoryOutcome } {
  let state = before;
  let isWritten = false;
  const told: HistoryTold[] = [];
  for (const change of changes) {
    const previous = state;
    let number: bigint | null = null;
    if (change.kind === 'remove') state = null;
    else if (change.kind === 'append') state = `${state ?? ''}${change.value}`;
    else if (change.kind === 'increment' && (state === null || /^\d+$/.test(state))) {
      number = BigInt(state ?? '0') + change.delta;
      state = String(number);
    } else if (change.kind === 'set') {
      if (change.condition === 'always' || (state === null) === (change.condition === 'ifAbsent'))
        state = change.value;
    }
    // Setting the same value again counts as a change.
    const isSet =
      change.kind === 'set' &&
      state === change.value &&
      (change.condition !== 'ifAbsent' || previous === null);
    const applied =
      change.kind === 'read' ? previous !== null : state !== previous || isSet || number !== null;
    isWritten ||= applied && change.kind !== 'read';
    const isTold = change.kind !== 'append' && change.kind !== 'increment';
    told.push({
      applied,
      previous: isTold || previous === null ? previous : undefined,
      number,
      length: state?.length ?? 0,
      expiresAt: 0,
    });
  }
  if (before === null && state === null) isWritten = false;
  return { state, outcome: { kind: isWritten ? 'modified' : 'unchanged', told } };
}
