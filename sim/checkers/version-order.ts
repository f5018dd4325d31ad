/**
 * Versions as witnesses. If every acknowledged write and every value read reports its version, the versions order all
 * writes of a key, and that order must agree with real time: what returned before something began has a lower version,
 * or for a read at most the same. Operations combined into one round share a version, one after another. A history that
 * breaks this breaks the protocol, even if some other order of the values would satisfy every client. After a loss the
 * versions start again from what is left of the key, and a number may be given to another value there.
 */
import type { HistoryOperation } from './history.ts';
import { betweenLosses } from './losses.ts';
import { isObservation } from './model.ts';

export interface Disorder {
  readonly operation: HistoryOperation;
  readonly reason: string;
}

/** The version that the operation wrote or saw, if its client was told. */
export function versionOf(operation: HistoryOperation): number | undefined {
  const { outcome } = operation;
  return 'version' in outcome ? outcome.version : undefined;
}

/** The first operation whose version contradicts real time, or whose value another read contradicts. */
export function findDisorder(history: readonly HistoryOperation[]): Disorder | null {
  // An operation that overlaps a loss may lie on either side of it.
  for (const within of betweenLosses(history)) {
    const disorder = findTimeDisorder(within) ?? findTwoValues(within);
    if (disorder !== null) return disorder;
  }
  return null;
}

function findTimeDisorder(history: readonly HistoryOperation[]): Disorder | null {
  const versioned = history.filter((operation) => versionOf(operation) !== undefined);
  const byReturn = [...versioned].sort((a, b) => a.returnedAt - b.returnedAt);
  let returned = 0;
  let highest: HistoryOperation | null = null;
  for (const operation of versioned.sort((a, b) => a.invokedAt - b.invokedAt)) {
    for (
      ;
      returned < byReturn.length && byReturn[returned]!.returnedAt < operation.invokedAt;
      returned += 1
    ) {
      const before = byReturn[returned]!;
      if (highest === null || versionOf(before)! > versionOf(highest)!) highest = before;
    }
    if (highest === null) continue;
    const version = versionOf(operation)!;
    const least = versionOf(highest)!;
    if (version > least || (version === least && isObservation(operation))) continue;
    const reason = `version ${version} follows version ${least} of client ${highest.client}, told at ${highest.returnedAt}`;
    return { operation, reason };
  }
  return null;
}

/** A version is one record: everyone who read it must have read the same value with the same expiry. */
function findTwoValues(history: readonly HistoryOperation[]): Disorder | null {
  const seen = new Map<number, { readonly value: string | null; readonly expiresAt: number | undefined }>();
  for (const operation of history) {
    const { outcome } = operation;
    if (outcome.kind !== 'value' || outcome.version === undefined) continue;
    const { value, expiresAt } = outcome;
    const known = seen.get(outcome.version);
    if (known === undefined) seen.set(outcome.version, { value, expiresAt });
    else if (known.value !== value)
      return { operation, reason: `version ${outcome.version} was read with two values` };
    else if (known.expiresAt !== expiresAt)
      return { operation, reason: `version ${outcome.version} was read with two times of expiry` };
  }
  return null;
}
