/**
 * Calls of which nobody knows whether they happened, thinned out before the search, because each doubles it.
 * Alike calls are interchangeable, so only how many of them took effect counts; and a call whose effect no
 * outcome can show need never have happened.
 */
import type { HistoryCall, HistoryExpectation, HistoryOperation, HistoryOutcome } from './history.ts';
import { expiryOf, incremented } from './model.ts';
import { foundBy } from './modifications.ts';

/** Two integers of at most so many digits never add up to more than 64 bits. */
const SMALL_DIGITS = 15;
/** More than integers of 64 bits and sums of them lose when they are rounded. */
const ROUNDING_SHARE = 2 ** -48;

/** Calls that are alike in kind and arguments. */
export interface IndefiniteGroup {
  readonly operation: HistoryOperation;
  /** When each was invoked, ascending: by time t as many may have taken effect as were invoked by then. */
  readonly invokedAt: number[];
  /** Once the last call that can tell has returned, another effect of the group explains nothing. */
  readonly usefulUntil: number;
  /**
   * Of a delete, and of a put whose time ends: when the last call returns that may have seen the value itself. From
   * then on it explains absence alone. Infinity for all others.
   */
  readonly valueUsefulUntil: number;
}

export function groupIndefinite(
  operations: readonly HistoryOperation[],
  witnesses: Witnesses,
): IndefiniteGroup[] {
  const groups = new Map<string, IndefiniteGroup>();
  const byInvocation = operations
    .filter((operation) => operation.outcome.kind === 'indefinite' && operation.call.kind !== 'get')
    .sort((a, b) => a.invokedAt - b.invokedAt);
  for (const operation of byInvocation) {
    const usefulUntil = witnesses.lastOf(operation);
    if (usefulUntil < operation.invokedAt) continue;
    const mark = JSON.stringify(operation.call, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    const group = groups.get(mark);
    if (group === undefined) {
      const valueUsefulUntil = witnesses.lastOfValue(operation);
      groups.set(mark, { operation, invokedAt: [operation.invokedAt], usefulUntil, valueUsefulUntil });
    } else group.invokedAt.push(operation.invokedAt);
  }
  return [...groups.values()];
}

interface SeenInteger {
  /** Rounded. */
  readonly value: number;
  readonly until: number;
}

/** Until when which state could make a difference to somebody. Rather too long than too short. */
export class Witnesses {
  private readonly lastByValue = new Map<string | null, number>();
  /** What indefinite increments together may have added to a value before it was seen. */
  private addedLeast = 0n;
  private addedMost = 0n;
  private isAnyAdded = false;
  /** The integers that were seen, in order; null until somebody asks. */
  private integers: readonly SeenInteger[] | null = null;
  private lastOfValues = -Infinity;
  private lastOfAny = -Infinity;
  private lastOfIntegers = -Infinity;
  private lastOfTexts = -Infinity;

  constructor(operations: readonly HistoryOperation[]) {
    for (const operation of operations) this.note(operation);
  }

  /** When the last call returns that could tell whether the effect of `operation` ever stood. */
  lastOf(operation: HistoryOperation): number {
    const { call } = operation;
    if (call.kind === 'increment' || call.kind === 'modify')
      return Math.max(this.lastOfAny, this.lastOfIntegers, this.lastOfTexts, this.lastOfValues);
    const value = 'value' in call ? call.value : null;
    let last = Math.max(this.lastOfAny, this.lastByValue.get(value) ?? -Infinity);
    // Its absence is seen, too, and whoever counts from nothing may count from there.
    if (expiryOf(call) !== null)
      last = Math.max(last, this.lastByValue.get(null) ?? -Infinity, this.lastCountedFrom(null));
    if (incremented(value, 0n) !== null) last = Math.max(last, this.lastCountedFrom(value));
    if (value !== null && (value.length > SMALL_DIGITS || incremented(value, 0n) === null))
      last = Math.max(last, this.lastOfTexts);
    return last;
  }

  lastOfValue({ call }: HistoryOperation): number {
    if (call.kind === 'delete') return -Infinity;
    if (call.kind !== 'put' || call.expiry === undefined) return Infinity;
    const { value } = call;
    const last = Math.max(this.lastOfAny, this.lastByValue.get(value) ?? -Infinity);
    return incremented(value, 0n) === null ? last : Math.max(last, this.lastOfSums(value));
  }

  /** Of an integer, or of absence: whoever counted from it and was told no number, or a sum that was seen. */
  private lastCountedFrom(value: string | null): number {
    return Math.max(this.lastOfIntegers, this.lastOfSums(value));
  }

  /** Which values that were seen it may have become by what was added, as far as anybody knows. */
  private lastOfSums(value: string | null): number {
    if (!this.isAnyAdded) return -Infinity;
    const from = Number(value ?? 0);
    const margin = ROUNDING_SHARE * (Math.abs(from) + Number(this.addedMost - this.addedLeast));
    const most = from + Number(this.addedMost) + margin;
    const integers = this.integersInOrder();
    let last = -Infinity;
    let at = firstFrom(integers, from + Number(this.addedLeast) - margin);
    for (; at < integers.length && integers[at]!.value <= most; at += 1)
      last = Math.max(last, integers[at]!.until);
    return last;
  }

  private integersInOrder(): readonly SeenInteger[] {
    if (this.integers !== null) return this.integers;
    const integers: SeenInteger[] = [];
    for (const [seen, until] of this.lastByValue)
      if (seen !== null && incremented(seen, 0n) !== null) integers.push({ value: Number(seen), until });
    return (this.integers = integers.sort((a, b) => a.value - b.value));
  }

  private note(operation: HistoryOperation): void {
    const { call, outcome } = operation;
    if (outcome.kind === 'definiteFailure') return;
    const until = outcome.kind === 'indefinite' ? Infinity : operation.returnedAt;
    if (outcome.kind === 'value') this.noteValue(outcome.value, until);
    else if (outcome.kind === 'conditionFailed' && outcome.current !== undefined)
      this.noteValue(outcome.current, until);
    else if (outcome.kind === 'conditionFailed') this.lastOfAny = Math.max(this.lastOfAny, until);
    else if (outcome.kind === 'notAnInteger') this.noteRefusal(call, until);
    else if (call.kind === 'modify') this.noteModification(call, outcome, until);
    else if (call.kind === 'increment') this.noteIncrement(call.delta, outcome, until);
    else if (call.kind === 'compareAndPut' || call.kind === 'compareAndDelete')
      this.noteExpectation(call.expect, until);
  }

  /** What it found tells; if nobody was told, only a removal, and what needs absence, say what they would make of it. */
  private noteModification(
    { changes }: HistoryCall & { kind: 'modify' },
    outcome: HistoryOutcome,
    until: number,
  ): void {
    const isTold = outcome.kind === 'modified' || outcome.kind === 'unchanged';
    const found = isTold ? foundBy(changes, outcome.told) : undefined;
    const [first] = changes;
    const needsAbsence = first!.kind === 'set' && first!.condition === 'ifAbsent';
    if (found !== undefined) this.noteValue(found, until);
    else if (changes.length === 1 && needsAbsence) this.noteValue(null, until);
    else if (first!.kind !== 'remove') this.lastOfAny = Math.max(this.lastOfAny, until);
  }

  private noteExpectation(expect: HistoryExpectation, until: number): void {
    if (expect.kind === 'version') this.lastOfAny = Math.max(this.lastOfAny, until);
    else this.noteValue(expect.kind === 'absent' ? null : expect.value, until);
  }

  /** Refused was a text, or an integer of many digits, or by a delta of many digits anything. */
  private noteRefusal(call: HistoryCall, until: number): void {
    const smallDelta = call.kind === 'increment' && String(call.delta).length <= SMALL_DIGITS;
    if (smallDelta) this.lastOfTexts = Math.max(this.lastOfTexts, until);
    else this.lastOfAny = Math.max(this.lastOfAny, until);
  }

  /** The new number tells the old one. */
  private noteIncrement(delta: bigint, outcome: HistoryOutcome, until: number): void {
    if (outcome.kind !== 'done' || outcome.number === undefined) {
      this.isAnyAdded = true;
      if (delta < 0n) this.addedLeast += delta;
      else this.addedMost += delta;
      // One that perhaps never happened tells nothing of what it found: only what it made of that may have been seen.
      if (outcome.kind !== 'indefinite') this.lastOfIntegers = Math.max(this.lastOfIntegers, until);
      return;
    }
    const before = outcome.number - delta;
    this.noteValue(String(before), until);
    if (before === 0n) this.noteValue(null, until);
  }

  private noteValue(value: string | null, until: number): void {
    this.lastOfValues = Math.max(this.lastOfValues, until);
    this.lastByValue.set(value, Math.max(this.lastByValue.get(value) ?? -Infinity, until));
  }
}

/** The first place of a value that is no less. */
function firstFrom(integers: readonly SeenInteger[], least: number): number {
  let low = 0;
  let high = integers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (integers[middle]!.value < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
