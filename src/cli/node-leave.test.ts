/** `causeway node leave` against a real server: what it says before a member is asked to leave. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keptIo } from '../../test/support/command-io.ts';
import type { Ran } from '../../test/support/command-io.ts';
import { openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import { failure } from '../core/errors.ts';
import { EXIT_DEFINITE } from './client-command.ts';
import { runCommand } from './main.ts';

let doors: DoorFixture;
beforeEach(async () => {
  doors = await openDoors();
});
afterEach(() => doors.stop());

/** `slotsAfter`: what members have once c has left. */
async function leave(
  slotsBefore: number,
  slotsAfter: Readonly<Record<string, number>>,
  obstacle = '',
): Promise<Ran> {
  const shares = Object.entries(slotsAfter).map(([name, after]) => ({
    ...{ name, slotsBefore, slotsAfter: after, slotsGained: Math.max(0, after - slotsBefore) },
  }));
  const plan = { shares, slotsCopied: 0, recordsCopied: 0, obstacle };
  const refusal = { kind: 'failed' as const, failure: failure('invalid_argument', obstacle) };
  doors.api.answers.push(
    { kind: 'planned', plan },
    obstacle === '' ? { kind: 'changed', epoch: 7 } : refusal,
  );
  const { io, ran } = keptIo();
  await runCommand(['node', 'leave', 'c', '--no-wait', '--json', '--nodes', doors.address], io);
  return ran;
}

test('the others take everything over: no warning', async () => {
  const { code, out, err } = await leave(12_288, { a: 16_384, b: 16_384, c: 0, d: 16_384 });
  expect([code, out, err]).toEqual([0, '{"leaving":"c","epoch":7}\n', '']);
});

test('there are too few others for all copies: it is done, with a warning', async () => {
  const { code, out, err } = await leave(16_384, { a: 16_384, b: 16_384, c: 0 });
  expect([code, out]).toEqual([0, '{"leaving":"c","epoch":7}\n']);
  expect(err).toBe(
    'warning: there are too few members for more: each key would have 2 copies instead of 3\n',
  );
});

test('it may not leave: only the refusal is told, and nothing of what would follow', async () => {
  const obstacle = '1 live members would stay, and a write needs 2';
  const { code, out, err } = await leave(16_384, { a: 16_384, c: 0 }, obstacle);
  expect(code).toBe(EXIT_DEFINITE);
  expect(out).toContain(obstacle);
  expect(err).toBe(`invalid_argument (definite): ${obstacle}\n`);
});

test('the node cannot say what would follow: the member is asked to leave all the same', async () => {
  const untold = { kind: 'failed' as const, failure: failure('invalid_argument', 'no plan') };
  doors.api.answers.push(untold, { kind: 'changed', epoch: 7 });
  const { io, ran } = keptIo();
  await runCommand(['node', 'leave', 'c', '--no-wait', '--json', '--nodes', doors.address], io);
  expect([ran.code, ran.out, ran.err]).toEqual([0, '{"leaving":"c","epoch":7}\n', '']);
});
