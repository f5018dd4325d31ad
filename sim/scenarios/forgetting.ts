/**
 * Scenarios of deletions that are forgotten: nothing older comes back, and what is written afterwards has a higher
 * version than everything before. The key is not written through, so only the owners can know. (PROTOCOL R22)
 */
import { COLLECTION_PATIENCE_MS } from '../../src/core/limits.ts';
import type { PeerMessage } from '../../src/core/message.ts';
import type { Mutations } from '../../src/core/mutations.ts';
import { KEEP_MS } from '../scenario-node.ts';
import type { ScenarioNode } from '../scenario-node.ts';
import { KEY_BESIDE, KEY_THIRD, Scenario } from '../scenario.ts';

/** Milliseconds within which deletions are found, floors raised and everything removed. */
const FORGET_MS = 1_000;

function onNodesAlone(mutations: Mutations): Scenario {
  const world = new Scenario(mutations);
  for (const node of world.nodes) node.writesThrough = false;
  return world;
}

/** Lets every node forget its deletions from now on, and gives it the time. */
function forgetDeletions(world: Scenario): void {
  for (const node of world.nodes) node.keepMs = 0;
  world.pass(FORGET_MS);
}

/** Written many times, deleted and forgotten: the next write has a version above all of that. */
export function writtenAgain(mutations: Mutations): string {
  const world = onNodesAlone(mutations);
  const [a, b, c] = world.abc;
  for (const value of ['one', 'two', 'three']) world.put(a, value);
  world.write(a, { kind: 'delete' });
  forgetDeletions(world);
  for (const node of world.nodes)
    if (world.onDisk(node) !== 0) return `${node.name} has not forgotten the deletion`;
  world.read(c);
  const put = world.put(b, 'again');
  if (put.outcome?.kind !== 'done') return 'the write did not come to an end';
  for (const node of world.nodes) world.read(node);
  return world.verdict();
}

/**
 * A's write reached B when it was sent again; the first copy of it is still on its way when the key is deleted and the
 * deletion forgotten.
 */
export function lateCopy(mutations: Mutations): string {
  const world = onNodesAlone(mutations);
  const [a, b] = world.abc;
  let first: PeerMessage | null = null;
  const copy = world.hold({
    from: a,
    to: b,
    kind: 'invalidate',
    only: (message) => message === (first ??= message),
  });
  const put = world.put(a, 'late');
  world.pass(600);
  if (put.outcome?.kind !== 'done') return 'the write did not come to an end';
  world.write(b, { kind: 'delete' });
  forgetDeletions(world);
  if (world.onDisk(b) !== 0) return 'B has not forgotten the deletion';
  world.release(copy);
  world.pass(2_000);
  for (const node of world.nodes) world.read(node);
  return world.verdict();
}

/**
 * A's write is outranked by B's deletion, and sent on to C, which has come back with an empty disk and copies the slot.
 * If the deletion were forgotten before C has copied it, the write would be all that C knows.
 */
export function copiedMeanwhile(mutations: Mutations): string {
  const world = onNodesAlone(mutations);
  const [a, b, c] = world.abc;
  const fromA = world.hold({ from: a, kind: 'invalidate' });
  world.put(a, 'outranked');
  if (world.write(b, { kind: 'delete' }).outcome?.kind !== 'done')
    return 'the deletion did not come to an end';
  world.loseDisk(c);
  world.epoch([a, b]);
  c.restart();
  const pull = world.hold({ from: c, kind: 'learnPull' });
  world.epoch(world.nodes, [a, b]);
  world.release(fromA);
  forgetDeletions(world);
  world.release(pull);
  world.pass(1_000);
  if (!c.hasLearned) return 'the learner did not catch up';
  world.epoch(world.nodes);
  world.pass(2_000);
  for (const node of world.nodes) world.read(node);
  return world.verdict();
}

/** Another key of the slot is in flight below the floor: nothing is forgotten before that has completed. */
export function inFlightBelow(mutations: Mutations): string {
  const world = onNodesAlone(mutations);
  const [a, b, c] = world.abc;
  world.put(a, 'before');
  world.write(a, { kind: 'delete' });
  const toC = world.hold({ from: b, to: c, kind: 'invalidate' });
  const beside = world.put(b, 'beside', KEY_BESIDE);
  forgetDeletions(world);
  if (beside.outcome !== null || world.onDisk(a) === 0)
    return 'forgotten while something was in flight below';
  world.release(toC);
  world.pass(3 * FORGET_MS);
  if (beside.outcome === null || world.onDisk(a) !== 0)
    return 'not forgotten, although nothing is in the way';
  for (const node of world.nodes) world.read(node);
  return world.verdict();
}

/**
 * The floor of the slot is raised at A and not yet at B. A judges an increment, while B accepts a put from below the
 * floor, of which A has not heard. The increment waits until B is past the floor, too, and counts from the put.
 * (PROTOCOL R1, R5)
 */
export function incrementBesideRaise(mutations: Mutations): string {
  const world = onNodesAlone(mutations);
  const [a, b] = world.abc;
  deletedBeside(world);
  const raise = world.hold({ to: b, kind: 'floorRaise' });
  a.keepMs = 0;
  world.pass(FORGET_MS);
  return putBesideIncrement(world, b, a, () => world.release(raise));
}

/** What happens between the raising of a floor by A alone and an increment there. */
export type AfterRaise = 'an epoch without C' | 'an epoch in which C copies' | 'all die and return';

