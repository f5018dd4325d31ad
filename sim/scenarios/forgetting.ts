/**
 * Stories of deletions that are forgotten: nothing older comes back, and what is written afterwards stands above all that
 * was there before. The key is not written through, so that nobody but the owners could know better. (PROTOCOL R22)
 */
import type { PeerMessage } from '../../src/core/message.ts';
import type { Mutations } from '../../src/core/mutations.ts';
import { KEY_BESIDE, Scenario } from '../scenario.ts';

/** Milliseconds in which deletions are found, floors raised and everything removed. */
const FORGET_MS = 1_000;

function onNodesAlone(mutations: Mutations): Scenario {
  const world = new Scenario(mutations);
  for (const node of world.nodes) node.writesThrough = false;
  return world;
}

/** Every node is to forget its deletions from now on, and has the time for it. */
function forgetDeletions(world: Scenario): void {
  for (const node of world.nodes) node.keepMs = 0;
  world.pass(FORGET_MS);
}

/** Written many times, deleted and forgotten: what is written next has a version above all of that. */
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
 * A's write reached B when it was sent again; the first copy of it is still on its way when the key was deleted, and the
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
 * When the deletion is forgotten before C has copied it, the write is all that C knows.
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

/** Another key of the slot is in flight below the floor: nothing is forgotten before that has come to its end. */
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
