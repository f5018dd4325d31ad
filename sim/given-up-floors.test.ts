/**
 * The floors in PostgreSQL when slots are given up: whoever rebuilds the slots respects them, even while PostgreSQL is
 * being compared, and lost members do not raise them afterwards. (PROTOCOL R24, R28)
 */
import { describe, expect, test } from 'vitest';
import type { Mutations } from '../src/core/mutations.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import type { SimNode } from './cluster.ts';
import { SmallWorld } from './small-world.ts';

const KEEP_MS = 300;
const KEY = 'key:1';
const SLOT = slotOf(KEY);
/** Above all versions that are written here. */
const HIGH = 1_000;

function worldOf(seed: number, mutations: Mutations): SmallWorld {
  return new SmallWorld(seed, { nodeCount: 7, mutations, tombstoneKeepMs: KEEP_MS });
}

const topologyOf = (sim: SimNode) => sim.node!.membership.topology!;

function remove(world: SmallWorld, sim: SimNode): void {
  expect(world.write(sim, { kind: 'delete', key: KEY, operationId: null }).kind).toBe('done');
}

function untilForgotten(world: SmallWorld, owners: readonly SimNode[]): void {
  const holds = ({ node }: SimNode): boolean => node?.inspect(KEY).record !== undefined;
  world.until(() => !owners.some(holds) && world.database.standing(KEY) === undefined, 20_000);
}

/** One owner was away while the key was deleted and the deletion forgotten; later the others lose their disks. */
function leftOver(
  mutations: Mutations,
  meanwhile: (world: SmallWorld) => void = () => undefined,
): string | undefined {
  const world = worldOf(91, mutations);
  world.put(world.ownersOf(KEY)[0]!, KEY, 'from before');
  world.run(500);
  const [first, second, away] = world.ownersOf(KEY) as [SimNode, SimNode, SimNode];
  world.cluster.kill(away);
  world.until(() => world.cluster.isWhole(away), 10_000);
  remove(world, first);
  untilForgotten(world, world.ownersOf(KEY));
  meanwhile(world);
  const owners = world.ownersOf(KEY);
  const living = world.nodes.filter((sim) => !owners.includes(sim));
  expect([living.includes(away), second.node !== null]).toEqual([true, true]);
  for (const sim of world.nodes) if (sim.node !== null) world.cluster.kill(sim);
  for (const sim of owners) sim.disk.wipe();
  for (const sim of living) world.cluster.start(sim);
  world.giveUp(KEY, living);
  return world.text(away, KEY);
}

describe('all were killed, and slots are given up before PostgreSQL is compared', () => {
  test('what a disk has left over below the floor, without a row, was deleted', () => {
    expect(leftOver({})).toBeUndefined();
  });

  test('the rule broken: what was deleted is read again', () => {
    expect(leftOver({ keepBelowInDrive: true })).toBe('from before');
  });
});

describe('a standby takes over that knows no floor, and slots are given up afterwards', () => {
  const EVERYTHING = 1_000;

  test('it has the floors again once it is driven: what a disk has left over below them was deleted', () => {
    const text = leftOver({}, (world) => {
      const floor = world.database.server.floorOf(SLOT);
      world.database.failOver(EVERYTHING);
      expect([floor > 0, world.database.server.floorOf(SLOT)]).toEqual([true, 0]);
      world.until(() => world.database.server.floorOf(SLOT) === floor, 10_000);
    });
    expect(text).toBeUndefined();
  });

  test('the rule broken: what was deleted is read again', () => {
    const text = leftOver({ leaveFloorsLow: true }, (world) => {
      world.database.failOver(EVERYTHING);
      world.run(10_000);
      expect(world.database.server.floorOf(SLOT)).toBe(0);
    });
    expect(text).toBe('from before');
  });
});

describe('all owners of a slot are lost, and their statement that raises its floor hangs', () => {
  function arrivesLate(mutations: Mutations): { floor: number; resurrected: string | null } {
    const world = worldOf(92, mutations);
    const { database } = world;
    world.put(world.ownersOf(KEY)[0]!, KEY, 'one');
    world.run(500);
    const owners = world.ownersOf(KEY);
    const { turn } = database.server.floorsOf([SLOT])[0]!;
    for (const sim of owners) {
      world.cluster.kill(sim);
      sim.disk.wipe();
    }
    const living = world.nodes.filter((sim) => !owners.includes(sim));
    world.giveUp(KEY, living);
    const heir = world.ownersOf(KEY)[0]!;
    for (const sim of owners) world.cluster.start(sim);
    world.until(() => world.cluster.isWhole(), 40_000);
    database.server.raise(topologyOf(heir).life, [{ slot: SLOT, counter: HIGH, turn }], world.scheduler.time);
    const floor = database.server.floorOf(SLOT);
    // The second statement of a write hangs: the first was kept out by the floor, so the second says that it knows the
    // floor.
    let arrive: (() => void) | null = null;
    const apply = database.apply.bind(database);
    database.apply = (...args) => {
      const results = apply(...args);
      if (arrive === null && results?.some(({ kind }) => kind === 'keptOut') === true)
        database.hold = (run) => (arrive = run);
      return results;
    };
    expect(world.put(heir, KEY, 'two').kind).toBe('done');
    remove(world, heir);
    untilForgotten(world, world.nodes);
    (arrive as (() => void) | null)?.();
    return { floor, resurrected: database.resurrected };
  }

  test('it comes to nothing', () => {
    expect(arrivesLate({})).toEqual({ floor: 0, resurrected: null });
  });

  test('the rule broken: the owners are below a floor that they do not know, and what was deleted stands again', () => {
    const { floor, resurrected } = arrivesLate({ recoverUnturned: true });
    expect(floor).toBe(HIGH);
    expect(resurrected).toContain('was removed there');
  });
});
