/** Faults of node processes: killed, stopped gracefully, paused, starved, deprived of their disks. */
import { setTimeout as delay } from 'node:timers/promises';
import { isReady, statusOf, until, untilReady, type WorldNode } from '../world.ts';
import type { SpecOf } from './fault-spec.ts';
import type { Scene } from './scene.ts';

const LEARNER_TIMEOUT_MS = 20_000;
const LEARNER_POLL_MS = 5;
const READY_TIMEOUT_MS = 60_000;
/** Milliseconds of one slice of running and standing still. */
const SLICE_MS = 100;

export async function kill(spec: SpecOf<'kill'>, scene: Scene): Promise<boolean> {
  const names = scene.takeNodes(spec.nodes);
  if (names.length === 0) return false;
  const downMs = scene.number(spec.downMs);
  scene.began(names, `${names.join(', ')} killed with kill -9, away for ${downMs} ms`);
  await scene.world.kill(names, downMs);
  await scene.hold(downMs);
  return true;
}

/** Kills a node that has come back and is still copying, together with another one. */
export async function killBesideLearner(
  _spec: SpecOf<'kill-beside-learner'>,
  scene: Scene,
): Promise<boolean> {
  const [first, second] = scene.takeNodes(2);
  if (first === undefined || second === undefined) return false;
  scene.began([first, second], `${first} killed, and ${second} while ${first} was a learner`);
  await scene.world.kill([first]);
  const learner = scene.world.nodes.find(({ name }) => name === first)!;
  if (!(await scene.awaits(becomesLearner(learner)))) return false;
  await scene.world.kill([second]);
  return isLearner(learner);
}

export async function stop(spec: SpecOf<'stop'>, scene: Scene): Promise<boolean> {
  const names = scene.takeNodes(spec.nodes);
  if (names.length === 0) return false;
  scene.began(names, `${names.join(', ')} stopped with SIGTERM`);
  await scene.world.stop(names);
  return true;
}

/** Each node in turn, the next one when all are owners again. */
export async function rollingRestart(_spec: SpecOf<'rolling-restart'>, scene: Scene): Promise<boolean> {
  const names = scene.takeNodes('all');
  scene.began(names, `${names.join(', ')} restarted in turn with SIGTERM`);
  for (const name of names) {
    await scene.world.stop([name]);
    await scene.awaits(untilReady(scene.world, READY_TIMEOUT_MS));
  }
  return names.length > 0;
}

export async function pause(spec: SpecOf<'pause'>, scene: Scene): Promise<boolean> {
  const held = await scene.world.pause(scene.takeNodes(spec.nodes));
  try {
    const lastsMs = scene.number(spec.lastsMs);
    scene.began(held.names, `${held.names.join(', ')} paused with SIGSTOP for ${lastsMs} ms`);
    await scene.hold(lastsMs);
  } finally {
    await held.resume();
  }
  return held.names.length > 0;
}

export async function slow(spec: SpecOf<'slow'>, scene: Scene): Promise<boolean> {
  const runMs = Math.max(1, Math.round(SLICE_MS * spec.share));
  const slices = { runMs, stillMs: SLICE_MS - runMs };
  const held = await scene.world.pause(scene.takeNodes(spec.nodes), slices);
  try {
    scene.began(held.names, `${held.names.join(', ')} runs ${Math.round(spec.share * 100)} % of the time`);
    await scene.hold(spec.lastsMs);
  } finally {
    await held.resume();
  }
  return held.names.length > 0;
}

/** Only while all others are complete owners: nothing but this disk must be lost. */
export async function wipe(_spec: SpecOf<'wipe'>, scene: Scene): Promise<boolean> {
  const names = scene.takeNodes(1);
  if (names.length === 0) return false;
  await scene.awaits(untilReady(scene.world, READY_TIMEOUT_MS));
  scene.began(names, `${names[0]} killed and its disk emptied`);
  await scene.world.killAndWipe(names);
  await scene.awaits(untilReady(scene.world, READY_TIMEOUT_MS));
  return true;
}

/** Returns false if it was an owner again before anyone could look. */
async function becomesLearner(node: WorldNode): Promise<boolean> {
  let isLearning = false;
  const decided = async (): Promise<boolean> => {
    isLearning = await isLearner(node);
    if (!isLearning) await delay(LEARNER_POLL_MS);
    return isLearning || (await isReady(node));
  };
  await until(`${node.name} is back`, decided, LEARNER_TIMEOUT_MS);
  return isLearning;
}

async function isLearner(node: WorldNode): Promise<boolean> {
  return (await statusOf(node))?.phase === 'learning';
}
