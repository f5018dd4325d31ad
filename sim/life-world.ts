/** What tests with several lives of the cluster share. */
import type { Topology } from '../src/core/membership/topology.ts';
import type { SimNode } from './cluster.ts';
import type { SmallWorld } from './small-world.ts';

export const KEYS = Array.from({ length: 8 }, (_, index) => `key:${index}`);

export const topologyAt = (sim: SimNode): Topology | null => sim.node?.membership.topology ?? null;
export const lifeAt = (sim: SimNode): number => topologyAt(sim)?.life ?? 0;
export const serves = (world: SmallWorld, sim: SimNode): boolean =>
  KEYS.every((key) => world.get(sim, key).kind !== 'failed');

/** All nodes hold a lease in one life of one cluster. */
export function isOneLife(world: SmallWorld): boolean {
  return world.cluster.isWhole() && new Set(world.nodes.map((sim) => topologyAt(sim)!.clusterId)).size === 1;
}

export function startAll(world: SmallWorld, sims: readonly SimNode[]): void {
  for (const sim of sims) world.cluster.start(sim);
}

/** Restarts processes that PostgreSQL has fenced, as an orchestrator does. */
export function untilOneLife(world: SmallWorld, msMax: number): void {
  world.until(() => {
    startAll(
      world,
      world.nodes.filter((sim) => sim.life === null),
    );
    return isOneLife(world);
  }, msMax);
}
