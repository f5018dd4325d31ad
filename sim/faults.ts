/**
 * Makes the planned faults happen to a cluster, and heals everything at the end. Biased towards what breaks protocols:
 * kills in quick succession, delays for a single peer only, now and then everything at once. (PROTOCOL, "Mutants")
 */
import { Prng } from '../src/base/prng.ts';
import { PROTOCOL_MAX, PROTOCOL_MIN } from '../src/core/membership/protocol-versions.ts';
import { SIM_RESERVE_BYTES } from './cluster.ts';
import type { SimNode } from './cluster.ts';
import { SIM_DISK_BYTES } from './disk.ts';
import type { FaultEvent, FaultKind } from './fault-plan.ts';
import { lagLink } from './lag-faults.ts';
import { troubleLegacy } from './legacy-faults.ts';
import { loseForGood } from './loss-faults.ts';
import { changeMembership } from './membership-faults.ts';
import { loseTail } from './record-faults.ts';
import { moveRecord } from './record-move.ts';
import { flap, relapse } from './returns.ts';
import type { ReturningParts } from './returns.ts';
import { WALL_START_MS } from './scheduler.ts';
import { isStill } from './still-records.ts';
import { finishUpgrade, installOnAll, upgradeLaggards } from './versions.ts';
import type { SimWorld } from './world.ts';

/** Milliseconds after which an unreadable disk is replaced by an empty one, if nothing else is missing. */
const REPLACE_AFTER_MS = 200;
/** Milliseconds that the longest write of a store takes. */
const SYNC_STALL_MS_MAX = 3_000;
/** Many times the room that a node needs on its disk to finish its part in writes. */
const FILLED_LEFT_BYTES_MIN = 150_000;

export class SimFaults {
  readonly counts = new Map<FaultKind, number>();
  private readonly parts: SimWorld;
  private readonly onStrike: (event: FaultEvent, what: string) => void;
  /** The only member whose records are damaged, if any are, so that every record is intact somewhere. */
  private readonly rotten: SimNode;
  private stopped = false;
  private readonly returning: ReturningParts;

  /** `only`: the numbers of the faults to inject; default: all. */
  constructor(
    parts: SimWorld,
    onStrike: (event: FaultEvent, what: string) => void,
    plan: readonly FaultEvent[],
    only?: readonly number[],
  ) {
    this.parts = parts;
    this.onStrike = onStrike;
    this.returning = {
      world: parts,
      isStopped: () => this.stopped,
      killFor: (sim, ms) => this.killFor(sim, ms),
    };
    this.rotten = parts.cluster.nodes[(plan[0]?.seed ?? 0) % parts.cluster.nodes.length]!;
    for (const event of plan) {
      if (only !== undefined && !only.includes(event.index)) continue;
      parts.scheduler.after(event.at, () => this.strike(event));
    }
    parts.cluster.onUnreadable = (sim) => this.replaceDisk(sim);
  }

  /** Heals everything and starts all nodes that are down: from now on everything must come to rest. */
  stop(): void {
    this.stopped = true;
    const { cluster, network, database, legacy, wall, scheduler } = this.parts;
    database.onCommitted = null;
    database.slowMs = 0;
    database.comeUp();
    for (const { life } of cluster.nodes) if (life !== null) database.unreached.cutOff(life, 0);
    network.heal();
    network.weather.linkLifeMsMean = 0;
    // A member that was slow comes back only when all others have found it well for seconds.
    network.weather.spikeShare = 0;
    for (const sim of cluster.nodes) {
      sim.disk.onSynced = null;
      sim.disk.onBegun = null;
      sim.disk.fault = 'none';
      sim.disk.slowMs = 0;
      sim.disk.stalls = null;
      sim.disk.roomBytes = SIM_DISK_BYTES;
      network.slowPeer(sim.name, 0);
      wall.jump(sim.clocks, WALL_START_MS + Math.floor(scheduler.time) - sim.clocks.wall());
      cluster.start(sim);
    }
    upgradeLaggards(cluster);
    legacy?.heal();
  }

