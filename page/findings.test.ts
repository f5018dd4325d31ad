/** What a user is told first: the truth, with the most serious finding on top. */
import { expect, test } from 'vitest';
import type { LiveFacts, LiveNode, LiveSnapshot } from '../src/servers/http/live-shape.ts';
import { calmWords, findingsOf } from './findings.ts';
import { stateOf } from './node-state.ts';

const SPOOL: LiveFacts['spool'] = {
  outage: 'spool',
  ...{ isOn: false, isFull: false, entries: 0, bytes: 0 },
  ...{ oldestMs: 0, conflicts: 0, drainedPerSecond: 0 },
};
const FACTS: LiveFacts = {
  ...{ phase: 'serving', epoch: 3, leaseHeld: true, leaseLeftMs: 400, reasons: [] },
  load: { state: 'calm', readsInFlight: 0, writesInFlight: 0, refused: 0, forwardedHere: 0 },
  disk: {
    state: 'enough',
    freeBytes: 9e9,
    reserveBytes: 1e9,
    freeFiles: 9e6,
    reserveFiles: 1e3,
    isGone: false,
  },
  record: {
    ...{ state: 'up', reason: '', isForeign: false, drive: null },
    ...{ commitMs: null, rowsPerSecond: null, oldestUnflushedMs: null },
  },
  legacy: { state: 'unused', reason: '', calls: 0, failuresPerSecond: null, inFlight: null },
  spool: SPOOL,
  ...{ keysHeld: 9, keysInFlight: 0, oldestUnfinishedMs: 0, learnedShare: 1 },
  copy: { slotsDone: 0, slotsTotal: 0, bytesPerSecond: 0, secondsLeft: null },
  scrub: { isUnderWay: false, share: 0, secondsLeft: null, open: 0, unrepaired: 0, conflicts: 0 },
  ...{ rates: null, readMs: null, writeMs: null },
};

function node(id: number, facts: Partial<LiveFacts> | null = {}, changes: Partial<LiveNode> = {}): LiveNode {
  return {
    ...{ name: `node-${id}`, id, address: 'a:1', alive: true, standing: 'in', linkUp: true, slow: '' },
    ...{ slotsComplete: 16_384, slotsLearning: 0, told: facts === null ? null : { ...FACTS, ...facts } },
    ...changes,
  };
}

function snapshot(nodes: readonly LiveNode[], cluster: Partial<LiveSnapshot['cluster']> = {}): LiveSnapshot {
  return {
    ...{ at: 0, asked: 'node-1', nodes },
    cluster: {
      ...{ name: 'shop', id: 'c', epoch: 3, life: 1, slotsMoving: 0, slotsLost: 0 },
      ...{ memberCount: nodes.length, notWrittenThrough: 0, ...cluster },
    },
  };
}

const titles = (told: LiveSnapshot): string[] =>
  findingsOf(told).map(({ tone, title }) => `${tone} ${title}`);

test('nothing is wrong: nothing is found, and the calm words name what answers', () => {
  const told = snapshot([node(1), node(2)]);
  expect(findingsOf(told)).toEqual([]);
  expect(calmWords(told)).toBe('All 2 nodes serve, and every slot has its owners. PostgreSQL answers.');
});

test.each([
  [[node(1), node(2, null, { alive: false })], ['bad node-2: down']],
  [
    [node(1), node(2, null, { alive: false }), node(3, null, { alive: false })],
    ['bad node-2 and node-3: down'],
  ],
  [[node(1), node(2, null)], ['warn node-2: silent']],
  [[node(1), node(2, null, { linkUp: false })], ['bad node-2: silent']],
  [[node(1), node(2, null, { alive: false, standing: 'healed' })], ['warn node-2: replaced']],
  [[node(1), node(2, { phase: 'learning' })], ['note node-2: learning']],
  [[node(1), node(2, { leaseHeld: false })], ['bad node-2: no lease']],
  [[node(1), node(2, {}, { slow: 'slow it is' })], ['warn node-2: slow']],
  [[node(1, { leaseHeld: false })], ['bad No node serves', 'bad node-1: no lease']],
])('nodes %#: told as they are', (nodes, wanted) => expect(titles(snapshot(nodes))).toEqual(wanted));

test('a learner: how far it is, by its slots where it tells them', () => {
  const copy = { slotsDone: 40, slotsTotal: 160, bytesPerSecond: 1, secondsLeft: 12 };
  const learner = node(2, { phase: 'learning', learnedShare: 0.9, copy });
  expect(stateOf(learner).detail).toBe('25 % copied, 12 s left');
});

test('PostgreSQL: down for all, for some, spooled, spool full, caught up with, another one', () => {
  const down = { ...FACTS.record, state: 'down', reason: 'refused' } as const;
  const [all, some] = [snapshot([node(1, { record: down })]), snapshot([node(1), node(2, { record: down })])];
  expect(titles(all)).toEqual(['bad PostgreSQL is down']);
  expect(findingsOf(all)[0]!.detail).toBe('Writes are refused; reads go on. Refused.');
  expect(titles(some)).toEqual(['warn PostgreSQL is out of reach of node-2']);
  const spool = { ...SPOOL, isOn: true, entries: 7, bytes: 2_048, oldestMs: 9_000 };
  const spooled = snapshot([node(1, { record: down, spool })]);
  expect(titles(spooled)).toEqual(['warn Writes go on without PostgreSQL']);
  expect(findingsOf(spooled)[0]!.detail).toContain(
    '7 keys (2.00 KiB) wait on the replicas’ disks, the oldest for 9 s',
  );
  expect(titles(snapshot([node(1, { record: down, spool: { ...spool, isFull: true } })]))[0]).toContain(
    'bad The spool',
  );
  expect(titles(snapshot([node(1, { spool: { ...spool, isOn: false } })]))).toEqual([
    'note PostgreSQL catches up',
  ]);
  const foreign = { ...FACTS.record, isForeign: true };
  expect(titles(snapshot([node(1, { record: foreign })]))).toEqual(['bad Another PostgreSQL answers']);
});

test('many things at once: the gravest first', () => {
  const nodes = [node(1), node(2, { phase: 'learning' }), node(3, {}, { slow: 'x' })];
  expect(titles(snapshot(nodes, { slotsLost: 1, slotsMoving: 2 }))).toEqual([
    'bad 1 slot without an owner',
    'warn node-3: slow',
    'note node-2: learning',
    'note 2 slots are moving to new owners',
  ]);
});
