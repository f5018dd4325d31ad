/**
 * One seed, from the founding to the verdict: a cluster under load and faults (safety), then everything healed and
 * all that is pending must come to an end (progress); the clients' history must be linearizable per key, and every
 * owner and PostgreSQL must hold what was acknowledged.
 */
import { Prng } from '../src/base/prng.ts';
import type { KeyRecord } from '../src/core/record.ts';
import { NO_MUTATIONS } from '../src/core/mutations.ts';
import type { Mutations } from '../src/core/mutations.ts';
import { slotOf } from '../src/core/slots.ts';
import { openRecord, sealRecord } from '../src/wire/record-codec.ts';
import { recordKey } from '../src/wire/store-codec.ts';
import { findDivergence } from './checkers/convergence.ts';
import { DurabilityWatch } from './checkers/durability.ts';
import type { OwnerDisk } from './checkers/durability.ts';
import { narrowExpiries } from './checkers/expiries.ts';
import { checkHistory } from './checkers/linearizability.ts';
import { SimClients } from './clients.ts';
import type { ClientPlan } from './clients.ts';
import { SimCluster } from './cluster.ts';
import { SimFaults } from './faults.ts';
import { SimLegacy } from './legacy.ts';
import { SimNetwork } from './network.ts';
import type { RunProfile } from './profiles.ts';
import { Scheduler } from './scheduler.ts';
import { SIM_DATABASE_CALM, SIM_DATABASE_ROUGH, SimDatabase } from './system-of-record.ts';
import { WallWatch } from './wall-watch.ts';

export interface RunOptions {
  readonly mutations?: Mutations;
  readonly nodeCount?: number;
  readonly profile?: RunProfile;
  /** What is done with the members, once they are founded and under load. */
  readonly story?: (cluster: SimCluster, scheduler: Scheduler, wall: WallWatch) => void;
  /** Every line of the trace as it happens. */
  readonly onTrace?: (line: string) => void;
}

export interface RunResult {
  readonly seed: number;
  /** null: nothing was violated. */
  readonly violation: string | null;
  readonly operations: number;
  readonly succeeded: number;
  readonly virtualMs: number;
  readonly eventCount: number;
  /** The same seed gives the same hash. */
  readonly traceHash: number;
  /** What occurred: faults by kind, and events of the nodes. */
  readonly occurred: ReadonlyMap<string, number>;
}

const LOAD_MS_MAX = 30_000;
/** Beyond this a history with very many lost answers on one key is counted as undecided. */
const CHECK_STEPS_MAX = 1_000_000;
const REST_MS_MAX = 18_000;
/** Writes with an operation id that are repeated once all is at rest. */
const REPEATED_MAX = 40;

export function runSeed(seed: number, options: RunOptions = {}): RunResult {
  return new Run(seed, options).run();
}

class Run {
  private readonly seed: number;
  private readonly options: RunOptions;
  private readonly prng: Prng;
  private readonly scheduler = new Scheduler();
  private readonly network: SimNetwork;
  private readonly database: SimDatabase;
  private readonly legacy: SimLegacy | null;
  private readonly cluster: SimCluster;
  private readonly plan: ClientPlan;
  private readonly wall: WallWatch;
  private readonly watch: DurabilityWatch;
  private readonly legacyValues = new Map<string, string>();
  private readonly occurred = new Map<string, number>();
  private readonly epochs = new Set<number>();
  private traceHash = 0x811c9dc5;

  constructor(seed: number, options: RunOptions) {
    this.seed = seed;
    this.options = options;
    const prng = new Prng(seed);
    this.prng = prng;
    this.network = new SimNetwork(this.scheduler, prng.fork(), {
      delayMsMax: prng.pick([1, 3, 10]),
      spikeShare: prng.pick([0, 0.02, 0.1]),
      spikeMsMax: prng.pick([20, 100]),
      linkLifeMsMean: prng.chance(0.3) ? 3_000 : 0,
      ...options.profile?.weather,
    });
    this.database = new SimDatabase(
      this.scheduler,
      prng.fork(),
      prng.chance(0.6) ? SIM_DATABASE_ROUGH : SIM_DATABASE_CALM,
    );
    this.plan = { ...drawPlan(prng), ...drawIds(seed), ...options.profile?.plan };
    this.watch = new DurabilityWatch({
      recorded: (key) => this.database.standing(key)?.record.version ?? 0,
      owners: (key) => this.ownerDisks(key),
    });
    this.legacy = prng.chance(0.4) ? new SimLegacy(this.scheduler, prng.fork()) : null;
    this.fillLegacy();
    const nodeCount = options.nodeCount ?? (prng.chance(0.15) ? 5 : 3);
    this.cluster = new SimCluster({
      nodeCount,
      replicaCount: 3,
      scheduler: this.scheduler,
      prng: prng.fork(),
      database: this.database,
      legacy: this.legacy,
      mutations: options.mutations ?? NO_MUTATIONS,
      network: this.network,
      onEvent: (node, name, fields) => this.onEvent(node, name, fields),
    });
    this.wall = new WallWatch(this.cluster.nodes.map((sim) => sim.clocks));
  }

