/**
 * A small founded cluster in which nothing fails by itself, for scenarios about one part of a node: the scenario
 * commands what happens, and asks and waits in simulated time.
 */
import { assert } from '../src/base/assert.ts';
import { Prng } from '../src/base/prng.ts';
import { NO_MUTATIONS } from '../src/core/mutations.ts';
import type { Mutations } from '../src/core/mutations.ts';
import { lossOf } from '../src/core/lives/recovery.ts';
import type { ReadResult, StaleResult, WriteOperation, WriteResult } from '../src/core/operation.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import { liveOwners, memberById, rowOfSlot } from '../src/core/membership/topology.ts';
import type { ClusterAnswer, ClusterOrder } from '../src/node/cluster-orders.ts';
import type { SpoolSettings } from '../src/node/spool/spool.ts';
import type { Tracing } from '../src/ports/tracing.ts';
import { SimCluster } from './cluster.ts';
import type { SimNode } from './cluster.ts';
import { SimLegacy } from './legacy.ts';
import { SimNetwork } from './network.ts';
import { Scheduler } from './scheduler.ts';
import { SIM_DATABASE_CALM, SimDatabase } from './system-of-record.ts';

const TIMEOUT_MS = 5_000;

export interface SmallWorldOptions {
  /** Changes the world before the first node starts. */
  readonly before?: (world: SmallWorld) => void;
  /** 3 by default; each slot has three owners. */
  readonly nodeCount?: number;
  /** Milliseconds; with 0, the default, nobody is healed around. */
  readonly healAfterMs?: number;
  readonly withLegacy?: boolean;
  readonly mutations?: Mutations | undefined;
  /** Milliseconds for which deletions are kept. */
  readonly tombstoneKeepMs?: number | undefined;
  /** What happens while PostgreSQL is away; by default writes are refused. */
  readonly record?: SpoolSettings;
  readonly tracingOf?: (node: string) => Tracing;
}

export class SmallWorld {
  readonly scheduler = new Scheduler();
  readonly prng: Prng;
  readonly database: SimDatabase;
  /** Connected if the scenario asks for it; it has no keys. */
  readonly legacy: SimLegacy;
  readonly cluster: SimCluster;
  /** How often each event occurred, on all nodes together. */
  readonly told = new Map<string, number>();

  /** The value of each counter, of all nodes together. */
  readonly counted = new Map<string, number>();

  /** Why processes ended by themselves. */
  readonly fatal: string[] = [];

  constructor(seed: number, options: SmallWorldOptions = {}) {
    const { before, nodeCount = 3, healAfterMs = 0, withLegacy = false, mutations = NO_MUTATIONS } = options;
    const { tombstoneKeepMs, record, tracingOf } = options;
    const prng = new Prng(seed);
    this.prng = prng;
    this.database = new SimDatabase(this.scheduler, prng.fork(), SIM_DATABASE_CALM);
    this.legacy = new SimLegacy(this.scheduler, new Prng(seed));
    this.cluster = new SimCluster({
      nodeCount,
      replicaCount: 3,
      healAfterMs,
      scheduler: this.scheduler,
      prng: prng.fork(),
      database: this.database,
      legacy: withLegacy ? this.legacy : null,
      mutations,
      ...(tombstoneKeepMs === undefined ? {} : { tombstoneKeepMs }),
      ...(record === undefined ? {} : { record }),
      ...(tracingOf === undefined ? {} : { tracingOf }),
      network: new SimNetwork(this.scheduler, prng.fork(), {
        delayMsMax: 2,
        spikeShare: 0,
        spikeMsMax: 0,
        linkLifeMsMean: 0,
      }),
      onCount: (_node, metric) => this.counted.set(metric, (this.counted.get(metric) ?? 0) + 1),
      onEvent: (_node, name, { reason }) => {
        this.told.set(name, (this.told.get(name) ?? 0) + 1);
        if (name === 'sim.fatal') this.fatal.push(String(reason));
      },
    });
    before?.(this);
    for (const sim of this.cluster.nodes) this.cluster.start(sim);
    this.until(() => this.cluster.isWhole(), 10_000);
  }

