/**
 * For a while postgres.url leads to another server, which holds a later life of another cluster: it is asked, and then
 * left alone. (decision 35)
 */
import { expect, test } from 'vitest';
import { KEYS } from './life-world.ts';
import { SimRecordServer } from './record-server.ts';
import { SmallWorld } from './small-world.ts';

/** Breaks all connections, and makes the next ones lead there. */
function leadTo(world: SmallWorld, to: SimRecordServer): void {
  const from = world.database.server;
  to.isOver = false;
  world.database.becomes(to, []);
  world.database.end(from);
}

function strangers(): SimRecordServer {
  const theirs = new SimRecordServer('other');
  for (const [life, clusterId] of ['a', 'b', 'c'].entries()) theirs.found(life, clusterId);
  return theirs;
}

test.each([400, 1_320, 1_780])(
  'members serve, and rows wait: nobody ends for what is fenced there (%i ms)',
  (ms) => {
    const world = new SmallWorld(500 + Math.floor((ms - 400) / 230));
    for (const key of KEYS) world.put(world.nodes[0]!, key, 'old');
    world.run(ms);
    leadTo(world, strangers());
    let count = 0;
    for (let look = 0; look < 270; look += 1) {
      for (const { node } of world.nodes) {
        const put = {
          kind: 'put',
          key: `w${count++}`,
          value: Buffer.from('x'),
          ttlMs: 0,
          operationId: null,
        } as const;
        node?.write(put, 1_000, () => undefined);
      }
      world.run(10);
    }
    expect(world.fatal).toEqual([]);
  },
);

test('their own is met again before the other has said whose life that is: it is used again', () => {
  const world = new SmallWorld(432);
  for (const key of KEYS) world.put(world.nodes[0]!, key, 'old');
  const ours = world.database.server;
  leadTo(world, strangers());
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
