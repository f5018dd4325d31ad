/**
 * One key as a sequential object: what each call does to a state, and whether an outcome is consistent with it. States
 * are interned as small numbers, so that the search compares and hashes integers.
 *
 * A value that may have expired can be seen in two ways: it may be called absent as soon as any node's clock has passed
 * its time, and must be once all have. In between nothing is promised, not even an order.
 */
import { assert, unreachable } from '../../src/base/assert.ts';
import type { Expiry, HistoryCall, HistoryExpectation, HistoryOperation } from './history.ts';
import { foundBy, modified } from './modifications.ts';

interface ModelState {
  /** Null if absent. */
  readonly value: string | null;
  /** Null if nobody was told; then it may be any version. */
  readonly version: number | null;
  /** Nothing ever stood here, so a fill may. Distinguished from a deletion only in histories with fills. */
  readonly untouched: boolean;
  /** Where versions give the order: the highest version that led here, below which nothing may follow; otherwise 0. */
  readonly floor: number;
  /** When the value expires; null if it does not. */
  readonly expiry: Expiry | null;
  /** A list with only this state, for when it can be seen in one way only. */
  readonly alone: readonly number[];
  /** The state after its expiry; -1 if not computed yet. */
  absence: number;
  /** The value as an integer, null if it is none; undefined if not computed yet. */
  integer: bigint | null | undefined;
}

/** "This cannot have happened in that state." */
export const IMPOSSIBLE = -1;

const INTEGER = /^(0|-?[1-9]\d{0,18})$/;
const INTEGER_MAX = 2n ** 63n - 1n;
const INTEGER_MIN = -(2n ** 63n);

export class KeyModel {
  private readonly states: ModelState[] = [];
  private readonly ids = new Map<string, number>();
  /**
   * The target state of writes that lead to the same one from any state in which they can happen; saves building the
   * mark each time.
   */
  private readonly targets = new Map<HistoryOperation, number>();
  private readonly hasFills: boolean;
  private readonly isOrdered: boolean;

  /** `isOrdered`: versions order the operations that have one. */
  constructor(hasFills: boolean, isOrdered: boolean) {
    this.hasFills = hasFills;
    this.isOrdered = isOrdered;
  }

  initial(value: string | null): number {
    return this.intern(value, null, value === null, 0, null);
  }

  valueOf(state: number): string | null {
    return this.states[state]!.value;
  }

  /** Whether the key is absent, or may be expired by some clock. */
  isOverBy(state: number, wallHighest: number): boolean {
    const { value, expiry } = this.states[state]!;
    return value === null || (expiry !== null && expiry.from <= wallHighest);
  }

  absenceAfter(state: number): number {
    const from = this.states[state]!;
    if (from.absence < 0) from.absence = this.intern(null, null, false, from.floor, null);
    return from.absence;
  }

  /**
   * The ways in which a node may see the state during `operation`: as it is, as absent because it has expired, or
   * either. For a loss, what it may leave.
   */
  views({ call, wall, outcome }: HistoryOperation, state: number): readonly number[] {
    if (call.kind === 'loss')
      return call.left.map(({ value, version, untouched, expiry }) =>
        this.intern(value, version, untouched, version, expiry),
      );
    const { expiry, alone } = this.states[state]!;
    if (expiry === null) return alone;
    const isKnown = wall !== undefined && outcome.kind !== 'indefinite';
    const isLive = !isKnown || wall.lowest < expiry.by;
    const isOver = !isKnown || wall.highest >= expiry.from;
    if (!isOver) return alone;
    const absent = this.absenceAfter(state);
    return isLive ? [state, absent] : [absent];
  }

  /** Whether an observation is explained by some way to see the state. */
  fits(operation: HistoryOperation, state: number): boolean {
    for (const view of this.views(operation, state))
      if (this.apply(operation, view) !== IMPOSSIBLE) return true;
    return false;
  }

  /**
   * An observation saw a version; the present state has a value whose version nobody was told. Returns the state with
   * that version if it may be the present one, else IMPOSSIBLE. Only where versions give the order.
   */
  known(operation: HistoryOperation, version: number, state: number): number {
    const seen = valueSeen(operation);
    const present = this.states[state]!;
    if (present.version !== null || present.value === null || present.value !== seen) return IMPOSSIBLE;
    if (version < present.floor) return IMPOSSIBLE;
    return this.intern(present.value, version, false, version, present.expiry);
  }

