/**
 * Clients that read, write, delete, compare and increment all the time and write down what they were told: the
 * history that is judged afterwards. Every value written is unique. Some keys are shared by all clients; others
 * are written once and never again, so that each of those writes can be looked up by itself.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { randomInt } from 'node:crypto';
import { connect, type CausewayClient } from '../src/client/index.ts';
import type { HistoryCall, HistoryExpectation, HistoryOperation } from '../sim/checkers/history.ts';
import { perform } from './call.ts';

export interface LoadPlan {
  /** Of every key: no other run has it. */
  readonly prefix: string;
  readonly clientCount: number;
  readonly registerCount: number;
  readonly counterCount: number;
}

export const LOAD_PLAN_DEFAULT = { clientCount: 24, registerCount: 250, counterCount: 16 };

const TIMEOUT_MS = 5_000;
/** A client that is to find another node must not wait long for one that is dead. */
const CONNECT_TIMEOUT_MS = 1_000;
/** Milliseconds a client rests after a failure, and after everything else: the cluster is to be watched, not worn. */
const FAILED_REST_MS = 20;
const REST_MS_MAX = 6;
/** Numbers put to a counter lie this far apart: no sum of increments reaches the next one. */
const NUMBER_STEP = 10_000_000;
const RECENT_MAX = 64;

export class Load {
  readonly prefix: string;
  readonly history: HistoryOperation[] = [];
  /** Milliseconds without an acknowledged write, the longest time so far. */
  stallMsMax = 0;
  succeeded = 0;
  acknowledged = 0;
  private readonly plan: LoadPlan;
  private readonly clients: CausewayClient[];
  private readonly running: Promise<void>[] = [];
  private readonly recentOnce: string[] = [];
  /** What was last seen to stand, so that some conditions hold. */
  private readonly lastSeen = new Map<string, { value: string; version: number }>();
  private acknowledgedAt = 0;
  private isStopping = false;
  private fault: Error | null = null;
  /** A counter of events is a clock that all clients share. */
  private clock = 1;
  private valueNext = 1;

  constructor(addresses: readonly string[], plan: LoadPlan) {
    this.plan = plan;
    this.prefix = plan.prefix;
    this.clients = Array.from({ length: plan.clientCount }, () =>
      connect({ nodes: addresses, connectTimeoutMs: CONNECT_TIMEOUT_MS }),
    );
  }

  start(): void {
    this.acknowledgedAt = performance.now();
    this.clients.forEach((client, at) => this.running.push(this.run(client, at)));
  }

  /** Rejects where the client library broke its word. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.running);
    this.noteStall();
    for (const client of this.clients) client.close();
    if (this.fault !== null) throw this.fault;
  }

  keys(): string[] {
    return [...new Set(this.history.map(({ key }) => key))];
  }

  /** A reading made by others, once all is at rest. */
  note(operation: Pick<HistoryOperation, 'key' | 'client' | 'call' | 'outcome'>): void {
    this.history.push({ ...operation, invokedAt: this.clock++, returnedAt: this.clock++ });
  }

  private async run(client: CausewayClient, at: number): Promise<void> {
    try {
      while (!this.isStopping) {
        const isDone = await this.one(client, at);
        await delay(isDone ? randomInt(REST_MS_MAX + 1) : FAILED_REST_MS);
      }
    } catch (error) {
      this.fault ??= error instanceof Error ? error : new Error(String(error));
    }
  }

  private async one(client: CausewayClient, at: number): Promise<boolean> {
    const { key, call } = this.draw();
    const invokedAt = this.clock++;
    const outcome = await perform(client, key, call, TIMEOUT_MS);
    this.history.push({ key, client: at, call, outcome, invokedAt, returnedAt: this.clock++ });
    if (outcome.kind === 'indefinite' || outcome.kind === 'definiteFailure') return false;
    this.succeeded += 1;
    if (outcome.kind === 'done') {
      this.acknowledged += 1;
      this.noteStall();
      this.acknowledgedAt = performance.now();
    }
    if (outcome.kind === 'value' && outcome.value !== null) {
      this.lastSeen.set(key, { value: outcome.value, version: outcome.version! });
    }
    return true;
  }

  private noteStall(): void {
    this.stallMsMax = Math.max(this.stallMsMax, performance.now() - this.acknowledgedAt);
  }

  private draw(): { key: string; call: HistoryCall } {
    const { prefix, registerCount, counterCount } = this.plan;
    const kind = randomInt(100);
    if (kind < 12) return this.drawOnce();
    const isCounter = kind < 30;
    const key = isCounter
      ? `${prefix}count:${randomInt(counterCount)}`
      : `${prefix}key:${randomInt(registerCount)}`;
    const draw = randomInt(100);
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

  /** A key of its own, or a look at one written lately. */
  private drawOnce(): { key: string; call: HistoryCall } {
    const recent = this.recentOnce;
    if (recent.length > 0 && randomInt(3) === 0) {
      return { key: recent[randomInt(recent.length)]!, call: { kind: 'get' } };
    }
    const value = this.newValue(false);
    const key = `${this.prefix}once:${value}`;
    recent.push(key);
    if (recent.length > RECENT_MAX) recent.shift();
    return { key, call: { kind: 'put', value } };
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
