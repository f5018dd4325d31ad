/**
 * What PostgreSQL has and no owner has any more, or what it lacks, long after the fact. A scrubber that looks at the
 * rows has deletions removed by the usual rule. If a value is back or something committed is missing, it has PostgreSQL
 * compared as a whole. (PROTOCOL R23, R24, R30)
 */
import { describe, expect, test } from 'vitest';
import type { Mutations } from '../src/core/mutations.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import type { RecordRow } from '../src/ports/system-of-record.ts';
import { recordKey } from '../src/wire/store-codec.ts';
import { SmallWorld } from './small-world.ts';

const KEEP_MS = 300;
const KEY = 'key:1';
/** In the same slot. */
const OTHER = '{key:1}other';
/** More than a node looks up by itself. */
const LATER = Array.from({ length: 40 }, (_, index) => `later:${index}`);

interface Debris {
  readonly world: SmallWorld;
  /** The rows as PostgreSQL once had them. */
  readonly value: RecordRow;
  readonly deletion: RecordRow;
}

/** The key was deleted, the deletion was forgotten and its row removed; then other keys were written. */
function forgotten(seed: number, mutations: Mutations = {}): Debris {
  const world = new SmallWorld(seed, { mutations, tombstoneKeepMs: KEEP_MS });
  const [one, two] = world.nodes;
  world.put(one!, OTHER, 'at rest');
  for (const value of ['one', 'two', 'three']) world.put(one!, KEY, value);
  const value = world.database.standing(KEY)!;
  world.write(two!, { kind: 'delete', key: KEY, operationId: null });
  const deletion = world.database.standing(KEY)!;
  const isHeld = (): boolean => world.nodes.some(({ node }) => node!.inspect(KEY).record !== undefined);
  world.until(() => !isHeld() && world.database.standing(KEY) === undefined, 20_000);
  for (const key of LATER) world.put(one!, key, 'later');
  return { world, value, deletion };
}

function scrub(world: SmallWorld): void {
  world.until(() => world.cluster.isWhole(), 20_000);
  world.scrub();
}

const debrisRemoved = (world: SmallWorld): number =>
  world.nodes.reduce((sum, { node }) => sum + node!.status().tombstones.debrisRemoved, 0);
const drive = (world: SmallWorld): number => world.nodes[0]!.node!.status().record.drive!.drive;
const isDriven = (world: SmallWorld): boolean =>
  world.nodes.every(({ node }) => node!.status().record.drive!.isDriven);

describe('PostgreSQL has a row that no owner has', () => {
  test('of a deletion that was forgotten: it goes, and is counted', () => {
    const { world, deletion } = forgotten(61);
    world.database.forge(KEY, deletion);
    world.run(15_000);
    expect(world.database.standing(KEY)).toBe(deletion);
    scrub(world);
    world.until(() => world.database.standing(KEY) === undefined, 20_000);
    world.until(() => debrisRemoved(world) === 1, 1_000);
    expect([drive(world), world.text(world.nodes[0]!, KEY)]).toEqual([0, undefined]);
  });

  test('and its key is written before it goes: what was written stands', () => {
    const { world, deletion } = forgotten(62);
    world.database.forge(KEY, deletion);
    scrub(world);
    expect(world.put(world.nodes[0]!, KEY, 'again').kind).toBe('done');
    world.run(5_000);
    expect(Buffer.from(world.database.standing(KEY)!.record.value).toString()).toBe('again');
    expect(world.text(world.nodes[1]!, KEY)).toBe('again');
  });

  test('of a value that was deleted: PostgreSQL is compared as a whole, a deletion takes its place, and goes', () => {
    const { world, value } = forgotten(63);
    world.database.forge(KEY, value);
    world.run(15_000);
    expect([drive(world), world.database.standing(KEY)]).toEqual([0, value]);
    scrub(world);
    world.until(() => drive(world) === 1 && isDriven(world), 20_000);
    expect(world.database.standing(KEY)!.record.tombstone).toBe(true);
    scrub(world);
    world.until(() => world.database.standing(KEY) === undefined, 20_000);
    expect([drive(world), world.text(world.nodes[0]!, KEY)]).toEqual([1, undefined]);
  });

  test('but every disk has lost something of the slot: the row may be all that is left, and stays', () => {
    const { world } = forgotten(64);
    const row = world.database.standing(OTHER)!;
    for (const { disk } of world.nodes) disk.forge(recordKey(slotOf(OTHER), OTHER), null);
    scrub(world);
    scrub(world);
    world.run(5_000);
    expect([drive(world), world.database.standing(OTHER)]).toEqual([0, row]);
  });
});

test('PostgreSQL lacks what was committed long ago: what else it lacks is brought back, too', () => {
  const { world } = forgotten(65);
  world.database.forge(OTHER, null);
  world.run(15_000);
  expect([drive(world), world.database.standing(OTHER)]).toEqual([0, undefined]);
  scrub(world);
  world.until(() => drive(world) === 1 && isDriven(world), 20_000);
  expect(world.database.standing(OTHER)!.record.tombstone).toBe(false);
});

describe("the first owner's disk has lost a value below the floor of its slot, which the others and PostgreSQL have", () => {
  function compared(mutations: Mutations): { world: SmallWorld; tombstone: boolean } {
    const { world } = forgotten(66, mutations);
    world.run(500);
    const first = world.ownersOf(OTHER)[0]!;
    for (const sim of world.nodes) world.cluster.kill(sim);
    first.disk.forge(recordKey(slotOf(OTHER), OTHER), null);
    for (const sim of world.nodes) world.cluster.start(sim);
    world.until(() => world.cluster.isWhole() && drive(world) === 1 && isDriven(world), 20_000);
    return { world, tombstone: world.database.standing(OTHER)!.record.tombstone };
  }

  test('PostgreSQL is compared: it was not deleted, and the first owner has it again', () => {
    const { world, tombstone } = compared({});
    expect(tombstone).toBe(false);
    expect(world.ownersOf(OTHER).map((sim) => world.text(sim, OTHER))).toEqual([
      'at rest',
      'at rest',
      'at rest',
    ]);
    expect(world.ownersOf(OTHER)[0]!.disk.get(recordKey(slotOf(OTHER), OTHER))).toBeDefined();
  });

  test('the rule broken: a deletion takes its place, and what was acknowledged is lost', () => {
    expect(compared({ deleteUnasked: true }).tombstone).toBe(true);
  });
});
