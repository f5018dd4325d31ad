/**
 * A deletion is forgotten, and PostgreSQL loses it with its newest rows, so the value is there again. All other owners
 * are lost before that is noticed. The remaining one knows that the key was deleted, but only from the note that it
 * made when it forgot the deletion. (PROTOCOL R22, R28)
 */
import { describe, expect, test } from 'vitest';
import type { Mutations } from '../src/core/mutations.ts';
import { everythingDriven } from '../src/core/system-of-record/record-standing.ts';
import type { SimNode } from './cluster.ts';
import { goOnAt } from './going-on.ts';
import { SmallWorld } from './small-world.ts';

const KEEP_MS = 300;
const KEY = 'key:1';
const OTHER = 'key:2';

interface Left {
  readonly world: SmallWorld;
  readonly left: SimNode;
}

/** `meanwhile` runs after the deletion was forgotten. */
function forgottenAndBack(
  mutations: Mutations,
  meanwhile: (left: Left) => void = () => undefined,
): { key: string | undefined; other: string | undefined } & Left {
  const world = new SmallWorld(83, { mutations, tombstoneKeepMs: KEEP_MS });
  const [left, ...lost] = world.nodes as [SimNode, SimNode, SimNode];
  for (const key of [KEY, OTHER]) world.put(left, key, 'from before');
  world.run(500);
  const { changeCount } = world.database.server;
  expect(world.write(left, { kind: 'delete', key: KEY, operationId: null }).kind).toBe('done');
  const isForgotten = ({ node }: SimNode): boolean => node?.inspect(KEY).record === undefined;
  world.until(() => world.nodes.every(isForgotten) && world.database.standing(KEY) === undefined, 20_000);
  meanwhile({ world, left });
  for (const sim of lost) {
    world.cluster.kill(sim);
    sim.disk.wipe();
  }
  world.database.failOver(world.database.server.changeCount - changeCount);
  expect(world.database.standing(KEY)?.record.tombstone).toBe(false);
  world.run(3_000);
  expect(goOnAt(world, left)).toMatchObject({ kind: 'changed' });
  world.until(() => world.get(left, OTHER).kind !== 'failed', 10_000);
  return { world, left, key: world.text(left, KEY), other: world.text(left, OTHER) };
}

describe('one owner is left of three, and a standby has taken over that has the value again', () => {
  test('it is absent, and PostgreSQL is told so', () => {
    const { world, left, ...values } = forgottenAndBack({});
    expect(values).toEqual({ key: undefined, other: 'from before' });
    for (const sim of world.nodes) world.cluster.start(sim);
    world.until(() => world.cluster.isWhole(), 30_000);
    world.until(() => everythingDriven(left.node!.membership.topology!), 10_000);
    expect(world.database.standing(KEY)?.record.tombstone ?? true).toBe(true);
    for (const sim of world.nodes) expect(world.text(sim, KEY)).toBeUndefined();
  });

  test('and its process is another by then: the note is on its disk', () => {
    const { key, other } = forgottenAndBack({}, ({ world, left }) => {
      world.run(200);
      world.cluster.kill(left);
      world.cluster.start(left);
      world.until(() => world.cluster.isWhole(), 10_000);
    });
    expect([key, other]).toEqual([undefined, 'from before']);
  });

  test('and the key was written again: that is there', () => {
    const { key } = forgottenAndBack({}, ({ world, left }) => void world.put(left, KEY, 'anew'));
    expect(key).toBe('anew');
  });

  test('the rule broken: what was deleted is read again', () => {
    expect(forgottenAndBack({ recoverForgotten: true }).key).toBe('from before');
  });
});
