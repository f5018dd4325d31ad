/**
 * The legacy system of a simulation: one data set that every node reaches through a source of its own. Requests take
 * random times in both directions, so a value may be old when it arrives; they may fail, hang, or meet an outage. A
 * request counts when it arrives, even if nobody waits for the answer any more.
 */
import type { Prng } from '../src/base/prng.ts';
import { buildLegacyUrl, compileLegacyUrl } from '../src/core/legacy/legacy-url.ts';
import type { LegacyUrlTemplate } from '../src/core/legacy/legacy-url.ts';
import type { TraceContext } from '../src/core/observability/trace-context.ts';
import type { LegacyHealth, LegacyOutcome, LegacySource } from '../src/ports/legacy-source.ts';
import type { Life, Scheduler } from './scheduler.ts';
import { typeOf, VALUE_STEP } from './values.ts';

/** Values that no client puts or reaches by increments. */
const LEGACY_VALUE_FIRST = 5n * 10n ** 18n;

export interface SimLegacyRules {
  /** Milliseconds for each of the two directions. */
  latencyMsMin: number;
  latencyMsMax: number;
  /** Share of requests answered with an error although the source is up. */
  errorShare: number;
  /** Share of requests that take `slowMs` longer. */
  slowShare: number;
  slowMs: number;
  /** Share of answers with the value of another key. */
  lieShare: number;
  /** refusing: fails at once. hanging: never answers. */
  outage: 'none' | 'refusing' | 'hanging';
}

export class SimLegacy {
  /** May be changed at any moment. */
  readonly rules: SimLegacyRules = {
    latencyMsMin: 1,
    latencyMsMax: 20,
    errorShare: 0,
    slowShare: 0,
    slowMs: 500,
    lieShare: 0,
    outage: 'none',
  };
  /** Called with every value that is returned, when the answer is made. */
  onTold: ((key: string, value: Uint8Array) => void) | null = null;
  /** Requests that reached the source. */
  callCount = 0;
  readonly callsByKey = new Map<string, number>();
  /** The trace context of the last traced request for each key. */
  readonly traceByKey = new Map<string, TraceContext>();
  private readonly scheduler: Scheduler;
  private readonly prng: Prng;
  private readonly values = new Map<string, Uint8Array>();
  private readonly template: LegacyUrlTemplate;

  constructor(scheduler: Scheduler, prng: Prng) {
    this.scheduler = scheduler;
    this.prng = prng;
    const compiled = compileLegacyUrl('http://legacy.test/legacy/data/{key}');
    if (compiled.kind === 'invalid') throw new Error(compiled.reason);
    this.template = compiled.template;
  }

  /** A write by the team that still runs the legacy system. */
  set(key: string, value: Uint8Array): void {
    this.values.set(key, value);
  }

  remove(key: string): void {
    this.values.delete(key);
  }

  /** Makes a value appear, change or vanish. */
  change(key: string, prng: Prng): string {
    if (this.values.has(key) && prng.chance(0.4)) {
      this.remove(key);
      return `${key} vanishes`;
    }
    const value = String(LEGACY_VALUE_FIRST + BigInt(prng.below(1_000)) * VALUE_STEP);
    this.set(key, Buffer.from(value));
    return `${key} is ${value}`;
  }

  /** Ends all faults; the data stays. */
  heal(): void {
    Object.assign(this.rules, { errorShare: 0, slowShare: 0, lieShare: 0, outage: 'none' });
  }

  peek(key: string): Uint8Array | undefined {
    return this.values.get(key);
  }

  /** The source as one process sees it; answers are dropped once `life` has ended. */
  connect(life: Life): LegacySource {
    return new SimLegacySource(this, this.scheduler, life, this.template);
  }

