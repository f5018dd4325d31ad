/**
 * Calls of unknown outcome, reduced before the search, because each one doubles it. Equal calls are interchangeable, so
 * only the number of those that took effect matters; and a call whose effect no outcome can reveal need never have
 * happened.
 */
import type { HistoryCall, HistoryExpectation, HistoryOperation, HistoryOutcome } from './history.ts';
import { expiryOf, incremented } from './model.ts';
import { foundBy } from './modifications.ts';

/** The sum of two integers of at most this many digits never exceeds 64 bits. */
const SMALL_DIGITS = 15;
/** A bound on the relative error when integers of 64 bits and their sums are rounded. */
const ROUNDING_SHARE = 2 ** -48;

/** Calls with the same kind and arguments. */
export interface IndefiniteGroup {
  readonly operation: HistoryOperation;
  /** When each was invoked, ascending: at time t at most as many took effect as were invoked by then. */
  readonly invokedAt: number[];
  /** Once the last call that can tell has returned, another effect of the group explains nothing. */
  readonly usefulUntil: number;
  /**
   * For a delete, or a put that expires: when the last call returns that may have seen the value itself. From then on
   * the group explains only absence. Infinity for all others.
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

/** Until when each state could make a difference to some call. Errs on the side of too long. */
export class Witnesses {
  private readonly lastByValue = new Map<string | null, number>();
  /** The bounds of what indefinite increments together may have added to a value before it was seen. */
  private addedLeast = 0n;
  private addedMost = 0n;
  private isAnyAdded = false;
  /** The integers that were seen, sorted; null until they are needed. */
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
    // Its absence may be seen, too, and increments that count from nothing may start there.
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

  /**
   * For an integer or absence: when the last increment returns that may have started there and was told no number, or a
   * sum that was seen.
   */
  private lastCountedFrom(value: string | null): number {
    return Math.max(this.lastOfIntegers, this.lastOfSums(value));
  }

  /** When the last of the integers was seen that the value may have become by known possible increments. */
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

  /**
   * A told outcome shows what the modification found. Otherwise a removal says nothing, a set that needs absence shows
   * absence, and anything else may have found any value.
   */
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

  /**
   * An increment was refused because of a text, an integer of many digits or, with a delta of many digits, any value.
   */
  private noteRefusal(call: HistoryCall, until: number): void {
    const smallDelta = call.kind === 'increment' && String(call.delta).length <= SMALL_DIGITS;
    if (smallDelta) this.lastOfTexts = Math.max(this.lastOfTexts, until);
    else this.lastOfAny = Math.max(this.lastOfAny, until);
  }

  /** The new number reveals the old one. */
  private noteIncrement(delta: bigint, outcome: HistoryOutcome, until: number): void {
    if (outcome.kind !== 'done' || outcome.number === undefined) {
      this.isAnyAdded = true;
      if (delta < 0n) this.addedLeast += delta;
      else this.addedMost += delta;
      // An increment that may not have happened says nothing about what it found; only its result may have been seen.
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

/** The index of the first value that is not lower. */
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
