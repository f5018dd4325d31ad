/** What a learner offers and what its source leaves out together always give the same as sending everything. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SLOT_COPY_RECORDS_MAX } from '../../core/limits.ts';
import { compareUtf8 } from '../../base/utf8-order.ts';
import type { HeldRecord, LearnFrame } from '../../core/message.ts';
import { ORIGIN_CLIENT, recordOf } from '../../core/record.ts';
import type { SealedRecord } from '../../core/record.ts';
import { heldAtRest } from '../../core/replication/follow.ts';
import type { Storage } from '../../ports/storage.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import { recordKey } from '../../wire/store-codec.ts';
import { madeWhole, summariesOf, readOffer, withoutOffered } from './offered-records.ts';
import type { Offer } from './offered-records.ts';
import type { RecordShelf } from '../store/record-shelf.ts';
import { SlotDigests } from '../store/slot-digests.ts';

const SLOT = 7;

function sealed(key: string, version: number, text = 'value'): SealedRecord {
  const value = new TextEncoder().encode(text);
  return sealRecord(
    recordOf(
      {
        key,
        origin: ORIGIN_CLIENT,
        tombstone: false,
        value,
        createdAt: 1,
        updatedAt: 2,
        expiresAt: 0,
        operationId: null,
        contentType: null,
      },
      version,
    ),
  );
}

function offerOf(records: readonly SealedRecord[]): Offer {
  return { records, keys: records.map(({ record }) => record.key), isWhole: true };
}

function frameOf(parts: Pick<LearnFrame, 'records' | 'same'>): LearnFrame {
  return { kind: 'learnFrame', session: 1, slot: SLOT, afterKey: '', ...parts, last: true };
}

/** A few ordered keys, each at one of a few versions. */
const store = fc
  .uniqueArray(
    fc.record({ key: fc.string({ minLength: 1, maxLength: 3 }), version: fc.integer({ min: 1, max: 3 }) }),
    {
      selector: ({ key }) => key,
      maxLength: 12,
    },
  )
  .map((rows) =>
    rows
      .sort((a, b) => compareUtf8(a.key, b.key))
      .map(({ key, version }) => sealed(key, version, `${version}`)),
  );

test('whatever the two hold, the completed frame is the one that would have been sent without an offer', () => {
  fc.assert(
    fc.property(store, store, (here, there) => {
      const held = there.map((each) => heldAtRest(each));
      const parts = withoutOffered(held, summariesOf(offerOf(here)));
      expect(parts.records.length + parts.same.length).toBe(held.length);
      const whole = madeWhole(frameOf(parts), offerOf(here));
      expect(whole?.records.map(({ sealed: each }) => each.bytes)).toEqual(there.map(({ bytes }) => bytes));
      expect(whole?.records.every(({ valid }) => valid)).toBe(true);
    }),
  );
});

test('what is in flight at the source is sent, and said to be, also where the learner has the same record', () => {
  const record = sealed('key', 4);
  const inFlight: HeldRecord = { ...heldAtRest(record), valid: false };
  expect(withoutOffered([inFlight], summariesOf(offerOf([record])))).toEqual({
    records: [inFlight],
    same: [],
  });
});

test('another version with one checksum, or another checksum at one version, is not the same record', () => {
  const record = sealed('key', 4);
  const held = [heldAtRest(record)];
  const summaries = [
    { version: 3, checksum: record.checksum },
    { version: 4, checksum: record.checksum ^ 1 },
  ];
  for (const summary of summaries) expect(withoutOffered(held, [summary]).same).toEqual([]);
});

test('a source refers to an offered record under another key: it is not taken for that record', () => {
  const offer = offerOf([sealed('key', 4)]);
  expect(madeWhole(frameOf({ records: [], same: [{ index: 0, key: 'other' }] }), offer)).toBeUndefined();
  expect(madeWhole(frameOf({ records: [], same: [{ index: 1, key: 'key' }] }), offer)).toBeUndefined();
});

test('a damaged record is not offered, but is among what this disk holds; of an empty slot the disk is not asked', () => {
  const good = sealed('good', 1);
  const bad = Uint8Array.from(sealed('zbad', 1).bytes);
  bad[bad.length - 1]! ^= 1;
  const scans: string[] = [];
  const storage = {
    scan: (from, _to, _count, _bytes, done) => {
      scans.push(from);
      done(null, [
        { key: recordKey(SLOT, 'good'), value: good.bytes },
        { key: recordKey(SLOT, 'zbad'), value: bad },
      ]);
    },
  } as Pick<Storage, 'scan'> as Storage;
  const digests = new SlotDigests();
  const shelf = { digests } as RecordShelf;
  const offers: Offer[] = [];
  const read = (afterKey: string): void =>
    readOffer(SLOT, afterKey, shelf, storage, (offer) => void offers.push(offer));
  read('');
  digests.add(SLOT, 1, good.checksum, false);
  read('after');
  expect(offers[0]).toEqual({ records: [], keys: [], isWhole: true });
  expect(offers[1]).toMatchObject({ keys: ['good', 'zbad'], isWhole: true });
  expect(offers[1]!.records.map(({ record }) => record.key)).toEqual(['good']);
  expect(scans).toEqual([`${recordKey(SLOT, 'after')}\u0000`]);
});

test('a disk that cannot be read, and a page that others may follow, say nothing of all that is held', () => {
  const digests = new SlotDigests();
  digests.add(SLOT, 1, 1, false);
  const value = sealed('key', 1).bytes;
  const page = Array.from({ length: SLOT_COPY_RECORDS_MAX }, () => ({ key: recordKey(SLOT, 'key'), value }));
  const failing = {
    scan: (...[, , , , done]) => done({ kind: 'io', message: 'broken' }, []),
  } as Pick<Storage, 'scan'> as Storage;
  const long = { scan: (...[, , , , done]) => done(null, page) } as Pick<Storage, 'scan'> as Storage;
  const wholes: boolean[] = [];
  for (const storage of [failing, long])
    readOffer(SLOT, '', { digests } as RecordShelf, storage, ({ isWhole }) => wholes.push(isWhole));
  expect(wholes).toEqual([false, false]);
});
