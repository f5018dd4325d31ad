/** What each probe says about which node: a table that also shows what each rule must not say. */
import { expect, test } from 'vitest';
import { FakeNodeApi } from '../../test/support/fake-node-api.ts';
import { HEALTH_STORE_MS_MAX, HEALTH_TICK_MS_MAX } from '../core/limits.ts';
import type { NodeStatus } from './status.ts';
import { PROBES } from './readiness.ts';
import type { Probe } from './readiness.ts';

const serving = new FakeNodeApi().status();
const down: NodeStatus['record'] = { state: 'down', reason: 'connection refused' };
const disk = { freeBytes: 1, reserveBytes: 2, freeFiles: 0, reserveFiles: 0, isGone: false };

test.each<[string, Partial<NodeStatus>, readonly Probe[]]>([
  ['it serves', {}, []],
  ['it has just started', { phase: 'starting', leaseHeld: false }, ['ready']],
  ['it founds, and PostgreSQL is away', { phase: 'founding', leaseHeld: false, record: down }, ['ready']],
  ['it learns', { phase: 'learning', stopCosts: ['it is learning'] }, ['ready', 'safe']],
  ['it learns some slots and serves others', { learnedShare: 0.4 }, []],
  ['it has lost its lease', { leaseHeld: false, stopCosts: ['no lease'] }, ['ready', 'safe']],
  ['it stops', { phase: 'stopping' }, ['ready']],
  ['nobody lets it in', { phase: 'entering', outside: 'nobody knows it' }, ['ready']],
  ['PostgreSQL is away', { record: down }, []],
  ['PostgreSQL is away, and an operator wants it', { record: { ...down, isNeeded: true } }, ['ready']],
  [
    'an operator wants PostgreSQL, and it is there',
    { record: { state: 'up', reason: '', isNeeded: true } },
    [],
  ],
  ['legacy is away', { legacy: { state: 'open', reason: 'HTTP 500', calls: 3 } }, []],
  ['its disk refuses writes', { disk: { state: 'refusing', ...disk } }, []],
  ['its disk takes no part any more', { disk: { state: 'low', ...disk } }, ['ready']],
  [
    'its directory was moved, and it cannot be done without',
    { disk: { state: 'refusing', ...disk, isGone: true } },
    ['ready'],
  ],
  ['somebody who is set up differently knocks', { refusals: [{ peer: 'x', reason: 'setting' }] }, []],
  ['it refuses what is too much', { load: { ...serving.load, state: 'refusing' } }, []],
  ['its store was damaged', { store: { setAside: ['x'], reason: '', inDoubt: true } }, ['ready']],
  ['ticks are late', { progress: { tickAgoMs: HEALTH_TICK_MS_MAX, storeBatchMs: 0 } }, []],
  ['ticks have ended', { progress: { tickAgoMs: HEALTH_TICK_MS_MAX + 1, storeBatchMs: 0 } }, ['healthy']],
  ['the disk is slow', { progress: { tickAgoMs: 0, storeBatchMs: HEALTH_STORE_MS_MAX } }, []],
  ['the disk hangs', { progress: { tickAgoMs: 0, storeBatchMs: HEALTH_STORE_MS_MAX + 1 } }, ['healthy']],
  ['another owner is down', { stopCosts: ['1 slot lack a copy already'] }, ['safe']],
])('%s', (_, change, refused) => {
  const status = { ...serving, ...change };
  const names = Object.keys(PROBES) as Probe[];
  expect(names.filter((name) => PROBES[name](status).length > 0)).toEqual(
    names.filter((name) => refused.includes(name)),
  );
});

test('a node without a lease names the members with which no link stands, and one that serves does not', () => {
  const unlinked = [
    { name: 'node-2', address: '10.0.0.2:50051' },
    { name: 'node-3', address: '10.0.0.3:50051' },
  ];
  const reasons = (change: Partial<NodeStatus>): string =>
    PROBES.ready({ ...serving, unlinked, ...change }).join();
  const named = 'no link stands with node-2 (10.0.0.2:50051), node-3 (10.0.0.3:50051)';
  expect(reasons({ phase: 'founding', leaseHeld: false })).toContain(named);
  expect(reasons({})).toBe('');
});
