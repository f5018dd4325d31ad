/** What makes a node invalidate copies that clients keep: directed scenarios, and the rules broken on purpose. */
import { describe, expect, test } from 'vitest';
import type { Mutations } from '../src/core/mutations.ts';
import type { WriteOperation, WriteResult } from '../src/core/operation.ts';
import { OwnWrites } from '../src/core/clients/own-writes.ts';
import { CachedReads, STALE_MS_MAX } from './cached-reads.ts';
import type { SimNode } from './cluster.ts';
import { PROTOCOL_MAX, SINCE } from '../src/core/membership/protocol-versions.ts';
import { PROFILES } from './profiles.ts';
import { runSeed } from './run.ts';
import { WALL_START_MS } from './scheduler.ts';
import { SmallWorld } from './small-world.ts';

function calm(seed: number, nodeCount = 3): SmallWorld {
  return new SmallWorld(seed, { nodeCount });
}

/** Everything that the node tells its clients from now on. */
function listen({ node }: SimNode, toAll = false): string[] {
  const told: string[] = [];
  node!.keyWatch.listen({
    changed: (key) => told.push(key),
    allChanged: () => told.push('all'),
    settled: (key) => told.push(`settled ${key}`),
    unsure: () => told.push('unsure'),
  });
  node!.keyWatch.watchAll(toAll);
  return told;
}

function kept(world: SmallWorld, sim: SimNode, key: string): void {
  sim.node!.keyWatch.watch(key);
  world.get(sim, key);
}

describe('a client keeps what it has read', () => {
  test('at an owner, and another owner coordinates a write: told before the write is acknowledged', () => {
    const world = calm(71);
    const [one, other] = [world.nodes[0]!, world.nodes[1]!];
    world.put(other, 'k', 'before');
    world.run(200);
    const told = listen(one);
    kept(world, one, 'k');
    let seen: readonly string[] | null = null;
    const value = Buffer.from('after');
    other.node!.write({ kind: 'put', key: 'k', value, ttlMs: 0, operationId: null }, 5_000, () => {
      seen = [...told];
    });
    world.until(() => seen !== null, 5_000);
    expect(seen).toEqual(['k']);
  });

  test('at an owner, and the value expires: told once its deletion is written', () => {
    const world = calm(72);
    const sim = world.nodes[0]!;
    world.put(sim, 'k', 'value', 300);
    const told = listen(sim);
    kept(world, sim, 'k');
    expect(told).toEqual([]);
    world.until(() => told.length > 0, 5_000);
    expect(told).toEqual(['k']);
  });

  test('at a node that owns nothing of it: kept, as the owner that answered watches it; told when it is written', () => {
    const { world, bystander, told } = keptElsewhere(73);
    world.run(5_000);
    expect(told).toEqual([]);
    world.put(world.ownersOf('k')[1]!, 'k', 'after');
    world.run(50);
    expect(told).toEqual(['k']);
    kept(world, bystander, 'k');
    expect(world.put(bystander, 'k', 'own').kind).toBe('done');
    world.run(50);
    expect(told).toEqual(['k', 'k']);
  });

  test('at a node that owns nothing of it, and the owners speak an earlier version: told with the reply', () => {
    const earlier = ({ cluster }: SmallWorld): void => {
      for (const { name } of cluster.nodes.slice(1)) cluster.versions.install(name, SINCE.watchForPeers - 1);
    };
    const world = new SmallWorld(78, { before: earlier, nodeCount: 5 });
    const bystander = world.nodes[0]!;
    const key = ['k', 'l', 'm', 'n', 'o'].find((each) => !world.ownersOf(each).includes(bystander))!;
    const told = listen(bystander);
    kept(world, bystander, key);
    expect(told).toEqual([key]);
  });

  test('at a node that owns nothing of it, and all who watched it die or fall silent: told, written or not', () => {
    const killed = keptElsewhere(79);
    for (const sim of killed.world.ownersOf('k')) killed.world.cluster.kill(sim);
    killed.world.run(2_000);
    expect(killed.told).toEqual(['k']);
    expect(toldThoughCutOff({})).toBe(true);
    expect(toldThoughCutOff({ watchUnanswered: true })).toBe(false);
  });

  test('at a node that is cut off, and the others go on without it: told within a second', () => {
    const world = calm(74);
    const [alone, other] = [world.nodes[2]!, world.nodes[0]!];
    world.put(other, 'k', 'before');
    const told = listen(alone);
    kept(world, alone, 'k');
    world.cluster.network.isolate(alone.name);
    const written = world.put(other, 'k', 'after');
    expect(written.kind).toBe('done');
    world.run(100);
    expect(told).toEqual(['all']);
  });
});

