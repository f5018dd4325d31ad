/**
 * Two members come back and copy from the third, the only one that has everything, when that one is lost: what they
 * hold is all that is left, and none of it counts as complete. (PROTOCOL R19, R28)
 */
import { lossOf } from '../../src/core/lives/recovery.ts';
import type { SimNode } from '../cluster.ts';
import type { SmallWorld } from '../small-world.ts';

/** Complete owners of some slots are lost, and this member knows it. */
export function seesLoss({ node }: SimNode): boolean {
  return node!.membership.leaseHeld() && lossOf(node!.membership.topology!).slots.length > 0;
}

/** Loses the only one of three that is up. Returns the survivors once they see what is lost. */
export function loseWhoTeaches(world: SmallWorld, isWiped = true): SimNode[] {
  const [teacher, ...learners] = world.nodes as [SimNode, SimNode, SimNode];
  for (const sim of learners) {
    sim.disk.slowMs = 150;
    world.cluster.start(sim);
  }
  world.until(() => learners.every((sim) => sim.node?.status().phase === 'learning'), 20_000);
  world.cluster.kill(teacher);
  if (isWiped) teacher.disk.wipe();
  for (const sim of learners) sim.disk.slowMs = 0;
  world.until(() => learners.every(seesLoss), 20_000);
  return learners;
}
