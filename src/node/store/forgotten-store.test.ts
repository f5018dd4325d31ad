/** What happens to the note of forgotten deletions when the slot passes through other hands. (PROTOCOL R28) */
import { describe, expect, test } from 'vitest';
import type { SlotRow, Topology } from '../../core/membership/topology.ts';
import { decodeFloor } from '../../wire/store-codec.ts';
import { ForgottenStore } from './forgotten-store.ts';

const SELF = 1;
const OTHER = 2;
const SLOT = 7;
const COUNTER = 40;

interface Epoch {
  readonly epoch: number;
  readonly complete: readonly number[];
  readonly life?: number;
}

function topologyOf({ epoch, complete, life = 1 }: Epoch): Topology {
  const row: SlotRow = { owners: [OTHER, SELF], complete };
  return { epoch, life, clusterId: `c${life}`, rows: [row], slotRow: new Uint16Array(16_384) } as never;
}

/** A disk that has forgotten a deletion, and what remains of the note after these epochs. */
function after(epochs: readonly Epoch[], verified = false): { through: number; stored: number } {
  const entries = new Map<string, Uint8Array | null>();
  const store = new ForgottenStore({ putEntry: (key, bytes) => void entries.set(key, bytes) }, []);
  store.note(SLOT, COUNTER);
  epochs.forEach((each, at) => {
    const previous = at === 0 ? null : topologyOf(epochs[at - 1]!);
    store.onTopology(topologyOf(each), previous, SELF, () => verified);
  });
  const [[key, bytes]] = [...entries] as [[string, Uint8Array | null]];
  return { through: store.through(SLOT), stored: bytes === null ? 0 : decodeFloor(key, bytes)!.counter };
}

const KNOWN = { through: COUNTER, stored: COUNTER };
const GONE = { through: 0, stored: 0 };
const COMPLETE = { epoch: 4, complete: [SELF, OTHER] };
const GIVEN_UP = { epoch: 5, complete: [] };

describe('a slot in which deletions were forgotten here is given up', () => {
  test('this disk had it completely to the end: it knows, and goes on knowing while the slot is made whole', () => {
    expect(after([COMPLETE, GIVEN_UP, { epoch: 6, complete: [] }])).toEqual(KNOWN);
    expect(after([COMPLETE, { epoch: 1_000_004, complete: [], life: 2 }])).toEqual(KNOWN);
  });

  test('it was still copying: its source may have started versions below', () => {
    expect(after([{ epoch: 4, complete: [OTHER] }, GIVEN_UP])).toEqual(GONE);
  });

  test('it had copied this slot already: it knows', () => {
    expect(after([{ epoch: 4, complete: [OTHER] }, GIVEN_UP], true)).toEqual(KNOWN);
  });

  test.each([
    ['in this life of the cluster', GIVEN_UP],
    ['before another life began', { epoch: 1_000_004, complete: [], life: 2 }],
  ])('it has missed epochs %s, in which the slot may have been given up before', (_when, given) => {
    for (const verified of [false, true])
      expect(after([{ ...COMPLETE, epoch: 2 }, given], verified)).toEqual(GONE);
  });

  test('its process has restarted since: nobody knows whether it held the slot to the end', () => {
    expect(after([GIVEN_UP])).toEqual(GONE);
  });

  test('it is copied from an owner with a lower floor: that owner may have started versions below', () => {
    const store = new ForgottenStore({ putEntry: () => undefined }, [{ slot: SLOT, counter: COUNTER }]);
    store.onSource(SLOT, COUNTER);
    expect(store.through(SLOT)).toBe(COUNTER);
    store.onSource(SLOT, COUNTER - 1);
    expect(store.through(SLOT)).toBe(0);
  });
});
