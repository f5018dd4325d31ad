/**
 * One seed, from the founding to the verdict: a cluster under load and faults (safety), then everything is healed, and
 * everything pending must complete (progress). The clients' history must be linearizable per key, every owner and
 * PostgreSQL must hold what was acknowledged, and nothing may be left in a queue.
 */
import { everythingDriven } from '../src/core/system-of-record/record-standing.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import { STALE_MS_MAX } from './cached-reads.ts';
import { leftAtRest, QueueWatch } from './checkers/queues.ts';
import { DurabilityWatch } from './checkers/durability.ts';
import { expiryOf } from './checkers/model.ts';
import { RemovalWatch } from './checkers/removals.ts';
import { SimClients } from './clients.ts';
import {
  judgeCopies,
  judgeHistory,
  keysNotExpired,
  lookAtFloors,
  ownerDisks,
  rottenCopy,
  valueBack,
} from './end-state.ts';
import type { SimCluster, SimNode } from './cluster.ts';
import { COUNTED_EVENTS } from './counted-events.ts';
import { DISK_HAS_NO_ROOM } from './disk.ts';
import { drawFaults } from './fault-plan.ts';
import type { FaultEvent } from './fault-plan.ts';
import { SimFaults } from './faults.ts';
import { SimHand } from './hand.ts';
import { SimLister } from './lister.ts';
import { queueSizesOf } from './queue-sizes.ts';
import type { Scheduler } from './scheduler.ts';
import { unrestOf } from './unrest.ts';
import type { WallWatch } from './wall-watch.ts';
import { SimWorld } from './world.ts';
import type { WorldOptions } from './world.ts';

/** What remains of a run when it is repeated in a smaller form. */
export interface RunCut {
  /** Numbers of the faults to inject; default: all. */
  readonly faults?: readonly number[];
  /** Numbers of the clients that act; default: all. */
  readonly clients?: readonly number[];
  /** Milliseconds of load; what has not begun by then never does. */
  readonly loadMs?: number;
}

export interface RunOptions extends WorldOptions, RunCut {
  /** What is done to the members, once they are founded and under load. */
  readonly story?: (cluster: SimCluster, scheduler: Scheduler, wall: WallWatch) => void;
  /** Called with every line of the trace as it happens. */
  readonly onTrace?: (line: string) => void;
}

export type ViolationKind =
  | 'founding'
  | 'promise'
  | 'progress'
  | 'history'
  | 'copies'
  | 'queues'
  /** One member was removed for slowness again and again. */
  | 'storm'
  /** The code itself failed. */
  | 'crash';

export interface RunResult {
  readonly seed: number;
  /** Null if nothing was violated. */
  readonly violation: string | null;
  readonly violationKind: ViolationKind | null;
  readonly operations: number;
  readonly succeeded: number;
  readonly clientCount: number;
  /** Numbers of the faults that were injected. */
  readonly struck: readonly number[];
  readonly loadMs: number;
  readonly virtualMs: number;
  readonly eventCount: number;
  /** The same seed gives the same hash. */
  readonly traceHash: number;
  /** What occurred: faults by kind, and events of the nodes. */
  readonly occurred: ReadonlyMap<string, number>;
}

/** The reason of a process that ends because PostgreSQL is in a later life. */
const LATER_FOUNDING = 'a later founding';
export const LOAD_MS_MAX = 30_000;
/** Milliseconds after the last fault by which everything pending must have completed. */
const REST_MS_MAX = 18_000;
/** Milliseconds within which it is noticed that PostgreSQL was replaced or set back. */
const NOTICED_MS = 4_000;
const LAST_READS_MS_MAX = 8_000;
/** Milliseconds until nothing is left: slots may still be moving, and given-up state is removed after a quiet time. */
const EMPTY_MS_MAX = 40_000;
/** Milliseconds within which the scrubbers must have found what is damaged. */
const SCRUBBED_MS_MAX = 20_000;
/** How many writes with an operation id are repeated once all is at rest. */
const REPEATED_MAX = 40;
/** How often the world is checked from outside. */
const LOOK_MS = 50;

