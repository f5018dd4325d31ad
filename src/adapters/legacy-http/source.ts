/**
 * The legacy REST API behind its port. Its use is limited, and its answers are distrusted. A fetch waits for a free
 * place, passes the circuit breaker, and is sent; its answer is judged by the rules of the core. A failing source is
 * retried within a budget, and left alone for as long as it asks for or keeps failing.
 *
 * The states of a fetch: waiting -> sent -> (resting -> waiting -> sent)* -> ended. Its deadline ends it in any state.
 */
import { Pool } from 'undici';
import { CircuitBreaker } from '../../core/legacy/circuit-breaker.ts';
import type { LegacySourceConfig } from '../../core/legacy/legacy-config.ts';
import { parseJsonPointer } from '../../core/legacy/json-slice.ts';
import type { LegacyMapping } from '../../core/legacy/legacy-answer.ts';
import { LegacyEscapes } from '../../core/legacy/legacy-escapes.ts';
import { buildLegacyUrl, compileLegacyUrl } from '../../core/legacy/legacy-url.ts';
import type { LegacyUrlTemplate } from '../../core/legacy/legacy-url.ts';
import type { EventName } from '../../core/observability/events.ts';
import type { TraceContext } from '../../core/observability/trace-context.ts';
import { RetryBudget, retryDelay } from '../../core/legacy/retry-budget.ts';
import type { LegacyHealth, LegacyOutcome, LegacySource } from '../../ports/legacy-source.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { guardedConnector } from './connector.ts';
import { exchange } from './exchange.ts';
import type { ExchangeResult } from './exchange.ts';
import { LegacyHeaders, traceHeaders } from './headers.ts';
import type { Secrets } from './headers.ts';
import { judge } from './judge.ts';
import type { Judgement } from './judge.ts';

/** Throws if the settings cannot work; the message never contains a secret. */
export function openLegacySource(
  config: LegacySourceConfig,
  telemetry: Telemetry,
  secrets: Secrets,
): LegacySource {
  const compiled = compileLegacyUrl(config.url);
  if (compiled.kind === 'invalid') throw new Error(`the legacy url ${compiled.reason}`);
  const valuePointer = parseJsonPointer(config.valuePointer);
  const echoPointer = config.echoPointer === null ? null : parseJsonPointer(config.echoPointer);
  if (valuePointer === null) throw new Error('valuePointer is not a JSON Pointer');
  if (echoPointer === null && config.echoPointer !== null)
    throw new Error('echoPointer is not a JSON Pointer');
  const mapping = { valuePointer, echoPointer, valueBytesMax: config.valueBytesMax };
  return new HttpLegacySource(
    config,
    compiled.template,
    mapping,
    telemetry,
    new LegacyHeaders(config.headers, secrets),
  );
}

interface Fetch {
  readonly key: string;
  readonly path: string;
  /** Milliseconds on the monotonic clock. */
  readonly deadline: number;
  readonly done: (outcome: LegacyOutcome) => void;
  readonly trace: () => TraceContext | undefined;
  /** How many requests were sent. */
  attempts: number;
  ended: boolean;
  readonly deadlineTimer: NodeJS.Timeout;
  /** Stops what the fetch is doing now: waiting, resting or being sent. */
  stop: () => void;
}

/** Milliseconds between two warnings of the same kind, or two readings of the secrets. */
const REPEAT_MS = 10_000;
const SECRETS_MS = 1_000;

class HttpLegacySource implements LegacySource {
  private readonly config: LegacySourceConfig;
  private readonly template: LegacyUrlTemplate;
  private readonly mapping: LegacyMapping;
  private readonly telemetry: Telemetry;
  private readonly escapes: LegacyEscapes;
  private readonly headers: LegacyHeaders;
  private readonly breaker: CircuitBreaker;
  private readonly budget: RetryBudget;
  private pool: Pool;
  private readonly fetches = new Set<Fetch>();
  private readonly waiting = new Set<Fetch>();
  private underWay = 0;
  private closed = false;
  private pausedUntil = 0;
  private secretsReadAt = performance.now();
  private readonly warnedAt = new Map<string, number>();
  private calls = 0;
  private failures = 0;
  /** Empty if the last answer was good. */
  private lastFault = '';

  constructor(
    config: LegacySourceConfig,
    template: LegacyUrlTemplate,
    mapping: LegacyMapping,
    telemetry: Telemetry,
    headers: LegacyHeaders,
  ) {
    this.config = config;
    this.template = template;
    this.mapping = mapping;
    this.telemetry = telemetry;
    this.escapes = new LegacyEscapes(template, config.trustedEscapes);
    this.headers = headers;
    this.breaker = new CircuitBreaker(config.breaker);
    this.budget = new RetryBudget(config.retryShareMax, config.retriesPerSecondMin);
    this.pool = this.openPool();
  }

