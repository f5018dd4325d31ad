/**
 * Members that speak different versions of their protocol. On a link two members speak the highest version that both
 * know. What all must understand waits until an operator enables it, which is refused while any member speaks less;
 * after that, a member that speaks less takes no part. Until then every member may go back to the earlier program, and
 * nothing is lost. (decision 19)
 */
import { describe, expect, test } from 'vitest';
import { PROTOCOL_MAX, PROTOCOL_MIN, protocolInForce } from '../src/core/membership/protocol-versions.ts';
import type { Mutations } from '../src/core/mutations.ts';
import type { WriteResult } from '../src/core/operation.ts';
import type { ClusterAnswer } from '../src/node/cluster-orders.ts';
import type { SimNode } from './cluster.ts';
import { runSeed } from './run.ts';
import { SmallWorld } from './small-world.ts';

/** `earlier`: numbers of the members that run the earlier program from the start. */
function worldWith(seed: number, ...earlier: readonly number[]): SmallWorld {
  return new SmallWorld(seed, {
    before: ({ cluster }) => {
      for (const number of earlier) cluster.versions.install(`node-${number}`, PROTOCOL_MIN);
    },
  });
}

/** Stops it gracefully, and starts it with another program. */
function exchange(world: SmallWorld, sim: SimNode, protocol: number): void {
  world.cluster.versions.install(sim.name, protocol);
  let stopped = false;
  world.cluster.stop(sim, () => (stopped = true));
  world.until(() => stopped, 10_000);
  world.cluster.start(sim);
}

function finish(world: SmallWorld, sim: SimNode): ClusterAnswer {
  return world.operate(sim, { kind: 'finishUpgrade' });
}

const inForce = (sim: SimNode): number => protocolInForce(sim.node!.membership.topology!);
const KEYS = Array.from({ length: 6 }, (_, index) => `key:${index}`);

describe('one member of three speaks the earlier version', () => {
  test('all serve, and the later one is not put in force: the refusal names who is to be upgraded', () => {
    const world = worldWith(11, 2);
    const [one, two, three] = world.nodes as [SimNode, SimNode, SimNode];
    for (const key of KEYS) expect(world.put(two, key, 'value').kind).toBe('done');
    for (const key of KEYS) expect(world.text(three, key)).toBe('value');
    expect(world.nodes.map(inForce)).toEqual([PROTOCOL_MIN, PROTOCOL_MIN, PROTOCOL_MIN]);
    const refused = { kind: 'failed', failure: { code: 'upgrade_unfinished' } };
    expect(finish(world, one)).toMatchObject(refused);
    expect(JSON.stringify(finish(world, one))).toContain('node-2 speaks version 4 at most: upgrade it');
    expect(one.node!.status().members.map((member) => member.protocol)).toEqual([
      PROTOCOL_MAX,
      PROTOCOL_MIN,
      PROTOCOL_MAX,
    ]);
    world.cluster.kill(two);
    world.run(3_000);
    expect(JSON.stringify(finish(world, one))).toContain('node-2 is away');
  });

  test('a modification: done wherever an owner that speaks the later one has to do it, else refused with its name', () => {
    const world = worldWith(17, 2);
    const [one, two, three] = world.nodes as [SimNode, SimNode, SimNode];
    const firstOf = (key: string): SimNode => world.ownersOf(key)[0]!;
    const keyOf = (first: SimNode): string => {
      for (let number = 0; ; number += 1) if (firstOf(`key:${number}`) === first) return `key:${number}`;
    };
    const modify = (at: SimNode, key: string): WriteResult => {
      const value = Buffer.from('more');
      const rest = { operationId: null, expect: null, valueBytesMax: 100 } as const;
      return world.write(at, { kind: 'modify', key, changes: [{ kind: 'append', value }], ...rest });
    };
    expect(modify(one, keyOf(three)).kind).toBe('modified');
    expect(world.text(two, keyOf(three))).toBe('more');
    expect(modify(one, keyOf(two))).toMatchObject({ failure: { code: 'upgrade_unfinished' } });
    expect(JSON.stringify(modify(three, keyOf(two)))).toContain(
      'node-2, which has to do this, speaks version 4',
    );
    expect(world.text(one, keyOf(two))).toBeUndefined();
  });

  test('all are upgraded one by one, and one goes back before it is finished: nothing is lost on the way', () => {
    const world = worldWith(12, 1, 2, 3);
    const [one, two, three] = world.nodes as [SimNode, SimNode, SimNode];
    for (const key of KEYS) world.put(one, key, 'before');
    for (const sim of [one, two, three, two]) {
      exchange(world, sim, sim.protocol === PROTOCOL_MAX ? PROTOCOL_MIN : PROTOCOL_MAX);
      world.until(() => world.cluster.isWhole(), 10_000);
      expect(world.put(three, KEYS[0]!, `with ${sim.name}`).kind).toBe('done');
    }
    expect(two.protocol).toBe(PROTOCOL_MIN);
    expect(two.disk.protocol).toBe(0);
    for (const key of KEYS.slice(1)) expect(world.text(two, key)).toBe('before');
    expect(world.text(two, KEYS[0]!)).toBe('with node-2');
  });
});

