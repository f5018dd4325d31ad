/**
 * Stops asking a source that mostly fails, and then tests it with one probe at a time. Pure: time and random draws are
 * arguments. Written here instead of taken from a library, because it has to work with callbacks on a monotonic clock,
 * count samples instead of calls per second, and let some answers count as neither success nor failure.
 */
import { RollingCount } from '../../base/rolling-count.ts';
import { unreachable } from '../../base/assert.ts';
import type { BreakerRules } from './legacy-config.ts';

export type BreakerState =
  /** Requests pass and are counted. */
  | { readonly kind: 'closed' }
  /** No request passes until `until`. */
  | { readonly kind: 'open'; readonly until: number; readonly openMs: number }
  /** One request passes; its outcome decides. */
  | { readonly kind: 'probing'; readonly underWay: boolean; readonly openMs: number };

/** neither: the request ended for a reason that says nothing about the source. */
export type Verdict = 'success' | 'failure' | 'neither';

/** Fraction by which an open time is randomly lengthened or shortened, so that nodes do not probe at the same time. */
const OPEN_JITTER = 0.2;

export class CircuitBreaker {
  private state: BreakerState = { kind: 'closed' };
  /** Counts state changes: the outcome of a request that began before the last change is ignored. */
  private turn = 0;
  private readonly rules: BreakerRules;
  private readonly samples: RollingCount;
  private readonly failures: RollingCount;

  constructor(rules: BreakerRules) {
    this.rules = rules;
    this.samples = new RollingCount(rules.windowMs);
    this.failures = new RollingCount(rules.windowMs);
  }

  get kind(): BreakerState['kind'] {
    return this.state.kind;
  }

  /** True if a request would be rejected. */
  isOpen(now: number): boolean {
    if (this.state.kind === 'open') return now < this.state.until;
    return this.state.kind === 'probing' && this.state.underWay;
  }

  /** Milliseconds until asking again makes sense; 0 if a request would pass. */
  waitMs(now: number): number {
    if (!this.isOpen(now)) return 0;
    return this.state.kind === 'open' ? this.state.until - now : this.rules.openMs;
  }

  /** Returns a ticket for one request, to be given back with its verdict; null if no request may be sent. */
  admit(now: number): number | null {
    if (this.isOpen(now)) return null;
    if (this.state.kind !== 'closed')
      this.setState({ kind: 'probing', underWay: true, openMs: this.state.openMs });
    return this.turn;
  }

  /** `draw` is uniform in [0, 1). */
  report(ticket: number, verdict: Verdict, now: number, draw: number): void {
    if (ticket !== this.turn) return;
    switch (this.state.kind) {
      case 'closed':
        if (verdict !== 'neither') this.sample(verdict === 'failure', now, draw);
        return;
      case 'probing':
        this.endProbe(verdict, this.state.openMs, now, draw);
        return;
      case 'open':
        return;
      default:
        unreachable(this.state);
    }
  }

  private sample(failed: boolean, now: number, draw: number): void {
    this.samples.add(now);
    if (!failed) return;
    this.failures.add(now);
    const samples = this.samples.sum(now);
    if (samples < this.rules.sampleCountMin) return;
    if (this.failures.sum(now) >= samples * this.rules.failureShareMin)
      this.open(this.rules.openMs, now, draw);
  }

  private endProbe(verdict: Verdict, openMs: number, now: number, draw: number): void {
    if (verdict === 'success') {
      this.samples.clear();
      this.failures.clear();
      this.setState({ kind: 'closed' });
    } else if (verdict === 'failure') {
      this.open(Math.min(openMs * 2, this.rules.openMsMax), now, draw);
    } else {
      this.setState({ kind: 'probing', underWay: false, openMs });
    }
  }

  private open(openMs: number, now: number, draw: number): void {
    const jitter = 1 + OPEN_JITTER * (2 * draw - 1);
    this.setState({ kind: 'open', until: now + openMs * jitter, openMs });
  }

  private setState(state: BreakerState): void {
    this.state = state;
    this.turn += 1;
  }
}
