/**
 * Lists of changes to a key, as a client requests them and is told of them, and their effect on a single copy. Written
 * independently of the cluster's rules (src/core/modify), more plainly and over strings.
 */
import { unreachable } from '../../src/base/assert.ts';
import type { Expiry } from './history.ts';

export type HistoryChange =
  | { readonly kind: 'read' }
  | {
      readonly kind: 'set';
      readonly value: string;
      readonly condition: 'always' | 'ifAbsent' | 'ifPresent';
      /** Milliseconds since 1970; 0 means never. */
      readonly expiresAt: number | 'keep';
    }
  | { readonly kind: 'append'; readonly value: string }
  | { readonly kind: 'increment'; readonly delta: bigint }
  | { readonly kind: 'remove' }
  | {
      readonly kind: 'expire';
      readonly expiresAt: number;
      readonly condition: 'always' | 'ifNone' | 'ifSome';
    }
  | { readonly kind: 'persist' };

export interface HistoryTold {
  readonly applied: boolean;
  /** The previous value; null if there was none; undefined if there was one that the client was not told. */
  readonly previous: string | null | undefined;
  /** The result of an increment. */
  readonly number: bigint | null;
  /** Length of the value after the change; 0 if there is none. */
  readonly length: number;
  readonly expiresAt: number;
}

export interface Held {
  /** Null if absent. */
  readonly value: string | null;
  readonly expiry: Expiry | null;
}

export interface Modified {
  readonly held: Held;
  readonly isChanged: boolean;
  /** Like `isChanged`, but also true if a change set an expiry that the value perhaps already had. */
  readonly mayBeChanged: boolean;
  /** Some change asked for the key to be gone: where legacy may bring it back, that is written, too. */
  readonly isRemoved: boolean;
}

/**
 * Null if the client cannot have been told this. `told` is null if nobody was told. `sum` computes an increment.
 * `wallHighest` is the highest that any clock may have shown; an expiry that had passed by then deletes the key.
 */
export function modified(
  changes: readonly HistoryChange[],
  told: readonly HistoryTold[] | null,
  from: Held,
  sum: (value: string | null, delta: bigint) => bigint | null,
  wallHighest = -Infinity,
): Modified | null {
  if (told !== null && told.length !== changes.length) return null;
  let held = from;
  let isChanged = false;
  let mayBeChanged = false;
  let isRemoved = false;
  for (const [index, change] of changes.entries()) {
    const word = told === null ? null : told[index]!;
    const isGone = word?.applied === true && word.length === 0 && timeOf(change) <= wallHighest;
    const next = isGone ? GONE : step(change, held, sum);
    const after = word === null ? unseen(next.held, change) : seenAs(next, held, word);
    if (after === null) return null;
    mayBeChanged ||= next.isChanged;
    isChanged ||= next.isChanged && !isSameTime(change, held);
    isRemoved ||= isGone || change.kind === 'remove';
    held = after;
  }
  // A value that came and went within the list was never there.
  const wasThere = from.value !== null || held.value !== null;
  return { held, isChanged: isChanged && wasThere, mayBeChanged: mayBeChanged && wasThere, isRemoved };
}

interface Step {
  readonly held: Held;
  readonly applied: boolean;
  readonly isChanged: boolean;
}

const GONE: Step = { held: { value: null, expiry: null }, applied: true, isChanged: true };

function step(
  change: HistoryChange,
  held: Held,
  sum: (value: string | null, delta: bigint) => bigint | null,
): Step {
  const { value, expiry } = held;
  const refused = { held, applied: false, isChanged: false };
  const made = (next: Held): Step => ({ held: next, applied: true, isChanged: true });
  switch (change.kind) {
    case 'read':
      return { held, applied: value !== null, isChanged: false };
    case 'set': {
      if (change.condition !== 'always' && (value === null) !== (change.condition === 'ifAbsent'))
        return refused;
      const kept = value === null ? null : expiry;
      return made({
        value: change.value,
        expiry: change.expiresAt === 'keep' ? kept : expiryAt(change.expiresAt),
      });
    }
    case 'append':
      return made({ value: (value ?? '') + change.value, expiry: value === null ? null : expiry });
    case 'increment': {
      const next = sum(value, change.delta);
      return next === null ? refused : made({ value: String(next), expiry: value === null ? null : expiry });
    }
    case 'remove':
      return value === null ? refused : made({ value: null, expiry: null });
    case 'expire': {
      const isMet = change.condition === 'always' || (expiry === null) === (change.condition === 'ifNone');
      if (value === null || !isMet) return refused;
      const isExact = expiry !== null && expiry.from === expiry.by && expiry.from === change.expiresAt;
      return { ...made({ value, expiry: expiryAt(change.expiresAt) }), isChanged: !isExact };
    }
    case 'persist':
      return value === null || expiry === null ? refused : made({ value, expiry: null });
    default:
      return unreachable(change);
  }
}

