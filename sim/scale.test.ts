/** The quick form of `npm run scale`: what its tables show must be true, at a few sizes. */
import { expect, test } from 'vitest';
import { HEARTBEAT_MS, LEASE_MS, SUSPECT_AFTER_MS } from '../src/core/limits.ts';
import { membershipAt, membershipTable, placementAt, placementTable } from './scale.ts';

test.each([3, 10, 1_000])(
  '%d nodes: all have their share, and a change moves little more than one share',
  (nodes) => {
    const { fullest, emptiest, fairShare, movedByJoin, movedByLeave } = placementAt(nodes);
    expect(fullest).toBeLessThan(1.06);
    expect(emptiest).toBeGreaterThan(0.9);
    expect(movedByJoin).toBeLessThan(fairShare * 1.2);
    expect(movedByLeave).toBeLessThan(fairShare * 1.2);
  },
);

test.each([3, 20])(
  '%d members: each asks every other one at its heartbeats, and a death is soon known to all',
  (nodes) => {
    const { messagesPerSecond, halfKnowMs, allKnowMs } = membershipAt(nodes);
    // One question and one answer for every other member at each heartbeat, and little else.
    const exchanged = 2 * (nodes - 1) * (1_000 / HEARTBEAT_MS);
    expect(messagesPerSecond / exchanged).toBeGreaterThan(0.8);
    expect(messagesPerSecond / exchanged).toBeLessThan(1.4);
    expect(halfKnowMs).toBeLessThanOrEqual(allKnowMs);
    expect(allKnowMs).toBeLessThan(SUSPECT_AFTER_MS + LEASE_MS);
  },
);

test('tables: one line a size, as many cells as the head', () => {
  for (const table of [
    placementTable([placementAt(3), placementAt(4)]),
    membershipTable([membershipAt(3)]),
  ]) {
    const lines = table.trimEnd().split('\n');
    expect(new Set(lines.map((line) => line.split('|').length)).size).toBe(1);
    expect(lines.slice(2).map((line) => line.split(' ')[1])).toEqual(lines.length === 4 ? ['3', '4'] : ['3']);
  }
});
