/**
 * How an operator goes on after the council has lost its majority, in a small world: looks who is up, and begins
 * another life with those members.
 */
import type { ClusterAnswer, ClusterQuorum } from '../src/node/cluster-orders.ts';
import type { SimNode } from './cluster.ts';
import type { SmallWorld } from './small-world.ts';

export function quorumAt(world: SmallWorld, sim: SimNode): ClusterQuorum {
  const answer = world.operate(sim, { kind: 'quorum' });
  if (answer.kind !== 'quorum') throw new Error(answer.kind);
  return answer.quorum;
}

/** As an operator does it: requests exactly what was shown. */
export function goOnAt(world: SmallWorld, sim: SimNode): ClusterAnswer {
  const { members, lifeKept } = quorumAt(world, sim);
  const lost = members.filter((member) => !member.isUp).map(({ name }) => name);
  return world.operate(sim, { kind: 'succeed', lost, lifeKept: lifeKept! });
}
