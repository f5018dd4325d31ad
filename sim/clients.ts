/**
 * Simulated clients. Each runs one operation after another, or several at once, at nodes of its choice, mostly on a hot
 * key, and records the answers. If a node dies before it answers, a write is indefinite; with an operation id it is
 * repeated until its outcome is known, and appears in the history once. Some reads accept old answers: such an answer
 * is recorded as a read that began as long ago as the answer says. Each client draws from a generator of its own, so
 * that a run can be repeated without some of them.
 */
import { Prng } from '../src/base/prng.ts';
import { CLOCK_DRIFT_MAX } from '../src/core/limits.ts';
import type { WriteOperation } from '../src/core/operation.ts';
import type { KeyRecord } from '../src/core/record.ts';
import { counterOf, makeVersion } from '../src/core/version.ts';
import type { CausewayNode } from '../src/node/node.ts';
import type { DurabilityWatch } from './checkers/durability.ts';
import { CachedReads } from './cached-reads.ts';
import { ContentTypes } from './checkers/content-types.ts';
import { withExpiry } from './checkers/expiries.ts';
import type { HistoryCall, HistoryOperation, HistoryOutcome } from './checkers/history.ts';
import {
  expiryWithin,
  readOutcome,
  recordOutcome,
  tell,
  toOperation,
  valuesOf,
  writeOutcome,
} from './client-words.ts';
import type { SimCluster, SimNode } from './cluster.ts';
import { Modifications } from './modifications.ts';
import { PersistentWrites } from './persistent-writes.ts';
import type { Life, Scheduler } from './scheduler.ts';
import { textOf, VALUE_STEP } from './values.ts';
import { keepTypes } from './versions.ts';
import type { WallWatch } from './wall-watch.ts';

