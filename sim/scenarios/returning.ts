/**
 * Scenarios of readers that wait, of coordinators that die, and of processes that come back: nothing half done is read,
 * and everything half done is finished. (PROTOCOL R9, R12, R13, R17)
 */
import type { Mutations } from '../../src/core/mutations.ts';
import { Scenario } from '../scenario.ts';

/**
 * C's write is stored everywhere; B's, above it, only at A, where a reader waits. The message arrives that C's is
 * valid: it is below the version that the reader knows of, and does not make B's readable. (R9)
 */
export function readerBetweenTwoWrites(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  const validate = world.hold({ from: c, kind: 'validate' });
  world.put(c, 'lower');
  const toC = world.hold({ from: b, to: c, kind: 'invalidate' });
  world.put(b, 'higher');
  const waiting = world.read(a);
  world.release(validate);
  const early = waiting.outcome;
  world.read(c);
  world.release(toC);
  if (waiting.outcome?.kind !== 'value') return 'the reader was forgotten';
  return early === null ? world.verdict() : `${world.verdict()}\nread while it was nowhere valid`;
}

/**
 * The other way round: a version is overwritten before its Validate arrives; a reader that may see it is not kept
 * waiting. (R9)
 */
export function readerOfOverwritten(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  const validate = world.hold({ from: c, kind: 'validate' });
  world.put(c, 'lower');
  const waiting = world.read(a);
  world.hold({ from: b, to: c, kind: 'invalidate' });
  world.put(b, 'higher');
  world.release(validate);
  if (waiting.outcome?.kind !== 'value' || waiting.outcome.value !== 'lower')
    return 'the reader had to wait on';
  return world.verdict();
}

/**
 * A write has reached A's and B's disks, but not C's, when all die. Back again, none of them may read what it finds
 * before the write is finished: C has never heard of it. (R12)
 */
export function allDieInFlight(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, , c] = world.abc;
  world.put(a, 'before');
  world.hold({ from: a, to: c, kind: 'invalidate' });
  world.put(a, 'after');
  for (const node of world.nodes) world.crash(node);
  for (const node of world.nodes) node.restart();
  const toC = world.hold({ to: c, kind: 'invalidate' });
  world.epoch(world.nodes);
  world.pass(100);
  world.read(a);
  world.read(c);
  world.release(toC);
  world.pass(3_000);
  const last = world.nodes.map((node) => world.read(node).outcome?.kind);
  return last.join() === 'value,value,value' ? world.verdict() : 'the write was never finished';
}

/** A, whose disk is slow, begins a write, and B does not hear of it; then all die. Returns what C has on its disk. */
function onlyAtC(world: Scenario, value: string): ReturnType<Scenario['onDisk']> {
  const [a, b, c] = world.abc;
  const toB = world.hold({ from: a, to: b, kind: 'invalidate' });
  a.isDiskHeld = true;
  world.put(a, value);
  const told = world.onDisk(c);
  for (const node of world.nodes) world.crash(node);
  world.drop(toB);
  world.release(toB);
  return told;
}

/**
 * Only C has A's write on its disk, not A, whose disk was slow, when all die. Back again, A takes another version for
 * its next write: C would treat an equal one as a fault, and neither write would ever complete. (R8)
 */
export function diesBeforeItsOwnDisk(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, , c] = world.abc;
  world.put(a, 'before');
  world.pass(100);
  const before = world.onDisk(c);
  if (onlyAtC(world, 'of the first process') === before)
    return 'C has not heard of it, while its disk was slow';
  for (const node of world.nodes) node.restart();
  const fromC = world.hold({ from: c, kind: 'invalidate' });
  world.epoch(world.nodes);
  const put = world.put(a, 'of the next one');
  world.release(fromC);
  world.pass(3_000);
  const last = world.nodes.map((node) => world.read(node).outcome?.kind);
  if (put.outcome?.kind !== 'done' || last.join() !== 'value,value,value') return 'a write never ends';
  return world.verdict();
}

/**
 * Only C has heard of A's write when C dies, and an epoch leaves A out and admits it again, all in one process. What A
 * gave up counts for nothing once it has copied from B. Its next write has another version nevertheless, because C is
 * not gone for good. (R8)
 */
