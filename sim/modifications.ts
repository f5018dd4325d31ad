/**
 * Lists of changes as simulated clients request them: those of single commands, and two at once. Most begin with one
 * that returns the previous value, so that the checker knows it. On counters all of them change only the number.
 */
import type { Prng } from '../src/base/prng.ts';
import type { HistoryCall } from './checkers/history.ts';
import type { HistoryChange } from './checkers/modifications.ts';

const DELTA_MAX = 10 ** 12;
/** By how many milliseconds an expiry may already have passed. */
const PASSED_MS_MAX = 50;

export class Modifications {
  private readonly prng: Prng;
  private readonly ttlMsMax: number;
  private readonly newValue: () => string;

  constructor(prng: Prng, ttlMsMax: number, newValue: () => string) {
    this.prng = prng;
    this.ttlMsMax = ttlMsMax;
    this.newValue = newValue;
  }

  chance(share: number): boolean {
    return share > 0 && this.prng.chance(share);
  }

  /** `wallNow` is the time of the slowest clock. */
  draw(key: string, wallNow: number): HistoryCall {
    const { prng } = this;
    const later = (): number => wallNow - PASSED_MS_MAX + prng.below(PASSED_MS_MAX + this.ttlMsMax);
    const lists = key.startsWith('count') ? this.onCounter(later) : this.onValue(later);
    return { kind: 'modify', changes: prng.pick(lists)() };
  }

  private onCounter(later: () => number): (() => HistoryChange[])[] {
    const { prng } = this;
    const increment = (): HistoryChange => ({ kind: 'increment', delta: BigInt(1 + prng.below(DELTA_MAX)) });
    return [
      () => [increment(), increment()],
      () => [{ kind: 'read' }, increment()],
      () => [{ kind: 'read' }, increment(), increment()],
      () => [increment(), { kind: 'expire', expiresAt: later(), condition: 'ifNone' }],
    ];
  }

  private onValue(later: () => number): (() => HistoryChange[])[] {
    const { prng } = this;
    const set = (
      condition: 'always' | 'ifAbsent' | 'ifPresent',
      expiresAt: number | 'keep',
    ): HistoryChange => ({
      kind: 'set',
      value: this.newValue(),
      condition,
      expiresAt,
    });
    const expire = (): HistoryChange => ({
      kind: 'expire',
      expiresAt: later(),
      condition: prng.pick(['always', 'ifNone', 'ifSome']),
    });
    const append = (): HistoryChange => ({ kind: 'append', value: `+${prng.below(100)}` });
    return [
      () => [set('ifAbsent', 0)],
      () => [set('ifPresent', 'keep')],
      () => [set('always', later())],
      () => [{ kind: 'remove' }],
      () => [{ kind: 'remove' }, set('ifAbsent', 0)],
      () => [{ kind: 'read' }, append()],
      () => [set('always', 'keep'), append()],
      () => [{ kind: 'read' }, { kind: 'increment', delta: BigInt(1 + prng.below(DELTA_MAX)) }],
      () => [expire()],
      () => [set('ifAbsent', 0), expire()],
      () => [{ kind: 'persist' }],
      () => [{ kind: 'read' }],
    ];
  }
}