  private strike(event: FaultEvent): void {
    if (this.stopped) return;
    const what = this.inject(event.kind, new Prng(event.seed));
    if (what === null) return;
    this.onStrike(event, what);
    this.counts.set(event.kind, (this.counts.get(event.kind) ?? 0) + 1);
  }

  /** Returns what was done; null if it was not possible. */
  // long: one line or two for each kind of fault
  private inject(kind: FaultKind, prng: Prng): string | null {
    const { cluster, network, database, wall } = this.parts;
    const present = cluster.nodes.filter((each) => !each.isGone);
    const sim = prng.pick(present);
    const other = prng.pick(present.filter((each) => each !== sim));
    const lasting = prng.between(20, 1_500);
    switch (kind) {
      case 'kill':
        return this.killFor(sim, prng.between(5, 2_500)) ? sim.name : null;
      case 'killAll':
        for (const each of cluster.nodes) this.killFor(each, prng.between(5, 1_000));
        return 'all';
      case 'killAtStep':
        return this.killAtStep(sim, prng);
      case 'stop':
        return this.stopFor(sim, prng.between(5, 1_000)) ? sim.name : null;
      case 'upgrade':
        return installOnAll(cluster, PROTOCOL_MAX, (each, then) => this.exchangeProgram(each, prng, then));
      case 'downgrade':
        return installOnAll(cluster, PROTOCOL_MIN, (each, then) => this.exchangeProgram(each, prng, then));
      case 'finishUpgrade':
        return finishUpgrade(cluster, prng) ? '' : null;
      case 'pause':
        return cluster.pause(sim, prng.between(10, 2_000)) ? sim.name : null;
      case 'flap':
        return flap(this.returning, sim, prng) ? sim.name : null;
      case 'relapse':
        return relapse(this.returning, sim, other, prng);
      case 'stall':
        return this.stall(sim, lasting, prng);
      case 'slowMember':
        return this.slowMember(sim, prng);
      case 'suspend':
        return cluster.suspend(sim, prng.between(20, prng.chance(0.5) ? 200 : 1_500)) ? sim.name : null;
      case 'join':
      case 'leave':
      case 'replace':
        return changeMembership(kind, cluster, wall, prng) ? 'one' : null;
      case 'wallJump':
        wall.jump(sim.clocks, prng.between(-5_000, 5_000));
        return sim.name;
      case 'breakLinks':
        network.breakLinks(sim.name, other.name);
        return `${sim.name} ${other.name}`;
      case 'cut':
      case 'cutOneWay':
      case 'isolate':
      case 'split':
        return this.cut(kind, sim, other, prng.chance(0.3) ? lasting * 3 : lasting, prng);
      case 'slowPeer':
        network.slowPeer(sim.name, prng.between(5, 150));
        this.later(lasting, () => network.slowPeer(sim.name, 0));
        return sim.name;
      case 'lag':
        return lagLink(network, sim.name, other.name, prng, (ms, run) =>
          this.later(ms, () => this.stopped || run()),
        );
      case 'databaseDown':
        database.goDown(prng.between(50, 800));
        return '';
      case 'databaseAway':
        return database.goAway(prng.between(2_000, 7_000), prng.chance(0.8) ? null : sim.life);
      case 'databaseSlow':
        database.slowMs = prng.between(20, 400);
        this.later(lasting, () => (database.slowMs = 0));
        return `${database.slowMs.toFixed(0)} ms`;
      case 'silentLoss':
        return this.parts.still?.harm(sim, prng) ?? null;
      case 'rowRots':
        return this.parts.still?.rot(prng) ?? null;
      case 'databaseFailsOver':
      case 'databaseSetBack':
        // The copy that will be adopted would contain more than the remaining nodes have, and nobody asks it.
        return this.parts.lacks && database.isMoving ? null : loseTail(kind, database, prng);
      case 'databaseMoved':
        return moveRecord(this.parts, prng);
      case 'ownersLost':
      case 'councilLost':
        return loseForGood(kind, this.parts, prng, () => this.stopped);
      case 'wipe':
      case 'oldDisk':
      case 'slowDisk':
      case 'syncStalls':
      case 'diskFault':
      case 'diskFills':
      case 'tornWrite':
      case 'bitRot':
        return this.harmDisk(kind, sim, lasting, prng);
      case 'legacyDown':
      case 'legacySlow':
      case 'legacyErrors':
      case 'legacyChanges':
      case 'legacyLies':
        return troubleLegacy(kind, this.parts, prng, (heal) => this.later(lasting, heal));
    }
  }