describe('a client listens to all changes', () => {
  test('at a node that owns everything: each is told when it can be read, once', () => {
    const world = calm(75);
    const told = listen(world.nodes[2]!, true);
    world.put(world.nodes[0]!, 'k', 'value');
    world.run(3_000);
    expect(told).toEqual(['settled k']);
  });

  test('at one of five: once the others tell it what they own, each is told when it can be read, and nothing else', () => {
    const world = calm(76, 5);
    const sim = world.nodes[2]!;
    const told = listen(sim, true);
    world.run(1_500);
    expect(told.splice(0)).toContain('unsure');
    const keys = Array.from({ length: 30 }, (_, at) => `key:${at}`);
    for (const key of keys) world.put(world.nodes[0]!, key, 'value');
    world.run(3_000);
    expect([...told].sort()).toEqual(keys.map((key) => `settled ${key}`).sort());
  });

  test('at one of five, and one that tells it falls silent: that anything may have changed, every second', () => {
    const world = calm(77, 5);
    const [other, sim] = [world.nodes[0]!, world.nodes[2]!];
    const told = listen(sim, true);
    world.run(1_500);
    told.length = 0;
    world.cluster.network.cutOneWay(other.name, sim.name);
    world.run(2_000);
    expect(told.filter((each) => each === 'unsure').length).toBeGreaterThanOrEqual(1);
  });
});

function bystanderOf(world: SmallWorld): SimNode {
  return world.nodes.find((sim) => !world.ownersOf('k').includes(sim))!;
}

/** A client at one of five nodes, which does not own the key, keeps a copy of it. */
function keptElsewhere(
  seed: number,
  mutations: Mutations = {},
): { readonly world: SmallWorld; readonly bystander: SimNode; readonly told: string[] } {
  const world = new SmallWorld(seed, { nodeCount: 5, mutations });
  world.put(world.nodes[0]!, 'k', 'before');
  world.run(200);
  const bystander = bystanderOf(world);
  const told = listen(bystander);
  kept(world, bystander, 'k');
  expect(told).toEqual([]);
  return { world, bystander, told };
}

/** The watching owner's messages no longer arrive, which nobody knows, and it writes. Was the client told? */
function toldThoughCutOff(mutations: Mutations): boolean {
  const { world, bystander, told } = keptElsewhere(80, mutations);
  world.run(1_000);
  const watching = world.nodes.find(({ node }) => node!.keyWatch.forPeers.keyCount > 0)!;
  world.cluster.network.cutOneWay(watching.name, bystander.name);
  expect(world.put(watching, 'k', 'after').kind).toBe('done');
  // Stops before the two are found to be apart, which would bring an epoch.
  world.run(1_300);
  return told.length > 0;
}

/** A client keeps keys whose slots then move to a joining member, where they change. How many was it not told of? */
function untoldOfMoved(mutations: Mutations): number {
  const world = new SmallWorld(77, { mutations });
  const sim = world.nodes[0]!;
  const keys = Array.from({ length: 20 }, (_, at) => `key:${at}`);
  for (const key of keys) world.put(sim, key, 'before');
  world.run(200);
  const told = listen(sim);
  for (const key of keys) kept(world, sim, key);
  expect(told).toEqual([]);
  const joiner = world.cluster.add('');
  world.cluster.start(joiner);
  const movedAway = (): string[] => keys.filter((key) => !world.ownersOf(key).includes(sim));
  world.until(() => movedAway().length > 1 && world.cluster.isWhole(), 30_000);
  const gone = movedAway();
  expect(gone.length).toBeGreaterThan(1);
  for (const key of gone) expect(world.put(joiner, key, 'after').kind).toBe('done');
  world.run(1_000);
  return gone.filter((key) => !told.includes(key) && !told.includes('all')).length;
}

test('slots go to another member: what was kept of them is told, and without that rule it is not', () => {
  expect(untoldOfMoved({})).toBe(0);
  expect(untoldOfMoved({ watchOverEpochs: true })).toBeGreaterThan(1);
});

