/** `causeway cluster finish-upgrade` against a real server: what it shows, and that nothing is enabled by accident. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { failure } from '../core/errors.ts';
import { keptIo } from '../../test/support/command-io.ts';
import { openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import { runCommand } from './main.ts';

let doors: DoorFixture;
beforeEach(async () => {
  doors = await openDoors();
});
afterEach(() => doors.stop());

async function run(
  ...words: string[]
): Promise<{ code: number; out: string; err: string; orders: string[] }> {
  const { io, ran } = keptIo();
  await runCommand(['cluster', 'finish-upgrade', ...words, '--nodes', doors.address], io);
  return { ...ran, orders: doors.api.orders.splice(0).map((order) => order.kind) };
}

const midway = (): void => void (doors.api.statusChanges = { protocol: { speaks: 5, inForce: 4 } });

test('all members have it in force: says so, and asks for nothing', async () => {
  const { code, out, orders } = await run('--yes');
  expect(code).toBe(0);
  expect(out).toContain('the upgrade is finished');
  expect(orders).toEqual([]);
});

test('it is not asked for: shows who speaks what and what it means, and does nothing', async () => {
  midway();
  const { code, out, err, orders } = await run();
  expect(code).toBe(1);
  expect(out).toMatch(/fake +5\ngone +away\n/);
  expect(out).toContain('in force: version 4');
  expect(err).toContain('nothing was done');
  expect(orders).toEqual([]);
});

test('asked for: it is put in force; a member that speaks less is named, and nothing was done', async () => {
  midway();
  midway();
  doors.api.answers.push({ kind: 'changed', epoch: 9 });
  expect(await run('--yes')).toMatchObject({ code: 0, orders: ['finishUpgrade'] });
  const refusal = failure('upgrade_unfinished', 'node-2 speaks version 4 at most: upgrade it');
  doors.api.answers.push({ kind: 'failed', failure: refusal });
  expect(await run('--yes')).toMatchObject({
    code: 3,
    err: expect.stringContaining('node-2 speaks') as unknown,
  });
});
