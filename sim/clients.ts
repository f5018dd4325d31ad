/**
 * Simulated clients: each does one operation after another, or several at once, at nodes of its choice, mostly on a
 * hot key, and writes down what it was told. An operation whose node dies before it answered is indefinite if it was
 * a write; with an operation id it is repeated until that is known, and stands in the history once. Each client draws from a generator of its own, so that a run can be repeated without some of them.
 */
import { Prng } from '../src/base/prng.ts';
import { certaintyOf } from '../src/core/errors.ts';
import type { ReadResult, WriteOperation, WriteResult } from '../src/core/operation.ts';
import type { DurabilityWatch } from './checkers/durability.ts';
import { withExpiry } from './checkers/expiries.ts';
import type { Expiry, HistoryCall, HistoryOperation, HistoryOutcome } from './checkers/history.ts';
import type { SimCluster, SimNode } from './cluster.ts';
import { PersistentWrites } from './persistent-writes.ts';
import type { Life, Scheduler } from './scheduler.ts';
import type { WallWatch } from './wall-watch.ts';

/**
 * Between two values put: far more than all increments of a run together, so that a value tells its put. Increments
 * are so large that hardly two sets of them have one sum.
 */
export const VALUE_STEP = 10n ** 15n;
const DELTA_MAX = 10 ** 12;
/** Milliseconds that a client needs to notice that the process it spoke to is gone. */
const NOTICE_MS_MAX = 25;
/** Milliseconds by which a client's own patience outlasts the node's: a paused node answers late or never. */
const PATIENCE_MS = 3_000;
const BATCH_COUNT_MAX = 6;

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
  /** Share of turns in which a client asks for many things at once, as a call with many keys does. */
  readonly batchShare: number;
  /** Share of the values put that end by themselves, and after how long at most. */
  readonly ttlShare: number;
  readonly ttlMsMax: number;
  /** Share of the writes that carry an operation id, and what all about them is drawn from. */
  readonly idShare: number;
  readonly idSeed: number;
}

export interface Acknowledged {
  readonly key: string;
  readonly version: number;
}

export interface SimClientsParts {
  readonly scheduler: Scheduler;
  readonly cluster: SimCluster;
  readonly prng: Prng;
  readonly plan: ClientPlan;
  readonly watch: DurabilityWatch;
  readonly wall: WallWatch;
  /** Left out: all of the plan. */
  readonly only?: readonly number[];
  readonly onDone: (line: () => string) => void;
}

interface Open {
  readonly life: Life;
  readonly end: (outcome: HistoryOutcome) => void;
  readonly lost: HistoryOutcome;
}

export class SimClients {
  readonly history: HistoryOperation[] = [];
  readonly acknowledged: Acknowledged[] = [];
  indefiniteCount = 0;
  definiteFailureCount = 0;
  succeededCount = 0;
  private readonly parts: SimClientsParts;
  private readonly prngs: readonly Prng[];
  private readonly open = new Set<Open>();
  private readonly ids: Prng;
  readonly persistent: PersistentWrites;
  /** A counter of events is a clock that all clients share. */
  private clock = 1;
  private valueNext = 1;
  private running = 0;
  private stopped = false;

  constructor(parts: SimClientsParts) {
    this.parts = parts;
    const { plan, prng, scheduler, cluster } = parts;
    this.ids = new Prng(plan.idSeed);
    this.persistent = new PersistentWrites({
      scheduler,
      cluster,
      prng: this.ids,
      isStopped: () => this.stopped,
    });
    this.prngs = Array.from({ length: plan.clientCount }, () => prng.fork());
    for (const [client, own] of this.prngs.entries()) {
      if (parts.only !== undefined && !parts.only.includes(client)) continue;
      this.running += 1;
      scheduler.after(own.between(0, 20), () => this.next(client, plan.operationsPerClient));
    }
    cluster.onEnded = (life) => this.onEnded(life);
  }

  get finished(): boolean {
    return this.running === 0;
  }

  get pending(): number {
    return this.open.size;
  }

  /** The moment by the clients' clock. */
  get now(): number {
    return this.clock;
  }

  /** Nothing new is begun. */
  stop(): void {
    this.stopped = true;
  }

  /** One read of every key at every node, once all is at rest: part of the history. */
  readAll(): void {
    for (const sim of this.parts.cluster.nodes) {
      for (const key of this.parts.plan.keys) this.perform(-1, sim, key, { kind: 'get' }, 0, () => undefined);
    }
  }

  private next(client: number, left: number): void {
    if (left <= 0 || this.stopped) {
      this.running -= 1;
      return;
    }
    const { plan, scheduler, cluster } = this.parts;
    const prng = this.prngs[client]!;
    const alive = cluster.nodes.filter((sim) => sim.node !== null);
    const again = (spent: number): void => {
      const pause = spent > 0 ? prng.between(0, plan.thinkMsMax) : 20;
      scheduler.after(pause, () => this.next(client, left - spent));
    };
    if (alive.length === 0) return again(0);
    const count = prng.chance(plan.batchShare) ? 2 + prng.below(BATCH_COUNT_MAX - 1) : 1;
    const sim = prng.pick(alive);
    let waiting = count;
    for (let index = 0; index < count; index += 1) {
      const key = prng.chance(plan.hotShare) ? plan.keys[0]! : prng.pick(plan.keys);
      const { call, ttlMs } = this.drawCall(prng, key);
      this.perform(client, sim, key, call, ttlMs, () => {
        waiting -= 1;
        if (waiting === 0) again(count);
      });
    }
  }

