/**
 * Scenarios of a node that comes back to a slot and copies it from an owner: what it had before counts for nothing
 * until the owner confirms it, what is in flight stays in flight, and it serves when it has everything. (PROTOCOL R19,
 * R20, R25)
 */
import type { Mutations } from '../../src/core/mutations.ts';
import { COUNTER_JUMP_MAX, NODE_ID_OUTSIDE, makeVersion } from '../../src/core/version.ts';
import { KEY, Scenario, SLOT } from '../scenario.ts';
import type { ScenarioNode } from '../scenario-node.ts';
import { rowFromOutside } from './writing.ts';

/** B stored a write of its own that nobody else ever heard of, and comes back as a learner. */
function leftoverAtB(mutations: Mutations, before: boolean): Scenario {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  if (before) world.put(a, 'before');
  const fromB = world.hold({ from: b });
  world.put(b, 'never sent');
  world.crash(b);
  world.drop(fromB);
  world.release(fromB);
  world.epoch([a, c]);
  b.restart();
  return world;
}

/** The learner enters, copies, and is made complete. */
function letLearn(world: Scenario, learner: ScenarioNode): string | null {
  const others = world.nodes.filter((node) => node !== learner);
  world.epoch(world.nodes, others);
  world.pass(100);
  if (!learner.hasLearned) return 'the learner did not catch up';
  world.epoch(world.nodes);
  return null;
}

/** The leftover is higher than what the owners have: it is dropped, and they are not told of it. (R19) */
export function higherLeftover(mutations: Mutations): string {
  const world = leftoverAtB(mutations, true);
  const [a, b] = world.abc;
  const problem = letLearn(world, b);
  if (problem !== null) return problem;
  world.read(a);
  const read = world.read(b);
  if (world.onDisk(b) !== world.onDisk(a)) return 'the copies differ';
  return read.outcome?.kind === 'value' ? world.verdict() : 'the reader had to wait';
}

/** The owners have nothing at all of the key: neither has the learner, once it is complete. (R19) */
export function leftoverOfUnknownKey(mutations: Mutations): string {
  const world = leftoverAtB(mutations, false);
  const [a, b] = world.abc;
  const problem = letLearn(world, b);
  if (problem !== null) return problem;
  world.read(a);
  world.read(b);
  return world.onDisk(b) === 0 ? world.verdict() : 'the leftover stayed';
}

/**
 * An owner writes while the learner still has its higher leftover: the learner answers *equal*, and stores the new
 * write. (R19)
 */
export function writeToLearner(mutations: Mutations): string {
  const world = leftoverAtB(mutations, true);
  const [a, b, c] = world.abc;
  world.hold({ from: b, kind: 'learnDigests' });
  world.epoch(world.nodes, [a, c]);
  const increment = world.put(a, 'written meanwhile');
  if (increment.outcome?.kind !== 'done') return 'the leftover stood in the way';
  world.epoch([a, c]);
  world.read(c);
  world.epoch(world.nodes, [a, c]);
  if (world.onDisk(b) !== world.onDisk(a)) return 'the learner kept its own';
  return world.verdict();
}

/**
 * A's write has only reached C when the learner copies from A. What it copies is in flight, and stays unreadable at the
 * learner, even once that is complete, until the write is finished. (R19)
 */
export function pendingIsCopied(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, 'before');
  world.crash(b);
  world.epoch([a, c]);
  b.restart();
  world.record.isHeld = true;
  world.put(a, 'after');
  world.hold({ to: b, kind: 'invalidate' });
  world.epoch(world.nodes, [a, c]);
  world.pass(100);
  if (!b.hasLearned) return 'the learner did not catch up';
  world.epoch(world.nodes);
  const early = world.read(b);
  if (early.outcome !== null) return 'read at the learner while it was nowhere valid';
  return world.verdict();
}

/** A learner becomes complete only when it has everything. (R20) */
export function promotedLearner(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, 'before');
  // What it has is at rest: no mark shows that it may be old.
  world.pass(200);
  world.crash(b);
  world.epoch([a, c]);
  world.put(a, 'after');
  b.restart();
  const pull = world.hold({ from: b, kind: 'learnPull' });
  world.epoch(world.nodes, [a, c]);
  if (!b.hasLearned) world.release(pull);
  world.pass(100);
  if (!b.hasLearned) return 'the learner did not catch up';
  world.epoch(world.nodes);
  for (const node of world.nodes) world.read(node);
  return world.verdict();
}

/**
 * A's write has only reached C, whose disk and links are slow, when A dies. A comes back and copies from B, which never
 * heard of the write. A becomes complete again only when C has told it what it had begun: otherwise it would give the
 * same version to another write, and neither would ever complete. Its disk is that of an earlier program, which
 * reserved no counters. (R8, R20)
 */