/**
 * Nobody is asked about that floor any more, and nobody knows how far the others are: the node that increments asks
 * them.
 */
export function incrementAfterRaise(mutations: Mutations, after: AfterRaise): string {
  const world = onNodesAlone(mutations);
  const [a, b, c] = world.abc;
  deletedBeside(world);
  raiseAlone(world, a);
  if (after === 'all die and return') {
    for (const node of world.nodes) world.crash(node);
    for (const node of world.nodes) node.restart();
    world.epoch(world.nodes);
  } else {
    world.crash(c);
    world.epoch([a, b]);
  }
  if (after === 'an epoch in which C copies') {
    world.hold({ from: c, kind: 'learnPull' });
    c.restart();
    world.epoch(world.nodes, [a, b]);
  }
  return putBesideIncrement(world, b, a, () => undefined);
}

/**
 * B alone has raised the floor, and C copies the slot from A, which has not. B's increment of another key makes A come
 * past the floor; C has said nothing. As an owner, C accepts a put from below.
 */
export function putAtFormerLearner(mutations: Mutations): string {
  // Its promise as a learner, which also keeps anything from coming from there, is another guard.
  const world = onNodesAlone({ ...mutations, promiseNothing: true });
  const [a, b, c] = world.abc;
  deletedBeside(world);
  raiseAlone(world, b);
  world.loseDisk(c);
  world.epoch([a, b]);
  c.restart();
  const pull = world.hold({ from: c, kind: 'learnPull' });
  world.epoch(world.nodes, [a, b]);
  const other = world.write(b, { kind: 'increment', delta: 1n }, null, 0, KEY_THIRD);
  world.pass(500);
  if (other.outcome === null) return 'the increment of the other key did not come to an end';
  world.release(pull);
  world.pass(1_000);
  if (!c.hasLearned) return 'the learner did not catch up';
  world.epoch(world.nodes);
  return putBesideIncrement(world, c, b, () => undefined);
}

/**
 * The same, but B's increment is still on its way when C, which had copied the slot before, becomes an owner: C accepts
 * a put from below before it hears of the increment.
 */
export function putBeforeIncrementArrives(mutations: Mutations): string {
  const world = onNodesAlone(mutations);
  const [a, b, c] = world.abc;
  deletedBeside(world);
  raiseAlone(world, b);
  world.loseDisk(c);
  world.epoch([a, b]);
  c.restart();
  world.epoch(world.nodes, [a, b]);
  world.pass(1_000);
  if (!c.hasLearned) return 'the learner did not catch up';
  const toC = world.hold({ from: b, to: c, kind: 'invalidate' });
  const increment = world.increment(b);
  world.pass(500);
  world.epoch(world.nodes);
  const put = world.put(c, '200');
  world.pass(200);
  world.release(toC);
  world.pass(3_000);
  if (increment.outcome === null || put.outcome === null) return 'a write did not come to an end';
  for (const node of world.nodes) world.read(node);
  return world.verdict();
}

/**
 * A's put is on its way from a time when the floor was lower: it has the version that C's next increment would have
 * above the higher floor, except that C's node id is higher. C's increment waits until the put has arrived, and counts
 * from it.
 */
export function putJustAbove(mutations: Mutations): string {
  const world = onNodesAlone(mutations);
  const [a, b, c] = world.abc;
  world.put(b, 'third', KEY_THIRD);
  deletedBeside(world);
  forgetDeletions(world);
  const held = world.hold({ from: a, to: c, kind: 'invalidate' });
  world.put(a, '200');
  const expect = { kind: 'value', value: 'third' } as const;
  const deletion = world.write(b, { kind: 'compareAndDelete', expect }, null, 0, KEY_THIRD);
  if (deletion.outcome?.kind !== 'done') return 'the deletion did not come to an end';
  world.pass(FORGET_MS);
  world.increment(c);
  world.pass(200);
  world.release(held);
  world.pass(3_000);
  for (const node of world.nodes) world.read(node);
  return world.verdict();
}

/** A key with the value 100, and another key of its slot whose deletion has a far higher version. */
function deletedBeside(world: Scenario): void {
  const [a] = world.abc;
  world.put(a, '100');
  for (const value of ['1', '2', '3', '4', '5', '6']) world.put(a, value, KEY_BESIDE);
  world.write(a, { kind: 'delete' }, null, 0, KEY_BESIDE);
  world.pass(200);
}

/** It also asks the others to raise the floor, but they never hear of it. */
function raiseAlone(world: Scenario, node: ScenarioNode): void {
  const raise = world.hold({ from: node, kind: 'floorRaise' });
  node.keepMs = 0;
  world.pass(FORGET_MS);
  node.keepMs = KEEP_MS;
  world.drop(raise);
  // No attempt is pursued for longer.
  world.pass(COLLECTION_PATIENCE_MS);
  world.drop(raise);
  world.release(raise);
}

function putBesideIncrement(
  world: Scenario,
  at: ScenarioNode,
  to: ScenarioNode,
  meanwhile: () => void,
): string {
  const held = world.hold({ from: at, to, kind: 'invalidate' });
  world.put(at, '200');
  const increment = world.increment(to);
  world.release(held);
  world.pass(500);
  meanwhile();
  world.pass(3_000);
  if (increment.outcome === null) return 'the increment did not come to an end';
  for (const node of world.nodes) if (node.replica !== null) world.read(node);
  return world.verdict();
}