test('what is read at another node counts as heard of: a seed shows copies that are too old', () => {
  let caught: string | null = null;
  for (let seed = 1; seed <= 5 && caught === null; seed += 1) {
    const options = { profile: PROFILES['hotKey']!, nodeCount: 5, mutations: { watchUnheard: true } };
    caught = runSeed(seed, options).violation;
  }
  expect(caught).toContain(' keeps ');
});

/** Three concurrent writes of one key, at its first owner or at a node that forwards: two wait for the first. */
function toldOfWaiting(mutations: Mutations, isHandedOver: boolean): WriteResult[] {
  const world = new SmallWorld(81, { nodeCount: 5, mutations });
  const node = (isHandedOver ? bystanderOf(world) : world.ownersOf('k')[0]!).node!;
  const told: WriteResult[] = [];
  for (const text of ['first', 'second', 'third']) {
    const put = { kind: 'put', key: 'k', operationId: null, value: Buffer.from(text), ttlMs: 0 } as const;
    node.write(put, 1_000, (result) => told.push(result));
  }
  world.run(100);
  expect(told.map(({ kind }) => kind)).toEqual(['done', 'done', 'done']);
  return told;
}

test.each([
  ['at their coordinator', false],
  ['handed to another node', true],
])(
  'writes that waited are one version, %s: each is told that it is not its own alone, and without that rule it is not',
  (_where, isHandedOver) => {
    const [first, ...waited] = toldOfWaiting({}, isHandedOver);
    expect(first).not.toMatchObject({ isShared: true });
    for (const each of waited) expect(each).toMatchObject({ isShared: true });
    for (const each of toldOfWaiting({ sharedAsOwn: true }, isHandedOver))
      expect(each).not.toMatchObject({ isShared: true });
  },
);

/**
 * At a node that does not own the key, a client's write and another one wait together for a third, and become one
 * version with the other's value. Returns what is amiss in the client's copy soon after both are answered and when the
 * notice has had its time, and the violation then. `isDeaf`: the client receives no notices from then on.
 */
function anothersValueKept(protocol: number, isDeaf = false): (string | null)[] {
  const install = ({ cluster }: SmallWorld): void => {
    for (const { name } of cluster.nodes) cluster.versions.install(name, protocol);
  };
  const world = new SmallWorld(82, { before: install, nodeCount: 5 });
  const owners = world.ownersOf('k');
  const sim = world.nodes.find((each) => !owners.includes(each))!;
  const { scheduler, cluster } = world;
  let violation: string | null = null;
  const cached = new CachedReads({ scheduler, cluster, onViolation: (text) => (violation = text) });
  // The client listens from its first write on, and has been told by then that anything may have changed.
  cached.beginWrite(sim, 'other', null)({ kind: 'unchanged', version: 0, results: [] });
  world.run(300);
  let answered = 0;
  for (const text of ['first', 'mine', 'theirs']) {
    const keep = text === 'mine' ? cached.beginWrite(sim, 'k', text) : () => undefined;
    const put = { kind: 'put', key: 'k', operationId: null, value: Buffer.from(text), ttlMs: 0 } as const;
    sim.node!.write(put, 1_000, (result) => {
      keep(result);
      answered += 1;
    });
  }
  world.until(() => answered === 3, 1_000);
  if (isDeaf) sim.node!.keyWatch.watchAll(false);
  world.run(50);
  const soon = cached.amiss();
  world.run(STALE_MS_MAX);
  const later = cached.amiss();
  cached.judgeAtRest();
  return [soon, later, violation];
}

test("another's value in a version that a client wrote: told at once by an owner that tells all changes, else within a second", () => {
  const amiss: unknown = expect.stringMatching(/keeps k as mine, and theirs stands as version \d+$/);
  expect(anothersValueKept(PROTOCOL_MAX)).toEqual([null, null, null]);
  expect(anothersValueKept(SINCE.watchForPeers - 1)).toEqual([amiss, null, null]);
  expect(anothersValueKept(SINCE.watchForPeers - 1, true)).toEqual([amiss, amiss, amiss]);
});

/**
 * A client listens at the node to all changes but its own. It makes two changes, each forwarded to the key's first
 * owner, and another client makes one. Returns what it is told of its own changes, and of the other one.
 */
