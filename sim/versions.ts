/**
 * Which version of the peer protocol each process of a run speaks: that of the program after its last upgrade or
 * downgrade, or one drawn at every start. An earlier program cannot open a disk that a later version has written.
 */
import { Prng } from '../src/base/prng.ts';
import { keepsContentTypes } from '../src/core/kept-types.ts';
import { NO_MUTATIONS } from '../src/core/mutations.ts';
import { PROTOCOL_MAX, PROTOCOL_MIN } from '../src/core/membership/protocol-versions.ts';
import type { SimCluster, SimNode } from './cluster.ts';

/** latest: always. earlier: until an upgrade. mixed: drawn again at every start. */
export type VersionHabit = 'latest' | 'earlier' | 'mixed';

const VERSIONS = Array.from({ length: PROTOCOL_MAX - PROTOCOL_MIN + 1 }, (_, at) => PROTOCOL_MIN + at);
/** How often an earlier program is started in a cluster that has the later version in force. */
const CARELESS_SHARE = 0.2;

export class SimVersions {
  private readonly prng: Prng;
  private readonly habit: VersionHabit;
  /** What is installed on each machine, by the member's name. */
  private readonly installed = new Map<string, number>();
  private nodes: readonly SimNode[] = [];

  constructor(seed: number, habit?: VersionHabit) {
    this.prng = new Prng(seed ^ 0x7e45);
    this.habit = habit ?? this.prng.pick(['latest', 'earlier', 'mixed', 'mixed'] as const);
  }

  /** Whether no process speaks less than the latest, unless an earlier program is installed. */
  get areLatest(): boolean {
    return this.habit === 'latest';
  }

  watch(nodes: readonly SimNode[]): void {
    this.nodes = nodes;
  }

  /** The highest version that any disk says is in force. */
  get inForce(): number {
    return Math.max(PROTOCOL_MIN, ...this.nodes.map(({ disk, isGone }) => (isGone ? 0 : disk.protocol)));
  }

  install(name: string, protocol: number): void {
    this.installed.set(name, protocol);
  }

  /** The version of the process that starts now. */
  next({ name, disk }: SimNode): number {
    const { habit, prng } = this;
    let protocol = this.installed.get(name);
    if (protocol === undefined && habit === 'mixed') protocol = prng.pick(VERSIONS);
    protocol ??= habit === 'earlier' ? PROTOCOL_MIN : PROTOCOL_MAX;
    // The program refuses the disk, and whoever started it installs the later one.
    if (protocol < disk.protocol) return disk.protocol;
    return protocol < this.inForce && !prng.chance(CARELESS_SHARE) ? this.inForce : protocol;
  }
}

/**
 * Whether every running process acts in an epoch in which content types are stored. Then so does every process that
 * starts from now on.
 */
export function keepTypes({ nodes }: SimCluster): boolean {
  return nodes.every(({ node }) => {
    if (node === null) return true;
    const { topology } = node.membership;
    return topology !== null && keepsContentTypes(topology, NO_MUTATIONS);
  });
}

/** Gives the later program to every member that runs an earlier one than what is in force. */
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

/** Installs another program on one machine after another; `exchange` replaces what is running there. */
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

/** An operator asks a serving node to enable the version that it speaks; returns false if no node does. */
export function finishUpgrade(cluster: SimCluster, prng: Prng): boolean {
  const asked = prng.pick(cluster.nodes).node;
  if (asked?.membership.leaseHeld() !== true) return false;
  asked.operate({ kind: 'finishUpgrade' }, 5_000, () => undefined);
  return true;
}