function isSameTime(change: HistoryChange, { expiry }: Held): boolean {
  if (change.kind !== 'expire' || expiry === null) return false;
  return change.expiresAt >= expiry.from && change.expiresAt <= expiry.by;
}

/** When the change makes the value expire; Infinity if it does not. */
function timeOf(change: HistoryChange): number {
  const at = change.kind === 'set' || change.kind === 'expire' ? change.expiresAt : 0;
  return at === 'keep' || at === 0 ? Infinity : at;
}

/**
 * Nobody was told whether the time had passed by the clock that judged it; if so, the key is deleted at once and for
 * good.
 */
function unseen(held: Held, change: HistoryChange): Held {
  const at = timeOf(change);
  return held.expiry?.from === at ? { value: held.value, expiry: { from: at, by: Infinity } } : held;
}

function expiryAt(at: number): Expiry | null {
  return at === 0 ? null : { from: at, by: at };
}

/** The value with the expiry that the client was told; null if it cannot have been told this. */
function seenAs({ held, applied }: Step, before: Held, told: HistoryTold): Held | null {
  const { value, expiry } = held;
  if (told.applied !== applied || told.length !== (value ?? '').length) return null;
  if (told.previous === undefined ? before.value === null : told.previous !== before.value) return null;
  if (told.number !== null && String(told.number) !== value) return null;
  if (value === null || expiry === null) return told.expiresAt === 0 ? held : null;
  if (told.expiresAt < expiry.from || told.expiresAt > expiry.by) return null;
  return { value, expiry: expiryAt(told.expiresAt) };
}

/** What the list adds to a number, if it does not change the text otherwise; null if it does. */
export function deltaOf(changes: readonly HistoryChange[]): bigint | null {
  let delta: bigint | null = null;
  for (const change of changes) {
    if (change.kind === 'increment') delta = (delta ?? 0n) + change.delta;
    else if (change.kind !== 'read' && change.kind !== 'expire' && change.kind !== 'persist') return null;
  }
  return delta;
}

/** The value before the list, if its client was told; undefined if not. */
export function foundBy(
  [change]: readonly HistoryChange[],
  [first]: readonly HistoryTold[],
): string | null | undefined {
  const { previous, number } = first!;
  if (previous !== undefined || change!.kind !== 'increment' || number === null) return previous;
  return String(number - change!.delta);
}

/** For a list that sets a value: the value that it leaves, and what must stand for that. Null if it sets none. */
export function settledBy(
  changes: readonly HistoryChange[],
  sum: (value: string | null, delta: bigint) => bigint | null,
): { readonly value: string | null; readonly needs: 'nothing' | 'absence' | 'any' } | null {
  const at = changes.findIndex((change) => change.kind === 'set');
  const set = changes[at];
  if (set === undefined || set.kind !== 'set') return null;
  const isRemovedBefore = changes.slice(0, at).some((change) => change.kind === 'remove');
  const end = modified(
    changes.slice(at),
    null,
    { value: set.condition === 'ifPresent' ? '' : null, expiry: null },
    sum,
  );
  const needs = set.condition === 'ifAbsent' ? 'absence' : 'any';
  const isFree = set.condition === 'always' || (isRemovedBefore && set.condition === 'ifAbsent');
  return { value: end!.held.value, needs: isFree ? 'nothing' : needs };
}

/** `value` without what the list appends to it; undefined if the value does not end with that. */
export function withoutAppended(changes: readonly HistoryChange[], value: string): string | undefined {
  const added = changes.map((change) => (change.kind === 'append' ? change.value : '')).join('');
  return added !== '' && value.endsWith(added) ? value.slice(0, value.length - added.length) : undefined;
}

/** Whether the list may leave a value that expires. */
export function endsTime(changes: readonly HistoryChange[]): boolean {
  return changes.some((change) => timeOf(change) !== Infinity);
}

/** Whether the list may leave a value that keeps the previous expiry. */
export function keepsTime(changes: readonly HistoryChange[]): boolean {
  return changes.some((change) => change.kind === 'set' && change.expiresAt === 'keep');
}

export function describeChanges(changes: readonly HistoryChange[]): string {
  return changes
    .map((change) =>
      Object.values(change)
        .map((each) => String(each))
        .join(' '),
    )
    .join(', ');
}

export function describeTold(told: readonly HistoryTold[]): string {
  return told
    .map(({ applied, previous, number, length, expiresAt }) => {
      const was = previous === undefined ? '' : ` was ${previous ?? 'absent'}`;
      return `${applied ? 'applied' : 'refused'}${was} now ${number ?? `${length} bytes`}${expiresAt === 0 ? '' : ` until ${expiresAt}`}`;
    })
    .join(', ');
}
