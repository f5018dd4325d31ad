/**
 * Everything that a seed draws before anything happens: the conditions of the network, the behaviour of PostgreSQL,
 * whether there is a legacy source, how many members there are, and what the clients will do.
 */
import { Prng } from '../src/base/prng.ts';
import { NO_MUTATIONS } from '../src/core/mutations.ts';
import type { Mutations } from '../src/core/mutations.ts';
import { ForgottenWatch } from './checkers/forgotten.ts';
import type { SpoolSettings } from '../src/node/spool/spool.ts';
import type { HistoryOperation } from './checkers/history.ts';
import type { ClientPlan } from './clients.ts';
import { SimCluster } from './cluster.ts';
import type { SimClusterOptions } from './cluster.ts';
import { ownerDisks } from './end-state.ts';
import { drawLacking } from './fault-plan.ts';
import { SimLegacy } from './legacy.ts';
import { LossWatch } from './loss-watch.ts';
import { SimNetwork } from './network.ts';
import { inDrawnSlots } from './one-slot.ts';
import { SimOperator } from './operator.ts';
import type { RunProfile } from './run-profile.ts';
import { Scheduler } from './scheduler.ts';
import { StillRecords } from './still-records.ts';
import { SIM_DATABASE_CALM, SIM_DATABASE_ROUGH, SimDatabase } from './system-of-record.ts';
import { SimVersions } from './versions.ts';
import type { VersionHabit } from './versions.ts';
import { WallWatch } from './wall-watch.ts';

export interface WorldOptions {
  readonly mutations?: Mutations;
  readonly nodeCount?: number;
  readonly profile?: RunProfile;
  /** The versions of the peer protocol; default: drawn. */
  readonly versions?: VersionHabit;
}

type OnEvent = (node: string, name: string, fields: Readonly<Record<string, unknown>>) => void;

export class SimWorld {
  readonly scheduler = new Scheduler();
  readonly prng: Prng;
  readonly network: SimNetwork;
  readonly database: SimDatabase;
  readonly legacy: SimLegacy | null;
  readonly cluster: SimCluster;
  readonly plan: ClientPlan;
  readonly wall: WallWatch;
  readonly operator: SimOperator;
  /** Between two rounds of scrubbing; 0 if there are none. */
  readonly scrubPauseMs: number;
  /** Machines are lost for good while PostgreSQL lacks something: what only they and PostgreSQL had may be lost. */
  readonly lacks: boolean;
  /** Null if nobody scrubs, or if they may be lost for good. */
  readonly still: StillRecords | null;
  readonly forgotten = new ForgottenWatch();
  readonly losses: LossWatch;
  /** Every value that the legacy source ever returned: each may have become the key's value. */
  readonly fills = new Map<string, HistoryOperation>();

  /** `clientsClock` returns the present moment on the clock that the clients share. */
  constructor(seed: number, options: WorldOptions, onEvent: OnEvent, clientsClock: () => number) {
    const prng = new Prng(seed);
    this.prng = prng;
    this.network = new SimNetwork(this.scheduler, prng.fork(), {
      delayMsMax: prng.pick([1, 3, 10]),
      spikeShare: prng.pick([0, 0.02, 0.1]),
      spikeMsMax: prng.pick([20, 100]),
      linkLifeMsMean: prng.chance(0.3) ? 3_000 : 0,
      ...options.profile?.weather,
    });
    const manners = prng.chance(0.6) ? SIM_DATABASE_ROUGH : SIM_DATABASE_CALM;
    this.database = new SimDatabase(this.scheduler, prng.fork(), options.profile?.database ?? manners);
    const versions = new SimVersions(seed, options.versions ?? options.profile?.versions);
    this.plan = {
      ...inDrawnSlots(seed, versions, drawPlan(prng)),
      ...drawIds(seed),
      ...drawStale(seed),
      modifyShare: options.profile === undefined ? drawModify(seed) : 0,
      ...options.profile?.plan,
    };
    const { tombstoneKeepMs } = options.profile ?? {};
    this.legacy =
      prng.chance(0.4) && tombstoneKeepMs === undefined ? new SimLegacy(this.scheduler, prng.fork()) : null;
    if (this.legacy !== null) this.fillLegacy(this.legacy, clientsClock);
    this.scrubPauseMs = options.profile === undefined ? drawScrub(seed) : (options.profile.scrubPauseMs ?? 0);
    const drawnCount = prng.chance(0.15) ? 5 : 3;
    this.cluster = new SimCluster({
      nodeCount: options.nodeCount ?? options.profile?.nodeCount ?? drawnCount,
      replicaCount: options.profile?.replicaCount ?? 3,
      scheduler: this.scheduler,
      prng: prng.fork(),
      database: this.database,
      legacy: this.legacy,
      mutations: options.mutations ?? NO_MUTATIONS,
      scrubPauseMs: this.scrubPauseMs,
      record: options.profile?.record ?? drawRecord(seed),
      network: this.network,
      versions,
      ...(tombstoneKeepMs === undefined ? drawForgetting(seed) : { tombstoneKeepMs }),
      onEvent,
    });
    this.lacks = drawLacking(seed, options.profile && (options.profile.faultKinds ?? []));
    this.still = this.scrubPauseMs > 0 && !this.lacks ? new StillRecords(this.cluster, this.database) : null;
    this.wall = new WallWatch(this.cluster.nodes.map((sim) => sim.clocks));
    this.operator = new SimOperator({
      cluster: this.cluster,
      scheduler: this.scheduler,
      prng: new Prng(seed ^ 0x0b5),
      onAct: (act) => onEvent('operator', `sim.${act}`, {}),
      waitMs: this.cluster.spools || this.lacks ? longestStatement(this.database) : 0,
    });
    const { cluster, database, forgotten } = this;
    this.losses = new LossWatch({
      ...{ cluster, database, forgotten, keys: this.plan.keys },
      ownerDisks: (key) => ownerDisks(this, key),
      onLoss: (key) => this.fillAgain(key, clientsClock()),
      onFloorLost: (slot) => (this.lacks ? forgotten.forgive(slot) : undefined),
    });
    this.operator.watch = this.losses;
  }