  run(): RunResult {
    const { scheduler, cluster, prng } = this;
    for (const sim of cluster.nodes) cluster.start(sim);
    if (!this.advance(10_000, () => cluster.isWhole()))
      return this.result(null, 'the cluster was not founded within 10 s');
    const clients = new SimClients({
      scheduler,
      cluster,
      prng: prng.fork(),
      plan: this.plan,
      watch: this.watch,
      wall: this.wall,
      onDone: (line) => this.trace(line),
    });
    const faults = this.makeFaults();
    this.options.story?.(cluster, scheduler, this.wall);
    this.advance(LOAD_MS_MAX, () => clients.finished || this.watch.violation !== null);
    if (this.watch.violation !== null) return this.result(clients, this.watch.violation);
    clients.stop();
    faults.stop();
    for (const [kind, count] of faults.counts) this.count(kind, count);
    const rested = this.advance(REST_MS_MAX, () => clients.finished && cluster.isWhole() && this.isAtRest());
    if (!rested)
      return this.result(clients, `no rest ${REST_MS_MAX} ms after the last fault: ${this.unrest(clients)}`);
    clients.persistent.repeatAll(REPEATED_MAX);
    if (!this.advance(8_000, () => clients.pending === 0))
      return this.result(clients, 'a repeated write has no end');
    clients.readAll();
    if (!this.advance(8_000, () => clients.pending === 0 && this.isAtRest())) {
      return this.result(clients, 'the last reads did not come to an end');
    }
    this.count('indefinite', clients.indefiniteCount);
    this.count('repeatedUnderId', clients.persistent.once.repeatCount);
    this.count('answeredAgain', clients.persistent.once.comparedCount);
    return this.result(
      clients,
      this.watch.violation ?? clients.persistent.once.violation ?? this.judge(clients),
    );
  }

  private makeFaults(): SimFaults {
    const { scheduler, cluster, network, database, legacy, prng } = this;
    const { faultKinds, faultMsMean } = this.options.profile ?? {};
    const drawn = prng.pick([800, 1_500, 3_000]);
    return new SimFaults({
      scheduler,
      cluster,
      network,
      database,
      legacy,
      wall: this.wall,
      prng: prng.fork(),
      meanMs: faultMsMean ?? drawn,
      ...(faultKinds === undefined ? {} : { kinds: faultKinds }),
    });
  }

  private ownerDisks(key: string): OwnerDisk[] {
    const disks: OwnerDisk[] = [];
    for (const { name, node, disk } of this.cluster.nodes) {
      if (node === null || !node.membership.leaseHeld() || !node.inspect(key).owner) continue;
      const bytes = disk.get(recordKey(slotOf(key), key));
      disks.push({ name, version: bytes === undefined ? 0 : (openRecord(bytes)?.record.version ?? 0) });
    }
    return disks;
  }

  private advance(ms: number, until: () => boolean): boolean {
    const end = this.scheduler.time + ms;
    while (this.scheduler.time < end) {
      this.scheduler.runUntil(Math.min(end, this.scheduler.time + 50));
      if (until()) return true;
    }
    return false;
  }

  private isAtRest(): boolean {
    return this.cluster.nodes.every((sim) => sim.isGone || sim.node?.status().keysInFlight === 0);
  }

  private unrest(clients: SimClients): string {
    const nodes = this.cluster.nodes.map((sim) => {
      const status = sim.node?.status();
      if (status === undefined) return `${sim.name} down`;
      const learned = Math.round(status.learnedShare * 100);
      return `${sim.name} ${status.phase} epoch ${status.epoch} lease ${status.leaseHeld} learned ${learned}% in flight ${status.keysInFlight} moving ${status.slotsMoving} of ${status.members.map((member) => `${member.name}${member.alive ? '' : '(gone)'}:${member.slotsComplete}+${member.slotsLearning}`).join(' ')}`;
    });
    return [...nodes, `clients pending ${clients.pending}`].join('; ');
  }