  private drawCall(prng: Prng, key: string): { call: HistoryCall; ttlMs: number } {
    const { plan } = this.parts;
    if (prng.chance(plan.readShare)) return { call: { kind: 'get' }, ttlMs: 0 };
    const ttlMs = prng.chance(plan.ttlShare) ? 1 + prng.below(plan.ttlMsMax) : 0;
    if (prng.chance(plan.conditionalShare)) return this.drawConditional(prng, key, ttlMs);
    if (prng.chance(0.2)) return { call: { kind: 'delete' }, ttlMs: 0 };
    return { call: { kind: 'put', value: this.newValue() }, ttlMs };
  }

  private drawConditional(prng: Prng, key: string, ttlMs: number): { call: HistoryCall; ttlMs: number } {
    const draw = prng.next();
    if (draw < 0.5 || key.startsWith('count'))
      return { call: { kind: 'increment', delta: BigInt(1 + prng.below(DELTA_MAX)) }, ttlMs: 0 };
    const expect = prng.chance(0.3)
      ? ({ kind: 'absent' } as const)
      : ({ kind: 'value', value: this.someValue(key) } as const);
    if (draw < 0.9) return { call: { kind: 'compareAndPut', expect, value: this.newValue() }, ttlMs };
    return { call: { kind: 'compareAndDelete', expect }, ttlMs: 0 };
  }

  private newValue(): string {
    return String(BigInt(this.valueNext++) * VALUE_STEP);
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

  private perform(
    client: number,
    sim: SimNode,
    key: string,
    call: HistoryCall,
    ttlMs: number,
    then: () => void,
  ): void {
    if (sim.node === null) return then();
    const { plan, scheduler, wall } = this.parts;
    const invokedAt = this.clock++;
    const mark = wall.mark();
    const end = (outcome: HistoryOutcome): void => {
      const range = wall.since(mark);
      this.count(outcome);
      const told = ttlMs === 0 ? call : withExpiry(call, expiryWithin(outcome, range, ttlMs));
      const returnedAt = this.clock++;
      this.history.push({ key, client, call: told, outcome, invokedAt, returnedAt, wall: range });
      this.parts.onDone(
        () => `${scheduler.time.toFixed(2)} c${client} ${sim.name} ${key} ${tell(told)} -> ${tell(outcome)}`,
      );
      then();
    };
    if (call.kind === 'get' || !this.ids.chance(plan.idShare))
      return this.ask(sim, key, call, ttlMs, null, end);
    this.persistent.begin(sim, key, call, (at, id, done) => this.ask(at, key, call, ttlMs, id, done), end);
  }

  private ask(
    sim: SimNode,
    key: string,
    call: HistoryCall,
    ttlMs: number,
    id: Uint8Array | null,
    done: (outcome: HistoryOutcome) => void,
  ): void {
    const { plan, scheduler, watch } = this.parts;
    const { node, life } = sim;
    // A node that is down is noticed as such: nothing was sent.
    if (node === null || life === null)
      return void scheduler.after(NOTICE_MS_MAX, () => done({ kind: 'definiteFailure' }));
    const end = (outcome: HistoryOutcome): void => {
      if (!this.open.delete(open)) return;
      giveUp();
      done(outcome);
    };
    const lost: HistoryOutcome = { kind: call.kind === 'get' ? 'definiteFailure' : 'indefinite' };
    const open: Open = { life, end, lost };
    this.open.add(open);
    const giveUp = scheduler.after(plan.timeoutMs + PATIENCE_MS, () => end(lost));
    if (call.kind === 'get') {
      return node.get(key, plan.timeoutMs, (result) => {
        if (result.kind === 'value') watch.sawValue(key, result.record.version);
        end(readOutcome(result));
      });
    }
    node.write(toOperation(key, call, ttlMs, id), plan.timeoutMs, (result) => {
      if (result.kind === 'done') {
        this.acknowledged.push({ key, version: result.version });
        watch.sawAcknowledgement(key, result.version);
      }
      end(writeOutcome(result));
    });
  }

  private count(outcome: HistoryOutcome): void {
    if (outcome.kind === 'indefinite') this.indefiniteCount += 1;
    else if (outcome.kind === 'definiteFailure') this.definiteFailureCount += 1;
    else this.succeededCount += 1;
  }

  private onEnded(life: Life): void {
    const { scheduler, prng } = this.parts;
    for (const open of this.open) {
      if (open.life === life) scheduler.after(prng.between(0, NOTICE_MS_MAX), () => open.end(open.lost));
    }
  }
}

/** When a value's time is over: counted from the moment at which some node took the write up, by its clock. */
function expiryWithin(
  outcome: HistoryOutcome,
  wall: { lowest: number; highest: number },
  ttlMs: number,
): Expiry {
  const by = outcome.kind === 'indefinite' ? Infinity : wall.highest + ttlMs;
  return { from: wall.lowest + ttlMs, by };
}

function tell(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
}

function toOperation(
  key: string,
  call: HistoryCall,
  ttlMs: number,
  operationId: Uint8Array | null,
): WriteOperation {
  switch (call.kind) {
    case 'put':
      return { kind: 'put', key, value: Buffer.from(call.value), ttlMs, operationId };
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
        ttlMs,
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
  const { value, version, expiresAt } = result.record;
  return { kind: 'value', value: textOf(value), version, expiresAt };
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
