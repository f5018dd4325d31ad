/**
 * Simulated clients: each does one operation after another at nodes of its choice, mostly on a hot key, and writes
 * down what it was told. An operation whose node dies before it answered is indefinite if it was a write.
 */
import type { Prng } from '../src/base/prng.ts';
import { certaintyOf } from '../src/core/errors.ts';
import type { ReadResult, WriteOperation, WriteResult } from '../src/core/operation.ts';
import type { DurabilityWatch } from './checkers/durability.ts';
import type { HistoryCall, HistoryOperation, HistoryOutcome } from './checkers/history.ts';
import type { SimCluster, SimNode } from './cluster.ts';
import type { Scheduler } from './scheduler.ts';

/** Between two values put: far more than all increments of a run together, so that a value tells its put. */
const VALUE_STEP = 1_000_000_000;

export interface ClientPlan {
  readonly clientCount: number;
  readonly operationsPerClient: number;
  readonly keys: readonly string[];
  /** Share of the operations on the first key. */
  readonly hotShare: number;
  readonly thinkMsMax: number;
  readonly timeoutMs: number;
  /** Share of conditional writes among the writes. */
  readonly conditionalShare: number;
  readonly readShare: number;
}

export interface Acknowledged {
  readonly key: string;
  readonly version: number;
}

export class SimClients {
  readonly history: HistoryOperation[] = [];
  readonly acknowledged: Acknowledged[] = [];
  indefiniteCount = 0;
  definiteFailureCount = 0;
  succeededCount = 0;
  pending = 0;
  private readonly scheduler: Scheduler;
  private readonly cluster: SimCluster;
  private readonly prng: Prng;
  private readonly plan: ClientPlan;
  private readonly watch: DurabilityWatch;
  private readonly onDone: (line: string) => void;
  /** A counter of events is a clock that all clients share. */
  private clock = 1;
  private valueNext = 1;
  private running: number;
  private stopped = false;

  constructor(
    scheduler: Scheduler,
    cluster: SimCluster,
    prng: Prng,
    plan: ClientPlan,
    watch: DurabilityWatch,
    onDone: (line: string) => void,
  ) {
    this.scheduler = scheduler;
    this.cluster = cluster;
    this.prng = prng;
    this.plan = plan;
    this.watch = watch;
    this.onDone = onDone;
    this.running = plan.clientCount;
    for (let client = 0; client < plan.clientCount; client += 1) {
      this.scheduler.after(prng.between(0, 20), () => this.next(client, plan.operationsPerClient));
    }
  }

  get finished(): boolean {
    return this.running === 0;
  }

  /** Nothing new is begun. */
  stop(): void {
    this.stopped = true;
  }

  /** One read of every key at every node, once all is at rest: part of the history. */
  readAll(): void {
    for (const sim of this.cluster.nodes) {
      for (const key of this.plan.keys) this.perform(-1, sim, key, { kind: 'get' }, () => undefined);
    }
  }

  private next(client: number, left: number): void {
    if (left === 0 || this.stopped) {
      this.running -= 1;
      return;
    }
    const alive = this.cluster.nodes.filter((sim) => sim.node !== null);
    const again = (spent: boolean): void => {
      const pause = spent ? this.prng.between(0, this.plan.thinkMsMax) : 20;
      this.scheduler.after(pause, () => this.next(client, spent ? left - 1 : left));
    };
    if (alive.length === 0) return again(false);
    const key = this.prng.chance(this.plan.hotShare) ? this.plan.keys[0]! : this.prng.pick(this.plan.keys);
    this.perform(client, this.prng.pick(alive), key, this.drawCall(key), () => again(true));
  }

  private drawCall(key: string): HistoryCall {
    const { prng } = this;
    if (prng.chance(this.plan.readShare)) return { kind: 'get' };
    if (prng.chance(this.plan.conditionalShare)) {
      const draw = prng.next();
      if (draw < 0.5 || key.startsWith('count'))
        return { kind: 'increment', delta: BigInt(1 + prng.below(1_000_000)) };
      const expect = prng.chance(0.3)
        ? ({ kind: 'absent' } as const)
        : ({ kind: 'value', value: this.someValue(key) } as const);
      if (draw < 0.9) return { kind: 'compareAndPut', expect, value: String(this.valueNext++ * VALUE_STEP) };
      return { kind: 'compareAndDelete', expect };
    }
    if (prng.chance(0.2)) return { kind: 'delete' };
    return { kind: 'put', value: String(this.valueNext++ * VALUE_STEP) };
  }