  /** A fill that was lost may be repeated. */
  private fillAgain(key: string, invokedAt: number): void {
    for (const [mark, fill] of [...this.fills])
      if (fill.key === key && mark.endsWith(` ${key}`))
        this.fills.set(`${mark} ${invokedAt}`, { ...fill, invokedAt });
  }

  private fillLegacy(legacy: SimLegacy, clientsClock: () => number): void {
    for (const key of this.plan.keys) if (!this.prng.chance(0.5)) legacy.change(key, this.prng);
    legacy.onTold = (key, bytes) => {
      const value = Buffer.from(bytes).toString();
      const mark = `${value} ${key}`;
      if (this.fills.has(mark)) return;
      this.fills.set(mark, {
        key,
        client: 'legacy',
        call: { kind: 'fill', value },
        outcome: { kind: 'indefinite' },
        invokedAt: clientsClock(),
        returnedAt: Infinity,
      });
    };
  }
}

/** Milliseconds after the death of its sender. */
function longestStatement({ settings }: SimDatabase): number {
  return settings.timeoutMs + settings.lateMsMax + settings.statementMsMax;
}

/** Drawn separately, so that a seed without operation ids runs as it always did. */
function drawIds(seed: number): Pick<ClientPlan, 'idShare' | 'idSeed'> {
  const prng = new Prng(seed ^ 0x1d5eed);
  return { idShare: prng.pick([0, 0.3, 0.8]), idSeed: prng.below(0x7fffffff) };
}

/** Drawn separately for the same reason. */
function drawStale(seed: number): Pick<ClientPlan, 'staleShare'> {
  return { staleShare: new Prng(seed ^ 0x57a1e).pick([0, 0.3]) };
}

/** Drawn separately for the same reason. */
function drawModify(seed: number): number {
  return new Prng(seed ^ 0x30d1f).pick([0, 0.3, 0.6]);
}

/** Drawn separately, too; 0 in a seed without a scrubber. */
function drawScrub(seed: number): number {
  return new Prng(seed ^ 0x5c4b).pick([0, 0, 300, 1_500]);
}

/** Drawn separately for the same reason: how soon deletions are forgotten, or that they are not. */
function drawForgetting(seed: number): Pick<SimClusterOptions, 'tombstoneKeepMs'> {
  const tombstoneKeepMs = new Prng(seed ^ 0xf0e7).pick([0, 50, 300, 1_500]);
  return tombstoneKeepMs === 0 ? {} : { tombstoneKeepMs };
}

/** What a node does while PostgreSQL is away; drawn separately for the same reason. */
function drawRecord(seed: number): SpoolSettings {
  const prng = new Prng(seed ^ 0x5b001);
  const drawn = prng.pick(['reject', 'spool'] as const);
  return { outage: drawn, spoolBytesMax: 1_000_000, spoolEntriesMax: prng.pick([3, 1_000]) };
}

function drawPlan(prng: Prng): Omit<ClientPlan, 'idShare' | 'idSeed' | 'staleShare' | 'modifyShare'> {
  const keyCount = prng.pick([1, 2, 4, 8]);
  return {
    clientCount: 5,
    operationsPerClient: 60 + prng.below(10),
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
