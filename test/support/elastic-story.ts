/**
 * Three nodes become five and then three again under load, as real processes: each new node joins through a member, a
 * founder and a new node leave, and all clients continue throughout. What must hold afterwards is checked at every
 * remaining node.
 */
import { expect } from 'vitest';
import { isSharedAtAll } from '../../verify/moves.ts';
import type { TestCluster } from './cluster.ts';
import { until } from './supervisor-program.ts';
import { Writers } from './writers.ts';

const REPLICAS = 3;

export interface ElasticStory {
  /** Milliseconds within which each change must be complete. */
  readonly changeMsMax: number;
  /** Number of writes that must be acknowledged while each change is under way. */
  readonly writesDuring: number;
}

export async function threeFiveThree(cluster: TestCluster, story: ElasticStory): Promise<void> {
  const writers = new Writers(cluster);
  writers.start();
  await writers.untilAcknowledged(story.writesDuring);
  await Promise.all([cluster.add('node-4', 'node-1'), cluster.add('node-5', 'node-2')]);
  await untilShared(cluster, ['node-1', 'node-2', 'node-3', 'node-4', 'node-5'], story);
  await writers.untilAcknowledged(story.writesDuring);

  const admin = cluster.client('node-1');
  await Promise.all([admin.leave('node-2'), admin.leave('node-5')]);
  const ends = await Promise.all([cluster.ended('node-2'), cluster.ended('node-5')]);
  expect(ends).toEqual([0, 0]);
  const left = ['node-1', 'node-3', 'node-4'];
  await untilShared(cluster, left, story);
  await writers.untilAcknowledged(story.writesDuring);
  await writers.stop();
  expect(writers.failures).toEqual([]);
  for (const name of left) await writers.expectAllAt(name);
}

/** Waits until exactly these are members, all alive, each with its share, and nothing is under way. */
export async function untilShared(
  cluster: TestCluster,
  names: readonly string[],
  story: ElasticStory,
): Promise<void> {
  const nodes = names.map((name) => cluster.node(name));
  const looks = (): Promise<boolean> => isSharedAtAll(nodes, REPLICAS);
  await until(`${names.join(', ')} share the slots`, looks, story.changeMsMax);
}
