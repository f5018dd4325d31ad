/** Reads of keys that only the legacy source could know, while epochs change: no two nodes wait for each other. */
import { expect, it } from 'vitest';
import { SmallWorld } from './small-world.ts';

/** Milliseconds: a read may meet a member that is not known to be dead yet, and after that an epoch without leases. */
const WAIT_MS_MAX = 1_500;

/** The longest wait of continuous reads while `story` goes on. */
function longestWait(world: SmallWorld, story: () => void): number {
  let longest = 0;
  let asked = 0;
  let answered = 0;
  let isOver = false;
  const ask = (): void => {
    if (isOver) return;
    for (const { node } of world.nodes) {
      if (node === null) continue;
      const since = world.scheduler.time;
      asked += 1;
      node.get(`nobody has ${asked}`, 5_000, () => {
        answered += 1;
        longest = Math.max(longest, world.scheduler.time - since);
      });
    }
    world.scheduler.after(3, ask);
  };
  ask();
  story();
  isOver = true;
  world.run(6_000);
  expect(answered).toBeGreaterThan(asked * 0.9);
  return longest;
}

it.each([71, 72, 73])('seed %d: a member dies and comes back', (seed) => {
  const world = new SmallWorld(seed, { withLegacy: true });
  const longest = longestWait(world, () => {
    world.run(500);
    world.cluster.kill(world.nodes[1]!);
    world.run(3_000);
    world.cluster.start(world.nodes[1]!);
    world.until(() => world.cluster.isWhole(), 20_000);
    world.run(500);
  });
  expect(longest).toBeLessThan(WAIT_MS_MAX);
});

it.each([74, 75, 76])('seed %d: each member is stopped in order and comes back', (seed) => {
  const world = new SmallWorld(seed, { withLegacy: true });
  const longest = longestWait(world, () => {
    for (const sim of world.nodes) {
      let isGone = false;
      world.cluster.stop(sim, () => (isGone = true));
      world.until(() => isGone, 10_000);
      world.run(500);
      world.cluster.start(sim);
      world.until(() => world.cluster.isWhole(), 20_000);
    }
  });
  expect(longest).toBeLessThan(WAIT_MS_MAX);
});