export function versionTakenTwice(mutations: Mutations): string {
  const world = new Scenario({ ...mutations, retakeCounters: true });
  const [a, b, c] = world.abc;
  world.put(a, 'before');
  c.isDiskHeld = true;
  const toB = world.hold({ from: a, to: b, kind: 'invalidate' });
  world.put(a, 'of the earlier process');
  world.crash(a);
  world.drop(toB);
  world.release(toB);
  const fromC = world.hold({ from: c, kind: 'invalidate' });
  world.epoch([b, c]);
  a.restart();
  // A last: a node that has not heard of the epoch would not answer it, and the other one would be asked.
  world.epoch(world.nodes, [b, c], [b, c, a]);
  world.pass(500);
  const isEarly = a.hasLearned;
  if (isEarly) {
    world.epoch(world.nodes);
    world.put(a, 'of the new process');
  }
  c.isDiskHeld = false;
  c.completeDisk();
  world.release(fromC);
  world.pass(2_000);
  if (!a.hasLearned && !isEarly) return 'the learner did not catch up';
  if (!isEarly) world.epoch(world.nodes);
  const last = world.put(a, 'last');
  world.pass(2_000);
  if (!world.isAnswered(last)) return 'two writes have one version: neither comes to an end';
  for (const node of world.nodes) world.read(node);
  return world.verdict();
}

/**
 * C's disk is slow with a write of B's, which dies together with its disk. C gives the slot up, and is to learn it
 * again before its disk is done. Then it has stored a write that nobody knows of any more, and not yet the lower
 * version that it now holds.
 */
export function storedBeforeGivenUp(mutations: Mutations): string {
  const world = new Scenario(mutations, 4);
  const [a, b, c, d] = world.nodes as [ScenarioNode, ScenarioNode, ScenarioNode, ScenarioNode];
  world.put(a, 'before');
  c.isDiskHeld = true;
  const toC = world.hold({ from: b, to: c, kind: 'invalidate' });
  const others = world.hold({ from: b, kind: 'invalidate' });
  world.put(b, 'lost');
  world.drop({ from: b, to: a });
  world.drop({ from: b, to: d });
  world.release(others);
  world.release(toC);
  world.loseDisk(b);
  c.giveUp();
  world.epoch([a, c, d], [a, d]);
  const put = world.put(a, 'after');
  c.completeDisk();
  world.settle();
  const version = put.outcome?.kind === 'done' ? put.outcome.version! : 0;
  if (version > 0 && world.onDisk(c) !== version)
    return 'told done, and one of those who said so has not stored it';
  c.isDiskHeld = false;
  c.completeDisk();
  world.pass(1_000);
  if (!c.hasLearned) return 'the learner did not catch up';
  world.epoch([a, c, d]);
  for (const node of [a, c, d]) world.read(node);
  return world.onDisk(c) === world.onDisk(a) ? world.verdict() : 'the copies differ';
}

/**
 * A's increment is on its way to A's disk, and nobody may hear of it before it is there, when C copies from A. A and B
 * die and restart, since the whole slot was theirs; C goes on as a learner. A's next increment takes the same number
 * for another write: C must not hold the first one under it. (R8, R19)
 */
export function taughtBeforeStored(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, '10');
  world.pass(200);
  world.crash(c);
  world.epoch([a, b]);
  world.put(a, '20');
  world.pass(200);
  c.restart();
  const pull = world.hold({ from: c, kind: 'learnPull' });
  world.epoch(world.nodes, [a, b]);
  a.isDiskHeld = true;
  world.increment(a, 1n);
  world.release(pull);
  for (const node of [a, b]) world.crash(node);
  for (const node of [a, b]) node.restart();
  world.epoch(world.nodes, [a, b]);
  const second = world.increment(a, 100n);
  world.pass(2_000);
  if (second.outcome?.kind !== 'done') return 'two writes have one version: neither comes to an end';
  if (!c.hasLearned) return 'the learner did not catch up';
  world.epoch(world.nodes);
  for (const node of world.nodes) world.read(node);
  return world.onDisk(c) === world.onDisk(a) ? world.verdict() : 'the copies differ';
}

/**
 * What waits for the teacher's disk is taught when it is there: a disk that is slow for a moment does not hold anything
 * up for good. (R19)
 */
export function taughtOnceStored(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, 'before');
  world.pass(200);
  world.crash(c);
  world.epoch([a, b]);
  world.put(a, 'after');
  world.pass(200);
  c.restart();
  const pull = world.hold({ from: c, kind: 'learnPull' });
  const toC = world.hold({ to: c, kind: 'invalidate' });
  world.epoch(world.nodes, [a, b]);
  a.isDiskHeld = true;
  const put = world.put(a, 'last');
  const version = world.onDisk(b);
  const frame = world.hold({ from: a, kind: 'learnFrame' });
  world.release(pull);
  world.release(frame);
  if (world.onDisk(c) === version) return 'told before it is on the disk of who tells it';
  a.isDiskHeld = false;
  a.completeDisk();
  world.settle();
  if (world.onDisk(c) !== version) return 'not told once it is there';
  world.release(toC);
  world.pass(1_000);
  if (put.outcome?.kind !== 'done' || !c.hasLearned) return 'a write, or the learner, did not come to an end';
  world.epoch(world.nodes);
  for (const node of world.nodes) world.read(node);
  return world.verdict();
}

