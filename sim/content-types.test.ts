/**
 * The content type of a value in a simulated cluster: it is part of the record wherever that goes, and is not stored
 * before all members speak the version that introduced it. (decision 34)
 */
import { describe, expect, test } from 'vitest';
import type { Mutations } from '../src/core/mutations.ts';
import type { WriteOperation, WriteResult } from '../src/core/operation.ts';
import { PROTOCOL_MAX, SINCE } from '../src/core/membership/protocol-versions.ts';
import type { SimNode } from './cluster.ts';
import { PROFILES } from './profiles.ts';
import { runSeed } from './run.ts';
import { SmallWorld } from './small-world.ts';
import { typeOf } from './values.ts';

const KEY = 'document';
const EARLIER = SINCE.contentType - 1;
const TYPE = 'application/json; charset=utf-8';

function putTyped(world: SmallWorld, sim: SimNode, contentType: string | null = TYPE): WriteResult {
  const value = Buffer.from('{}');
  return world.write(sim, { kind: 'put', key: KEY, value, ttlMs: 0, operationId: null, contentType });
}

function typeAt(world: SmallWorld, sim: SimNode): string | null {
  const result = world.get(sim, KEY);
  return result.kind === 'value' ? result.record.contentType : result.kind;
}

const typesAt = (world: SmallWorld): (string | null)[] => world.nodes.map((sim) => typeAt(world, sim));

/** Makes a member come back with an empty disk. */
function replaceDisk(world: SmallWorld, sim: SimNode): void {
  world.cluster.kill(sim);
  sim.disk.wipe();
  world.cluster.start(sim);
  world.until(() => world.cluster.isWhole(), 20_000);
}

describe('all speak the version that content types came with', () => {
  test('one is put with a value: told by every node, owner or not, and gone with the next value', () => {
    const world = new SmallWorld(1, { nodeCount: 5 });
    expect(putTyped(world, world.nodes[4]!).kind).toBe('done');
    expect(typesAt(world)).toEqual([TYPE, TYPE, TYPE, TYPE, TYPE]);
    expect(world.database.standing(KEY)!.record.contentType).toBe(TYPE);
    expect(putTyped(world, world.nodes[0]!, null).kind).toBe('done');
    expect(typesAt(world)).toEqual([null, null, null, null, null]);
  });

  test('a modification at a member that is no owner sets one, and another changes the value: it is kept', () => {
    const world = new SmallWorld(2, { nodeCount: 5 });
    const other = world.nodes.find((sim) => !world.ownersOf(KEY).includes(sim))!;
    const options = { key: KEY, operationId: null, expect: null, valueBytesMax: 100 } as const;
    const value = Buffer.from('[');
    const set = { kind: 'set', value, condition: 'always', expiresAt: 0, tellPrevious: false } as const;
    const changes: WriteOperation[] = [
      { kind: 'modify', ...options, changes: [{ ...set, contentType: TYPE }] },
      { kind: 'modify', ...options, changes: [{ kind: 'append', value: Buffer.from(']') }] },
    ];
    for (const operation of changes) expect(world.write(other, operation).kind).toBe('modified');
    expect([world.text(other, KEY), typeAt(world, other)]).toEqual(['[]', TYPE]);
  });

  test('what the legacy source tells has the type that it is told with', () => {
    const world = new SmallWorld(3, { withLegacy: true });
    const value = '5002000000000000000';
    world.legacy.set(KEY, Buffer.from(value));
    expect(typesAt(world)).toEqual(world.nodes.map(() => typeOf(value)));
    expect(typeOf(value)).not.toBeNull();
  });

  test('all start anew, and one with an empty disk: it is on every disk, and copied', () => {
    const world = new SmallWorld(4);
    putTyped(world, world.nodes[0]!);
    for (const sim of world.nodes) world.cluster.kill(sim);
    world.nodes[1]!.disk.wipe();
    for (const sim of world.nodes) world.cluster.start(sim);
    world.until(() => world.cluster.isWhole(), 20_000);
    expect(typesAt(world)).toEqual([TYPE, TYPE, TYPE]);
  });

  test('every disk is lost, and the cluster founded anew: it comes from PostgreSQL', () => {
    const world = new SmallWorld(5);
    putTyped(world, world.nodes[0]!);
    for (const sim of world.nodes) world.cluster.kill(sim);
    for (const { disk } of world.nodes) disk.wipe();
    for (const sim of world.nodes) world.cluster.start(sim);
    world.until(() => world.cluster.isWhole(), 30_000);
    expect(typesAt(world)).toEqual([TYPE, TYPE, TYPE]);
  });
});

/** One of three members speaks the earlier version: 'ok' if a write with a content type succeeds like any other. */
function putBesideEarlier(mutations: Mutations): string {
  const install = ({ cluster }: SmallWorld): void => cluster.versions.install('node-2', EARLIER);
  const world = new SmallWorld(6, { before: install, mutations });
  const written = putTyped(world, world.nodes[0]!);
  return written.kind === 'done' && typesAt(world).every((type) => type === null)
    ? 'ok'
    : `the put ended as ${JSON.stringify(written)}`;
}

describe('a member speaks an earlier version', () => {
  test('a value is written and read as before, without its content type', () => {
    expect(putBesideEarlier({})).toBe('ok');
  });

  test('and the type is kept all the same: caught, for that member cannot be told', () => {
    expect(putBesideEarlier({ keepTypeEarly: true })).not.toBe('ok');
  });

  test('all are upgraded: kept from the moment on at which that is in force, and not before', () => {
    const world = new SmallWorld(7, { before: ({ cluster }) => cluster.versions.install('node-2', EARLIER) });
    const [one, two] = world.nodes as [SimNode, SimNode];
    world.cluster.kill(two);
    world.cluster.versions.install(two.name, PROTOCOL_MAX);
    world.cluster.start(two);
    world.until(() => world.cluster.isWhole(), 10_000);
    putTyped(world, one);
    expect(typesAt(world)).toEqual([null, null, null]);
    expect(world.operate(one, { kind: 'finishUpgrade' }).kind).toBe('changed');
    putTyped(world, two);
    expect(typesAt(world)).toEqual([TYPE, TYPE, TYPE]);
  });
});

/** A learner copies a value: 'ok' if it then has what the others have. */
function copied(mutations: Mutations): string {
  const world = new SmallWorld(8, { mutations });
  putTyped(world, world.nodes[0]!);
  replaceDisk(world, world.nodes[2]!);
  const types = typesAt(world);
  return types.every((type) => type === TYPE) ? 'ok' : `told as ${types.join(', ')}`;
}

describe('a learner copies values without their content type', () => {
  test('it is not so: it tells it like the others', () => {
    expect(copied({})).toBe('ok');
  });

  test('caught: by what it tells, and by the copies of random runs', () => {
    expect(copied({ learnUntyped: true })).not.toBe('ok');
    const caught = (seed: number): boolean =>
      runSeed(seed, { profile: PROFILES['crashes']!, mutations: { learnUntyped: true } }).violation !== null;
    // The first seed that shows it is enough; the others are there in case that one no longer does.
    expect([16, 21, 54].some(caught)).toBe(true);
  });
});
