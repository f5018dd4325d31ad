/**
 * Members of a cluster in simulation: random faults, then one scenario for each rule of leases, founding and return.
 * Each rule is also broken on purpose, which the checks must notice. (PROTOCOL R11, R14, R15, R18, R27, R28)
 */
import { describe, expect, it } from 'vitest';
import type { Mutations } from '../src/core/mutations.ts';
import { walk } from './membership-walk.ts';
import { MembershipWorld, SETTINGS } from './membership-world.ts';
import type { SimMember } from './membership-world.ts';

function begun(memberCount: number, mutations: Mutations = {}, seed = 7): MembershipWorld {
  const world = new MembershipWorld(seed, memberCount, mutations);
  for (const member of world.members) world.start(member);
  world.run(1_000);
  return world;
}

function runUntilWhole(world: MembershipWorld, msMax = 20_000): boolean {
  for (let waited = 0; waited < msMax && !world.isWhole(); waited += 50) world.run(50);
  return world.isWhole();
}

function walks(seeds: number, memberCount: number, mutations: Mutations = {}): string[] {
  const failures: string[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const { violations, whole } = walk(seed, memberCount, mutations);
    if (violations.length > 0 || !whole) failures.push(`seed ${seed}: ${violations[0] ?? 'never whole'}`);
  }
  return failures;
}

describe('members under random faults', () => {
  it('three members: leases never overlap, epochs are unique, and the healed cluster becomes whole', () => {
    expect(walks(120, 3)).toEqual([]);
  }, 60_000);

  it('five members: the same', () => {
    expect(walks(60, 5)).toEqual([]);
  }, 60_000);

  it('the same seed: the same run', () => {
    expect(walk(42, 3)).toEqual(walk(42, 3));
  });

  it('nobody waits leases out: caught', () => {
    expect(walks(20, 3, { noWaitOut: true })).not.toEqual([]);
  }, 60_000);

  it('a restarted process keeps its incarnation: caught', () => {
    expect(walks(3, 3, { restartSameIncarnation: true })).not.toEqual([]);
  }, 60_000);
});

describe('a voter keeps what it says on its disk first', () => {
  /**
   * One member is cut off. The member that first learns that the epoch without it is chosen is then cut off instead,
   * and the other voter dies and comes back.
   */
  function diesAfterItsVote(mutations: Mutations): string[] {
    const found: string[] = [];
    for (let seed = 1; seed <= 30; seed++) {
      const world = begun(3, mutations, seed);
      const [one, two, three] = world.members as [SimMember, SimMember, SimMember];
      runUntilWhole(world);
      const { epoch } = one.process!.membership.topology!;
      let isStruck = false;
      world.onAdopted = (member, topology) => {
        if (isStruck || topology.epoch <= epoch) return;
        isStruck = true;
        const voter = member === one ? two : one;
        world.kill(voter);
        world.heal();
        world.partition([member], true);
        world.scheduler.after(5, () => world.start(voter));
      };
      world.partition([three], true);
      world.run(4_000);
      found.push(...world.violations);
    }
    return found;
  }

  it('it dies right after its vote: nobody else is chosen for that epoch', () => {
    expect(diesAfterItsVote({})).toEqual([]);
  });

  it('it answers before its disk has the vote: caught, for one epoch has two topologies', () => {
    expect(diesAfterItsVote({ voteUnstored: true }).join()).toMatch(/epoch/);
  });
});

describe('a lease counts from the sending of its heartbeat', () => {
  /** The grants lie in the kernel's buffers while the process sleeps, and reach it after the others have gone on. */
  function sleepOverGrants(mutations: Mutations): string[] {
    const found: string[] = [];
    for (let seed = 1; seed <= 20; seed++) {
      const world = begun(3, mutations, seed);
      const sleeper = world.members[0]!;
      world.delayMsMax = 60;
      world.run(world.random.between(100, 200));
      world.pause(sleeper, 1_400);
      world.run(80);
      world.partition([sleeper], true);
      world.run(2_500);
      found.push(...world.violations);
    }
    return found;
  }

  it('a process sleeps over its grants: it wakes without a lease', () => {
    expect(sleepOverGrants({})).toEqual([]);
  });

  it('counted from the receipt: caught', () => {
    expect(sleepOverGrants({ leaseFromReceipt: true })).not.toEqual([]);
  });
});

