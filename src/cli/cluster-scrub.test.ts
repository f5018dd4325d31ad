/** `causeway cluster scrub` against a real server: what it requests, what it shows, and its exit code. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ScrubCycle } from '../node/status.ts';
import { SCRUBBED_NEVER } from '../node/scrub/report.ts';
import { keptIo } from '../../test/support/command-io.ts';
import type { Ran } from '../../test/support/command-io.ts';
import { openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import { runCommand } from './main.ts';

let doors: DoorFixture;
beforeEach(async () => {
  doors = await openDoors();
});
afterEach(() => doors.stop());

const CLEAN: ScrubCycle = {
  ...{ number: 3, endedAt: 1_700_000_000_000, lengthMs: 61_500, slots: 32_768, records: 1_234_567 },
  ...{
    bytes: 9,
    rows: 411_522,
    rowBytes: 7,
    rowsDamaged: 1,
    found: 2,
    repaired: 2,
    unrepaired: 0,
    conflicts: 0,
    digestsCorrected: 1,
    debris: 0,
    slotsUncompared: 0,
  },
};

async function run(...words: string[]): Promise<Ran> {
  const { io, ran } = keptIo();
  await runCommand([...words, '--only', '--nodes', doors.address], io);
  return ran;
}

function scrubbed(last: ScrubCycle): void {
  doors.api.answers.push({ kind: 'scrubbing', number: 3 });
  doors.api.statusChanges = { scrub: { ...SCRUBBED_NEVER, share: 1, last } };
}

test('all is repaired: the rates are handed on, the round is told in one line, exit 0', async () => {
  scrubbed(CLEAN);
  const { code, out, err } = await run('cluster', 'scrub', '--records-per-second', '7');
  expect(code).toBe(0);
  expect(doors.api.orders).toEqual([
    { kind: 'scrub', recordsPerSecondMax: 7, bytesPerSecondMax: 64 * 1024 * 1024 },
  ]);
  expect(out).toMatch(/1,234,567 +411,522 +61\.5 +2 +2 +0 +0 +0/);
  expect(out).toContain('all is as it should be');
  expect(err).toContain('100 %');
});

test.each([
  ['something could not be repaired', { unrepaired: 1 }],
  ['a version has two contents', { conflicts: 1 }],
  ['an owner gave no answer', { slotsUncompared: 9 }],
])('%s: said so, exit 1', async (_what, counts) => {
  scrubbed({ ...CLEAN, ...counts });
  const { code, out } = await run('cluster', 'scrub');
  expect(code).toBe(1);
  expect(out).toContain('not all is as it should be');
});

test('the node is started anew amid its round: exit 1, for nobody knows', async () => {
  doors.api.answers.push({ kind: 'scrubbing', number: 3 });
  doors.api.statusChanges = { scrub: SCRUBBED_NEVER };
  const { code, out } = await run('cluster', 'scrub');
  expect(code).toBe(1);
  expect(out).toContain('it was started anew amid its round');
});

test('--json: as data', async () => {
  scrubbed(CLEAN);
  const { code, out } = await run('cluster', 'scrub', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ nodes: [{ number: 3, round: { records: 1_234_567 }, fault: '' }] });
});

test('the status of a node: its last round, and what people must look at', async () => {
  const totals = { found: 4, repaired: 2, unrepaired: 1, conflicts: 1 };
  doors.api.statusChanges = { scrub: { ...SCRUBBED_NEVER, last: CLEAN, totals } };
  const { out } = await run('status');
  expect(out).toContain('scrubbed by 2023-11-14T22:13Z in 62 s: 1234567 records, 2 found, 2 repaired');
  expect(out).toContain('1 records could not be repaired');
  expect(out).toContain('1 versions have two contents');
  doors.api.statusChanges = { scrub: { ...SCRUBBED_NEVER, isUnderWay: true, share: 0.4, secondsLeft: 12 } };
  expect((await run('status')).out).toContain('scrubs, 40 %, 12 s left');
});
