/**
 * One key as a sequential object: what each call does to a state and whether an outcome fits it. States are
 * interned as small numbers, so that the search compares and hashes integers.
 */
import { assert, unreachable } from '../../src/base/assert.ts';
import type { HistoryExpectation, HistoryOperation } from './history.ts';

interface ModelState {
  /** null: absent. */
  readonly value: string | null;
  /** null: nobody was told, and it may be any. */
  readonly version: number | null;
  /** Nothing ever stood here, so a fill may. Told apart from a deletion only in histories that have fills. */
  readonly untouched: boolean;
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
   * Where a write leads that leads there from any state it can happen in: saves building the mark each
   * time.
   */
  private readonly targets = new Map<HistoryOperation, number>();
  private readonly hasFills: boolean;

  constructor(hasFills: boolean) {
    this.hasFills = hasFills;
  }

  initial(value: string | null): number {
    return this.intern(value, null, value === null);
  }

  valueOf(state: number): string | null {
    return this.states[state]!.value;
  }

  /** The state after `operation` with the outcome its client was told, or IMPOSSIBLE. */
  apply(operation: HistoryOperation, state: number): number {
    const { call, outcome } = operation;
    const { value, version } = this.states[state]!;
    switch (outcome.kind) {
      case 'value': {
        const versionFits = outcome.version === undefined || version === null || outcome.version === version;
        return outcome.value === value && versionFits ? state : IMPOSSIBLE;
      }
      case 'conditionFailed':
        assert(
          call.kind === 'compareAndPut' || call.kind === 'compareAndDelete',
          'only a condition can fail',
        );
        if (outcome.current !== undefined && outcome.current !== value) return IMPOSSIBLE;
        return this.expectation(call.expect, state) === 'holds' ? IMPOSSIBLE : state;
      case 'notAnInteger':
        assert(call.kind === 'increment', 'only an increment needs an integer');
        return incremented(value, call.delta) === null ? state : IMPOSSIBLE;
      case 'done':
        return this.effect(operation, state);
      case 'indefinite':
      case 'definiteFailure':
        throw new Error('an operation of unknown outcome has an effect, but no outcome to fit');
      default:
        return unreachable(outcome);
    }
  }

  /** The state after `operation` takes effect, or IMPOSSIBLE where its condition does not hold. */
  effect(operation: HistoryOperation, state: number): number {
    const { call, outcome } = operation;
    const version = outcome.kind === 'done' ? (outcome.version ?? null) : null;
    switch (call.kind) {
      case 'put':
        return this.target(operation, call.value, version);
      case 'delete':
        return this.target(operation, null, null);
      case 'compareAndPut':
        return this.expectation(call.expect, state) === 'fails'
          ? IMPOSSIBLE
          : this.target(operation, call.value, version);
      case 'compareAndDelete':
        return this.expectation(call.expect, state) === 'fails'
          ? IMPOSSIBLE
          : this.target(operation, null, null);
      case 'increment': {
        const next = incremented(this.states[state]!.value, call.delta);
        const told = outcome.kind === 'done' ? outcome.number : undefined;
        if (next === null || (told !== undefined && told !== next)) return IMPOSSIBLE;
        return this.intern(String(next), version, false);
      }
      case 'fill':
        return this.states[state]!.untouched ? this.target(operation, call.value, version) : IMPOSSIBLE;
      case 'get':
        return state;
      default:
        return unreachable(call);
    }
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

  private target(operation: HistoryOperation, value: string | null, version: number | null): number {
    let target = this.targets.get(operation);
    if (target === undefined) {
      target = this.intern(value, version, false);
      this.targets.set(operation, target);
    }
    return target;
  }

  private intern(value: string | null, version: number | null, untouched: boolean): number {
    const mark =
      value !== null ? `=${version ?? ''}=${value}` : untouched && this.hasFills ? 'untouched' : 'absent';
    const known = this.ids.get(mark);
    if (known !== undefined) return known;
    const id = this.states.length;
    this.states.push({ value, version, untouched: untouched && this.hasFills });
    this.ids.set(mark, id);
    return id;
  }
}

/** null where the value is no integer or the sum would leave 64 bits. */
export function incremented(value: string | null, delta: bigint): bigint | null {
  if (value !== null && !INTEGER.test(value)) return null;
  const sum = BigInt(value ?? '0') + delta;
  return sum > INTEGER_MAX || sum < INTEGER_MIN ? null : sum;
}

/** Does the outcome show that the call changed nothing? Then its place matters only for what it saw. */
export function isObservation(operation: HistoryOperation): boolean {
  const { kind } = operation.outcome;
  return kind === 'value' || kind === 'conditionFailed' || kind === 'notAnInteger';
}
