/** What `causeway status` says beside its table, of a node whose word is made up. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keptIo } from '../../test/support/command-io.ts';
import { openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import { runCommand } from './main.ts';

let doors: DoorFixture;
beforeEach(async () => {
  doors = await openDoors();
});
afterEach(() => doors.stop());

async function statusOf(byHand: object): Promise<string> {
  const { io, ran } = keptIo();
  doors.api.statusChanges = { record: { state: 'up', reason: '', byHand } as never };
  await runCommand(['status', '--only', '--nodes', doors.address], io);
  return ran.out;
}

test('rows were changed by hand: what waits, and why, and what came to nothing', async () => {
  const byHand = {
    written: 5,
    overtaken: 1,
    refused: 1,
    waiting: 2,
    waitingMs: 61_000,
    reason: 'overloaded',
  };
  const out = await statusOf(byHand);
  expect(out).toContain('fake: 2 changes by hand wait, the first for 61 s: overloaded');
  expect(out).toContain('fake: 2 changes by hand came to nothing (1 overtaken, 1 refused)');
  const idle = { ...byHand, overtaken: 0, refused: 0, waiting: 0 };
  expect(await statusOf({ ...idle, reason: 'PostgreSQL: permission denied' })).toContain(
    'fake: changes by hand are not looked at: PostgreSQL: permission denied',
  );
  expect(await statusOf({ ...idle, reason: '' })).not.toContain('by hand');
});
