/**
 * PostgreSQL has lost its newest rows, and before they are restored most voters are lost for good. An operator goes on
 * with the remaining one, which has everything, on the present PostgreSQL. (PROTOCOL R27, R28, R30)
 */
import { describe, expect, test } from 'vitest';
import type { Mutations } from '../src/core/mutations.ts';
import { everythingDriven } from '../src/core/system-of-record/record-standing.ts';
import type { ClusterAnswer } from '../src/node/cluster-orders.ts';
import type { SimNode } from './cluster.ts';
import { goOnAt, quorumAt } from './going-on.ts';
import { SmallWorld } from './small-world.ts';

const KEYS = Array.from({ length: 6 }, (_, index) => `key:${index}`);
const LOST = 4;

/**
 * All nodes have everything; then PostgreSQL loses the newest rows, and two of three nodes are lost at the same moment.
 */
function lostTogether(
  lose: (world: SmallWorld) => void,
  mutations: Mutations = {},
): { world: SmallWorld; left: SimNode } {
  const world = new SmallWorld(201, { mutations });
  const [left, ...lost] = world.nodes as [SimNode, SimNode, SimNode];
  for (const key of KEYS) world.put(left, key, `first ${key}`);
  world.run(500);
  for (const sim of lost) {
    world.cluster.kill(sim);
    sim.disk.wipe();
  }
  lose(world);
  world.run(3_000);
  return { world, left };
}

const inRecord = (world: SmallWorld): (string | undefined)[] =>
  KEYS.map((key) => {
    const row = world.database.standing(key);
    return row === undefined ? undefined : Buffer.from(row.record.value).toString();
  });

const FIRST = KEYS.map((key) => `first ${key}`);

describe.each([
  ['a standby has taken over that lacks them', (world: SmallWorld) => world.database.failOver(LOST)],
  ['it was set back to before them', (world: SmallWorld) => world.database.restore(LOST)],
])('%s', (_what, lose) => {
  test('what the one that is left holds is served, and is in PostgreSQL again', () => {
    const { world, left } = lostTogether(lose);
    expect(inRecord(world).filter((value) => value === undefined)).toHaveLength(LOST);
    expect(quorumAt(world, left)).toMatchObject({ isLost: true, life: 1, lifeKept: 1 });
    expect(goOnAt(world, left)).toMatchObject({ kind: 'changed' });
    world.until(() => KEYS.every((key) => world.get(left, key).kind !== 'failed'), 10_000);
    expect(KEYS.map((key) => world.text(left, key))).toEqual(FIRST);
    for (const sim of world.nodes) world.cluster.start(sim);
    world.until(() => world.cluster.isWhole(), 30_000);
    world.until(() => everythingDriven(left.node!.membership.topology!), 10_000);
    expect(inRecord(world)).toEqual(FIRST);
    for (const sim of world.nodes) expect(KEYS.map((key) => world.text(sim, key))).toEqual(FIRST);
    expect(world.put(world.nodes[1]!, KEYS[0]!, 'after')).toMatchObject({ kind: 'done' });
    expect(inRecord(world)[0]).toBe('after');
  });
});

describe('a standby has taken over, and a life is taken from it', () => {
  const lacking = (world: SmallWorld): number =>
    inRecord(world).filter((value) => value === undefined).length;

  function begun(mutations: Mutations): { isDriven: boolean; lacking: number; timeline: number } {
    const { world, left } = lostTogether((each) => each.database.failOver(LOST), mutations);
    expect(goOnAt(world, left)).toMatchObject({ kind: 'changed' });
    const topology = left.node!.membership.topology!;
    return {
      isDriven: everythingDriven(topology),
      lacking: lacking(world),
      timeline: topology.record!.timeline,
    };
  }

  test('it is named by the first epoch, and known to lack something', () => {
    expect(begun({})).toEqual({ isDriven: false, lacking: LOST, timeline: 2 });
  });

  test('and is taken to have everything: caught, for it lacks what is served', () => {
    expect(begun({ succeedUndriven: true })).toEqual({ isDriven: true, lacking: LOST, timeline: 2 });
  });

  test('while another founding was begun there: nothing is taken, and the server of before is the one to be used', () => {
    const { world, left } = lostTogether((each) => each.database.failOver(LOST));
    const { lifeKept } = quorumAt(world, left);
    expect(lifeKept).toBe(1);
    world.database.found(1, 'of others');
    const { kind } = goOnAfter(world, left, lifeKept!);
    expect(kind).toBe('failed');
    expect(left.node!.membership.topology).toMatchObject({ life: 1, record: { timeline: 1 } });
  });
});

function goOnAfter(world: SmallWorld, left: SimNode, lifeKept: number): ClusterAnswer {
  const lost = world.nodes.filter((sim) => sim !== left).map(({ name }) => name);
  return world.operate(left, { kind: 'succeed', lost, lifeKept });
}
