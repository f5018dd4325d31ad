/**
 * How a learner handles a copy that conflicts with what it holds. Learning as a whole:
 * `sim/scenarios/learning.test.ts`.
 */
import { describe, expect, test } from 'vitest';
import { founded } from '../../../test/support/founded.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import type { HeldRecord } from '../message.ts';
import { ORIGIN_CLIENT } from '../record.ts';
import type { SealedRecord } from '../record.ts';
import { slotOf } from '../placement/slots.ts';
import { makeVersion } from '../version.ts';
import type { ReplicaEffects, StoredWrite } from './context.ts';
import { heldAtRest } from './follow.ts';
import { Replica } from './replica.ts';
import { SlotView } from './slot-view.ts';

const KEY = 'k';
const SLOT = slotOf(KEY);

function sealed(counter: number, value: string): SealedRecord {
  return sealRecord({
    ...{ key: KEY, version: makeVersion(counter, 1), origin: ORIGIN_CLIENT, tombstone: false },
    ...{ value: Buffer.from(value), createdAt: 1, updatedAt: 1, expiresAt: 0 },
    ...{ operationId: null, contentType: null },
  });
}

const pending = (record: SealedRecord): HeldRecord => ({ ...heldAtRest(record), valid: false });

function learner(load: () => SealedRecord | undefined | 'damaged'): {
  replica: Replica;
  stored: SealedRecord[];
  events: string[];
} {
  const stored: SealedRecord[] = [];
  const events: string[] = [];
  const effects = {
    load,
    store: (write: StoredWrite) => stored.push(write.sealed),
    endInFlight: () => undefined,
    settled: () => undefined,
    event: (_level: string, name: string) => events.push(name),
    now: () => 0,
    writesThrough: () => false,
  } as unknown as ReplicaEffects;
  const view = new SlotView(founded(3), 2);
  return { replica: new Replica(effects, {}, { id: 2, incarnation: 1 }, view), stored, events };
}

describe('a copy', () => {
  test('in flight at the source, damaged here: the copy does not replace the record as if it were at rest', () => {
    const { replica, stored } = learner(() => 'damaged');
    expect(replica.copy(SLOT, pending(sealed(5, 'new')))).toBe(true);
    expect(stored).toEqual([]);
    expect(replica.keysInFlight).toBe(0);
    // The replica still remembers the refused copy's counter, so that a version above it is not taken for a jump.
    expect(replica.copy(SLOT, heldAtRest(sealed(6, 'newer')))).toBe(false);
  });

  test('the version in flight here, with different content: neither becomes readable, and an error is logged', () => {
    const { replica, stored, events } = learner(() => sealed(5, 'mine'));
    replica.restoreInFlight(SLOT, pending(sealed(5, 'mine')), [1]);
    expect(replica.copy(SLOT, heldAtRest(sealed(5, 'theirs')))).toBe(true);
    expect(replica.isInvalid(KEY)).toBe(true);
    expect(events).toEqual(['replication.checksum_conflict']);
    expect(stored).toEqual([]);
  });

  test('the version in flight here, with the same content, at rest at the source: it becomes readable', () => {
    const { replica, events } = learner(() => sealed(5, 'same'));
    replica.restoreInFlight(SLOT, pending(sealed(5, 'same')), [1]);
    expect(replica.copy(SLOT, heldAtRest(sealed(5, 'same')))).toBe(true);
    expect([replica.isInvalid(KEY), events]).toEqual([false, []]);
  });
});
