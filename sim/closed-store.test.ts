/**
 * A clean stop closes the store while the process goes on for a while: its other doors are open, and PostgreSQL still
 * owes answers. Nothing of that may reach the closed store, which would end the process as in a crash.
 */
import { expect, it } from 'vitest';
import type { SpoolSettings } from '../src/node/spool/spool.ts';
import type { SimNode } from './cluster.ts';
import { SmallWorld } from './small-world.ts';

const SPOOL: SpoolSettings = { outage: 'spool', spoolBytesMax: 1_000_000, spoolEntriesMax: 1_000 };

/** Stops these nodes at the same time; their processes live on. */
function stop(world: SmallWorld, ...sims: readonly SimNode[]): void {
  let left = sims.length;
  for (const { node } of sims) node!.stop(() => (left -= 1));
  world.until(() => left === 0, 20_000);
}

it('all members are stopped: who still asks one of them is told nothing, and it does not end for that', () => {
  const world = new SmallWorld(17);
  const [first] = world.nodes;
  world.put(first!, 'k', 'v');
  stop(world, ...world.nodes);
  const { node } = first!;
  expect(node!.tryGet('absent')).toBeTypeOf('symbol');
  expect(node!.inspect('k')).toMatchObject({ owner: false, record: undefined, valid: false });
  expect(world.get(first!, 'absent')).toMatchObject({ kind: 'failed', failure: { code: 'not_ready' } });
});

it('PostgreSQL answers a stopped member about rows that it had spooled: they stay marked on its disk', () => {
  const world = new SmallWorld(18, { record: SPOOL });
  world.database.goDown(600_000);
  world.put(world.nodes[0]!, 'finds out', 'value');
  world.until(() => world.nodes.every((sim) => sim.node!.status().spool.isOn), 10_000);
  for (let index = 0; index < 20; index += 1) world.put(world.nodes[index % 3]!, `key:${index}`, 'value');
  world.database.rowMs = 1_000;
  world.database.comeUp();
  world.until(() => world.nodes.some((sim) => sim.node!.status().recent.record.rowsWaiting > 1), 10_000);
  stop(world, ...world.nodes);
  world.run(60_000);
  expect(world.fatal).toEqual([]);
});
