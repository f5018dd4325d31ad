/**
 * The cost of a change of epoch for concurrent writes. It reaches the members one after the other: a member that has it
 * asks everyone anew, and a member that learns of it later is asked before it knows. (PROTOCOL R4)
 */
import { expect, test } from 'vitest';
import { RESEND_AFTER_MS, SLOT_COUNT } from '../src/core/limits.ts';
import { SmallWorld } from './small-world.ts';

const KEYS = 200;
const EVERY_MS = 2;
/**
 * Milliseconds by which one direction is slower than the others: less than the time after which anybody repeats a
 * message.
 */
const LAG_MS = 40;

test('an epoch reaches one member later than others: writes of those who have it wait for that, and not until they ask again', () => {
  const world = new SmallWorld(11);
  const { scheduler, cluster } = world;
  const writer = world.nodes[2]!.node!;
  const tookMs: number[] = [];
  let failed = 0;
  let isOver = false;
  const write = (number: number): void => {
    if (isOver) return;
    const at = scheduler.time;
    const put = { kind: 'put', key: `key:${number % KEYS}`, value: Buffer.from('v') } as const;
    writer.write({ ...put, ttlMs: 0, operationId: null }, 5_000, ({ kind }) => {
      if (kind === 'done') tookMs.push(scheduler.time - at);
      else failed += 1;
    });
    scheduler.after(EVERY_MS, () => write(number + 1));
  };
  cluster.network.lag('node-1', 'node-2', LAG_MS);
  write(0);
  world.run(1_000);
  const { epoch } = writer.membership.topology!;
  cluster.start(cluster.add(''));
  const hasShare = (): boolean => writer.status().members[3]?.slotsComplete === (SLOT_COUNT * 3) / 4;
  world.until(() => hasShare() && writer.status().slotsMoving === 0, 20_000);
  isOver = true;
  world.run(1_000);
  expect(writer.membership.topology!.epoch - epoch).toBeGreaterThan(5);
  expect(failed).toBe(0);
  expect(Math.max(...tookMs)).toBeLessThan(RESEND_AFTER_MS / 2);
});
