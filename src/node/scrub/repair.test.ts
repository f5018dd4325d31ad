/** What an owner reports about a record that is damaged elsewhere: never anything that its own disk may still lose. */
import { expect, test } from 'vitest';
import type { PeerMessage } from '../../core/message.ts';
import type { Mutations } from '../../core/mutations.ts';
import { restingState } from '../../core/replication/key-state.ts';
import type { Replica } from '../../core/replication/replica.ts';
import { slotOf } from '../../core/placement/slots.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import { Repair } from './repair.ts';
import type { RepairParts } from './repair.ts';

const SEALED = sealRecord({
  ...{ key: 'key', version: 8193, tombstone: false, expiresAt: 0, createdAt: 1, updatedAt: 1 },
  ...{ origin: 0, operationId: null, contentType: null, value: Buffer.from('in flight') },
});

/** An owner is asked for a version that it holds in flight, and then another epoch comes, or does not. */
function askedWhileStoring(mutations: Mutations = {}): {
  sent: PeerMessage[];
  stored: () => void;
  epoch: () => void;
} {
  const sent: PeerMessage[] = [];
  const waiting: (() => void)[] = [];
  const state = { ...restingState('key', slotOf('key'), SEALED, 0), durable: 4097, valid: false };
  const viewOf = (): unknown => ({ row: () => ({ owns: true }) });
  const replica = { view: viewOf(), stateOf: () => state };
  const repair = new Repair({
    shelf: { whenStored: (done: () => void) => void waiting.push(done) },
    replica: () => replica as unknown as Replica,
    send: (_to: number, message: PeerMessage) => void sent.push(message),
    mutations,
  } as unknown as RepairParts);
  repair.onPull(2, { kind: 'repairPull', key: 'key' });
  const stored = (): void => waiting.splice(0).forEach((done) => done());
  return { sent, stored, epoch: () => void (replica.view = viewOf()) };
}

test('a version is on its way to the disk of an owner that is asked for it: told once it is there', () => {
  const { sent, stored } = askedWhileStoring();
  expect(sent).toEqual([]);
  stored();
  expect(sent).toMatchObject([{ kind: 'repairRecord', held: { sealed: SEALED, valid: false } }]);
  expect(askedWhileStoring({ tellUnstored: true }).sent).toHaveLength(1);
});

test('another epoch comes before it is there: nothing is told', () => {
  const { sent, stored, epoch } = askedWhileStoring();
  epoch();
  stored();
  expect(sent).toEqual([]);
});
