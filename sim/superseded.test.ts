/**
 * Machines are lost together with the newest rows of PostgreSQL, and the others go on without what only those had. Then
 * the lost machines come back, and the ones that went on are lost in their place, before their data was copied. What
 * was lost, and was read as lost, must stay so. (PROTOCOL R28)
 */
import { describe, expect, test } from 'vitest';
import type { Mutations } from '../src/core/mutations.ts';
import { lossOf } from '../src/core/lives/recovery.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import { rowOfSlot } from '../src/core/membership/topology.ts';
import type { Topology } from '../src/core/membership/topology.ts';
import type { SimNode } from './cluster.ts';
import { goOnAt } from './going-on.ts';
import { seesLoss } from './scenarios/learners-left.ts';
import { SmallWorld } from './small-world.ts';

/** How much longer each sync takes at the returning nodes: they have copied nothing yet when they vote again. */
const SLOW_MS = 150;
/** Of the first the newest values are lost; the second is lost completely. */
const KEYS = ['changed', 'new'];
const [CHANGED] = KEYS as [string];

interface Lost {
  readonly world: SmallWorld;
  /** From the earlier life. */
  readonly back: readonly [SimNode, SimNode];
}

/** The nodes of the earlier life are back, and have copied nothing. */
function atSecondLoss(mutations: Mutations): Lost {
  const world = new SmallWorld(57, { mutations });
  const [left, ...back] = world.nodes as [SimNode, SimNode, SimNode];
  const put = (sim: SimNode, keys: readonly string[], value: string): void =>
    keys.forEach((key) => world.until(() => world.put(sim, key, value).kind === 'done', 20_000));
  put(back[0], [CHANGED], 'first');
  world.run(500);
  world.cluster.kill(left);
  world.until(() => world.cluster.isWhole(left), 10_000);
  const { changeCount } = world.database.server;
  for (const value of ['second', 'third']) put(back[0], KEYS, value);
  world.run(500);
  for (const sim of back) world.cluster.kill(sim);
  world.database.failOver(world.database.server.changeCount - changeCount);
  world.cluster.start(left);
  world.run(3_000);
  expect(goOnAt(world, left)).toMatchObject({ kind: 'changed' });
  world.until(() => world.get(left, CHANGED).kind !== 'failed', 10_000);
  expect(KEYS.map((key) => world.text(left, key))).toEqual(['first', undefined]);
  for (const sim of back) {
    sim.disk.slowMs = SLOW_MS;
    world.cluster.start(sim);
  }
  const topology = (): Topology => left.node!.membership.topology!;
  const isLed = (): boolean => {
    const { council, members } = topology();
    return council.length === 3 && members.every((member) => member.alive);
  };
  for (let ms = 0; !isLed() && ms < 20_000; ms += 1) world.run(1);
  const { complete } = rowOfSlot(topology(), slotOf(CHANGED));
  expect(complete).toEqual([left.node!.membership.selfId]);
  world.cluster.kill(left);
  left.disk.wipe();
  for (const sim of back) sim.disk.slowMs = 0;
  return { world, back };
}

/** `meanwhile`: runs before the lost machines are given up. */
function lostTwice(
  mutations: Mutations,
  meanwhile: (lost: Lost) => void = () => undefined,
): (string | undefined)[] {
  const lost = atSecondLoss(mutations);
  meanwhile(lost);
  const { world, back } = lost;
  world.giveUp(CHANGED, back);
  return KEYS.map((key) => world.text(back[0], key));
}

describe('they are back, and have copied nothing', () => {
  test('what was lost stays lost', () => {
    expect(lostTwice({})).toEqual(['first', undefined]);
  });

  test('and their processes are others by then: it is on their disks that they know less', () => {
    const values = lostTwice({}, ({ world, back }) => {
      world.run(200);
      for (const sim of back) world.cluster.kill(sim);
      for (const sim of back) world.cluster.start(sim);
    });
    expect(values).toEqual(['first', undefined]);
  });

  test('and PostgreSQL cannot read the row: what was lost is not served in its place, and the row is once it is mended', () => {
    const { world, back } = atSecondLoss({});
    const [asked] = back;
    world.database.server.unreadable.add(CHANGED);
    world.until(() => back.every(seesLoss), 20_000);
    const { slots } = lossOf(asked.node!.membership.topology!);
    expect(world.operate(asked, { kind: 'recover', slotCount: slots.length }).kind).toBe('changed');
    world.until(() => world.told.has('recovery.row_unreadable'), 200_000);
    world.run(500);
    expect(world.get(asked, CHANGED)).toMatchObject({ kind: 'failed', failure: { code: 'not_ready' } });
    world.database.server.unreadable.clear();
    world.until(() => KEYS.every((key) => world.get(asked, key).kind !== 'failed'), 20_000);
    expect(KEYS.map((key) => world.text(asked, key))).toEqual(['first', undefined]);
  });

  test('the rule broken: what was lost is back', () => {
    expect(lostTwice({ recoverSuperseded: true })).toEqual(['third', 'third']);
  });
});
