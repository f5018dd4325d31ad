/**
 * Scenarios of writes that are repeated under their operation id because their outcome was unknown: carried out once,
 * and answered as the first time, whoever died or came back in between. (PROTOCOL R20, R33)
 */
import type { Mutations } from '../../src/core/mutations.ts';
import { Scenario } from '../scenario.ts';
import type { Pending } from '../scenario.ts';
import type { ScenarioNode } from '../scenario-node.ts';

/** 'ok' if the repeated write got the same answer as the first one. */
function answeredAlike(world: Scenario, first: Pending, again: Pending): string {
  const told = JSON.stringify(
    [first, again].map(({ outcome }) => outcome),
    (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
  );
  const [one, two] = [first.outcome, again.outcome];
  if (one?.kind !== 'done' || two?.kind !== 'done') return `not done: ${told}`;
  if (one.version !== two.version || one.number !== two.number) return `answered differently: ${told}`;
  return world.verdict();
}

/** A has answered, and dies. The write is repeated at B. */
export function repeatedAfterCoordinatorDied(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  const first = world.incrementOnce(a);
  world.crash(a);
  world.epoch([b, c]);
  const again = world.repeat(b, first);
  world.read(c);
  return answeredAlike(world, first, again);
}

/** A dies in the middle: only C has heard of the write. It is repeated at B before anybody has finished it. */
export function repeatedWhileOpen(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.increment(a);
  const toB = world.hold({ from: a, to: b, kind: 'invalidate' });
  const first = world.incrementOnce(a);
  world.crash(a);
  world.drop(toB);
  world.release(toB);
  world.epoch([b, c]);
  const again = world.repeat(b, first);
  world.pass(3_000);
  const third = world.repeat(c, again);
  world.read(b);
  if (again.outcome?.kind !== 'done' || again.outcome.number !== 2n)
    return 'the repeated write did not end at 2';
  return answeredAlike(world, again, third);
}

/** All nodes die at once, after the answer, and come back with their disks. */
export function repeatedAfterRestart(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, , c] = world.abc;
  const first = world.incrementOnce(a);
  for (const node of world.nodes) world.crash(node);
  for (const node of world.nodes) node.restart();
  world.epoch(world.nodes);
  const again = world.repeat(c, first);
  world.read(a);
  return answeredAlike(world, first, again);
}

/** All nodes die with the write on two disks: it is finished under its version, and recognised by its id. */
export function openOverRestart(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.increment(a);
  world.hold({ from: a, to: c, kind: 'invalidate' });
  const first = world.incrementOnce(a);
  for (const node of world.nodes) world.crash(node);
  for (const node of world.nodes) node.restart();
  world.epoch(world.nodes);
  world.pass(3_000);
  const again = world.repeat(c, first);
  const third = world.repeat(b, again);
  world.read(b);
  if (again.outcome?.kind !== 'done' || again.outcome.number !== 2n)
    return 'the repeated write did not end at 2';
  return answeredAlike(world, again, third);
}

/**
 * Two increments of the same record. B's outranks A's, which C had stored before; A dies before it could retry. What C
 * remembered of A's increment never happened, so the repeated one counts from B's. (The fate of what is replaced.)
 */
export function repeatedAfterRefusal(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, '10');
  world.hold({ from: a, to: b });
  const toA = world.hold({ to: a });
  const first = world.incrementOnce(a);
  world.increment(b);
  world.crash(a);
  world.drop(toA);
  world.epoch([b, c]);
  world.pass(1_000);
  const again = world.repeat(c, first);
  world.read(b);
  if (again.outcome?.kind !== 'done' || again.outcome.number !== 12n)
    return 'the repeated write did not end at 12';
  return world.verdict();
}

/**
 * All have acknowledged A's increment, and nobody has heard yet that it is valid. B must not write over it before its
 * fate is known, because B's successors would take it for one that never happened.
 */
export function writtenOverWhileOpen(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, '10');
  world.record.isHeld = true;
  const first = world.incrementOnce(a);
  const fromB = world.hold({ from: b, to: a, kind: 'invalidate' });
  world.put(b, '100');
  world.record.isHeld = false;
  world.record.execute();
  world.settle();
  world.pass(500);
  world.crash(a);
  world.drop(fromB);
  world.release(fromB);
  world.epoch([b, c]);
  world.pass(1_000);
  const again = world.repeat(c, first);
  world.read(b);
  return answeredAlike(world, first, again);
}

/** The learner enters, copies, and is made complete. */
function letLearn(world: Scenario, learner: ScenarioNode): string | null {
  const others = world.nodes.filter((node) => node !== learner);
  world.epoch(world.nodes, others);
  world.pass(500);
  if (!learner.hasLearned) return 'the learner did not catch up';
  world.epoch(world.nodes);
  return null;
}

/** B was away when A answered. When it is complete again it knows of the operation, while A is gone by then. (R20) */
export function repeatedAtFormerLearner(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.crash(b);
  world.epoch([a, c]);
  const first = world.incrementOnce(a);
  b.restart();
  const problem = letLearn(world, b);
  if (problem !== null) return problem;
  world.crash(a);
  world.epoch([b, c]);
  const again = world.repeat(b, first);
  world.read(c);
  return answeredAlike(world, first, again);
}

/** B comes back with an operation that never happened, on its disk only: it is not kept. (R19) */
export function leftoverOperation(mutations: Mutations): string {
  const world = new Scenario(mutations);
  const [a, b, c] = world.abc;
  world.put(a, '10');
  const fromB = world.hold({ from: b });
  const first = world.incrementOnce(b);
  world.crash(b);
  world.drop(fromB);
  world.release(fromB);
  world.epoch([a, c]);
  world.increment(a);
  b.restart();
  const problem = letLearn(world, b);
  if (problem !== null) return problem;
  const again = world.repeat(b, first);
  world.read(c);
  if (again.outcome?.kind !== 'done' || again.outcome.number !== 12n)
    return 'the repeated write did not end at 12';
  return world.verdict();
}