  /** The state after `operation` with the outcome that its client was told, or IMPOSSIBLE. */
  apply(operation: HistoryOperation, state: number): number {
    const { call, outcome } = operation;
    const { value } = this.states[state]!;
    switch (outcome.kind) {
      case 'value':
        if (outcome.value !== value || !this.isVersion(outcome.version, state)) return IMPOSSIBLE;
        return this.isExpiry(outcome.expiresAt, state) ? state : IMPOSSIBLE;
      case 'conditionFailed':
        assert(
          call.kind === 'compareAndPut' || call.kind === 'compareAndDelete',
          'only a condition can fail',
        );
        if (outcome.current !== undefined && outcome.current !== value) return IMPOSSIBLE;
        if (!this.isVersion(outcome.version, state)) return IMPOSSIBLE;
        return this.expectation(call.expect, state) === 'holds' ? IMPOSSIBLE : state;
      case 'notAnInteger':
        assert(call.kind === 'increment', 'only an increment needs an integer');
        return this.incremented(state, call.delta) === null ? state : IMPOSSIBLE;
      case 'unchanged':
        return this.isVersion(outcome.version, state) ? this.effect(operation, state) : IMPOSSIBLE;
      case 'done':
      case 'modified':
        return this.effect(operation, state);
      case 'indefinite':
      case 'definiteFailure':
        throw new Error('an operation of unknown outcome has an effect, but no outcome to fit');
      default:
        return unreachable(outcome);
    }
  }

  /** The state after `operation` takes effect, or IMPOSSIBLE if its condition does not hold. */
  effect(operation: HistoryOperation, state: number): number {
    const { call, outcome } = operation;
    const isTold = outcome.kind === 'done' || outcome.kind === 'modified';
    const version = isTold ? (outcome.version ?? null) : null;
    const { floor, expiry } = this.states[state]!;
    if (this.isOrdered && version !== null && version < floor) return IMPOSSIBLE;
    switch (call.kind) {
      case 'put':
        return this.target(operation, call.value, version, floor);
      case 'delete':
        return this.target(operation, null, version, floor);
      case 'compareAndPut':
        return this.expectation(call.expect, state) === 'fails'
          ? IMPOSSIBLE
          : this.target(operation, call.value, version, floor);
      case 'compareAndDelete':
        return this.expectation(call.expect, state) === 'fails'
          ? IMPOSSIBLE
          : this.target(operation, null, version, floor);
      case 'increment': {
        const next = this.incremented(state, call.delta);
        const told = outcome.kind === 'done' ? outcome.number : undefined;
        if (next === null || (told !== undefined && told !== next)) return IMPOSSIBLE;
        return this.intern(String(next), version, false, version ?? floor, expiry);
      }
      case 'modify':
        return this.modification(operation, version, state);
      case 'fill':
        return this.states[state]!.untouched
          ? this.target(operation, call.value, version, floor)
          : IMPOSSIBLE;
      // Each of its views is one possible remainder.
      case 'loss':
      case 'get':
        return state;
      default:
        return unreachable(call);
    }
  }

  /**
   * A modification that changes nothing leaves the state as it is; if its outcome is unknown, it need not have happened
   * then.
   */
  private modification(
    { call, outcome, wall }: HistoryOperation,
    version: number | null,
    state: number,
  ): number {
    assert(call.kind === 'modify', 'only a modification has changes');
    const { floor, untouched } = this.states[state]!;
    const told = outcome.kind === 'modified' || outcome.kind === 'unchanged' ? outcome.told : null;
    const next = modified(call.changes, told, this.states[state]!, incremented, wall?.highest);
    if (next === null) return IMPOSSIBLE;
    const { held, isChanged, mayBeChanged, isRemoved } = next;
    // The removal of an absent key is written only if legacy might bring the key back.
    const mayWrite = mayBeChanged || isRemoved;
    if (outcome.kind === 'unchanged') return isChanged || (isRemoved && untouched) ? IMPOSSIBLE : state;
    if (outcome.kind === 'modified' && !mayWrite) return IMPOSSIBLE;
    if (!mayWrite) return state;
    const isSame = !mayBeChanged && !untouched && outcome.kind !== 'modified';
    return isSame ? state : this.intern(held.value, version, false, version ?? floor, held.expiry);
  }