  private killFor(sim: SimNode, ms: number): boolean {
    if (sim.life === null) return false;
    this.parts.cluster.kill(sim);
    this.later(ms, () => this.parts.cluster.start(sim));
    return true;
  }

  private stopFor(sim: SimNode, ms: number, then: () => void = () => undefined): boolean {
    const { cluster } = this.parts;
    return cluster.stop(sim, () =>
      this.later(ms, () => {
        cluster.start(sim);
        then();
      }),
    );
  }

  private exchangeProgram(sim: SimNode, prng: Prng, then: () => void): void {
    if (this.stopped) return;
    const went = this.stopFor(sim, prng.between(5, 200), () => this.later(prng.between(50, 1_000), then));
    if (!went) then();
  }

  private stall(sim: SimNode, lasting: number, prng: Prng): string {
    return this.gasp(sim, lasting, prng.between(2, 60), prng.between(20, 300));
  }

  private gasp(sim: SimNode, lasting: number, gaspMs: number, heldMs: number): string {
    const { cluster, scheduler } = this.parts;
    const until = scheduler.time + lasting;
    const hold = (): void => {
      if (this.stopped || scheduler.time >= until) return;
      cluster.pause(sim, heldMs);
      this.later(heldMs + gaspMs, hold);
    };
    hold();
    return `${sim.name} ${heldMs.toFixed(0)} of ${(heldMs + gaspMs).toFixed(0)} ms`;
  }

  /** For longer than the others need to find it slow. */
  private slowMember(sim: SimNode, prng: Prng): string {
    const { network } = this.parts;
    const { disk } = sim;
    const lasting = prng.between(3_000, 9_000);
    const slowMs = prng.between(60, 400);
    switch (prng.pick(['disk', 'links', 'processor'] as const)) {
      case 'disk':
        disk.slowMs = slowMs;
        this.later(lasting, () => (disk.slowMs = 0));
        return `${sim.name} disk ${slowMs.toFixed(0)} ms`;
      case 'links':
        network.slowPeer(sim.name, slowMs / 2);
        this.later(lasting, () => network.slowPeer(sim.name, 0));
        return `${sim.name} links ${(slowMs / 2).toFixed(0)} ms`;
      case 'processor':
        return this.gasp(sim, lasting, prng.between(1, 3), slowMs);
    }
  }

  private cut(kind: FaultKind, sim: SimNode, other: SimNode, lasting: number, prng: Prng): string {
    const { network, cluster } = this.parts;
    const manner = prng.chance(0.5) ? 'silent' : 'reset';
    if (kind === 'isolate') {
      network.isolate(sim.name, manner);
      this.later(lasting, () => network.heal(sim.name));
      return `${sim.name} ${manner}`;
    }
    const side = cluster.nodes.filter((each) => each !== other && (each === sim || prng.chance(0.5)));
    const pairs: [string, string][] = [];
    if (kind !== 'split') pairs.push([sim.name, other.name]);
    else
      for (const a of side)
        for (const b of cluster.nodes) if (!side.includes(b)) pairs.push([a.name, b.name]);
    for (const [a, b] of pairs) {
      if (kind === 'cutOneWay') network.cutOneWay(a, b, manner);
      else network.cut(a, b, manner);
      this.later(lasting, () => network.heal(a, b));
    }
    return `${pairs.map((pair) => pair.join('-')).join(' ')} ${manner}`;
  }