  get nodes(): readonly SimNode[] {
    return this.cluster.nodes;
  }

  /** The slot's owners, the first one first. */
  ownersOf(key: string): SimNode[] {
    const topology = this.nodes.find((sim) => sim.node !== null)!.node!.membership.topology!;
    const ids = liveOwners(topology, rowOfSlot(topology, slotOf(key)));
    const names = ids.map((id) => memberById(topology, id)!.name);
    return names.map((name) => this.nodes.find((sim) => sim.name === name)!);
  }

  run(ms: number): void {
    this.scheduler.runUntil(this.scheduler.time + ms);
  }

  /** Runs until `holds` returns true; throws if it never does. */
  until(holds: () => boolean, msMax: number): void {
    const end = this.scheduler.time + msMax;
    while (!holds()) {
      assert(this.scheduler.time < end, `after ${msMax} ms it still does not hold: ${String(holds)}`);
      this.run(10);
    }
  }

  write(sim: SimNode, operation: WriteOperation): WriteResult {
    let result: WriteResult | null = null;
    sim.node!.write(operation, TIMEOUT_MS, (told) => (result = told));
    this.until(() => result !== null, TIMEOUT_MS * 2);
    return result!;
  }

  put(sim: SimNode, key: string, value: string, ttlMs = 0): WriteResult {
    return this.write(sim, { kind: 'put', key, value: Buffer.from(value), ttlMs, operationId: null });
  }

  get(sim: SimNode, key: string): ReadResult {
    let result: ReadResult | null = null;
    sim.node!.get(key, TIMEOUT_MS, (told) => (result = told));
    this.until(() => result !== null, TIMEOUT_MS * 2);
    return result!;
  }

  /** Gives an order, and returns the answer. */
  operate(sim: SimNode, order: ClusterOrder): ClusterAnswer {
    let answer: ClusterAnswer | null = null;
    sim.node!.operate(order, TIMEOUT_MS * 2, (told) => (answer = told));
    this.until(() => answer !== null, TIMEOUT_MS * 2);
    return answer!;
  }

  /**
   * The survivors notice that the key has no owner any more; an operator gives all such slots up, and it is served
   * again.
   */
  giveUp(key: string, living: readonly SimNode[], asked = living[0]!): void {
    const lost = ({ node }: SimNode): readonly number[] => lossOf(node!.membership.topology!).slots;
    const isNoticed = (sim: SimNode): boolean =>
      sim.node?.membership.leaseHeld() === true && lost(sim).includes(slotOf(key));
    this.until(() => living.every(isNoticed), 20_000);
    const { kind } = this.operate(asked, { kind: 'recover', slotCount: lost(asked).length });
    assert(kind === 'changed', `nothing was given up: ${kind}`);
    this.until(() => this.get(asked, key).kind !== 'failed', 20_000);
  }

  /** Lets all of these nodes complete a round of scrubbing. */
  scrub(nodes: readonly SimNode[] = this.nodes): void {
    this.orderScrub(nodes);
    this.run(100);
    this.until(() => nodes.every(({ node }) => !node!.status().scrub.isUnderWay), 20_000);
  }

  /** Lets each of these nodes begin a round of scrubbing. */
  orderScrub(nodes: readonly SimNode[] = this.nodes): void {
    const order = { kind: 'scrub', recordsPerSecondMax: 0, bytesPerSecondMax: 0 } as const;
    for (const { node } of nodes) node!.operate(order, 1_000, () => undefined);
  }

  /** Accepts an old answer. */
  getStale(sim: SimNode, key: string): ReadResult | StaleResult {
    let result: ReadResult | StaleResult | null = null;
    sim.node!.getStale(key, TIMEOUT_MS, (told) => (result = told));
    this.until(() => result !== null, TIMEOUT_MS * 2);
    return result!;
  }

  /** The value as text, undefined if the key is absent; anything else is an error. */
  text(sim: SimNode, key: string): string | undefined {
    const result = this.get(sim, key);
    assert(result.kind !== 'failed', `a read of ${key} failed: ${JSON.stringify(result)}`);
    return result.kind === 'value' ? Buffer.from(result.record.value).toString() : undefined;
  }
}
