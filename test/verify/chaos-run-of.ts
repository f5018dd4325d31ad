/**
 * A recorded run for tests of the verdict and the report: three nodes, two faults, everything well; parts of it can be
 * replaced.
 */
import type { HistoryCall, HistoryOutcome } from '../../sim/checkers/history.ts';
import type { KeyRecord } from '../../src/core/record.ts';
import { sealRecord } from '../../src/wire/record-codec.ts';
import { FORMAT, heldLine, rowLine, type RunHead, type RunLine } from '../../verify/chaos/run-lines.ts';

const NODES = ['node-1', 'node-2', 'node-3'];
export const OLD = 8_193;
export const NEW = 12_289;

const HEAD: RunHead = {
  format: FORMAT,
  scenario: 'example',
  about: 'an example',
  seed: 7,
  startedAt: '2026-01-01T00:00:00.000Z',
  nodes: NODES,
  ownerCount: 3,
  operationsMin: 3,
  failuresMax: null,
  mayEnd: false,
  asked: ['kill', 'cut one'],
  leftOut: [{ fault: 'disk-full', why: 'mounting small disks needs root' }],
};

/** The result of a flood: three times as many requests as can be handled. */
export const FLOODED = {
  is: 'flooded',
  atMs: 1_550,
  capacityPerSecond: 5_000,
  askedPerSecond: 15_000,
  donePerSecond: 4_900,
  refusedPerSecond: 10_100,
  doneP50Ms: 180,
  doneP99Ms: 420,
  refusedP50Ms: 3,
  refusedP99Ms: 30,
  recoveredMs: 350,
  failed: 0,
  unsent: 0,
  lookedUp: 500,
  lost: 0,
} as const;

export function recordOf(version: number, value: string): KeyRecord {
  return {
    ...{ key: 'a', version, origin: 0, tombstone: false, value: Buffer.from(value) },
    ...{ createdAt: 1_000, updatedAt: 1_000 + version, expiresAt: 0, operationId: null, contentType: null },
  };
}

export function operation(
  at: number,
  call: HistoryCall,
  outcome: HistoryOutcome,
  client: string | number = 1,
): RunLine {
  const times = { invokedAt: at, returnedAt: at + 1, beganMs: at * 100, endedMs: at * 100 + 5 };
  return { is: 'operation', key: 'a', client, call, outcome, ...times };
}

/** Two writes and a read; all owners and PostgreSQL have the second write. */
export function goodLines(head: Partial<RunHead> = {}): RunLine[] {
  const record = recordOf(NEW, 'two');
  const sample = (atMs: number, epoch: number): RunLine => ({
    is: 'sample',
    atMs,
    nodes: NODES.map((name) => ({ name, epoch, phase: 'serving', leaseHeld: true })),
  });
  return [
    { is: 'run', ...HEAD, ...head },
    sample(10, 1),
    operation(1, { kind: 'put', value: 'one' }, { kind: 'done', version: OLD }),
    { is: 'fault', id: 1, fault: 'kill', atMs: 150, nodes: ['node-1'], told: 'node-1 killed <hard>' },
    { is: 'fault-end', id: 1, atMs: 250, struck: true },
    operation(3, { kind: 'put', value: 'two' }, { kind: 'done', version: NEW }),
    { is: 'fault', id: 2, fault: 'cut one', atMs: 350, nodes: ['node-2'], told: 'node-2 cut off' },
    { is: 'fault-end', id: 2, atMs: 1_450, struck: true },
    operation(15, { kind: 'get' }, { kind: 'value', value: 'two', version: NEW }),
    sample(1_500, 4),
    { is: 'progress', atMs: 1_600, afterMs: 150 },
    ...NODES.map((node) => heldLine(node, 'a', { owner: true, valid: true, record })),
    rowLine('a', { version: NEW, checksum: sealRecord(record).checksum, operationId: null }),
    operation(17, { kind: 'get' }, { kind: 'value', value: 'two', version: NEW }, 'at rest, node-1'),
    { is: 'end', atMs: 1_800, stopped: false },
  ];
}
