/**
 * Clients that read, write, delete, compare and increment all the time and report their answers: the history that is
 * judged afterwards. Every value written is unique. Some keys are shared by all clients, a few of them hot; others are
 * written once and never again, so that each of those writes can be checked individually; and others exist only in the
 * legacy API when they are first read.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { randomInt } from 'node:crypto';
import { connect, type CausewayClient } from '../src/client/index.ts';
import type { HistoryCall, HistoryExpectation } from '../sim/checkers/history.ts';
import { perform } from './call.ts';
import type { TimedOperation } from './chaos/run-lines.ts';

export interface LoadPlan {
  /** The prefix of every key, which no other run uses. */
  readonly prefix: string;
  readonly clientCount: number;
  /** Additional clients that only read: they show whether reads go on while every other client waits for a write. */
  readonly readerCount: number;
  readonly registerCount: number;
  readonly counterCount: number;
  /** Maximum milliseconds between two operations of a client: the cluster is to be observed, not overloaded. */
  readonly restMs: number;
  /** Whether some writes are conditional, increments among them. */
  readonly conditions: boolean;
  /** Whether definite failures are retried until the operation's deadline. */
  readonly retries: boolean;
  /** Puts a value into the legacy API; null if there is none. */
  readonly putLegacy: ((key: string, value: string) => void) | null;
  /** Called with every operation as it ends. */
  readonly onOperation: (operation: TimedOperation) => void;
}

export const LOAD_PLAN_DEFAULT = {
  clientCount: 24,
  readerCount: 0,
  registerCount: 250,
  counterCount: 16,
  restMs: 6,
  conditions: true,
  retries: false,
  putLegacy: null,
};

const TIMEOUT_MS = 5_000;
/** A client that must find another node must not wait long for a dead one. */
const CONNECT_TIMEOUT_MS = 1_000;
/** Milliseconds that a client pauses after a failure. */
const FAILED_REST_MS = 20;
/** Numbers put to a counter are this far apart, so that no sum of increments reaches the next one. */
const NUMBER_STEP = 10_000_000;
const RECENT_MAX = 64;
/** Of a hundred operations: on keys written once, on keys of the legacy API, on counters; the rest on registers. */
const SHARES = { once: 12, legacy: 8, counter: 18 };
/** One in this many operations on registers goes to a hot one. */
const HOT_EVERY = 4;
const HOT_COUNT = 3;

interface Draw {
  readonly key: string;
  readonly call: HistoryCall;
}

export class Load {
  readonly prefix: string;
  /** The longest time in milliseconds without an acknowledged write so far. */
  stallMsMax = 0;
  succeeded = 0;
  acknowledged = 0;
  failed = 0;
  /** When it began, on the clock of `performance`. */
  startedAt = 0;
  private readonly plan: LoadPlan;
  private readonly addresses: readonly string[];
  private readonly clients: CausewayClient[];
  private readonly running: Promise<void>[] = [];
  private readonly keysSeen = new Set<string>();
  private readonly recentOnce: string[] = [];
  private readonly recentLegacy: string[] = [];
  /** The values last seen, so that some conditions hold. */
  private readonly lastSeen = new Map<string, { value: string; version: number }>();
  private acknowledgedAt = 0;
  private isStopping = false;
  private fault: Error | null = null;
  /** A counter of events, which serves as a clock that all clients share. */
  private clock = 1;
  private valueNext = 1;

  constructor(addresses: readonly string[], plan: LoadPlan) {
    this.plan = plan;
    this.prefix = plan.prefix;
    this.addresses = addresses;
    this.clients = Array.from({ length: plan.clientCount + plan.readerCount }, (_, at) =>
      connect({ nodes: nodesOf(at, addresses, plan), connectTimeoutMs: CONNECT_TIMEOUT_MS }),
    );
  }

  start(): void {
    this.startedAt = performance.now();
    this.acknowledgedAt = this.startedAt;
    this.clients.forEach((client, at) =>
      this.running.push(this.run(client, at, at >= this.plan.clientCount)),
    );
  }

  /** Adds a client that also speaks to this node, as long as it is there. */
  join(address: string): void {
    const at = this.clients.length;
    const client = connect({
      nodes: [address, ...this.addresses],
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
    });
    this.clients.push(client);
    this.running.push(this.run(client, at, false));
  }

  /** Rejects if the client library broke its contract. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.running);
    this.noteStall();
    for (const client of this.clients) client.close();
    if (this.fault !== null) throw this.fault;
  }

  nowMs(): number {
    return this.startedAt === 0 ? 0 : performance.now() - this.startedAt;
  }

  keys(): string[] {
    return [...this.keysSeen];
  }

  /** For an operation of others, which ends at once. */
  note(operation: Pick<TimedOperation, 'key' | 'client' | 'call' | 'outcome'>): void {
    const atMs = this.nowMs();
    this.tell({
      ...operation,
      invokedAt: this.clock++,
      returnedAt: this.clock++,
      beganMs: atMs,
      endedMs: atMs,
    });
  }

  private tell(operation: TimedOperation): void {
    this.keysSeen.add(operation.key);
    this.plan.onOperation(operation);
  }

  private async run(client: CausewayClient, at: number, isReader: boolean): Promise<void> {
    try {
      while (!this.isStopping) {
        const isDone = await this.one(client, at, isReader);
        await delay(isDone ? randomInt(this.plan.restMs + 1) : FAILED_REST_MS);
      }
    } catch (error) {
      this.fault ??= error instanceof Error ? error : new Error(String(error));
    }
  }

  private async one(client: CausewayClient, at: number, isReader: boolean): Promise<boolean> {
    const drawn = this.draw(isReader);
    const deadline = this.nowMs() + TIMEOUT_MS;
    for (;;) {
      const outcome = await this.attempt(client, at, drawn, deadline);
      if (outcome !== 'again') return outcome === 'done';
      await delay(FAILED_REST_MS);
    }
  }