describe('a voter is bound by what it accepted', () => {
  /**
   * The proposer is cut off at the moment of its success: the other voter has accepted, but does not learn of the
   * success for a while, since links are slow. Meanwhile the removed member wakes up and asks for a lease.
   */
  function cutOffAtSuccess(mutations: Mutations): string[] {
    const found: string[] = [];
    for (let seed = 1; seed <= 20; seed++) {
      const world = begun(3, mutations, seed);
      world.onAdopted = (proposer) => {
        world.onAdopted = () => {};
        world.partition([proposer], true);
        world.delayMsMax = 200;
      };
      world.pause(world.members[2]!, 640);
      world.run(4_000);
      found.push(...world.violations);
    }
    return found;
  }

  it('the removed member asks the voter that accepted its removal: it gets no lease', () => {
    expect(cutOffAtSuccess({})).toEqual([]);
  });

  it('grants by the learned epoch: caught', () => {
    expect(cutOffAtSuccess({ grantByLearned: true })).not.toEqual([]);
  });
});

describe('an epoch is granted ahead by those who have accepted it', () => {
  /** For each member, how many milliseconds it was without a lease after it had adopted an epoch. */
  function withoutLease(memberCount: number, struck: (world: MembershipWorld) => void): number[] {
    const world = begun(memberCount, {}, 7);
    world.delayMsMax = 60;
    world.run(1_000);
    const took: number[] = [];
    world.onAdopted = (member) => {
      const adoptedAt = world.scheduler.time;
      const look = (): void => {
        const { process } = member;
        if (process === null || !process.membership.leaseHeld()) world.scheduler.after(1, look);
        else took.push(world.scheduler.time - adoptedAt);
      };
      world.scheduler.after(0, look);
    };
    struck(world);
    world.run(3_000);
    expect(world.violations).toEqual([]);
    return took;
  }

  it('a member is gone: the others take the next epoch over with a lease at hand', () => {
    const took = withoutLease(5, (world) => world.kill(world.members[4]!));
    expect(took.length).toBeGreaterThanOrEqual(4);
    // On slow links the proposer's own disk votes last, so nobody waits for a heartbeat and its answer.
    expect(took.filter((ms) => ms > 0)).toEqual([]);
  });
});

describe('founding', () => {
  /** Most disks are lost while the others are cut off. */
  function blankMajority(mutations: Mutations): MembershipWorld {
    const world = begun(5, mutations);
    const lost = world.members.slice(0, 3);
    world.partition(lost, true);
    for (const member of lost) world.wipe(member);
    for (const member of lost) world.start(member);
    world.run(8_000);
    return world;
  }

  it('a blank majority: founds nothing, for not all are here', () => {
    const world = blankMajority({});
    expect(world.violations).toEqual([]);
    expect(world.members.slice(0, 3).map((member) => member.process!.membership.topology)).toEqual([
      null,
      null,
      null,
    ]);
  });

  it('a blank majority may found: caught', () => {
    expect(blankMajority({ blankMajorityFounds: true }).violations.join()).toContain('two topologies');
  });

  it('one configured member is missing: nobody founds until it comes', () => {
    const world = new MembershipWorld(3, 3);
    for (const member of world.members.slice(0, 2)) world.start(member);
    world.run(10_000);
    const { membership } = world.members[0]!.process!;
    expect(membership.phase).toBe('founding');
    expect(membership.neighbours.unlinked()).toEqual([{ name: 'n3', address: 'n3:1' }]);
    world.start(world.members[2]!);
    expect(runUntilWhole(world)).toBe(true);
    expect(membership.neighbours.unlinked()).toEqual([]);
    expect(world.members[2]!.process!.membership.topology!.epoch).toBe(1);
  });
});