  fetch(
    key: string,
    timeoutMs: number,
    done: (outcome: LegacyOutcome) => void,
    trace: () => TraceContext | undefined = () => undefined,
  ): void {
    const built = buildLegacyUrl(this.template, key);
    if (built.kind === 'unaddressable') {
      queueMicrotask(() => done({ kind: 'unaddressable', reason: built.reason }));
      return;
    }
    const now = performance.now();
    const limitMs = Math.max(0, Math.min(timeoutMs, this.config.timeoutMs));
    const fetch: Fetch = {
      key,
      path: built.path,
      deadline: now + limitMs,
      done,
      trace,
      attempts: 0,
      ended: false,
      deadlineTimer: setTimeout(() => this.expire(fetch), limitMs),
      stop: nothing,
    };
    this.fetches.add(fetch);
    if (this.closed) return this.fail(fetch, 'the source is closed', 0);
    this.budget.noteRequest(now);
    this.enter(fetch, now);
  }

  health(): LegacyHealth {
    const now = performance.now();
    const counts = {
      ...{ calls: this.calls, failures: this.failures, inFlight: this.underWay, waiting: this.waiting.size },
      ...{ concurrencyMax: this.config.concurrencyMax, retriesLeft: this.budget.left(now) },
    };
    if (this.breaker.kind !== 'closed') return { state: 'open', reason: this.lastFault, ...counts };
    if (now < this.pausedUntil)
      return { state: 'failing', reason: 'the source asked for a pause', ...counts };
    return { state: this.lastFault === '' ? 'up' : 'failing', reason: this.lastFault, ...counts };
  }

  close(done: () => void): void {
    this.closed = true;
    for (const fetch of this.fetches) this.fail(fetch, 'the source is closed', 0);
    this.pool.destroy().then(done, done);
  }

  private openPool(): Pool {
    return new Pool(this.template.origin, {
      connections: this.config.concurrencyMax,
      // No pipelining: with one request at a time per connection, an answer cannot be mistaken for another's.
      pipelining: 1,
      connect: guardedConnector(this.config.connectTimeoutMs),
    });
  }

  /** Sends the fetch, or queues it until one under way has ended. */
  private enter(fetch: Fetch, now: number): void {
    if (this.refuseWhileSilent(fetch, now)) return;
    if (this.underWay < this.config.concurrencyMax) return this.send(fetch, now);
    if (this.waiting.size >= this.config.queueMax)
      return this.fail(fetch, 'too many fetches wait for the source', 0);
    this.waiting.add(fetch);
    const timer = setTimeout(
      () => this.fail(fetch, 'the fetch waited too long for its turn', 0),
      this.config.queueWaitMsMax,
    );
    fetch.stop = () => {
      clearTimeout(timer);
      this.waiting.delete(fetch);
    };
  }

  /** Nothing is sent while the source has asked for a pause or the breaker is open. */
  private refuseWhileSilent(fetch: Fetch, now: number): boolean {
    const pauseMs = this.pausedUntil - now;
    if (pauseMs > 0) this.fail(fetch, 'the source asked for a pause', pauseMs);
    else if (this.breaker.isOpen(now))
      this.fail(fetch, 'the circuit breaker is open', this.breaker.waitMs(now));
    else return false;
    return true;
  }

  private send(fetch: Fetch, now: number): void {
    const ticket = this.breaker.admit(now);
    if (ticket === null) return this.fail(fetch, 'the circuit breaker is open', this.breaker.waitMs(now));
    fetch.attempts += 1;
    this.underWay += 1;
    this.calls += 1;
    this.telemetry.count('legacy.calls');
    const { idleTimeoutMs, bodyBytesMax } = this.config;
    const headers = { ...this.headers.current(), ...traceHeaders(fetch.trace()) };
    const request = { path: fetch.path, headers, idleTimeoutMs, bodyBytesMax };
    fetch.stop = exchange(this.pool, request, (result) => {
      this.underWay -= 1;
      fetch.stop = nothing;
      this.onResult(fetch, ticket, now, result);
      this.sendWaiting();
    });
  }

  private sendWaiting(): void {
    if (this.closed) return;
    const now = performance.now();
    for (const fetch of this.waiting) {
      if (this.underWay >= this.config.concurrencyMax) return;
      fetch.stop();
      fetch.stop = nothing;
      if (!this.refuseWhileSilent(fetch, now)) this.send(fetch, now);
    }
  }