  private async attempt(
    client: CausewayClient,
    at: number,
    { key, call }: Draw,
    deadline: number,
  ): Promise<'done' | 'failed' | 'again'> {
    const invokedAt = this.clock++;
    const beganMs = this.nowMs();
    const { outcome, failure } = await perform(client, key, call, Math.max(1, deadline - beganMs));
    const endedMs = this.nowMs();
    const isRetried =
      this.plan.retries && outcome.kind === 'definiteFailure' && endedMs + FAILED_REST_MS < deadline;
    this.tell({
      ...{ key, client: at, call, outcome, invokedAt, returnedAt: this.clock++, beganMs, endedMs },
      ...(failure === undefined ? {} : { failure }),
      ...(isRetried ? { isRetried } : {}),
    });
    if (isRetried) return 'again';
    if (outcome.kind === 'indefinite' || outcome.kind === 'definiteFailure') {
      this.failed += 1;
      return 'failed';
    }
    this.succeeded += 1;
    if (outcome.kind === 'done') {
      this.acknowledged += 1;
      this.noteStall();
      this.acknowledgedAt = performance.now();
    }
    if (outcome.kind === 'value' && outcome.value !== null) {
      this.lastSeen.set(key, { value: outcome.value, version: outcome.version! });
    }
    return 'done';
  }

  private noteStall(): void {
    this.stallMsMax = Math.max(this.stallMsMax, performance.now() - this.acknowledgedAt);
  }

  private draw(isReader: boolean): Draw {
    if (isReader) return { key: this.drawKey(randomInt(SHARES.once, 100)).key, call: { kind: 'get' } };
    const kind = randomInt(100);
    if (kind < SHARES.once) return this.drawOnce();
    const { key, isCounter } = this.drawKey(kind);
    return this.drawOn(key, isCounter);
  }

  private drawKey(kind: number): { key: string; isCounter: boolean } {
    if (this.plan.putLegacy !== null && kind < SHARES.once + SHARES.legacy) {
      return { key: this.drawLegacyKey(this.plan.putLegacy), isCounter: false };
    }
    const { prefix, registerCount, counterCount } = this.plan;
    const isCounter = kind >= 100 - SHARES.counter && counterCount > 0 && this.plan.conditions;
    if (isCounter) return { key: `${prefix}count:${randomInt(counterCount)}`, isCounter };
    const amongMax = randomInt(HOT_EVERY) === 0 ? Math.min(HOT_COUNT, registerCount) : registerCount;
    return { key: `${prefix}key:${randomInt(Math.max(1, amongMax))}`, isCounter };
  }

  private drawOn(key: string, isCounter: boolean): Draw {
    // The first 83 of 100 are unconditional, except for increments.
    const draw = randomInt(this.plan.conditions ? 100 : 83);
    if (draw < 40) return { key, call: { kind: 'get' } };
    if (isCounter && draw < 75) {
      return { key, call: { kind: 'increment', delta: BigInt(1 + randomInt(9)) } };
    }
    if (draw < 75) return { key, call: { kind: 'put', value: this.newValue(isCounter) } };
    if (draw < 83) return { key, call: { kind: 'delete' } };
    const expect = this.drawExpectation(key);
    if (draw < 96 || expect.kind === 'absent') {
      return { key, call: { kind: 'compareAndPut', expect, value: this.newValue(isCounter) } };
    }
    return { key, call: { kind: 'compareAndDelete', expect } };
  }

  /** A new key, or a read of one written lately. */
  private drawOnce(): Draw {
    const recent = this.recentOnce;
    if (recent.length > 0 && randomInt(3) === 0) {
      return { key: recent[randomInt(recent.length)]!, call: { kind: 'get' } };
    }
    const value = this.newValue(false);
    const key = `${this.prefix}once:${value}`;
    remember(recent, key);
    return { key, call: { kind: 'put', value } };
  }

  /** A key that only the legacy API knows yet, or one of the recent ones. */
  private drawLegacyKey(putLegacy: (key: string, value: string) => void): string {
    const recent = this.recentLegacy;
    if (recent.length > 0 && randomInt(3) !== 0) return recent[randomInt(recent.length)]!;
    const number = this.valueNext++;
    const [key, value] = [`${this.prefix}legacy:${number}`, `legacy-${number}`];
    putLegacy(key, value);
    this.note({ key, client: 'legacy', call: { kind: 'fill', value }, outcome: { kind: 'indefinite' } });
    remember(recent, key);
    return key;
  }

  private drawExpectation(key: string): HistoryExpectation {
    const last = this.lastSeen.get(key);
    const draw = randomInt(10);
    if (last === undefined || draw < 3) return { kind: 'absent' };
    return draw < 7 ? { kind: 'value', value: last.value } : { kind: 'version', version: last.version };
  }

  private newValue(isCounter: boolean): string {
    const number = this.valueNext++;
    return isCounter ? String(number * NUMBER_STEP) : `value-${number}`;
  }
}

/**
 * Readers and every second client speak to one node only, so that some are never held up by a node that stands still,
 * and others always see it; the other clients go round all nodes. So do all clients that retry until they succeed.
 */
function nodesOf(
  at: number,
  addresses: readonly string[],
  { clientCount, retries }: LoadPlan,
): readonly string[] {
  const isReader = at >= clientCount;
  if (retries || (!isReader && at % 2 === 0)) return addresses;
  const number = isReader ? at - clientCount : (at - 1) / 2;
  return [addresses[number % addresses.length]!];
}

function remember(recent: string[], key: string): void {
  recent.push(key);
  if (recent.length > RECENT_MAX) recent.shift();
}