/**
 * C has lost its disk, and copies a version far above all that it has seen; then one comes that is a little above that.
 * C was taught what stands, so this does not count as a jump. (R8)
 */
export function copiedFarAbove(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  const install = (counter: number): number => {
    const version = makeVersion(counter, NODE_ID_OUTSIDE);
    world.record.putFromOutside(rowFromOutside('far', version), SLOT);
    a.replica!.refetch(SLOT, KEY);
    world.pass(1_000);
    return version;
  };
  world.put(a, 'before');
  world.loseDisk(c);
  world.epoch([a, b]);
  install(COUNTER_JUMP_MAX - 100);
  c.restart();
  const problem = letLearn(world, c);
  if (problem !== null) return problem;
  if (install(COUNTER_JUMP_MAX + 100) !== world.onDisk(c))
    return 'what is above what it copied was taken for a jump';
  const put = world.put(c, 'above');
  return put.outcome?.kind === 'done' && world.onDisk(c) === world.onDisk(b) ? 'ok' : 'the copies differ';
}

/**
 * The key was deleted while B was away. B still has the value, and learns that it is gone. What B writes then is valid.
 * (R19, R22)
 */
export function deletedMeanwhile(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, 'before');
  world.pass(200);
  world.crash(b);
  world.epoch([a, c]);
  world.put(a, 'again');
  world.write(a, { kind: 'delete' });
  world.pass(200);
  b.restart();
  const problem = letLearn(world, b);
  if (problem !== null) return problem;
  if (world.onDisk(b) !== world.onDisk(a)) return 'the copies differ';
  world.read(b);
  const put = world.put(b, 'after');
  world.pass(1_000);
  if (put.outcome?.kind !== 'done') return 'the write did not come to an end';
  for (const node of world.nodes) world.read(node);
  return world.verdict();
}

/** A client wrote the key while its value was fetched from legacy: the fill changes nothing. (R25) */
export function fillAfterWrite(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b] = world.abc;
  world.put(b, 'native');
  world.fill(a, 'fetched');
  world.read(b);
  return world.verdict();
}

/** A client deleted the key: no fill brings it back. (R25) */
export function fillAfterDelete(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b] = world.abc;
  world.put(b, 'native');
  world.write(b, { kind: 'delete' });
  world.fill(a, 'fetched');
  world.read(b);
  return world.verdict();
}

/** The fill is under way when a client writes: it is aborted, and judged anew against the new value. (R25) */
export function fillOvertaken(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b] = world.abc;
  const toB = world.hold({ from: a, to: b, kind: 'invalidate' });
  const fill = world.fill(a, 'fetched');
  world.put(b, 'native');
  world.release(toB);
  world.pass(1_000);
  const reads = world.nodes.map((node) => world.read(node).outcome);
  if (fill.outcome === null) return 'the fill did not come to an end';
  const isNative = reads.every((each) => each?.kind === 'value' && each.value === 'native');
  return isNative ? world.verdict() : `it ends with ${JSON.stringify(reads)}`;
}

/**
 * C has a valid write, and dies; A's, below it, is under way. C comes back, and its digest is equal to its source's.
 * Before it hears that, A's write replaces the version that does not count yet: now C lacks what its source has. (R19)
 */
export function loweredWhileCompared(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  const fromA = world.hold({ from: a, kind: 'invalidate' });
  world.put(a, 'lower');
  if (world.put(c, 'higher').outcome?.kind !== 'done') return 'the higher write did not come to an end';
  const valid = world.onDisk(c);
  world.pass(100);
  world.crash(c);
  world.epoch([a, b]);
  c.restart();
  const answer = world.hold({
    to: c,
    only: (message) => message.kind === 'learnDifferences' && message.slotFirst + message.slotCount > SLOT,
  });
  world.epoch(world.nodes, [a, b]);
  world.release(fromA);
  if (world.onDisk(c) >= valid) return 'the lower write has not reached it';
  world.release(answer);
  world.pass(200);
  if (!c.hasLearned) return 'the learner did not catch up';
  const learnt = world.onDisk(c);
  world.epoch(world.nodes);
  world.pass(1_000);
  if (learnt !== valid) return `it is to be complete with version ${learnt}, and lacks ${valid}`;
  for (const node of world.nodes) world.read(node);
  return world.verdict();
}
