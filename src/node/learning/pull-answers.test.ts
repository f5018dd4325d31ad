/** What an owner reads from disk, and answers, when a learner requests several slots at once. */
import { expect, test } from 'vitest';
import { SLOT_COPY_BYTES_MAX, SLOT_COPY_RECORDS_MAX } from '../../core/limits.ts';
import type { LearnPull, PeerMessage } from '../../core/message.ts';
import { ORIGIN_CLIENT } from '../../core/record.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { Storage, StorageEntry } from '../../ports/storage.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import { recordKey, slotRange } from '../../wire/store-codec.ts';
import { PullAnswers } from './pull-answers.ts';
import type { RecordShelf } from '../store/record-shelf.ts';
import { SlotDigests } from '../store/slot-digests.ts';

const LEARNER = 4;

interface Scene {
  readonly answers: PullAnswers;
  /** First and last slot of each scan. */
  readonly scans: string[];
  readonly sent: string[];
  readonly damaged: string[];
  readonly topology: { epoch: number };
  put(slot: number, key: string, valueBytes?: number): void;
  damage(slot: number, key: string): void;
  ask(slots: readonly number[], afterKey?: string, from?: number): void;
}

/** A disk that answers at once, within the bounds of a scan. */
function begin(): Scene {
  const entries: StorageEntry[] = [];
  const scans: string[] = [];
  const sent: string[] = [];
  const damaged: string[] = [];
  const digests = new SlotDigests();
  const topology = { epoch: 7 };
  const storage = {
    scan: (...[from, to, countMax, bytesMax, done]: Parameters<Storage['scan']>) => {
      const slotAt = (text: string): string => String(parseInt(text.slice(1, 5), 16));
      scans.push(`${slotAt(from)} to ${slotAt(to)}`);
      const found: StorageEntry[] = [];
      let byteCount = 0;
      for (const entry of entries.sort((a, b) => (a.key < b.key ? -1 : 1))) {
        if (entry.key < from || entry.key >= to) continue;
        if (found.length >= countMax || byteCount >= bytesMax) break;
        found.push(entry);
        byteCount += entry.value.length;
      }
      done(null, found);
    },
  } as unknown as Storage;
  const shelf = { digests, noticeDamage: (key: string) => void damaged.push(key) } as unknown as RecordShelf;
  const replica = { view: { topology }, stateOf: () => undefined } as unknown as Replica;
  const send = (to: number, message: PeerMessage): void => void sent.push(told(to, message));
  const answers = new PullAnswers(storage, shelf, send, {});
  const put = (slot: number, key: string, valueBytes = 10): void => {
    const sealed = sealRecord({
      ...{ key, version: 4097, origin: ORIGIN_CLIENT, tombstone: false, value: new Uint8Array(valueBytes) },
      ...{ createdAt: 1, updatedAt: 1, expiresAt: 0, operationId: null, contentType: null },
    });
    entries.push({ key: recordKey(slot, key), value: sealed.bytes });
    digests.add(slot, 4097, sealed.checksum, false);
  };
  const damage = (slot: number, key: string): void => {
    const entry = entries.find((each) => each.key === recordKey(slot, key))!;
    entry.value[20]! ^= 1;
  };
  const ask = (slots: readonly number[], afterKey = '', from = LEARNER): void => {
    for (const slot of slots) answers.add(from, replica, pullOf(slot, afterKey));
  };
  return { answers, scans, sent, damaged, topology, put, damage, ask };
}

function pullOf(slot: number, afterKey: string): LearnPull {
  return { kind: 'learnPull', session: 7, slot, afterKey, offered: [] };
}

function told(to: number, message: PeerMessage): string {
  if (message.kind === 'learnRefused') return `${to}: ${message.slot} refused, ${message.reason}`;
  if (message.kind !== 'learnFrame') throw new Error(`a ${message.kind} was sent`);
  const { slot, records, last } = message;
  const keys =
    records.length > 3 ? [`${records.length} records`] : records.map((each) => each.sealed.record.key);
  return `${to}: ${slot} [${keys.join(' ')}]${last ? '' : ' and more'}`;
}

test('slots beside each other are read with one scan, and each is answered by itself, empty ones as well', () => {
  const scene = begin();
  scene.put(5, 'a');
  scene.put(5, 'b');
  scene.put(7, 'c');
  scene.ask([7, 5, 6, 8]);
  scene.answers.begin();
  expect(scene.scans).toEqual(['5 to 9']);
  expect(scene.sent).toEqual(['4: 5 [a b]', '4: 6 []', '4: 7 [c]', '4: 8 []']);
});

test('slots that are apart, or requested by two members, or continued, need a scan of their own', () => {
  const scene = begin();
  scene.put(5, 'a');
  scene.put(6, 'b');
  scene.put(6, 'c');
  scene.ask([5, 7]);
  scene.ask([6], 'b');
  scene.ask([8], '', 3);
  scene.answers.begin();
  expect(scene.scans).toEqual(['8 to 9', '5 to 6', '6 to 8']);
  expect(scene.sent).toEqual(['3: 8 []', '4: 5 [a]', '4: 6 [c]', '4: 7 []']);
});

test('no more slots are read together than a page takes', () => {
  const scene = begin();
  for (const slot of [5, 6, 7])
    for (let at = 0; at < SLOT_COPY_RECORDS_MAX / 2 - 1; at += 1) scene.put(slot, `${slot}-${at}`);
  scene.ask([5, 6, 7]);
  scene.answers.begin();
  expect(scene.scans).toEqual(['5 to 7', '7 to 8']);
  expect(scene.sent).toEqual(['4: 5 [249 records]', '4: 6 [249 records]', '4: 7 [249 records]']);
});

test('a scan ends within a slot: that slot must be continued, and later ones are still read', () => {
  const scene = begin();
  scene.put(5, 'a');
  scene.put(6, 'b', SLOT_COPY_BYTES_MAX);
  scene.put(6, 'c', SLOT_COPY_BYTES_MAX);
  scene.put(6, 'd');
  scene.put(7, 'e');
  scene.ask([5, 6, 7]);
  scene.answers.begin();
  expect(scene.scans).toEqual(['5 to 8', '7 to 8']);
  // One page cannot hold more of this slot in addition to the others.
  expect(scene.sent).toEqual(['4: 5 [a]', '4: 6 [b] and more', '4: 7 [e]']);
});

test('a record is damaged: its slot alone is refused', () => {
  const scene = begin();
  scene.put(5, 'a');
  scene.put(6, 'b');
  scene.put(7, 'c');
  scene.damage(6, 'b');
  scene.ask([5, 6, 7]);
  scene.answers.begin();
  expect(scene.sent).toEqual(['4: 5 [a]', '4: 6 refused, a record is damaged', '4: 7 [c]']);
  expect(scene.damaged).toEqual(['b']);
});

test('another epoch has begun since the request: nothing is answered', () => {
  const scene = begin();
  scene.put(5, 'a');
  scene.ask([5, 6]);
  scene.topology.epoch = 8;
  scene.answers.begin();
  expect(scene.sent).toEqual([]);
});

test('the last slot ends where the records end', () => {
  const scene = begin();
  scene.ask([16_383]);
  scene.answers.begin();
  expect(slotRange(16_383).to).toBe('s');
  expect(scene.sent).toEqual(['4: 16383 []']);
});
