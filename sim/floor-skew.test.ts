/**
 * A known defect, held until it is mended: the floor of a slot is raised at one owner after the other. Meanwhile one that has
 * raised it judges an increment, whose version it lifts above the floor, and one that has not takes a put below it. The increment
 * was not judged on the put, and outranks it. (PROTOCOL R1, R5, R22)
 */
import { expect, test } from 'vitest';
import { KEY_BESIDE, Scenario } from './scenario.ts';

test.fails(
  'an increment at an owner that has raised the floor, and a put at one that has not: both count',
  () => {
    const world = new Scenario({});
    for (const node of world.nodes) node.writesThrough = false;
    const [a, b] = world.abc;
    world.put(a, '100');
    for (const value of ['1', '2', '3', '4', '5', '6']) world.put(a, value, KEY_BESIDE);
    world.write(a, { kind: 'delete' }, null, 0, KEY_BESIDE);
    const raise = world.hold({ to: b, kind: 'floorRaise' });
    a.keepMs = 0;
    world.pass(1_000);
    const toA = world.hold({ from: b, to: a, kind: 'invalidate' });
    world.put(b, '200');
    world.increment(a);
    world.release(toA);
    world.pass(500);
    world.release(raise);
    world.pass(3_000);
    for (const node of world.nodes) world.read(node);
    expect(world.verdict()).toBe('ok');
  },
);
