/** What makes a node tell its clients to drop what they keep, rule by rule. */
import { beforeEach, describe, expect, test } from 'vitest';
import { WATCH_UNSURE_EVERY_MS } from './client-limits.ts';
import { KeyWatch } from './key-watch.ts';
import { LEASE_MS } from '../limits.ts';
import type { SlotView } from '../replication/slot-view.ts';

let watch: KeyWatch;
let told: string[];
beforeEach(() => {
  watch = new KeyWatch({});
  told = [];
  watch.listen({
    changed: (key) => told.push(key),
    allChanged: () => told.push('all'),
    settled: (key, version) => told.push(version === 0 ? `settled ${key}` : `settled ${key} ${version}`),
    unsure: () => told.push('unsure'),
  });
});

/** The view of an epoch in which this node owns all slots, or none. */
function viewOf(owns: boolean): SlotView {
  const row = { owns, first: 2 };
  const topology = { epoch: 7, members: [{ id: 2, name: 'owner' }] };
  return { rows: [row], row: () => row, topology, selfId: 1 } as unknown as SlotView;
}

function begin(owns: boolean): void {
  watch.onEpoch(viewOf(owns), true);
  told.length = 0;
}

/** What clients were told since the last call. */
function news(): string[] {
  return told.splice(0);
}

const NO = (): boolean => false;

describe('a key that is kept', () => {
  test('is written: told once, before anybody knows whether the write succeeds', () => {
    begin(true);
    watch.watch('k');
    watch.adopted('other');
    watch.adopted('k');
    watch.adopted('k');
    watch.settled('k', 5);
    expect(news()).toEqual(['k']);
  });

  test('was read at another node that cannot watch it: told at once, for nothing is heard of it here', () => {
    begin(true);
    watch.watch('k');
    expect(watch.handsOver('k', 'owner', false)).toBe(false);
    expect(news()).toEqual(['k']);
  });
});

describe('an epoch', () => {
  test('leaves the slots with this node: nothing is told', () => {
    begin(true);
    watch.watch('k');
    watch.onEpoch(viewOf(true), true);
    expect(news()).toEqual([]);
  });

  test('takes them from it, or was missed, or makes it no member: told', () => {
    begin(true);
    watch.watch('k');
    watch.onEpoch(viewOf(false), true);
    expect(news()).toEqual(['k']);
    begin(true);
    watch.watch('k');
    watch.onEpoch(viewOf(true), false);
    expect(news()).toEqual(['all']);
    watch.watch('k');
    watch.onEpoch(null, false);
    expect(news()).toEqual(['all']);
  });

  test('gives them to it: what was read elsewhere before is told', () => {
    begin(false);
    watch.watch('k');
    watch.onEpoch(viewOf(true), true);
    expect(news()).toEqual(['k']);
  });
});

test('no lease for a moment: nothing; for as long as one lasts: everything, once', () => {
  begin(true);
  watch.watch('k');
  watch.tick(0, LEASE_MS - 1, NO);
  expect(news()).toEqual([]);
  watch.tick(0, LEASE_MS, NO);
  watch.tick(0, Infinity, NO);
  expect(news()).toEqual(['all']);
});

describe('all changes are listened to', () => {
  beforeEach(() => {
    begin(true);
    watch.watchAll(true);
  });

  test('a key changes: told once it can be read, as reads at others may have been answered until then', () => {
    watch.adopted('k');
    expect(news()).toEqual([]);
    watch.settled('k', 5);
    expect(news()).toEqual(['settled k 5']);
    watch.tick(10_000, 0, NO);
    expect(news()).toEqual([]);
  });

  test('it stays in flight: told every second, as it may have been acknowledged', () => {
    watch.adopted('k');
    watch.tick(WATCH_UNSURE_EVERY_MS - 1, 0, () => true);
    expect(news()).toEqual([]);
    watch.tick(WATCH_UNSURE_EVERY_MS, 0, () => true);
    watch.tick(WATCH_UNSURE_EVERY_MS + 10, 0, () => true);
    expect(news()).toEqual(['settled k']);
    watch.tick(2 * WATCH_UNSURE_EVERY_MS, 0, NO);
    watch.tick(3 * WATCH_UNSURE_EVERY_MS, 0, NO);
    expect(news()).toEqual(['settled k']);
  });

  test('not all slots are heard of here, or no lease is held: that anything may have changed, every second', () => {
    watch.onEpoch(viewOf(false), true);
    expect(news()).toEqual(['unsure']);
    for (const now of [0, 10, WATCH_UNSURE_EVERY_MS]) watch.tick(now, 0, NO);
    expect(news()).toEqual(['unsure', 'unsure']);
    watch.onEpoch(viewOf(true), true);
    expect(news()).toEqual(['unsure']);
    watch.tick(10_000, 0, NO);
    expect(news()).toEqual([]);
    watch.tick(10_000, LEASE_MS, NO);
    expect(news()).toEqual(['unsure']);
  });
});