const DELTA_MAX = 10 ** 12;
/** Milliseconds that a client needs to notice that the process it spoke to is gone. */
const NOTICE_MS_MAX = 25;
/** Milliseconds that a client waits beyond the node's deadline: a paused node answers late or never. */
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
  /** Share of turns in which a client requests many things at once, like a call with many keys. */
  readonly batchShare: number;
  /** Share of the put values that expire, and their longest time to live. */
  readonly ttlShare: number;
  readonly ttlMsMax: number;
  /** Share of the writes that carry an operation id, and the seed for everything about them. */
  readonly idShare: number;
  readonly idSeed: number;
  /** Share of the other writes that are lists of changes instead. */
  readonly modifyShare: number;
  /** Share of the reads that accept old answers. */
  readonly staleShare: number;
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
  /** Only these clients; default: all clients of the plan. */
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
  /** Number of old answers. */
  staleCount = 0;
  private readonly parts: SimClientsParts;
  private readonly prngs: readonly Prng[];
  private readonly open = new Set<Open>();
  private readonly ids: Prng;
  private readonly stales: Prng;
  private readonly modifications: Modifications;
  readonly persistent: PersistentWrites;
  readonly cached: CachedReads;
  readonly types: ContentTypes;
  /** A counter of events, which serves as a clock that all clients share. */
  private clock = 1;
  /** The virtual time in milliseconds at each tick of that clock. */
  private readonly times: number[] = [0];
  private valueNext = 1;
  private running = 0;
  private stopped = false;

  constructor(parts: SimClientsParts) {
    this.parts = parts;
    const { plan, prng, scheduler, cluster } = parts;
    this.ids = new Prng(plan.idSeed);
    this.stales = new Prng(plan.idSeed ^ 0x57a1e);
    this.modifications = new Modifications(new Prng(plan.idSeed ^ 0x30d1f), plan.ttlMsMax, () =>
      this.newValue(),
    );
    this.cached = new CachedReads({
      ...{ scheduler, cluster },
      onViolation: (text) => (parts.watch.violation ??= text),
    });
    this.types = new ContentTypes((text) => (parts.watch.violation ??= text));
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

  /** The present moment on the clients' clock. */
  get now(): number {
    return this.clock;
  }

  /** These versions were lost, as they may be: nobody has to have them. */
  forgive(key: string, above: number): void {
    const left = this.acknowledged.filter((each) => each.key !== key || each.version <= above);
    this.acknowledged.splice(0, this.acknowledged.length, ...left);
    // If two rounds of one operation were under way at once, the other one may be what is left.
    this.persistent.once.forgive(key, makeVersion(counterOf(above), 0) - 1);
  }

  /** No new operations begin. */
  stop(): void {
    this.stopped = true;
  }

  /** Reads every key at every node once all is at rest; these reads are part of the history. */
  readAll(): void {
    this.cached.judgeAtRest();
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
      const { call, ttlMs } = this.modifiedCall(key, this.drawCall(prng, key));
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

  /** Drawn from a separate generator, so that clients without modifications behave as before. */
  private modifiedCall(key: string, drawn: { call: HistoryCall; ttlMs: number }): typeof drawn {
    const { plan, wall } = this.parts;
    if (drawn.call.kind === 'get' || !this.modifications.chance(plan.modifyShare)) return drawn;
    return { call: this.modifications.draw(key, wall.lowest()), ttlMs: 0 };
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

  /** A recently seen value, so that some conditions hold. */
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
    const invokedAt = this.moment();
    for (const value of valuesOf(call)) this.types.began(value, keepTypes(this.parts.cluster));
    const mark = wall.mark();
    const end = (outcome: HistoryOutcome, staleMs?: number): void => {
      const range = wall.since(mark);
      this.count(outcome);
      const told = ttlMs === 0 ? call : withExpiry(call, expiryWithin(outcome, range, ttlMs));
      const returnedAt = this.moment();
      const began = staleMs === undefined ? invokedAt : this.momentAgo(staleMs);
      this.history.push({ key, client, call: told, outcome, invokedAt: began, returnedAt, wall: range });
      this.parts.onDone(
        () => `${scheduler.time.toFixed(2)} c${client} ${sim.name} ${key} ${tell(told)} -> ${tell(outcome)}`,
      );
      then();
    };
    if (call.kind === 'get' && plan.staleShare > 0 && this.stales.chance(plan.staleShare))
      return this.askStale(sim, key, end);
    if (call.kind === 'get' || call.kind === 'modify' || !this.ids.chance(plan.idShare))
      return this.ask(sim, key, call, ttlMs, null, end);
    this.persistent.begin(sim, key, call, (at, id, done) => this.ask(at, key, call, ttlMs, id, done), end);
  }

  private moment(): number {
    this.times.push(this.parts.scheduler.time);
    return this.clock++;
  }

  /** The earliest moment that is no longer ago than the clock of a node may have measured. */
  private momentAgo(ms: number): number {
    const since = this.parts.scheduler.time - ms / (1 - CLOCK_DRIFT_MAX);
    let moment = this.clock - 1;
    while (moment > 1 && this.times[moment - 1]! >= since) moment -= 1;
    return moment;
  }

  private saw(record: KeyRecord): void {
    this.parts.watch.sawValue(record.key, record.version);
    this.types.saw(record);
  }

  private askStale(
    sim: SimNode,
    key: string,
    done: (outcome: HistoryOutcome, staleMs?: number) => void,
  ): void {
    const { plan } = this.parts;
    this.begin(sim, { kind: 'definiteFailure' }, done, (node, end) =>
      node.getStale(key, plan.timeoutMs, (result) => {
        const { record } = result as { readonly record?: KeyRecord };
        if (record !== undefined) this.saw(record);
        if (result.kind !== 'stale') return end(readOutcome(result));
        this.staleCount += 1;
        end(record === undefined ? { kind: 'value', value: null } : recordOutcome(record), result.staleMs);
      }),
    );
  }

  private ask(
    sim: SimNode,
    key: string,
    call: HistoryCall,
    ttlMs: number,
    id: Uint8Array | null,
    done: (outcome: HistoryOutcome) => void,
  ): void {
    const { plan, watch } = this.parts;
    const lost: HistoryOutcome = { kind: call.kind === 'get' ? 'definiteFailure' : 'indefinite' };
    this.begin(sim, lost, done, (node, end) => {
      if (call.kind === 'get') {
        const keep = this.cached.begin(sim, key);
        return node.get(key, plan.timeoutMs, (result) => {
          if (result.kind === 'value') this.saw(result.record);
          keep(result);
          end(readOutcome(result));
        });
      }
      const operation = toOperation(key, call, ttlMs, id);
      // A write repeated under an id may have been carried out before, together with others.
      const keep = id === null ? this.cached.beginWrite(sim, key, valueOf(operation)) : () => undefined;
      node.write(operation, plan.timeoutMs, (result) => {
        keep(result);
        if (result.kind === 'done' || result.kind === 'modified') {
          this.acknowledged.push({ key, version: result.version });
          watch.sawAcknowledgement(key, result.version);
          this.cached.acknowledged(key, result.version);
        } else if (result.kind === 'conditionFailed' && result.current !== undefined)
          this.types.saw(result.current);
        end(writeOutcome(result, operation));
      });
    });
  }

  /** Sends the operation to the present process of the node; `lost` is the outcome if no answer comes. */
  private begin(
    sim: SimNode,
    lost: HistoryOutcome,
    done: (outcome: HistoryOutcome, staleMs?: number) => void,
    ask: (node: CausewayNode, end: (outcome: HistoryOutcome, staleMs?: number) => void) => void,
  ): void {
    const { plan, scheduler } = this.parts;
    const { node, life } = sim;
    // The client notices that the node is down, so nothing was sent.
    if (node === null || life === null)
      return void scheduler.after(NOTICE_MS_MAX, () => done({ kind: 'definiteFailure' }));
    const end = (outcome: HistoryOutcome, staleMs?: number): void => {
      if (!this.open.delete(open)) return;
      scheduler.cancel(giveUp);
      done(outcome, staleMs);
    };
    const open: Open = { life, end, lost };
    this.open.add(open);
    const giveUp = scheduler.after(plan.timeoutMs + PATIENCE_MS, () => end(lost));
    ask(node, end);
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

/** The value that the key will hold if this is done; null if it is not known beforehand. */
function valueOf(operation: WriteOperation): string | null {
  const { kind } = operation;
  return kind === 'put' || kind === 'compareAndPut' ? textOf(operation.value) : null;
}
