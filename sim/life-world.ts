/** What stories of several lives of the cluster have in common. */
import type { Topology } from '../src/core/topology.ts';
import type { SimNode } from './cluster.ts';
import type { SmallWorld } from './small-world.ts';

export const KEYS = Array.from({ length: 8 }, (_, index) => `key:${index}`);

export const topologyAt = (sim: SimNode): Topology | null => sim.node?.membership.topology ?? null;
export const lifeAt = (sim: SimNode): number => topologyAt(sim)?.life ?? 0;
export const serves = (world: SmallWorld, sim: SimNode): boolean =>
  KEYS.every((key) => world.get(sim, key).kind !== 'failed');

/** All hold a lease in one life of one cluster. */
export function isOneLife(world: SmallWorld): boolean {
  return world.cluster.isWhole() && new Set(world.nodes.map((sim) => topologyAt(sim)!.clusterId)).size === 1;
}

export function startAll(world: SmallWorld, sims: readonly SimNode[]): void {
  for (const sim of sims) world.cluster.start(sim);
}

/** Processes that PostgreSQL has fenced are started again, as whoever looks after them does. */
export function untilOneLife(world: SmallWorld, msMax: number): void {
  world.until(() => {
    startAll(
      world,
      world.nodes.filter((sim) => sim.life === null),
    );
    return isOneLife(world);
  }, msMax);
}
