/**
 * Lists of changes to a key, as a client asks for them and is told of them, and what they do to a single copy: written
 * apart from the rules of the cluster, in plainer words and over texts. (src/core/modify)
 */
import { unreachable } from '../../src/base/assert.ts';
import type { Expiry } from './history.ts';

export type HistoryChange =
  | { readonly kind: 'read' }
  | {
      readonly kind: 'set';
      readonly value: string;
      readonly condition: 'always' | 'ifAbsent' | 'ifPresent';
      /** Milliseconds since 1970; 0: never. */
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
  /** What stood before; null: nothing; undefined: something, and the client was not told what. */
  readonly previous: string | null | undefined;
  /** Of an increment: what it made. */
  readonly number: bigint | null;
  /** Of what stands after it; 0 where that is nothing. */
  readonly length: number;
  readonly expiresAt: number;
}

export interface Held {
  /** null: absent. */
  readonly value: string | null;
  readonly expiry: Expiry | null;
}

export interface Modified {
  readonly held: Held;
  readonly isChanged: boolean;
  /** The same, but for who is given the end that stands perhaps already. */
  readonly mayBeChanged: boolean;
  /** Something asked that the key be gone: where legacy may bring it back, that is written, too. */
  readonly isRemoved: boolean;
}

/**
 * Null where the client cannot have been told this. `told` null: nobody was. `sum`: of an increment. `wallHighest`: what
 * any clock may have shown; an expiry whose time had passed deletes.
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
  // What came and went was never there.
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

/** When the change ends what stands; Infinity: it does not. */
function timeOf(change: HistoryChange): number {
  const at = change.kind === 'set' || change.kind === 'expire' ? change.expiresAt : 0;
  return at === 'keep' || at === 0 ? Infinity : at;
}

/** Nobody was told whether the time had passed by the clock that judged it, which deletes at once and for all. */
function unseen(held: Held, change: HistoryChange): Held {
  const at = timeOf(change);
  return held.expiry?.from === at ? { value: held.value, expiry: { from: at, by: Infinity } } : held;
}

function expiryAt(at: number): Expiry | null {
  return at === 0 ? null : { from: at, by: at };
}

/** What stands, with the end that the client was told of; null: it cannot have been told so. */
function seenAs({ held, applied }: Step, before: Held, told: HistoryTold): Held | null {
  const { value, expiry } = held;
  if (told.applied !== applied || told.length !== (value ?? '').length) return null;
  if (told.previous === undefined ? before.value === null : told.previous !== before.value) return null;
  if (told.number !== null && String(told.number) !== value) return null;
  if (value === null || expiry === null) return told.expiresAt === 0 ? held : null;
  if (told.expiresAt < expiry.from || told.expiresAt > expiry.by) return null;
  return { value, expiry: expiryAt(told.expiresAt) };
}

/** What the list adds to a number without doing anything else to its text; null: it does. */
export function deltaOf(changes: readonly HistoryChange[]): bigint | null {
  let delta: bigint | null = null;
  for (const change of changes) {
    if (change.kind === 'increment') delta = (delta ?? 0n) + change.delta;
    else if (change.kind !== 'read' && change.kind !== 'expire' && change.kind !== 'persist') return null;
  }
  return delta;
}

/** The value that stood before the list, where its client was told; undefined: it was not. */
export function foundBy(
  [change]: readonly HistoryChange[],
  [first]: readonly HistoryTold[],
): string | null | undefined {
  const { previous, number } = first!;
  if (previous !== undefined || change!.kind !== 'increment' || number === null) return previous;
  return String(number - change!.delta);
}

/** What a list leaves that sets a value, whatever stood before, and what must stand for it; null: it sets none. */
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

/** What is left of `value` without what the list appends to it; undefined: it does not end with that. */
export function withoutAppended(changes: readonly HistoryChange[], value: string): string | undefined {
  const added = changes.map((change) => (change.kind === 'append' ? change.value : '')).join('');
  return added !== '' && value.endsWith(added) ? value.slice(0, value.length - added.length) : undefined;
}

/** Where the list leaves a value whose time ends. */
export function endsTime(changes: readonly HistoryChange[]): boolean {
  return changes.some((change) => timeOf(change) !== Infinity);
}

/** Where the list leaves a value with the end of what stood before. */
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