describe('going and coming back', () => {
  it('a member is killed: the others have an epoch without it long before its lease is over, and wait that out', () => {
    const world = begun(3);
    const [first, second] = world.members;
    world.kill(second!);
    world.run(200);
    const { membership, clock } = first!.process!;
    expect(membership.topology!.members.map((member) => member.alive)).toEqual([true, false, true]);
    expect(membership.leaseHeld()).toBe(true);
    expect(membership.blockedUntil(0)).toBeGreaterThan(clock.now() + SETTINGS.leaseMs - 200);
    world.run(700);
    expect(membership.blockedUntil(0)).toBe(0);
  });

  it('a clean stop: the others have their epoch, and owe the leaver no wait', () => {
    const world = begun(3);
    const [first, second] = world.members;
    let stopped = false;
    second!.process!.membership.stop(() => (stopped = true));
    world.run(150);
    expect(stopped).toBe(true);
    const { membership } = first!.process!;
    expect(membership.topology!.members[1]!.alive).toBe(false);
    expect(membership.blockedUntil(0)).toBe(0);
  });

  it('a member restarts at once: it is a learner under a new incarnation before it is complete again', () => {
    const world = begun(3);
    const second = world.members[1]!;
    const before = second.process!.membership.incarnation;
    const phases: string[] = [];
    world.kill(second);
    world.start(second);
    world.onAdopted = (member) => {
      if (member === second) phases.push(member.process!.membership.phase);
    };
    world.run(100);
    expect(runUntilWhole(world)).toBe(true);
    expect(phases).toContain('learning');
    expect(second.process!.membership.incarnation).toBeGreaterThan(before);
    expect(second.process!.membership.selfId).toBe(2);
  });

  it('a disk is wiped: the member has no vote, comes back under a new id, and votes again', () => {
    const world = begun(3);
    const third = world.members[2]!;
    world.wipe(third);
    world.run(500);
    world.start(third);
    world.run(100);
    expect(runUntilWhole(world)).toBe(true);
    const { membership } = third.process!;
    expect(membership.selfId).toBe(4);
    expect(membership.topology!.council).toEqual([1, 2, 4]);
    world.kill(world.members[0]!);
    world.run(2_000);
    expect(membership.leaseHeld()).toBe(true);
    expect(world.violations).toEqual([]);
  });

  it('an older copy of a disk is restored: the member is treated like a blank one', () => {
    const world = begun(3);
    const third = world.members[2]!;
    const copy = new Map(third.disk);
    for (let restart = 0; restart < 2; restart++) {
      world.kill(third);
      world.run(300);
      world.start(third);
      world.run(300);
      expect(runUntilWhole(world)).toBe(true);
    }
    world.kill(third);
    third.disk = copy;
    world.run(500);
    world.start(third);
    world.run(100);
    expect(runUntilWhole(world)).toBe(true);
    expect(third.process!.membership.selfId).toBe(4);
  });

  it('everything is killed at once: all enter together as soon as all are back', () => {
    const world = begun(5);
    for (const member of world.members) world.kill(member);
    world.run(100);
    for (const member of world.members) world.start(member);
    world.run(500);
    expect(world.isWhole()).toBe(true);
    expect(world.members[0]!.process!.membership.topology!.epoch).toBe(2);
  });

  it('a majority is back and the rest is not: it starts after the grace, without them', () => {
    const world = begun(5);
    for (const member of world.members) world.kill(member);
    for (const member of world.members.slice(0, 3)) world.start(member);
    world.run(SETTINGS.coldStartGraceMs - 200);
    expect(world.members[0]!.process!.membership.phase).toBe('entering');
    world.run(600);
    expect(world.members[0]!.process!.membership.leaseHeld()).toBe(true);
    expect(world.members[0]!.process!.membership.topology!.members.map((member) => member.alive)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it('a minority is back: it never starts', () => {
    const world = begun(5);
    for (const member of world.members) world.kill(member);
    for (const member of world.members.slice(0, 2)) world.start(member);
    world.run(20_000);
    expect(world.members[0]!.process!.membership.phase).toBe('entering');
  });

  it('one link is broken both ways while all others work: the higher id of the two goes, and returns when it is healed', () => {
    const world = begun(5);
    world.block('n2', 'n4');
    world.block('n4', 'n2');
    world.run(6_000);
    const { membership } = world.members[1]!.process!;
    expect(membership.topology!.members.map((member) => member.alive)).toEqual([
      true,
      true,
      true,
      false,
      true,
    ]);
    expect(membership.leaseHeld()).toBe(true);
    world.heal();
    expect(runUntilWhole(world)).toBe(true);
  });
});