  private onResult(fetch: Fetch, ticket: number, sentAt: number, result: ExchangeResult): void {
    const now = performance.now();
    const judgement = judge(this.mapping, fetch.key, result);
    // A timeout says nothing about the source if the caller gave the request little time.
    const hadNoTime = result.kind === 'cut' && now - sentAt < this.config.timeoutMs / 2;
    const before = this.breaker.kind;
    this.breaker.report(ticket, hadNoTime ? 'neither' : judgement.verdict, now, Math.random());
    this.note(judgement, before);
    if (judgement.pauseMs > 0) this.pause(judgement.pauseMs, now);
    if (judgement.outcome.kind === 'value') this.escapes.proved(fetch.key);
    if (fetch.ended) return;
    if (judgement.outcome.kind === 'absent') this.endAbsent(fetch);
    else if (judgement.outcome.kind === 'unavailable' && judgement.retryable)
      this.retry(fetch, judgement.outcome, now);
    else this.end(fetch, judgement.outcome);
  }

  private endAbsent(fetch: Fetch): void {
    const doubt = this.escapes.doubt(fetch.key);
    if (doubt === '') return this.end(fetch, { kind: 'absent' });
    this.warn('legacy.absence_doubted', { reason: doubt });
    this.fail(fetch, doubt, 0);
  }

  private retry(fetch: Fetch, outcome: LegacyOutcome & { kind: 'unavailable' }, now: number): void {
    const { retryCountMax, retryDelayMs, retryDelayMsMax } = this.config;
    const retries = fetch.attempts - 1;
    const delayMs = retryDelay(retries, retryDelayMs, retryDelayMsMax, Math.random());
    if (retries >= retryCountMax || now + delayMs >= fetch.deadline) return this.end(fetch, outcome);
    if (this.pausedUntil > now) return this.end(fetch, { ...outcome, retryAfterMs: this.pausedUntil - now });
    if (this.breaker.isOpen(now))
      return this.end(fetch, { ...outcome, retryAfterMs: this.breaker.waitMs(now) });
    if (!this.budget.take(now)) return this.end(fetch, outcome);
    this.telemetry.count('legacy.retries');
    const timer = setTimeout(() => {
      fetch.stop = nothing;
      this.enter(fetch, performance.now());
    }, delayMs);
    fetch.stop = () => clearTimeout(timer);
  }

  private expire(fetch: Fetch): void {
    this.fail(fetch, 'the source did not answer in time', 0);
  }

  private fail(fetch: Fetch, reason: string, retryAfterMs: number): void {
    this.end(fetch, { kind: 'unavailable', reason, retryAfterMs: Math.ceil(retryAfterMs) });
  }

  /**
   * The only place where a fetch is answered. `done` runs in a microtask, because this may be called from within
   * `fetch`.
   */
  private end(fetch: Fetch, outcome: LegacyOutcome): void {
    if (fetch.ended) return;
    fetch.ended = true;
    clearTimeout(fetch.deadlineTimer);
    this.fetches.delete(fetch);
    fetch.stop();
    queueMicrotask(() => fetch.done(outcome));
  }

  /** Limited by the settings, and extended at random by up to a fifth, so that nodes do not resume all at once. */
  private pause(pauseMs: number, now: number): void {
    const until = now + Math.min(pauseMs, this.config.pauseMsMax) * (1 + 0.2 * Math.random());
    this.pausedUntil = Math.max(this.pausedUntil, until);
    this.warn('legacy.paused', { pauseMs: Math.round(this.pausedUntil - now) });
  }

  /** Records what an answer says about the source rather than about its key: counts, warns and pauses. */
  private note(judgement: Judgement, before: CircuitBreaker['kind']): void {
    this.lastFault = judgement.fault;
    if (judgement.fault !== '') {
      this.failures += 1;
      this.telemetry.count('legacy.failures');
    }
    if (judgement.denied) {
      this.warn('legacy.denied', { reason: judgement.fault });
      this.reloadSecrets();
    }
    if (judgement.mismatch) {
      this.warn('legacy.mismatch', { reason: judgement.fault });
      // A connection whose answers got out of step would stay so; none of the old connections is used again.
      const old = this.pool;
      this.pool = this.openPool();
      old.close().catch(nothing);
    }
    const after = this.breaker.kind;
    if (before === after) return;
    if (after === 'open') this.telemetry.event('warn', 'legacy.breaker.open', { reason: judgement.fault });
    if (after === 'closed') this.telemetry.event('info', 'legacy.breaker.closed');
  }

  private reloadSecrets(): void {
    const now = performance.now();
    if (now - this.secretsReadAt < SECRETS_MS) return;
    this.secretsReadAt = now;
    this.headers.reload();
  }

  private warn(name: EventName, fields: Readonly<Record<string, unknown>>): void {
    const now = performance.now();
    if (now - (this.warnedAt.get(name) ?? -Infinity) < REPEAT_MS) return;
    this.warnedAt.set(name, now);
    this.telemetry.event('warn', name, fields);
  }
}

function nothing(): void {}
