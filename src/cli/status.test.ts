/** What `causeway status` prints below its table, for made-up statuses. */
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

async function told(changes: typeof doors.api.statusChanges): Promise<string> {
  const { io, ran } = keptIo();
  doors.api.statusChanges = changes;
  await runCommand(['status', '--only', '--nodes', doors.address], io);
  return ran.out;
}

const statusOf = (byHand: object): Promise<string> =>
  told({ record: { state: 'up', reason: '', byHand } as never });

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

test('rows wait at a PostgreSQL that is up: how many, for how long, and why it does not take them', async () => {
  const waiting = (oldestUnflushedMs: number, whyWaiting: string): Promise<string> =>
    told({
      record: { state: 'up', reason: '' },
      recent: { record: { rowsWaiting: 3, oldestUnflushedMs, whyWaiting } },
    } as never);
  expect(await waiting(12_400, 'a trigger keeps them out')).toContain(
    'fake: 3 rows wait for PostgreSQL, the first for 12 s: a trigger keeps them out',
  );
  expect(await waiting(12_400, '')).toMatch(/the first for 12 s$/m);
  expect(await waiting(900, 'a deadlock')).not.toContain('wait for PostgreSQL');
});

test('a node copies slots: how far it is, and that it could be faster if clients did not wait', async () => {
  const copy = { slotsDone: 1_024, slotsTotal: 2_048, bytesPerSecond: 65_536, secondsLeft: 90 };
  const alone = await told({ copy: { ...copy, givesWay: false } as never });
  expect(alone).toContain('50 %  1,024 of 2,048 slots  64 KiB/s  90 s left');
  expect(alone).not.toContain('clients');
  expect(await told({ copy: { ...copy, givesWay: true } as never })).toContain(
    'fake: copies no faster, so that clients do not wait too long',
  );
});

test('a node without a lease names the members with which no link stands, and one that serves does not', async () => {
  const unlinked = [{ name: 'node-2', address: '10.0.0.2:50051' }];
  const out = await told({ phase: 'founding', leaseHeld: false, unlinked });
  expect(out).toContain('fake: no link stands with node-2 (10.0.0.2:50051)');
  expect(await told({ unlinked })).not.toContain('link');
});