  private judge(clients: SimClients): string | null {
    const history = narrowExpiries(clients.history);
    for (const [key, value] of this.legacyValues) {
      history.push({
        key,
        client: 'legacy',
        call: { kind: 'fill', value },
        outcome: { kind: 'indefinite' },
        invokedAt: 0,
        returnedAt: Infinity,
      });
    }
    const verdict = checkHistory(history, { stepsMax: CHECK_STEPS_MAX, versionsOrder: true });
    if (verdict.kind === 'undecided') {
      this.count('undecided', 1);
      this.trace(verdict.explanation);
    }
    if (verdict.kind === 'violation') return `${verdict.kind} on ${verdict.key}\n${verdict.explanation}`;
    const rows = new Map<string, { version: number; checksum: number }>();
    for (const row of this.database.allRows()) {
      rows.set(row.record.key, { version: row.record.version, checksum: row.checksum });
    }
    const divergence = findDivergence({
      owners: this.cluster.nodes
        .filter((sim) => !sim.isGone)
        .map((sim) => ({
          name: sim.name,
          records: this.dump(sim.node!),
          owns: (key) => sim.node!.inspect(key).owner,
        })),
      record: { rows, writtenThrough: () => true, checksumOf: (record) => sealRecord(record).checksum },
      acknowledged: clients.acknowledged,
    });
    return divergence.length === 0 ? null : `the copies differ: ${JSON.stringify(divergence.slice(0, 4))}`;
  }

  private dump(node: { inspect(key: string): { record: KeyRecord | undefined } }): Map<string, KeyRecord> {
    const records = new Map<string, KeyRecord>();
    for (const key of this.plan.keys) {
      const { record } = node.inspect(key);
      if (record !== undefined) records.set(key, record);
    }
    return records;
  }

  private fillLegacy(): void {
    if (this.legacy === null) return;
    for (const key of this.plan.keys) {
      if (this.prng.chance(0.5)) continue;
      const value = String(900_000_000_000_000 + this.legacyValues.size * 1_000_000_000);
      this.legacyValues.set(key, value);
      this.legacy.set(key, Buffer.from(value));
    }
  }

  private onEvent(node: string, name: string, fields: Readonly<Record<string, unknown>>): void {
    if (
      name === 'membership.epoch' &&
      typeof fields['epoch'] === 'number' &&
      !this.epochs.has(fields['epoch'])
    ) {
      this.epochs.add(fields['epoch']);
      this.count('epoch', 1);
    } else if (name === 'replication.replay') this.count('replay', 1);
    else if (name === 'sim.kill') this.count('processKilled', 1);
    this.trace(`${this.scheduler.time.toFixed(2)} ${node} ${name} ${JSON.stringify(fields)}`);
  }

  private trace(line: string): void {
    let hash = this.traceHash;
    for (let index = 0; index < line.length; index += 1)
      hash = Math.imul(hash ^ line.charCodeAt(index), 0x01000193);
    this.traceHash = hash;
    this.options.onTrace?.(line);
  }

  private count(what: string, amount: number): void {
    this.occurred.set(what, (this.occurred.get(what) ?? 0) + amount);
  }

  private result(clients: SimClients | null, violation: string | null): RunResult {
    return {
      seed: this.seed,
      violation,
      operations: clients?.history.length ?? 0,
      succeeded: clients?.succeededCount ?? 0,
      virtualMs: this.scheduler.time,
      eventCount: this.scheduler.eventCount,
      traceHash: this.traceHash >>> 0,
      occurred: this.occurred,
    };
  }
}

/** Drawn apart, so that a seed without operation ids leads the life that it always led. */
function drawIds(seed: number): Pick<ClientPlan, 'idShare' | 'idSeed'> {
  const prng = new Prng(seed ^ 0x1d5eed);
  return { idShare: prng.pick([0, 0.3, 0.8]), idSeed: prng.below(0x7fffffff) };
}

function drawPlan(prng: Prng): Omit<ClientPlan, 'idShare' | 'idSeed'> {
  const keyCount = prng.pick([1, 2, 4, 8]);
  return {
    clientCount: 5,
    operationsPerClient: 60 + prng.below(30),
    keys: Array.from({ length: keyCount }, (_, index) => (index === 1 ? 'count:1' : `key:${index}`)),
    hotShare: prng.pick([0.3, 0.6, 0.9]),
    thinkMsMax: prng.pick([2, 20, 40]),
    timeoutMs: prng.pick([1_500, 5_000, 8_000]),
    conditionalShare: prng.pick([0.2, 0.4, 0.6]),
    readShare: prng.pick([0.3, 0.5]),
    batchShare: prng.pick([0, 0.05, 0.2]),
    ttlShare: prng.pick([0, 0, 0.2, 0.5]),
    ttlMsMax: prng.pick([60, 500, 3_000]),
  };
}