  /** A request arrives after its way here; `reply` is called when its answer arrives back. */
  receive(key: string, reply: (outcome: LegacyOutcome) => void): void {
    const { prng, rules, scheduler } = this;
    if (rules.outage === 'refusing') {
      scheduler.after(this.drawLatency(), () => reply(unavailable('the connection failed: ECONNREFUSED')));
      return;
    }
    const isHanging = rules.outage === 'hanging';
    const fails = prng.chance(rules.errorShare);
    const slowMs = prng.chance(rules.slowShare) ? rules.slowMs : 0;
    scheduler.after(this.drawLatency(), () => {
      this.callCount += 1;
      this.callsByKey.set(key, (this.callsByKey.get(key) ?? 0) + 1);
      if (isHanging) return;
      const outcome = fails ? unavailable('the source answered 500') : this.answer(key);
      scheduler.after(slowMs + this.drawLatency(), () => reply(outcome));
    });
  }

  private answer(key: string): LegacyOutcome {
    const { lieShare } = this.rules;
    const isLie = lieShare > 0 && this.values.size > 0 && this.prng.chance(lieShare);
    const value = isLie ? this.prng.pick([...this.values.values()]) : this.values.get(key);
    if (value === undefined) return { kind: 'absent' };
    this.onTold?.(key, value);
    return { kind: 'value', value: value.slice(), contentType: typeOf(Buffer.from(value).toString()) };
  }

  private drawLatency(): number {
    return this.prng.between(this.rules.latencyMsMin, this.rules.latencyMsMax);
  }
}

class SimLegacySource implements LegacySource {
  private readonly legacy: SimLegacy;
  private readonly scheduler: Scheduler;
  private readonly life: Life;
  private readonly template: LegacyUrlTemplate;
  private readonly ends = new Set<(outcome: LegacyOutcome) => void>();
  private closed = false;
  private calls = 0;
  private failures = 0;
  private lastFault = '';

  constructor(legacy: SimLegacy, scheduler: Scheduler, life: Life, template: LegacyUrlTemplate) {
    this.legacy = legacy;
    this.scheduler = scheduler;
    this.life = life;
    this.template = template;
  }

  fetch(
    key: string,
    timeoutMs: number,
    done: (outcome: LegacyOutcome) => void,
    trace?: () => TraceContext | undefined,
  ): void {
    const built = buildLegacyUrl(this.template, key);
    if (built.kind === 'unaddressable') {
      this.scheduler.after(0, () => done({ kind: 'unaddressable', reason: built.reason }), this.life);
      return;
    }
    let ended = false;
    const end = (outcome: LegacyOutcome): void => {
      if (ended) return;
      ended = true;
      this.ends.delete(end);
      this.note(outcome);
      // Scheduled for this life, so that an ended process gets nothing and a paused one gets it late.
      this.scheduler.after(0, () => done(outcome), this.life);
    };
    this.ends.add(end);
    if (this.closed) return end(unavailable('the source is closed'));
    this.calls += 1;
    this.scheduler.after(Math.max(0, timeoutMs), () => end(unavailable('the source did not answer in time')));
    const told = trace?.();
    if (told !== undefined) this.legacy.traceByKey.set(key, told);
    this.legacy.receive(key, end);
  }

  health(): LegacyHealth {
    const state = this.lastFault === '' ? 'up' : 'failing';
    const room = { inFlight: this.ends.size, waiting: 0, concurrencyMax: 0, retriesLeft: 0 };
    return { state, reason: this.lastFault, calls: this.calls, failures: this.failures, ...room };
  }

  close(done: () => void): void {
    this.closed = true;
    for (const end of this.ends) end(unavailable('the source is closed'));
    this.scheduler.after(0, done, this.life);
  }

  private note(outcome: LegacyOutcome): void {
    this.lastFault = outcome.kind === 'unavailable' ? outcome.reason : '';
    if (outcome.kind === 'unavailable') this.failures += 1;
  }
}

function unavailable(reason: string): LegacyOutcome {
  return { kind: 'unavailable', reason, retryAfterMs: 0 };
}
