/** Which leftovers of a disk are from before their slot was given up, epoch by epoch. (PROTOCOL R28) */
import { describe, expect, test } from 'vitest';
import type { SlotRow, Topology } from '../../core/membership/topology.ts';
import { LIFE_SEEN_KEY, supersededKey } from '../../wire/store-codec.ts';
import { SupersededSlots } from './superseded-slots.ts';

const SELF = 1;
const OTHER = 2;
const SLOT = 7;
const EMPTY = 8;

interface Epoch {
  readonly complete: readonly number[];
  readonly life?: number;
}

function topologyOf({ complete, life = 1 }: Epoch): Topology {
  const row: SlotRow = { owners: [OTHER, SELF], complete };
  return { epoch: 1, life, clusterId: `c${life}`, rows: [row], slotRow: new Uint16Array(16_384) } as never;
}

function after(...epochs: readonly Epoch[]) {
  const entries = new Map<string, Uint8Array | null>();
  const slots = new SupersededSlots({ putEntry: (key, bytes) => void entries.set(key, bytes) });
  epochs.forEach((each, at) => {
    const previous = at === 0 ? null : topologyOf(epochs[at - 1]!);
    const of = { selfId: SELF, lifeFirst: 1, holds: (slot: number) => slot !== EMPTY };
    slots.onTopology(topologyOf(each), previous, of);
  });
  return { slots, entries };
}

const GIVEN_UP = { complete: [] };
const MADE_WHOLE = { complete: [OTHER] };

describe('a slot is given up', () => {
  test('another node makes it whole: leftovers here are superseded, but not in a slot of which nothing is held', () => {
    const { slots, entries } = after({ complete: [OTHER] }, GIVEN_UP, MADE_WHOLE);
    expect([slots.has(SLOT), slots.has(EMPTY)]).toEqual([true, false]);
    expect(entries.get(supersededKey(SLOT, ''))).not.toBeUndefined();
  });

  test('nobody has made it whole yet, or this one did: it counts', () => {
    expect(after({ complete: [OTHER] }, GIVEN_UP, GIVEN_UP).slots.has(SLOT)).toBe(false);
    expect(after({ complete: [OTHER] }, GIVEN_UP, { complete: [SELF] }).slots.has(SLOT)).toBe(false);
  });

  test('its owners came back, for nobody had given them up: it counts', () => {
    expect(after({ complete: [OTHER] }, { complete: [OTHER, SELF] }, MADE_WHOLE).slots.has(SLOT)).toBe(false);
  });
});

test('a later life of the cluster is heard of, in which others have the slot: leftovers are superseded, once', () => {
  const { slots, entries } = after({ complete: [SELF] }, { complete: [OTHER], life: 2 });
  expect(slots.has(SLOT)).toBe(true);
  slots.drop(SLOT);
  const now = topologyOf({ complete: [OTHER], life: 2 });
  slots.onTopology(now, now, { selfId: SELF, lifeFirst: 1, holds: () => true });
  expect(slots.has(SLOT)).toBe(false);
  expect(entries.get(LIFE_SEEN_KEY)).not.toBeUndefined();
});

test('what is written since counts, by the next process as well; and once the slot is copied nothing is noted any more', () => {
  const { slots, entries } = after(GIVEN_UP, MADE_WHOLE);
  slots.noteWritten(SLOT, 'new');
  expect([slots.hasKey(SLOT, 'new'), slots.hasKey(SLOT, 'old')]).toEqual([false, true]);
  const found = { lifeSeen: 1, keys: ['', 'new'].map((key) => ({ slot: SLOT, key })) };
  const next = new SupersededSlots({ putEntry: () => undefined }, found);
  expect([next.hasKey(SLOT, 'new'), next.hasKey(SLOT, 'old')]).toEqual([false, true]);
  slots.drop(SLOT);
  expect(slots.hasKey(SLOT, 'old')).toBe(false);
  expect(entries.get(supersededKey(SLOT, 'new'))).toBeNull();
  expect(entries.get(supersededKey(SLOT, ''))).toBeNull();
});
