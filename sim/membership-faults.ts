/**
 * Members that join, leave and are replaced for good while other faults occur. Only what no cluster survives is left
 * out: there are always as many members as a key has replicas, and a disk is given up only while every other one is
 * complete.
 */
import type { Prng } from '../src/base/prng.ts';
import type { SimCluster, SimNode } from './cluster.ts';
import type { WallWatch } from './wall-watch.ts';

export type MembershipFault = 'join' | 'leave' | 'replace';

const MEMBERS_MAX = 6;

/** Returns false if it was not possible now. */
export function changeMembership(
  kind: MembershipFault,
  cluster: SimCluster,
  wall: WallWatch,
  prng: Prng,
): boolean {
  const members = cluster.nodes.filter((sim) => !sim.isGone && !sim.isLeaving);
  switch (kind) {
    case 'join':
      if (members.length >= MEMBERS_MAX) return false;
      return begin(cluster, wall, '');
    case 'leave':
      return members.length > cluster.replicaCount && leave(prng.pick(members), members, prng);
    case 'replace': {
      if (!cluster.isWhole() || members.length < cluster.replicaCount) return false;
      const lost = prng.pick(members);
      cluster.kill(lost);
      lost.isGone = true;
      return begin(cluster, wall, lost.name);
    }
  }
}

function begin(cluster: SimCluster, wall: WallWatch, replaces: string): boolean {
  const sim = cluster.add(replaces);
  wall.add(sim.clocks);
  cluster.start(sim);
  return true;
}

/** Any serving node may be told; if it dies too soon, the order is lost with it. */
function leave(sim: SimNode, members: readonly SimNode[], prng: Prng): boolean {
  const asked = prng.pick(members).node;
  if (asked?.membership.leaseHeld() !== true) return false;
  asked.membership.proposals.wishes.add({ kind: 'leave', name: sim.name });
  sim.isLeaving = true;
  return true;
}
