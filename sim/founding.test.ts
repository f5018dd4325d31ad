/**
 * A founding that is held up, as on a machine that has just booted and is overloaded: a life was taken from PostgreSQL,
 * but its first epoch was not chosen. The founder completes that life and takes no other: a later one would look like a
 * cluster that was lost. (PROTOCOL R27)
 */
import { describe, expect, test, vi } from 'vitest';
import type { Mutations } from '../src/core/mutations.ts';
import { PROTOCOL_MAX } from '../src/core/membership/protocol-versions.ts';
import { decodeFrame } from '../src/wire/message-codec.ts';
import type { SimNode } from './cluster.ts';
import { lifeAt } from './life-world.ts';
import { SimTransport } from './network-transport.ts';
import { SmallWorld } from './small-world.ts';
import { SIM_DATABASE_CALM } from './system-of-record.ts';

const LOOK_MS = 5;

/** The life in which each member ends up if this happens once the first life was taken. */
function foundedIn(seed: number, begin: (world: SmallWorld) => () => void, mutations: Mutations): number[] {
  const before = (world: SmallWorld): void => {
    const onTaken = begin(world);
    const look = (): void => {
      if (world.database.founding() !== null) onTaken();
      else world.scheduler.after(LOOK_MS, look);
    };
    look();
  };
  const world = new SmallWorld(seed, { before, mutations });
  return world.nodes.map(lifeAt);
}

/** PostgreSQL answers slowly, and meanwhile one of the founders cannot be heard. */
function notHeard(world: SmallWorld): () => void {
  world.database.slowMs = 350;
  return () => {
    world.cluster.network.isolate('node-3', 'reset');
    world.scheduler.after(800, () => {
      world.database.slowMs = 0;
      world.cluster.network.heal();
    });
  };
}

/** PostgreSQL has recorded the life, but its founder is not told. */
function notTold(world: SmallWorld): () => void {
  world.database.settings = { ...SIM_DATABASE_CALM, replyLostShare: 1 };
  return () => {
    world.database.settings = SIM_DATABASE_CALM;
  };
}

describe('a life was taken from PostgreSQL, and its first epoch is not chosen', () => {
  test.each([
    ['a founder is not heard for a moment', notHeard],
    ['the answer is lost', notTold],
  ])('%s: the founder carries that life through, and all are in the first', (_, begin) => {
    expect(foundedIn(501, begin, {})).toEqual([1, 1, 1]);
  });

  test.each([
    ['a founder is not heard for a moment', notHeard],
    ['the answer is lost', notTold],
  ])('%s, and the founder takes another: which is seen', (_, begin) => {
    expect(foundedIn(501, begin, { foundAnew: true })).toEqual([2, 2, 2]);
  });
});

test('what membership says is handed to the links in the call in which it is said, and not with the turn (decision 54)', () => {
  const world = new SmallWorld(7);
  const [one, two] = world.nodes as [SimNode, SimNode];
  const sent = vi.spyOn(SimTransport.prototype, 'send');
  one.node!.membership.onLinkUp(two.name, PROTOCOL_MAX);
  const kinds = sent.mock.calls.flatMap(([, frame]) => {
    const decoded = decodeFrame(frame);
    return 'messages' in decoded ? decoded.messages.map(({ kind }) => kind) : [];
  });
  sent.mockRestore();
  expect(kinds).toEqual(expect.arrayContaining(['introduction', 'heartbeat']));
});
