/**
 * What goes wrong in a run, drawn from its seed: processes killed and paused, links broken, silent and slow, disks
 * wiped, PostgreSQL away or losing its replies, wall clocks jumping. Biased to what breaks protocols: kills close
 * to one another, delays on one peer only, everything at once now and then. (PROTOCOL, "Mutants")
 */
import type { Prng } from '../src/base/prng.ts';
import type { SimCluster, SimNode } from './cluster.ts';
import { changeMembership } from './membership-faults.ts';
import type { MembershipFault } from './membership-faults.ts';
import type { SimLegacy } from './legacy.ts';
import type { SimNetwork } from './network.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimDatabase } from './system-of-record.ts';
import type { WallWatch } from './wall-watch.ts';

export type FaultKind =
  | 'kill'
  | 'killAll'
  /** Just after a disk or PostgreSQL has done its part, before the process hears of it, or a moment later. */
  | 'killAtStep'
  | 'wipe'
  | 'pause'
  | 'breakLinks'
  | 'cut'
  | 'cutOneWay'
  | 'isolate'
  | 'slowPeer'
  | 'databaseDown'
  | 'legacyDown'
  | 'wallJump'
  | MembershipFault;

export interface SimFaultsOptions {
  readonly scheduler: Scheduler;
  readonly cluster: SimCluster;
  readonly network: SimNetwork;
  readonly database: SimDatabase | null;
  readonly legacy: SimLegacy | null;
  readonly wall: WallWatch;
  readonly prng: Prng;
  readonly meanMs: number;
  /** Only these, and all of them; left out: drawn from all there are. */
  readonly kinds?: readonly FaultKind[];
}

const WEIGHTS: Readonly<Record<FaultKind, number>> = {
  kill: 6,
  killAll: 1,
  killAtStep: 4,
  wipe: 1,
  pause: 3,
  breakLinks: 3,
  cut: 1,
  cutOneWay: 1,
  isolate: 1,
  slowPeer: 3,
  databaseDown: 2,
  legacyDown: 1,
  wallJump: 1,
  join: 1,
  leave: 1,
  replace: 0.5,
};

export const FAULT_KINDS = Object.keys(WEIGHTS) as FaultKind[];

export class SimFaults {
  readonly counts = new Map<FaultKind, number>();
  private readonly scheduler: Scheduler;
  private readonly cluster: SimCluster;
  private readonly network: SimNetwork;
  private readonly database: SimDatabase | null;
  private readonly legacy: SimLegacy | null;
  private readonly wall: WallWatch;
  private readonly prng: Prng;
  /** Kinds of this run: not every run has every fault. */
  private readonly kinds: readonly FaultKind[];
  private stopped = false;

  constructor(options: SimFaultsOptions) {
    this.scheduler = options.scheduler;
    this.cluster = options.cluster;
    this.network = options.network;
    this.database = options.database;
    this.legacy = options.legacy;
    this.wall = options.wall;
    const { prng } = options;
    this.prng = prng;
    this.kinds = options.kinds ?? FAULT_KINDS.filter((kind) => kind === 'kill' || prng.chance(0.6));
    this.plan(options.meanMs);
  }

  /** Heals everything and starts who is down: from now on all must come to rest. */
  stop(): void {
    this.stopped = true;
    for (const { disk } of this.cluster.nodes) disk.onSynced = null;
    if (this.database !== null) this.database.onCommitted = null;
    this.network.heal();
    this.network.weather.linkLifeMsMean = 0;
    for (const a of this.cluster.nodes) {
      this.network.slowPeer(a.name, 0);
      this.cluster.start(a);
    }
    this.database?.comeUp();
    if (this.legacy !== null) this.legacy.rules.outage = 'none';
  }

  private plan(meanMs: number): void {
    if (this.kinds.length === 0) return;
    this.scheduler.after(meanMs * this.prng.between(0.2, 1.8), () => {
      if (this.stopped) return;
      this.strike();
      this.plan(meanMs);
    });
  }