  /** A value that was seen lately, so that some conditions hold. */
  private someValue(key: string): string {
    for (let index = this.history.length - 1; index >= Math.max(0, this.history.length - 30); index -= 1) {
      const operation = this.history[index]!;
      if (operation.key !== key || operation.outcome.kind !== 'value' || operation.outcome.value === null)
        continue;
      return operation.outcome.value;
    }
    return String(VALUE_STEP);
  }

  private perform(client: number, sim: SimNode, key: string, call: HistoryCall, then: () => void): void {
    const node = sim.node;
    const life = sim.life;
    if (node === null || life === null) return then();
    const invokedAt = this.clock++;
    this.pending += 1;
    let ended = false;
    const end = (outcome: HistoryOutcome): void => {
      if (ended) return;
      ended = true;
      this.pending -= 1;
      const returnedAt = this.clock++;
      if (outcome.kind === 'indefinite') this.indefiniteCount += 1;
      else if (outcome.kind === 'definiteFailure') this.definiteFailureCount += 1;
      else this.succeededCount += 1;
      this.history.push({ key, client, call, outcome, invokedAt, returnedAt });
      this.onDone(
        `${this.scheduler.time.toFixed(2)} c${client} ${sim.name} ${key} ${tell(call)} -> ${tell(outcome)}`,
      );
      then();
    };
    const lost: HistoryOutcome = { kind: call.kind === 'get' ? 'definiteFailure' : 'indefinite' };
    const lookAfter = (): void => {
      if (ended) return;
      if (!life.alive) end(lost);
      else this.scheduler.after(25, lookAfter);
    };
    this.scheduler.after(25, lookAfter);
    // The client's own patience outlasts the node's: a paused node answers late or never.
    this.scheduler.after(this.plan.timeoutMs + 3_000, () => end(lost));
    if (call.kind === 'get') {
      return node.get(key, this.plan.timeoutMs, (result) => {
        if (result.kind === 'value') this.watch.sawValue(key, result.record.version);
        end(readOutcome(result));
      });
    }
    node.write(toOperation(key, call), this.plan.timeoutMs, (result) => {
      if (result.kind === 'done') {
        this.acknowledged.push({ key, version: result.version });
        this.watch.sawAcknowledgement(key, result.version);
      }
      end(writeOutcome(result));
    });
  }
}

function tell(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
}

function toOperation(key: string, call: HistoryCall): WriteOperation {
  const operationId = null;
  switch (call.kind) {
    case 'put':
      return { kind: 'put', key, value: Buffer.from(call.value), ttlMs: 0, operationId };
    case 'delete':
      return { kind: 'delete', key, operationId };
    case 'increment':
      return { kind: 'increment', key, delta: call.delta, operationId };
    case 'compareAndPut':
      return {
        kind: 'compareAndPut',
        key,
        expect: toExpectation(call.expect),
        value: Buffer.from(call.value),
        ttlMs: 0,
        operationId,
      };
    case 'compareAndDelete':
      return { kind: 'compareAndDelete', key, expect: toExpectation(call.expect), operationId };
    default:
      throw new Error(`no client does ${call.kind}`);
  }
}

function toExpectation(
  expect: Extract<HistoryCall, { kind: 'compareAndPut' }>['expect'],
): Extract<WriteOperation, { kind: 'compareAndPut' }>['expect'] {
  return expect.kind === 'value' ? { kind: 'value', value: Buffer.from(expect.value) } : expect;
}

function readOutcome(result: ReadResult): HistoryOutcome {
  if (result.kind === 'failed') return { kind: 'definiteFailure' };
  if (result.kind === 'absent') return { kind: 'value', value: null };
  return { kind: 'value', value: textOf(result.record.value), version: result.record.version };
}

function writeOutcome(result: WriteResult): HistoryOutcome {
  if (result.kind === 'done') {
    return {
      kind: 'done',
      version: result.version,
      ...(result.number === null ? {} : { number: result.number }),
    };
  }
  if (result.kind === 'conditionFailed') {
    return {
      kind: 'conditionFailed',
      current: result.current === undefined ? null : textOf(result.current.value),
      ...(result.current === undefined ? {} : { version: result.current.version }),
    };
  }
  if (result.failure.code === 'not_an_integer') return { kind: 'notAnInteger' };
  return { kind: certaintyOf(result.failure.code) === 'definite' ? 'definiteFailure' : 'indefinite' };
}

function textOf(value: Uint8Array): string {
  return Buffer.from(value).toString();
}