describe('all speak the later version', () => {
  test('founded by them: it is in force from the first epoch on', () => {
    expect(worldWith(13).nodes.map(inForce)).toEqual([PROTOCOL_MAX, PROTOCOL_MAX, PROTOCOL_MAX]);
  });

  test('upgraded to it and finished: in force everywhere, and no disk is opened by the earlier program', () => {
    const world = worldWith(14, 1, 2, 3);
    for (const sim of world.nodes) {
      exchange(world, sim, PROTOCOL_MAX);
      world.until(() => world.cluster.isWhole(), 10_000);
    }
    expect(world.nodes.map(inForce)).toEqual([PROTOCOL_MIN, PROTOCOL_MIN, PROTOCOL_MIN]);
    expect(finish(world, world.nodes[2]!).kind).toBe('changed');
    world.until(() => world.nodes.every((sim) => inForce(sim) === PROTOCOL_MAX), 2_000);
    expect(world.nodes.map(({ disk }) => disk.protocol)).toEqual([PROTOCOL_MAX, PROTOCOL_MAX, PROTOCOL_MAX]);
    expect(finish(world, world.nodes[0]!).kind).toBe('changed');
  });

  test('in force, and one comes back on an empty disk with the earlier program: it is refused until it is upgraded', () => {
    const world = worldWith(15);
    const [one, two] = world.nodes as [SimNode, SimNode];
    world.put(two, KEYS[0]!, 'value');
    world.cluster.kill(one);
    one.disk.wipe();
    world.cluster.versions.install(one.name, PROTOCOL_MIN);
    do {
      world.cluster.kill(one);
      world.cluster.start(one);
    } while (one.protocol !== PROTOCOL_MIN);
    world.run(5_000);
    expect(one.node!.status()).toMatchObject({ leaseHeld: false, epoch: 0 });
    expect(two.node!.membership.topology!.members.find(({ name }) => name === one.name)!.alive).toBe(false);
    expect(world.told.get('peer.refused')).toBeGreaterThan(0);
    world.cluster.kill(one);
    world.cluster.versions.install(one.name, PROTOCOL_MAX);
    world.cluster.start(one);
    world.until(() => world.cluster.isWhole(), 10_000);
    expect(world.text(one, KEYS[0]!)).toBe('value');
  });

  test('one is exchanged for the earlier program just when the later one is put in force: it takes no part until upgraded', () => {
    const inForceThen = [0, 4, 8, 12, 30].map((delayMs, index) => {
      const world = worldWith(20 + index, 3);
      const [one, two, three] = world.nodes as [SimNode, SimNode, SimNode];
      exchange(world, three, PROTOCOL_MAX);
      world.until(() => world.cluster.isWhole(), 10_000);
      world.put(one, KEYS[0]!, 'value');
      world.cluster.versions.install(three.name, PROTOCOL_MIN);
      two.node!.operate({ kind: 'finishUpgrade' }, 5_000, () => undefined);
      world.run(delayMs);
      world.cluster.kill(three);
      world.cluster.start(three);
      world.run(4_000);
      const mayServe = three.protocol >= inForce(two);
      expect(three.node!.status().leaseHeld).toBe(mayServe);
      const then = inForce(two);
      world.cluster.kill(three);
      world.cluster.versions.install(three.name, PROTOCOL_MAX);
      world.cluster.start(three);
      world.until(() => world.cluster.isWhole(), 10_000);
      expect(world.text(three, KEYS[0]!)).toBe('value');
      return then;
    });
    expect(new Set(inForceThen)).toEqual(new Set([PROTOCOL_MIN, PROTOCOL_MAX]));
  });
});

/** The later version is requested although one member speaks the earlier: 'ok' if all continue to serve. */
function raisedTooEarly(mutations: Mutations): string {
  const install = ({ cluster }: SmallWorld): void => cluster.versions.install('node-2', PROTOCOL_MIN);
  const world = new SmallWorld(16, { before: install, mutations });
  world.nodes[0]!.node!.membership.proposals.wishes.add({ kind: 'raiseProtocol' });
  world.run(5_000);
  return world.cluster.isWhole() && world.nodes.every((sim) => inForce(sim) === PROTOCOL_MIN)
    ? 'ok'
    : 'left out';
}

describe('broken on purpose', () => {
  test('ignoreLinkProtocol: somebody is sent what he cannot read', () => {
    const mutations = { ignoreLinkProtocol: true };
    expect(runSeed(1, { versions: 'mixed', mutations }).violation).toMatch(/cannot read/);
  });

  test('raiseUnheard: who speaks less is left outside', () => {
    expect(raisedTooEarly({})).toBe('ok');
    expect(raisedTooEarly({ raiseUnheard: true })).toBe('left out');
  });
});
