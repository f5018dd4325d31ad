/**
 * Random walks of a world of members: faults of every kind for a while, then everything is healed and must become whole
 * again. The faults are biased towards the moments just after an epoch was chosen, when some know it and some do not.
 */
import type { Mutations } from '../src/core/mutations.ts';
import { MembershipWorld } from './membership-world.ts';
import type { SimMember } from './membership-world.ts';

export interface WalkResult {
  readonly violations: readonly string[];
  readonly whole: boolean;
  readonly epoch: number;
}

const FAULTS_MS = 12_000;
const HEALING_MS = 90_000;

export function walk(seed: number, memberCount: number, mutations: Mutations = {}): WalkResult {
  const world = new MembershipWorld(seed, memberCount, mutations);
  const { random } = world;
  for (const member of world.members) world.start(member);
  world.run(1_000);
  let armed = 0;
  world.onAdopted = (member) => {
    if (armed <= 0 || !random.chance(0.3)) return;
    armed -= 1;
    world.scheduler.after(random.between(0, 10), () => strike(world, member));
  };
  const end = world.scheduler.time + FAULTS_MS;
  while (world.scheduler.time < end && world.violations.length === 0) {
    armed = 1;
    strike(world, random.pick(world.members));
    world.run(random.chance(0.3) ? random.between(1, 100) : random.between(100, 1_500));
    if (random.chance(0.4)) world.heal();
  }
  armed = 0;
  world.faultsOver = true;
  world.heal();
  world.delayMsMax = 4;
  for (const member of world.members) world.start(member);
  for (let waited = 0; waited < HEALING_MS && world.violations.length === 0; waited += 200) {
    world.run(200);
    if (world.isWhole()) break;
  }
  const epoch = world.members[0]!.process?.membership.topology?.epoch ?? 0;
  return { violations: world.violations, whole: world.isWhole(), epoch };
}

function strike(world: MembershipWorld, member: SimMember): void {
  const { random } = world;
  switch (random.below(11)) {
    case 0:
    case 1:
      world.kill(member);
      world.scheduler.after(random.between(5, 2_000), () => world.start(member));
      return;
    case 2:
      world.pause(member, random.between(100, 2_500));
      return;
    case 3:
    case 4:
      return world.partition([member], random.chance(0.7));
    case 5: {
      const other = random.pick(world.members);
      if (other !== member) world.block(member.name, other.name);
      if (other !== member && random.chance(0.5)) world.block(other.name, member.name);
      return;
    }
    case 6:
      if (!mayWipe(world, member)) return;
      world.wipe(member);
      world.scheduler.after(random.between(5, 1_000), () => world.start(member));
      return;
    case 7:
      for (const each of world.members) {
        world.kill(each);
        world.scheduler.after(random.between(5, 3_000), () => world.start(each));
      }
      return;
    case 8:
      world.pause(member, random.between(500, 1_500));
      world.scheduler.after(random.between(5, 100), () => world.partition([member], true));
      return;
    case 9:
      world.delayMsMax = random.chance(0.5) ? 300 : 4;
      return;
    default: {
      const { process } = member;
      process?.membership.stop(() => {
        if (member.process !== process) return;
        world.kill(member);
        world.scheduler.after(random.between(5, 1_000), () => world.start(member));
      });
    }
  }
}

/** Avoids what no cluster survives: most voters keep their disks, and so does one owner of each row. */
function mayWipe(world: MembershipWorld, member: SimMember): boolean {
  return !world.members.some((each) => each.wiped) && world.isWhole() && member.process !== null;
}