  private strike(): void {
    const total = this.kinds.reduce((sum, kind) => sum + WEIGHTS[kind], 0);
    let draw = this.prng.next() * total;
    const chosen = this.kinds.find((kind) => (draw -= WEIGHTS[kind]) < 0) ?? this.kinds[0]!;
    if (this.inject(chosen)) this.counts.set(chosen, (this.counts.get(chosen) ?? 0) + 1);
  }

  private inject(kind: FaultKind): boolean {
    const { prng, cluster, network } = this;
    const sim = prng.pick(cluster.nodes);
    const other = prng.pick(cluster.nodes.filter((each) => each !== sim));
    const lasting = prng.between(20, 1_500);
    switch (kind) {
      case 'kill':
        return this.killFor(sim, prng.between(5, 2_500));
      case 'killAll':
        for (const each of cluster.nodes) this.killFor(each, prng.between(5, 1_000));
        return true;
      case 'killAtStep':
        return this.killAtStep(sim);
      case 'wipe':
        return this.wipe(sim);
      case 'pause':
        cluster.pause(sim, prng.between(10, 2_000));
        return sim.life !== null;
      case 'breakLinks':
        network.breakLinks(sim.name, other.name);
        return true;
      case 'cut':
        network.cut(sim.name, other.name, prng.chance(0.5) ? 'silent' : 'reset');
        this.later(lasting, () => network.heal(sim.name, other.name));
        return true;
      case 'cutOneWay':
        network.cutOneWay(sim.name, other.name, prng.chance(0.5) ? 'silent' : 'reset');
        this.later(lasting, () => network.heal(sim.name, other.name));
        return true;
      case 'isolate':
        network.isolate(sim.name, prng.chance(0.5) ? 'silent' : 'reset');
        this.later(lasting, () => network.heal(sim.name));
        return true;
      case 'slowPeer':
        network.slowPeer(sim.name, prng.between(5, 150));
        this.later(lasting, () => network.slowPeer(sim.name, 0));
        return true;
      case 'databaseDown':
        this.database?.goDown(prng.between(50, 800));
        return this.database !== null;
      case 'legacyDown':
        return this.legacyOutage(lasting);
      case 'join':
      case 'leave':
      case 'replace':
        return changeMembership(kind, cluster, this.wall, prng);
      case 'wallJump':
        this.wall.jump(sim.clocks, prng.between(-5_000, 5_000));
        return true;
    }
  }

  private killFor(sim: SimNode, ms: number): boolean {
    if (sim.life === null) return false;
    this.cluster.kill(sim);
    this.later(ms, () => this.cluster.start(sim));
    return true;
  }

  /** Waits for the next sync of its disk, or commit that it sent; now and then all die with it. */
  private killAtStep(sim: SimNode): boolean {
    const { life } = sim;
    if (life === null) return false;
    const delayMs = this.prng.chance(0.5) ? 0 : this.prng.between(0, 4);
    const victims = this.prng.chance(0.25) ? this.cluster.nodes : [sim];
    const strike = (): void => {
      sim.disk.onSynced = null;
      if (this.database !== null) this.database.onCommitted = null;
      const kill = (): void => {
        if (this.stopped) return;
        for (const victim of victims) this.killFor(victim, this.prng.between(5, 1_500));
      };
      if (delayMs === 0) kill();
      else this.later(delayMs, kill);
    };
    if (this.database === null || this.prng.chance(0.5)) sim.disk.onSynced = strike;
    else this.database.onCommitted = (sender) => (sender === life ? strike() : undefined);
    return true;
  }

  /** A disk is lost for good: only while every other member is complete, for the last copy cannot be lost. */
  private wipe(sim: SimNode): boolean {
    if (sim.life === null || !this.cluster.isWhole()) return false;
    this.cluster.kill(sim);
    this.later(this.prng.between(5, 1_500), () => {
      if (sim.life !== null) return;
      sim.disk.wipe();
      this.cluster.start(sim);
    });
    return true;
  }

  private legacyOutage(ms: number): boolean {
    const { legacy } = this;
    if (legacy === null) return false;
    legacy.rules.outage = this.prng.chance(0.5) ? 'refusing' : 'hanging';
    this.later(ms, () => {
      legacy.rules.outage = 'none';
    });
    return true;
  }

  private later(ms: number, run: () => void): void {
    this.scheduler.after(ms, run);
  }
}