  /** Waits for the next sync of the node's disk, or for a commit that it sent; now and then kills all nodes with it. */
  private killAtStep(sim: SimNode, prng: Prng): string | null {
    const { life } = sim;
    const { cluster, database } = this.parts;
    if (life === null) return null;
    const delayMs = prng.chance(0.5) ? 0 : prng.between(0, 4);
    const victims = prng.chance(0.25) ? cluster.nodes : [sim];
    const strike = (): void => {
      sim.disk.onSynced = null;
      database.onCommitted = null;
      const kill = (): void => {
        if (this.stopped) return;
        for (const victim of victims) this.killFor(victim, prng.between(5, 1_500));
      };
      if (delayMs === 0) kill();
      else this.later(delayMs, kill);
    };
    const atSync = prng.chance(0.5);
    if (atSync) sim.disk.onSynced = strike;
    else database.onCommitted = (sender) => (sender === life ? strike() : undefined);
    return `${sim.name} after a ${atSync ? 'sync' : 'commit'}`;
  }

  private harmDisk(kind: FaultKind, sim: SimNode, lasting: number, prng: Prng): string | null {
    const { cluster } = this.parts;
    const { disk } = sim;
    switch (kind) {
      case 'slowDisk':
        disk.slowMs = prng.between(5, 200);
        this.later(lasting, () => (disk.slowMs = 0));
        return `${sim.name} ${disk.slowMs.toFixed(0)} ms`;
      case 'syncStalls': {
        const msMin = prng.between(100, 1_000);
        const msMax = msMin + prng.between(0, SYNC_STALL_MS_MAX - msMin);
        disk.stalls = { share: prng.pick([0.1, 0.5, 0.9]), msMin, msMax };
        this.later(prng.between(1_000, 6_000), () => (disk.stalls = null));
        return `${sim.name} ${disk.stalls.share} of ${msMin.toFixed(0)} to ${msMax.toFixed(0)} ms`;
      }
      case 'diskFault':
        if (sim.life === null) return null;
        disk.fault = prng.chance(0.5) ? 'full' : 'io';
        this.later(lasting, () => {
          disk.fault = 'none';
          cluster.start(sim);
        });
        return `${sim.name} ${disk.fault}`;
      case 'diskFills':
        disk.roomBytes = prng.between(FILLED_LEFT_BYTES_MIN, SIM_RESERVE_BYTES);
        this.later(lasting * 4, () => (disk.roomBytes = SIM_DISK_BYTES));
        return `${sim.name} ${Math.round(disk.roomBytes)} bytes left`;
      case 'bitRot':
        if (this.rotten.life === null || !cluster.isWhole()) return null;
        return this.rotten.disk.flipBit((key) => key.startsWith('r') && !isStill(key)) === null
          ? null
          : this.rotten.name;
      case 'tornWrite':
        if (sim.life === null || !cluster.isWhole()) return null;
        disk.onBegun = () => {
          disk.onBegun = null;
          disk.tearsNext = () => cluster.isWhole(sim);
          this.later(0, () => this.stopped || this.killFor(sim, prng.between(5, 1_000)));
        };
        return sim.name;
      default:
        return this.exchangeDisk(kind, sim, prng);
    }
  }

  /** Only while every member is complete, because the last copy must not be lost. */
  private exchangeDisk(kind: FaultKind, sim: SimNode, prng: Prng): string | null {
    const { cluster } = this.parts;
    if (sim.life === null || !cluster.isWhole()) return null;
    const image = sim.disk.image();
    this.later(kind === 'wipe' ? 0 : prng.between(100, 1_500), () => {
      if (this.stopped || sim.life === null || !cluster.isWhole()) return;
      cluster.kill(sim);
      this.later(prng.between(5, 1_500), () => {
        if (sim.life !== null) return;
        if (!cluster.isWhole(sim)) return void cluster.start(sim);
        if (kind === 'wipe') sim.disk.wipe();
        else sim.disk.restore(image);
        cluster.start(sim);
      });
    });
    return sim.name;
  }

  /** Replaces an unreadable disk by an empty one, as an operator would, when all other members are complete. */
  private replaceDisk(sim: SimNode): void {
    const { cluster, scheduler } = this.parts;
    scheduler.after(REPLACE_AFTER_MS, () => {
      if (sim.life !== null || sim.isGone) return;
      if (!cluster.isWhole(sim)) return this.replaceDisk(sim);
      sim.disk.wipe();
      cluster.start(sim);
    });
  }

  private later(ms: number, run: () => void): void {
    this.parts.scheduler.after(ms, run);
  }
}