function toldOfOwn(
  protocol: number,
  isOwner: boolean,
): { readonly own: string[]; readonly others: string[] } {
  const install = ({ cluster }: SmallWorld): void => {
    for (const { name } of cluster.nodes) cluster.versions.install(name, protocol);
  };
  const world = new SmallWorld(83, { before: install, nodeCount: 5 });
  const owners = world.ownersOf('k');
  const { node } = isOwner ? owners[1]! : world.nodes.find((each) => !owners.includes(each))!;
  const told: string[] = [];
  const ownWrites = new OwnWrites(10);
  node!.keyWatch.listen({
    changed: () => undefined,
    allChanged: () => told.push('all'),
    settled: (key, version) => void (ownWrites.settled(key, version) && told.push(key)),
    unsure: () => told.push('unsure'),
  });
  node!.keyWatch.watchAll(true);
  world.run(1_500);
  told.length = 0;
  const none = { key: 'k', operationId: null } as const;
  const results: WriteResult[] = [];
  for (const operation of [
    { kind: 'put', ...none, value: Buffer.from('7'), ttlMs: 0 },
    { kind: 'increment', ...none, delta: 1n },
  ] as const satisfies WriteOperation[]) {
    ownWrites.begin('k');
    node!.write(operation, 1_000, (result) => {
      if (ownWrites.end('k', result)) told.push('k');
      results.push(result);
    });
    world.run(400);
  }
  expect(results.map(({ kind }) => kind)).toEqual(['done', 'done']);
  const own = told.splice(0);
  expect(world.put(owners[0]!, 'k', 'of another').kind).toBe('done');
  world.run(400);
  return { own, others: told };
}

test.each([
  ['owns nothing of the key', false],
  ['owns it, and another comes first', true],
])(
  'its own changes at a node that %s: not told; by members of an earlier version they are',
  (_what, isOwner) => {
    expect(toldOfOwn(PROTOCOL_MAX, isOwner)).toEqual({ own: [], others: ['k'] });
    const { own, others } = toldOfOwn(SINCE.ownChanges - 1, isOwner);
    expect(own).toContain('k');
    expect(others).toEqual(['k']);
  },
);

test('repeated under its id: who else was in the version is not remembered, so it counts as shared', () => {
  const world = calm(84);
  const [first, other] = world.ownersOf('k') as [SimNode, SimNode];
  const operationId = Buffer.alloc(16);
  operationId.writeUIntBE(WALL_START_MS + world.scheduler.time, 0, 6);
  const put = { kind: 'put', key: 'k', operationId, value: Buffer.from('value'), ttlMs: 0 } as const;
  expect(world.write(first, put)).not.toMatchObject({ isShared: true });
  world.run(100);
  for (const again of [first, other]) expect(world.write(again, put)).toMatchObject({ isShared: true });
});

/**
 * A client listens to all changes but its own at an owner that is not the first. It appends to a value that another
 * client has just put through the third owner, whose message that the value is readable arrives late. Returns what it
 * is told.
 */
function toldOfOutranked(): string[] {
  const world = calm(85);
  const [first, sim, other] = world.ownersOf('k') as [SimNode, SimNode, SimNode];
  const told: string[] = [];
  const ownWrites = new OwnWrites(10);
  sim.node!.keyWatch.listen({
    changed: () => undefined,
    allChanged: () => told.push('all'),
    settled: (key, version) => void (ownWrites.settled(key, version) && told.push(key)),
    unsure: () => told.push('unsure'),
  });
  sim.node!.keyWatch.watchAll(true);
  world.put(first, 'k', '1');
  world.run(400);
  told.length = 0;
  let isPut = false;
  const put = { kind: 'put', key: 'k', operationId: null, value: Buffer.from('7'), ttlMs: 0 } as const;
  other.node!.write(put, 1_000, () => (isPut = true));
  world.run(8);
  world.cluster.network.lag(other.name, sim.name, 200);
  world.until(() => isPut, 1_000);
  world.run(10);
  ownWrites.begin('k');
  let result: WriteResult | null = null;
  sim.node!.write({ kind: 'increment', key: 'k', operationId: null, delta: 1n }, 1_000, (made) => {
    result = made;
    if (ownWrites.end('k', made)) told.push('k');
  });
  world.until(() => result !== null, 1_000);
  expect(result).toMatchObject({ kind: 'done', number: 8n });
  world.run(500);
  return told;
}

test("another's change that the client's own outranks before it could be read here: told all the same", () => {
  expect(toldOfOutranked()).toEqual(['k']);
});
