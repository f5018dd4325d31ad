/**
 * Members that join and leave under load, one after the other. What each change moved is recorded, to be judged
 * afterwards.
 */
import { CopyWatch, isSharedAtAll } from '../moves.ts';
import { ownerCountOf, until } from '../world.ts';
import type { SpecOf } from './fault-spec.ts';
import type { Scene } from './scene.ts';

const CHANGE_TIMEOUT_MS = 600_000;

export async function scale(spec: SpecOf<'scale'>, scene: Scene): Promise<boolean> {
  const names = scene.takeNodes('all');
  if (names.length < scene.names().length) return false;
  const [first, ...others] = scene.names() as [string, ...string[]];
  scene.began(names, `${spec.by} nodes join, and as many leave`);
  await scene.hold(spec.calmMs);
  const came: string[] = [];
  for (let count = 0; count < spec.by; count += 1) {
    await oneChange(scene, async () => void came.push(await scene.rig.join(first)));
    await scene.hold(spec.calmMs);
  }
  // The first one stays, so that whoever was told of the cluster at its beginning still finds it.
  const mayGo = [...scene.shuffled(others).slice(0, Math.ceil(spec.by / 2)), ...came];
  for (const name of mayGo.slice(0, spec.by)) {
    await oneChange(scene, () => scene.rig.leave(name));
    await scene.hold(spec.calmMs);
  }
  return came.length > 0;
}

async function oneChange(scene: Scene, change: () => Promise<void>): Promise<void> {
  const { world } = scene;
  const before = scene.names();
  const replicas = ownerCountOf(world);
  const watch = new CopyWatch(() => world.nodes);
  await watch.start();
  const fromMs = scene.nowMs();
  const shared = async (): Promise<void> => {
    await change();
    await until('everybody has its share', () => isSharedAtAll(world.nodes, replicas), CHANGE_TIMEOUT_MS);
  };
  let copied;
  try {
    await scene.awaits(shared());
  } finally {
    copied = await watch.stop();
  }
  scene.moved({ fromMs, before, after: scene.names(), replicas, ...copied });
}