export function runSeed(seed: number, options: RunOptions = {}): RunResult {
  const run = new Run(seed, options);
  try {
    return run.run();
  } catch (error) {
    return run.result('crash', error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

class Run {
  private readonly seed: number;
  private readonly options: RunOptions;
  private readonly world: SimWorld;
  private readonly watch: DurabilityWatch;
  private readonly queues: QueueWatch;
  private readonly removals = new RemovalWatch();
  private clients: SimClients | null = null;
  /** Null if nobody changes rows by hand. */
  private hand: SimHand | null = null;
  private loadBegan = 0;
  private loadMs = 0;
  private readonly struck: number[] = [];
  private readonly occurred = new Map<string, number>();
  private readonly epochs = new Set<number>();
  private traceHash = 0x811c9dc5;
  /**
   * A store that ran out of room although its node should have left the write path before (R32); or a scrubber's
   * impossible finding.
   */
  private harmed: string | null = null;

  constructor(seed: number, options: RunOptions) {
    this.seed = seed;
    this.options = options;
    this.world = new SimWorld(
      seed,
      options,
      (node, name, fields) => this.onEvent(node, name, fields),
      () => this.clients?.now ?? 0,
    );
    this.watch = new DurabilityWatch({
      // What PostgreSQL has lost since comes back; that is checked once all is at rest.
      mayLack: () => this.world.cluster.spools,
      recorded: (key) => this.world.database.stood.get(key) ?? this.world.forgotten.highest(slotOf(key)),
      owners: (key) => ownerDisks(this.world, key),
    });
    this.queues = new QueueWatch(this.world.plan);
  }

  run(): RunResult {
    const { cluster } = this.world;
    for (const sim of cluster.nodes) cluster.start(sim);
    if (!this.advance(10_000, () => cluster.isWhole()))
      return this.result('founding', this.harmed ?? 'the cluster was not founded within 10 s');
    const { still } = this.world;
    still?.write();
    if (still !== null && !this.advance(10_000, () => still.areWritten))
      return this.result('founding', 'what nobody is to touch was not written within 10 s');
    const clients = this.makeClients();
    this.clients = clients;
    this.world.losses.clients = clients;
    const { handMsMean, listMsMean } = this.options.profile ?? {};
    if (handMsMean !== undefined) this.hand = new SimHand(this.world, clients, this.seed, handMsMean);
    if (listMsMean !== undefined)
      new SimLister(this.world, clients, listMsMean, () => this.count('pageListed', 1));
    const faults = this.makeFaults();
    this.options.story?.(cluster, this.world.scheduler, this.world.wall);
    this.load(clients, faults);
    const broken = this.watch.violation ?? this.harmed ?? this.broken();
    if (broken !== null) return this.result('promise', broken);
    if (this.queues.violation !== null) return this.result('queues', this.queues.violation);
    const unrest = this.rest(clients);
    if (unrest !== null) return this.result('progress', unrest);
    if (this.removals.violation !== null) return this.result('storm', this.removals.violation);
    this.countWorld(clients);
    if (this.harmed !== null) return this.result('promise', this.harmed);
    const promise = this.watch.violation ?? this.broken();
    if (promise !== null) return this.result('promise', promise);
    const { once } = clients.persistent;
    if (once.violation !== null) return this.result('history', once.violation);
    return this.judge(clients);
  }

  /** The safety phase. */
  private load(clients: SimClients, faults: SimFaults): void {
    const { scheduler } = this.world;
    this.loadBegan = scheduler.time;
    const isOver = (): boolean =>
      clients.finished || this.watch.violation !== null || this.queues.violation !== null;
    this.advance(Math.min(LOAD_MS_MAX, this.options.loadMs ?? Infinity), isOver);
    this.loadMs = scheduler.time - this.loadBegan;
    clients.stop();
    this.hand?.stop();
    faults.stop();
    for (const [kind, count] of faults.counts) this.count(kind, count);
  }

  /** The progress phase: returns why the world did not come to rest, or null. */
  private rest(clients: SimClients): string | null {
    const { cluster } = this.world;
    const isAtRest = (): boolean => clients.pending === 0 && clients.finished && this.isIdle();
    const isDriven = (): boolean =>
      this.world.scheduler.time - this.world.database.replacedAt > NOTICED_MS &&
      cluster.nodes.every(
        ({ node }) => node?.membership.leaseHeld() !== true || everythingDriven(node.membership.topology!),
      );
    if (!this.advance(REST_MS_MAX, () => isAtRest() && cluster.isWhole() && isDriven()))
      return `no rest ${REST_MS_MAX} ms after the last fault: ${unrestOf(this.world.cluster, clients)}`;
    clients.persistent.repeatAll(REPEATED_MAX);
    if (!this.advance(LAST_READS_MS_MAX, () => clients.pending === 0)) return 'a repeated write has no end';
    const { cached } = clients;
    const isToldAll = (): boolean => cached.amiss() === null;
    // Notices may still be on their way to clients with older copies.
    if (!isToldAll()) this.count('wordOnItsWay', Number(this.advance(STALE_MS_MAX, isToldAll)));
    clients.readAll();
    if (!this.advance(LAST_READS_MS_MAX, isAtRest)) return 'the last reads did not come to an end';
    const isExpired = (): boolean => keysNotExpired(this.world).length === 0 && isAtRest();
    if (!this.advance(LAST_READS_MS_MAX, isExpired))
      return `still not deleted although their time is over: ${keysNotExpired(this.world).join()}`;
    const unscrubbed = (): string | null => {
      const { still } = this.world;
      if (this.world.scrubPauseMs === 0) return null;
      return rottenCopy(this.world) ?? still?.wrong() ?? valueBack(this.world);
    };
    if (!this.advance(SCRUBBED_MS_MAX, () => unscrubbed() === null))
      return `no scrubber has made it whole: ${unscrubbed()}`;
    const left = (): string | null =>
      cluster.nodes
        .filter(({ isGone, node }) => !isGone && node !== null && node['keeper'].replica !== null)
        .map(({ name, node }) => leftAtRest(name, queueSizesOf(node!)))
        .find((each) => each !== null) ?? null;
    if (!this.advance(EMPTY_MS_MAX, () => left() === null)) return `at rest, and yet there is ${left()}`;
    return null;
  }

  private judge(clients: SimClients): RunResult {
    this.hand?.end();
    const verdict = judgeHistory(this.world, clients);
    if (verdict.kind === 'undecided') {
      this.count('undecided', 1);
      this.trace(() => verdict.explanation);
    }
    if (verdict.kind === 'violation')
      return this.result('history', `violation on ${verdict.key}\n${verdict.explanation}`);
    const difference = judgeCopies(this.world, clients);
    return difference === null
      ? this.result(null, null)
      : this.result('copies', `the copies differ: ${difference}`);
  }

  private makeClients(): SimClients {
    const { scheduler, cluster, prng, plan, wall } = this.world;
    return new SimClients({
      scheduler,
      cluster,
      prng: prng.fork(),
      plan,
      watch: this.watch,
      wall,
      ...(this.options.clients === undefined ? {} : { only: this.options.clients }),
      onDone: (line) => this.trace(line),
    });
  }

  private makeFaults(): SimFaults {
    const { world, options } = this;
    const { faultKinds, faultMsMean } = options.profile ?? {};
    const drawn = world.prng.pick([800, 1_500, 3_000]);
    const plan = drawFaults(world.prng.fork(), {
      seed: this.seed,
      lastsMs: LOAD_MS_MAX,
      meanMs: faultMsMean ?? drawn,
      hasLegacy: world.legacy !== null,
      hasScrubber: world.still !== null,
      ...(faultKinds === undefined ? {} : { kinds: faultKinds }),
    });
    const onStrike = ({ index, kind }: FaultEvent, what: string): void => {
      this.struck.push(index);
      this.trace(() => `${world.scheduler.time.toFixed(2)} fault ${index}: ${kind} ${what}`);
    };
    return new SimFaults(world, onStrike, plan, options.faults);
  }

  private advance(ms: number, until: () => boolean): boolean {
    const { scheduler, cluster } = this.world;
    const end = scheduler.time + ms;
    while (scheduler.time < end) {
      scheduler.runUntil(Math.min(end, scheduler.time + LOOK_MS));
      for (const sim of cluster.nodes) this.lookAt(sim);
      this.world.losses.look();
      if (until()) return true;
    }
    return false;
  }

  private lookAt({ name, node, life }: SimNode): void {
    if (node === null) return;
    this.queues.look(name, queueSizesOf(node));
    // A node that sleeps, clock included, does not know that its lease is over, but it does not answer anybody either.
    const isAsleep = life !== null && life.pausedUntil > this.world.scheduler.time;
    if (isAsleep || !node.membership.leaseHeld()) return;
    lookAtFloors(this.world, name, node);
  }

  /** A deletion that was forgotten is undone, or may be; or more is lost than may be. */
  private broken(): string | null {
    const { forgotten, database, losses } = this.world;
    return forgotten.violation ?? database.resurrected ?? losses.violation;
  }

  private isIdle(): boolean {
    if (this.world.database.server.edits.count > 0) return false;
    return this.world.cluster.nodes.every(
      ({ isGone, node }) => isGone || (node !== null && (node['keeper'].replica?.keysInFlight ?? 0) === 0),
    );
  }

  private countWorld(clients: SimClients): void {
    this.count('indefinite', clients.indefiniteCount);
    this.count('repeatedUnderId', clients.persistent.once.repeatCount);
    this.count('answeredAgain', clients.persistent.once.comparedCount);
    this.count('staleAnswer', clients.staleCount);
    this.count('editWritten', this.hand?.writtenCount ?? 0);
    this.count('editLost', this.hand?.lostCount ?? 0);
    this.count('forgotten', this.world.forgotten.count);
    this.count('rowRemoved', this.world.database.server.removedCount);
    this.count('slowRemoved', this.removals.count);
    this.count('answeredWithoutRecord', this.watch.spooledCount);
    this.count('writeLostForGood', this.world.losses.writeCount);
    this.count('keySetBack', this.world.losses.keyCount);
    this.count('lostWhileLacking', this.world.losses.lackingCount);
    this.count('commitUnknown', this.world.database.unknownCount);
    for (const { disk } of this.world.cluster.nodes) {
      this.count('writeArrived', disk.cutOff.arrived);
      this.count('writeLost', disk.cutOff.lost);
      this.count('writeDamaged', disk.cutOff.damaged);
    }
    for (const { call } of clients.history) if (expiryOf(call) !== null) this.count('timeToLive', 1);
  }

  private onEvent(node: string, name: string, fields: Readonly<Record<string, unknown>>): void {
    const epoch = fields['epoch'];
    if (name === 'membership.epoch' && this.world.losses.isOpen)
      this.world.scheduler.after(0, () => this.world.losses.look());
    if (name === 'membership.epoch' && typeof epoch === 'number' && !this.epochs.has(epoch)) {
      this.epochs.add(epoch);
      this.count('epoch', 1);
    }
    if (name === 'record.driven') this.count('rowsDriven', Number(fields['rows']));
    if (name === 'tombstone.forgotten')
      this.world.forgotten.forgotten(Number(fields['slot']), Number(fields['version']), Number(epoch));
    if (name === 'membership.slow.removed') this.removals.removed(String(fields['member']), Number(epoch));
    if (name === 'sim.fatal' && String(fields['reason']).includes(LATER_FOUNDING))
      this.world.operator.onFenced(node);
    if (name === 'sim.fatal' && String(fields['reason']).includes(DISK_HAS_NO_ROOM))
      this.harmed = `the store of ${node} was harmed: ${String(fields['reason'])}`;
    // Apart from that, only damage and rows lost in a failover occur in these runs, so any other finding of a scrubber
    // cannot be real.
    const isRowLost = fields['finding'] === 'unrecorded' && this.world.database.replacedAt !== -Infinity;
    const isFinding = name === 'scrub.found' && fields['finding'] !== 'damaged' && !isRowLost;
    if (name === 'scrub.conflict' || (isFinding && this.world.still?.isIn(fields['slot']) !== true))
      this.harmed = `${node} has found what cannot be: ${name} ${JSON.stringify(fields)}`;
    if (name === 'peer.frame_damaged')
      this.harmed = `${node} was sent what it cannot read: ${String(fields['fault'])}`;
    if (name === 'sim.raised' && this.clients !== null) this.count('versionRaised', 1);
    if (name in COUNTED_EVENTS) this.count(COUNTED_EVENTS[name]!, 1);
    this.trace(() => `${this.world.scheduler.time.toFixed(2)} ${node} ${name} ${JSON.stringify(fields)}`);
  }

  /** Lines are only formatted if somebody reads them; the hash of the events shows that a seed repeats its run. */
  private trace(line: () => string): void {
    this.traceHash = Math.imul(this.traceHash ^ this.world.scheduler.eventCount, 0x01000193);
    this.options.onTrace?.(line());
  }

  private count(what: string, amount: number): void {
    this.occurred.set(what, (this.occurred.get(what) ?? 0) + amount);
  }

  result(violationKind: ViolationKind | null, violation: string | null): RunResult {
    const { scheduler, plan } = this.world;
    return {
      seed: this.seed,
      violation,
      violationKind,
      operations: this.clients?.history.length ?? 0,
      succeeded: this.clients?.succeededCount ?? 0,
      clientCount: plan.clientCount,
      struck: this.struck,
      loadMs: this.loadMs,
      virtualMs: scheduler.time,
      eventCount: scheduler.eventCount,
      traceHash: this.traceHash >>> 0,
      occurred: this.occurred,
    };
  }
}
