/**
 * Which version of the members' protocol each process of a run speaks: the program of its last upgrade or downgrade, or
 * one drawn anew at every start. A disk that a later version has written is opened by no earlier program.
 */
import { Prng } from '../src/base/prng.ts';
import { keepsContentTypes } from '../src/core/kept-types.ts';
import { NO_MUTATIONS } from '../src/core/mutations.ts';
import { PROTOCOL_MAX, PROTOCOL_MIN } from '../src/core/protocol-versions.ts';
import type { SimCluster, SimNode } from './cluster.ts';

/** latest: always. earlier: until somebody upgrades. mixed: another one with every start. */
export type VersionHabit = 'latest' | 'earlier' | 'mixed';

const VERSIONS = Array.from({ length: PROTOCOL_MAX - PROTOCOL_MIN + 1 }, (_, at) => PROTOCOL_MIN + at);
/** How often somebody starts an earlier program beside a cluster that has the later version in force. */
const CARELESS_SHARE = 0.2;

export class SimVersions {
  private readonly prng: Prng;
  private readonly habit: VersionHabit;
  /** By the member's name: what somebody has installed there. */
  private readonly installed = new Map<string, number>();
  private nodes: readonly SimNode[] = [];

  constructor(seed: number, habit?: VersionHabit) {
    this.prng = new Prng(seed ^ 0x7e45);
    this.habit = habit ?? this.prng.pick(['latest', 'earlier', 'mixed', 'mixed'] as const);
  }

  /** No process speaks less, unless somebody installs an earlier program. */
  get areLatest(): boolean {
    return this.habit === 'latest';
  }

  watch(nodes: readonly SimNode[]): void {
    this.nodes = nodes;
  }

  /** The highest that any disk says to be in force. */
  get inForce(): number {
    return Math.max(PROTOCOL_MIN, ...this.nodes.map(({ disk, isGone }) => (isGone ? 0 : disk.protocol)));
  }

  install(name: string, protocol: number): void {
    this.installed.set(name, protocol);
  }

  /** Of the process that starts now. */
  next({ name, disk }: SimNode): number {
    const { habit, prng } = this;
    let protocol = this.installed.get(name);
    if (protocol === undefined && habit === 'mixed') protocol = prng.pick(VERSIONS);
    protocol ??= habit === 'earlier' ? PROTOCOL_MIN : PROTOCOL_MAX;
    // The program says so, and whoever started it takes the later one.
    if (protocol < disk.protocol) return disk.protocol;
    return protocol < this.inForce && !prng.chance(CARELESS_SHARE) ? this.inForce : protocol;
  }
}

/** Does every process that runs act in an epoch in which content types are kept? Then so does whoever starts from now on. */
export function keepTypes({ nodes }: SimCluster): boolean {
  return nodes.every(({ node }) => {
    if (node === null) return true;
    const { topology } = node.membership;
    return topology !== null && keepsContentTypes(topology, NO_MUTATIONS);
  });
}

/** Everybody who runs an earlier program than what is in force gets the later one. */
export function upgradeLaggards(cluster: SimCluster): void {
  const { versions } = cluster;
  for (const sim of cluster.nodes) {
    versions.install(sim.name, PROTOCOL_MAX);
    const isLaggard = sim.life !== null && !sim.isGone && sim.protocol < versions.inForce;
    if (!isLaggard) continue;
    cluster.kill(sim);
    cluster.start(sim);
  }
}

/** Another program, on one machine after another; what runs there is exchanged by `exchange`. */
export function installOnAll(
  cluster: SimCluster,
  protocol: number,
  exchange: (sim: SimNode, then: () => void) => void,
): string {
  const waiting = cluster.nodes.filter((sim) => !sim.isGone);
  const next = (): void => {
    const sim = waiting.shift();
    if (sim === undefined) return;
    cluster.versions.install(sim.name, protocol);
    exchange(sim, next);
  };
  next();
  return `all ${protocol}`;
}

/** An operator asks a node that serves to put in force what it speaks; false where none does. */
export function finishUpgrade(cluster: SimCluster, prng: Prng): boolean {
  const asked = prng.pick(cluster.nodes).node;
  if (asked?.membership.leaseHeld() !== true) return false;
  asked.operate({ kind: 'finishUpgrade' }, 5_000, () => undefined);
  return true;
}