export function leftOutAlive(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, 'before');
  world.pass(100);
  const toB = world.hold({ from: a, to: b, kind: 'invalidate' });
  world.put(a, 'known to C alone');
  const told = world.onDisk(c);
  world.crash(c);
  world.drop(toB);
  world.release(toB);
  world.epoch([b], [b], [a, b]);
  a.incarnation += 1;
  world.epoch([a, b], [b]);
  world.pass(500);
  if (!a.hasLearned) return 'the learner did not catch up';
  world.epoch([a, b]);
  const next = world.put(a, 'of the next member');
  world.pass(500);
  if (next.outcome?.kind !== 'done') return 'its write never ends';
  if (next.outcome.version === told) return 'two writes have one version';
  c.restart();
  world.epoch(world.nodes, [a, b]);
  world.pass(500);
  world.epoch(world.nodes);
  for (const node of world.nodes) world.read(node);
  return world.verdict();
}

/**
 * Only C has A's write on its disk when all die. A and B come back without C, and A's second increment takes the number
 * that this write had, while C learns. C stores it and drops its own, because what a learner had counts for nothing.
 * (R8, R19)
 */
export function numberOfWhoIsAway(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, '10');
  world.pass(100);
  const told = onlyAtC(world, '100');
  a.restart();
  b.restart();
  world.epoch([a, b]);
  world.increment(a);
  c.restart();
  const copies = world.hold({ from: c, kind: 'learnDigests' });
  world.epoch(world.nodes, [a, b]);
  const second = world.increment(a);
  if (second.outcome?.kind !== 'done') return 'what the learner had stood in the way';
  if (world.onDisk(a) !== told) return 'the number is another one';
  world.release(copies);
  world.pass(500);
  if (!c.hasLearned) return 'the learner did not catch up';
  world.epoch(world.nodes);
  const last = world.nodes.map((node) => JSON.stringify(world.read(node).outcome));
  return new Set(last).size === 1 ? world.verdict() : `read: ${last.join()}`;
}

/** Two of three die together before anybody was answered, and come back as they were. Nothing is left in flight. (R12) */
export function entriesOfTheFinished(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b] = world.abc;
  world.put(a, 'one');
  world.put(b, 'two');
  world.pass(500);
  for (const node of world.nodes) world.crash(node);
  for (const node of world.nodes) node.restart();
  world.epoch(world.nodes);
  const read = world.read(a);
  if (read.outcome?.kind !== 'value') return 'what was finished long ago is waited for';
  return world.verdict();
}

/**
 * The coordinator dies with all acknowledgements and PostgreSQL's commit, before it has told anybody: the others finish
 * its write under its own version. (R13)
 */
export function coordinatorDies(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, 'before');
  world.record.isHeld = true;
  world.put(a, 'after');
  const taken = world.onDisk(b);
  world.record.execute('A');
  world.crash(a);
  world.record.isHeld = false;
  const early = world.read(b);
  if (early.outcome !== null) return 'read before anybody finished it';
  world.epoch([b, c]);
  world.pass(2_000);
  world.read(c);
  const told = early.outcome as { kind: string; version?: number } | null;
  if (told?.version !== taken) return `the reader was told ${JSON.stringify(told)}, not version ${taken}`;
  return world.verdict();
}

/** Both survivors replay at once, a client writes above, and the dead node comes back in the middle. (R13) */
export function everybodyReplays(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  const slow = world.hold({ kind: 'acknowledge' });
  world.increment(a);
  world.crash(a);
  world.epoch([b, c]);
  world.pass(1_500);
  const above = world.increment(c);
  a.restart();
  world.epoch(world.nodes, [b, c]);
  world.release(slow);
  world.pass(3_000);
  world.epoch(world.nodes);
  world.pass(1_000);
  for (const node of world.nodes) world.read(node);
  if (above.outcome?.kind !== 'done' || above.outcome.number !== 2n)
    return 'the second increment did not count on the first';
  return world.verdict();
}

/** The coordinator's Validate is lost: a node whose readers wait asks, and is told again. (R13) */
export function validateLost(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b] = world.abc;
  const validate = world.hold({ from: a, kind: 'validate' });
  const put = world.put(a, 'after');
  world.drop(validate);
  world.release(validate);
  const waiting = world.read(b);
  if (put.outcome?.kind !== 'done' || waiting.outcome !== null) return 'the reader should have to wait';
  world.pass(3_000);
  return world.isAnswered(waiting) ? world.verdict() : 'the reader waits for ever';
}
