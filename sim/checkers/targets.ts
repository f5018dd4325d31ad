/**
 * Which states are worth reaching by calls that may never have happened. Where versions give the order, the next
 * operation to be placed is known, and with it the value that it needs. An indefinite call helps only if it leads to
 * such a value, by itself or through further indefinite conditions and increments; everything else need not have
 * happened yet. Errs on the side of calling too many states useful.
 */
import type { HistoryCall, HistoryOperation } from './history.ts';
import type { IncrementSums } from './increment-sums.ts';
import type { IndefiniteGroup } from './indefinite.ts';
import { expiryOf, incremented, type KeyModel } from './model.ts';
import { endsTime, foundBy, keepsTime, settledBy, withoutAppended } from './modifications.ts';
import type { HistoryChange } from './modifications.ts';

/** 'any': the operation fits many states. 'none': it fits all, and needs nothing to have happened. */
export type Wanted = { readonly value: string | null } | 'any' | 'none';

/** The values that must stand for the operation to have had its outcome. */
export function wantedBy(operation: HistoryOperation): readonly Wanted[] {
  const { call, outcome } = operation;
  if (outcome.kind === 'value') return [{ value: outcome.value }];
  if (outcome.kind === 'conditionFailed')
    return [outcome.current === undefined ? 'any' : { value: outcome.current }];
  if (call.kind === 'modify') {
    const isTold = outcome.kind === 'modified' || outcome.kind === 'unchanged';
    const found = isTold ? foundBy(call.changes, outcome.told) : undefined;
    return [found === undefined ? 'any' : { value: found }];
  }
  if (call.kind === 'put' || call.kind === 'delete' || call.kind === 'loss') return ['none'];
  if (outcome.kind !== 'done') return ['any'];
  if (call.kind === 'compareAndPut' || call.kind === 'compareAndDelete') {
    if (call.expect.kind === 'version') return ['any'];
    return [{ value: call.expect.kind === 'absent' ? null : call.expect.value }];
  }
  if (call.kind !== 'increment' || outcome.number === undefined) return ['any'];
  const before = outcome.number - call.delta;
  return before === 0n ? [{ value: '0' }, { value: null }] : [{ value: String(before) }];
}

const INTEGER = /^(0|-?[1-9]\d{0,18})$/;

/** The values from which calls that may have happened lead to a wanted one; every value, if `isAny`. */
export class Targets {
  private readonly values = new Set<string | null>();
  private readonly integers: bigint[] = [];
  private readonly isAny: boolean;
  private readonly sums: IncrementSums;
  private readonly known = new Map<string | null, boolean>();
  private readonly worthByState: (boolean | undefined)[] = [];
  /** Values to which calls that may have happened give an expiry. */
  private readonly ending: readonly string[] | 'any';

  constructor(wanted: readonly Wanted[], groups: readonly (IndefiniteGroup | null)[], sums: IncrementSums) {
    this.sums = sums;
    this.ending = endedBy(groups);
    let isAny = wanted.includes('any');
    for (const each of wanted) if (typeof each === 'object') this.add(each.value);
    for (let grown = true; grown && !isAny;) {
      grown = false;
      for (const group of groups) {
        const call = group?.operation.call;
        if (call?.kind === 'modify') {
          const sources = this.sourcesOf(call.changes);
          if (sources === 'any') isAny = true;
          else for (const source of sources) grown = this.add(source) || grown;
          continue;
        }
        if (call?.kind !== 'compareAndPut' && call?.kind !== 'compareAndDelete') continue;
        if (!this.leads(call.kind === 'compareAndPut' ? call.value : null) && !this.leadsExpired(call))
          continue;
        if (call.expect.kind === 'version') isAny = true;
        else if (this.add(call.expect.kind === 'absent' ? null : call.expect.value)) grown = true;
      }
    }
    this.isAny = isAny;
  }

  worth(value: string | null): boolean {
    return this.isAny || this.leads(value);
  }

  /** Like `worth`, for the value of a state. */
  isWorth(state: number, model: KeyModel): boolean {
    return (this.worthByState[state] ??= this.worth(model.valueOf(state)));
  }

  private sourcesOf(changes: readonly HistoryChange[]): readonly (string | null)[] | 'any' {
    // Any value may be given an expiry.
    if (endsTime(changes) && this.leads(null)) return 'any';
    const settled = settledBy(changes, incremented);
    if (settled !== null) {
      if (!this.leads(settled.value)) return [];
      if (settled.needs === 'any') return 'any';
      const needed = settled.needs === 'nothing' ? [] : [null];
      if (!keepsTime(changes)) return needed;
      // The previous value may have had the expiry that the new one keeps.
      return this.ending === 'any' ? 'any' : [...needed, ...this.ending];
    }
    const sources: (string | null)[] = [];
    for (const value of this.values) {
      const rest = value === null ? undefined : withoutAppended(changes, value);
      if (rest !== undefined) sources.push(rest === '' ? null : rest);
    }
    return sources;
  }

  private leadsExpired(call: HistoryCall): boolean {
    return expiryOf(call) !== null && this.leads(null);
  }

  private add(value: string | null): boolean {
    if (this.values.has(value)) return false;
    this.values.add(value);
    this.known.clear();
    if (value !== null && INTEGER.test(value)) this.integers.push(BigInt(value));
    return true;
  }

  private leads(value: string | null): boolean {
    if (this.values.has(value)) return true;
    if (this.integers.length === 0 || this.sums.count === 0) return false;
    let leads = this.known.get(value);
    if (leads === undefined) {
      leads = false;
      if (value === null || INTEGER.test(value)) {
        const from = value === null ? 0n : BigInt(value);
        leads = this.integers.some((to) => this.sums.reach(to - from));
      }
      this.known.set(value, leads);
    }
    return leads;
  }
}

function endedBy(groups: readonly (IndefiniteGroup | null)[]): readonly string[] | 'any' {
  const values: string[] = [];
  for (const group of groups) {
    const call = group?.operation.call;
    if (call?.kind === 'modify' && endsTime(call.changes)) {
      const settled = settledBy(call.changes, incremented);
      if (settled === null) return 'any';
      if (settled.value !== null) values.push(settled.value);
    } else if (call !== undefined && 'value' in call && expiryOf(call) !== null) values.push(call.value);
  }
  return values;
}