  /** Cached, because parsing the digits is most of the work. */
  private incremented(state: number, delta: bigint): bigint | null {
    const from = this.states[state]!;
    if (from.integer === undefined) from.integer = integerOf(from.value);
    return from.integer === null ? null : sumOf(from.integer, delta);
  }

  private expectation(expect: HistoryExpectation, state: number): 'holds' | 'fails' | 'unknown' {
    const { value, version } = this.states[state]!;
    switch (expect.kind) {
      case 'absent':
        return value === null ? 'holds' : 'fails';
      case 'value':
        return value === expect.value ? 'holds' : 'fails';
      case 'version':
        if (value === null) return 'fails';
        if (version === null) return 'unknown';
        return version === expect.version ? 'holds' : 'fails';
      default:
        return unreachable(expect);
    }
  }

  private isVersion(told: number | undefined, state: number): boolean {
    const { version } = this.states[state]!;
    return told === undefined || told === version || (version === null && !this.isOrdered);
  }

  private isExpiry(told: number | undefined, state: number): boolean {
    const { expiry, value } = this.states[state]!;
    if (told === undefined || value === null) return true;
    return expiry === null ? told === 0 : told >= expiry.from && told <= expiry.by;
  }

  private target(
    operation: HistoryOperation,
    value: string | null,
    version: number | null,
    floor: number,
  ): number {
    const expiry = expiryOf(operation.call);
    if (this.isOrdered && version === null) return this.intern(value, null, false, floor, expiry);
    let target = this.targets.get(operation);
    if (target === undefined) {
      target = this.intern(value, version, false, version ?? 0, expiry);
      this.targets.set(operation, target);
    }
    return target;
  }

  private intern(
    value: string | null,
    version: number | null,
    untouched: boolean,
    floor: number,
    expiry: Expiry | null,
  ): number {
    const isUntouched = untouched && this.hasFills;
    const least = this.isOrdered ? floor : 0;
    // An absence has no version that a reader could be told.
    const shown = value === null ? null : version;
    const mark =
      value !== null
        ? `=${version ?? ''}=${least}=${expiry === null ? '' : `${expiry.from}-${expiry.by}`}=${value}`
        : `${isUntouched ? 'untouched' : 'absent'}${least}`;
    const known = this.ids.get(mark);
    if (known !== undefined) return known;
    const id = this.states.length;
    this.states.push({
      ...{ value, version: shown, untouched: isUntouched, floor: least, expiry, alone: [id] },
      ...{ absence: -1, integer: undefined },
    });
    this.ids.set(mark, id);
    return id;
  }
}

/** When the value that the call writes expires; null if it does not. */
export function expiryOf(call: HistoryCall): Expiry | null {
  return call.kind === 'put' || call.kind === 'compareAndPut' ? (call.expiry ?? null) : null;
}

/** What an observation found; undefined if nobody was told. */
function valueSeen({ call, outcome }: HistoryOperation): string | null | undefined {
  if (outcome.kind === 'unchanged')
    return call.kind === 'modify' ? foundBy(call.changes, outcome.told) : undefined;
  if (outcome.kind === 'conditionFailed') return outcome.current;
  return outcome.kind === 'value' ? outcome.value : undefined;
}

/** Null if the value is not an integer or the sum would exceed 64 bits. */
export function incremented(value: string | null, delta: bigint): bigint | null {
  const integer = integerOf(value);
  return integer === null ? null : sumOf(integer, delta);
}

/** Absence counts as 0. */
function integerOf(value: string | null): bigint | null {
  if (value === null) return 0n;
  return INTEGER.test(value) ? BigInt(value) : null;
}

function sumOf(integer: bigint, delta: bigint): bigint | null {
  const sum = integer + delta;
  return sum > INTEGER_MAX || sum < INTEGER_MIN ? null : sum;
}

/** Whether the outcome shows that the call changed nothing; then its place matters only for what it saw. */
export function isObservation(operation: HistoryOperation): boolean {
  const { kind } = operation.outcome;
  return kind === 'value' || kind === 'unchanged' || kind === 'conditionFailed' || kind === 'notAnInteger';
}
