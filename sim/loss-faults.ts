/**
 * Machines that are lost for good, more than a cluster survives by itself: all complete owners of a slot, or so many
 * voters that no epoch can be chosen. What is written through is in PostgreSQL, so afterwards nothing that was
 * acknowledged may be missing, and what was begun may complete at most once; except for what was spooled
 * (`loss-watch.ts`).
 */
import type { Prng } from '../src/base/prng.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import { isAlive, majorityOf, memberById, rowOfSlot } from '../src/core/membership/topology.ts';
import type { Topology } from '../src/core/membership/topology.ts';
import type { SimNode } from './cluster.ts';
import { lackFirst } from './lacking-record.ts';
import type { SimWorld } from './world.ts';

export type LossFault = 'ownersLost' | 'councilLost';

/** If writes may be spooled, PostgreSQL is usually away by then, for long enough that they are. */
const SPOOLED_SHARE = 0.7;
const SPOOLED_MS_MIN = 2_300;
const SPOOLED_MS_MAX = 4_000;
const OUTAGE_MS_MAX = 8_000;
/** How often, and for how long, to check whether one machine is the only complete owner of a slot. */
const LOOK_MS = 2;
const LONE_MS_MAX = 5_000;
/** Milliseconds for which the survivors have been down when the others are lost; these may have gone on by then. */
const BEHIND_MS_MIN = 500;
const BEHIND_MS_MAX = 3_000;

/** `isStopped`: faults are over. Returns what was done; null if it was not possible. */
export function loseForGood(
  kind: LossFault,
  world: SimWorld,
  prng: Prng,
  isStopped: () => boolean,
): string | null {
  const lose = kind === 'councilLost' ? loseCouncil : loseOwners;
  if (isLosing(world)) return null;
  const lacking = lackFirst(kind, world, prng);
  if (lacking !== null) {
    world.scheduler.after(lacking.followMs, () => {
      if (!isStopped()) lose(world, prng, isStopped);
    });
    return lacking.told;
  }
  if (!world.cluster.spools || !prng.chance(SPOOLED_SHARE)) return lose(world, prng, isStopped);
  const { database, scheduler } = world;
  database.goDown(prng.between(SPOOLED_MS_MAX, OUTAGE_MS_MAX));
  scheduler.after(prng.between(SPOOLED_MS_MIN, SPOOLED_MS_MAX), () => {
    if (!isStopped()) lose(world, prng, isStopped);
  });
  return 'while PostgreSQL is away';
}

/**
 * The machines lose their disks, or return with them after they were given up. Survivors may have been down before,
 * while the others went on. Not while an operator exchanges PostgreSQL, which could not be survived: no epoch can name
 * the new one, and no life can be taken from it.
 */
function loseCouncil(world: SimWorld, prng: Prng, isStopped: () => boolean): string | null {
  const { cluster, operator, scheduler } = world;
  const topology = inForce(world);
  if (topology === null || isLosing(world) || isExchanged(world, topology)) return null;
  const voters = topology.council.map((id) => simOf(world, topology, id));
  if (voters.some((sim) => sim === null || sim.life === null)) return null;
  const least = voters.length - majorityOf(voters.length) + 1;
  const shuffled = inAnyOrder(voters as SimNode[], prng);
  const victims = shuffled.splice(0, least + prng.below(voters.length - least));
  if (!isAnyLeft(world, topology, victims)) return null;
  const keepsDisk = prng.chance(0.4);
  const told = `${victims.map(({ name }) => name).join(' ')}${keepsDisk ? ' for some time' : ''}`;
  if (prng.chance(0.5)) {
    operator.lose(victims, keepsDisk);
    return told;
  }
  for (const sim of shuffled) cluster.kill(sim);
  scheduler.after(prng.between(BEHIND_MS_MIN, BEHIND_MS_MAX), () => {
    if (!isStopped() && !isLosing(world) && !isExchanged(world, topology)) operator.lose(victims, keepsDisk);
    for (const sim of shuffled) cluster.start(sim);
  });
  return `${told}, the others are behind`;
}

/** Leaves one complete owner of a slot, which the others copy; then that one is lost. */
function loseOwners(world: SimWorld, prng: Prng, isStopped: () => boolean): string | null {
  const { cluster, scheduler, operator } = world;
  const topology = inForce(world);
  if (topology === null || !cluster.isWhole() || isLosing(world)) return null;
  const slot = slotOf(prng.pick(world.plan.keys));
  const owners = rowOfSlot(topology, slot).complete.map((id) => simOf(world, topology, id));
  const victim = prng.pick(owners);
  if (victim === null || owners.includes(null)) return null;
  for (const other of owners as SimNode[]) {
    if (other === victim) continue;
    cluster.kill(other);
    scheduler.after(prng.between(5, 1_500), () => cluster.start(other));
  }
  const until = scheduler.time + LONE_MS_MAX;
  const look = (): void => {
    if (isStopped() || victim.life === null || scheduler.time > until) return;
    // The others may be lost with the council meanwhile: then there would be nobody to go on with.
    if (isLone(victim, slot) && isAnyLeft(world, topology, [victim])) operator.lose([victim], false);
    else scheduler.after(LOOK_MS, look);
  };
  look();
  return victim.name;
}

/**
 * At least one member that the others know remains: blank machines alone have no cluster to go on with, and would be
 * founded anew.
 */
function isAnyLeft({ cluster }: SimWorld, topology: Topology, victims: readonly SimNode[]): boolean {
  return cluster.nodes.some(
    ({ node, name }) =>
      !victims.some((victim) => victim.name === name) &&
      node !== null &&
      memberById(topology, node.membership.selfId)?.name === name,
  );
}

/**
 * Whether this node is the only complete owner of the slot, another node is copying it, and enough voters are up
 * without this node.
 */
function isLone({ node }: SimNode, slot: number): boolean {
  if (node?.membership.leaseHeld() !== true) return false;
  const topology = node.membership.topology!;
  const id = node.membership.selfId;
  const row = rowOfSlot(topology, slot);
  const complete = row.complete.filter((each) => isAlive(topology, each));
  const votes = topology.council.filter((each) => each !== id && isAlive(topology, each)).length;
  const isCopied = row.owners.some((each) => each !== id && isAlive(topology, each));
  return complete.join() === String(id) && isCopied && votes >= majorityOf(topology.council.length);
}

function inForce({ cluster }: SimWorld): Topology | null {
  const serving = cluster.nodes.find((sim) => sim.node?.membership.leaseHeld() === true);
  return serving?.node?.membership.topology ?? null;
}

function simOf({ cluster }: SimWorld, topology: Topology, id: number): SimNode | null {
  const name = memberById(topology, id)?.name;
  return cluster.nodes.find((sim) => sim.name === name) ?? null;
}

/** Whether PostgreSQL is, or is about to be, another server than the one in this topology. */
function isExchanged({ database, cluster }: SimWorld, { record }: Topology): boolean {
  const { system } = database.server.tell();
  const isBehind = ({ node }: SimNode): boolean =>
    (node?.membership.topology?.record?.system ?? system) !== system;
  return database.isMoving || record?.system !== system || cluster.nodes.some(isBehind);
}

/** Whether a machine is lost and the operator is not done with it. */
function isLosing({ cluster }: SimWorld): boolean {
  return cluster.nodes.some((sim) => sim.isHeld);
}

function inAnyOrder<T>(list: readonly T[], prng: Prng): T[] {
  const left = [...list];
  return list.map(() => left.splice(prng.below(left.length), 1)[0]!);
}
