/** postgres.url leads for a while to another server, which holds a later life of another cluster: it is asked, and then left alone. (decision 35) */
import { expect, test } from 'vitest';
import { KEYS } from './life-world.ts';
import { SimRecordServer } from './record-server.ts';
import { SmallWorld } from './small-world.ts';

/** All connections are lost, and the next ones lead there. */
function leadTo(world: SmallWorld, to: SimRecordServer): void {
  const from = world.database.server;
  to.isOver = false;
  world.database.becomes(to, []);
  world.database.end(from);
}

test('their own is met again before the other has said whose life that is: it is used again', () => {
  const world = new SmallWorld(432);
  for (const key of KEYS) world.put(world.nodes[0]!, key, 'old');
  const ours = world.database.server;
  const theirs = new SimRecordServer('other');
  for (const [life, clusterId] of ['a', 'b', 'c'].entries()) theirs.found(life, clusterId);
  leadTo(world, theirs);
  // Chosen, to be asked.
  world.until(
    () =>
      world.nodes.some(({ node }) => {
        const { state, seen } = node!.status().record;
        return state === 'up' && seen?.system === 'other';
      }),
    5_000,
  );
  leadTo(world, ours);
  world.run(10_000);
  expect(world.nodes.map(({ node }) => node!.status().record.state)).toEqual(['up', 'up', 'up']);
  expect(world.fatal).toEqual([]);
});
