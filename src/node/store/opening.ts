/**
 * What a node reads from its own disk before it sends anything: every record once, for the digests and the highest
 * counter, the in-flight entries that an earlier process left, and how much it remembers of operations. (DESIGN section
 * 5, PROTOCOL R12)
 */
import type { SlotFloor } from '../../core/upkeep/floors.ts';
import { RECORD_WITNESS_COUNT } from '../../core/limits.ts';
import type { Storage, StorageError } from '../../ports/storage.ts';
import { OPERATIONS_FROM, OPERATIONS_TO } from '../../wire/operation-codec.ts';
import { openRecord } from '../../wire/record-codec.ts';
import { SPOOL_FROM, SPOOL_TO } from '../../wire/spool-codec.ts';
import {
  FLOORS_FROM,
  FLOORS_TO,
  FORGOTTEN_FROM,
  FORGOTTEN_TO,
  LIFE_SEEN_KEY,
  SUPERSEDED_FROM,
  SUPERSEDED_TO,
  COUNTERS_NAME,
  IN_FLIGHT_FROM,
  IN_FLIGHT_TO,
  RECORDS_FROM,
  RECORDS_TO,
  batchOfInFlightKey,
  decodeCounters,
  decodeFloor,
  decodeInFlight,
  metaKey,
  splitRecordKey,
} from '../../wire/store-codec.ts';
import type { InFlightWrite } from '../../wire/store-codec.ts';
import { decodeTopology, encodeTopology } from '../../wire/topology-codec.ts';
import { ExpiryTimes } from './expiry-times.ts';
import type { FloorsFound } from './floor-store.ts';
import { isMetaDamaged } from '../membership/disk.ts';
import type { NodeParts } from '../node-parts.ts';
import type { ShelfIndexes } from './record-shelf.ts';
import { RecordWitnesses } from '../system-of-record/record-witnesses.ts';
import { SlotDigests } from './slot-digests.ts';
import { SlotTombstones } from './slot-tombstones.ts';
import { SpoolTally } from '../spool/marks.ts';
import type { SupersededFound } from '../recovery/superseded-slots.ts';

/** What the parts of a node start with. */
export interface Stock extends ShelfIndexes {
  readonly opened: Opened;
  readonly witnesses: RecordWitnesses;
}

const SCAN_ENTRIES = 2_000;
const SCAN_BYTES = 4 * 1024 * 1024;

export interface Opened extends FloorsFound {
  readonly versionHighest: number;
  /** The highest counter whose version an earlier process may have told to others. (PROTOCOL R8) */
  readonly countersReservedThrough: number;
  /** Keys of the most recently changed records, by their coordinators' clocks. */
  readonly newestKeys: readonly string[];
  readonly batchHighest: number;
  readonly inFlight: readonly { readonly batch: number; readonly writes: readonly InFlightWrite[] }[];
  readonly damagedCount: number;
  /** Bytes of remembered operations: names and entries. */
  readonly operationBytes: number;
  /** Sums over the marks of what PostgreSQL lacks. */
  readonly spooled: SpoolTally;
  readonly superseded: SupersededFound;
}

export interface RecordSeen {
  readonly slot: number;
  readonly key: string;
  readonly version: number;
  readonly checksum: number;
  /** 0 if the record never expires, or is a deletion. */
  readonly expiresAt: number;
  /** Wall-clock ms at which the key was deleted; 0 if it was not. */
  readonly deletedAt: number;
}

/**
 * `stock` is null if the store cannot be read; then the error says why, and whether it is damaged rather than out of
 * reach.
 */
export function takeStock(
  { storage, telemetry }: Pick<NodeParts, 'storage' | 'telemetry'>,
  done: (fault: StorageError | null, stock: Stock | null) => void,
): void {
  const digests = new SlotDigests();
  const expiryTimes = new ExpiryTimes();
  const tombstones = new SlotTombstones();
  const note = (seen: RecordSeen): void => {
    digests.add(seen.slot, seen.version, seen.checksum, seen.deletedAt !== 0);
    if (seen.expiresAt !== 0) expiryTimes.note(seen.slot, seen.expiresAt);
    if (seen.deletedAt !== 0) tombstones.add(seen.slot, seen.deletedAt);
  };
  readStore(storage, note, (error, opened) => {
    if (error !== null || opened === null) return done(error, null);
    if (isMetaDamaged(storage, { encode: encodeTopology, decode: decodeTopology }))
      return done({ kind: 'damaged', message: 'what the store keeps of the membership is damaged' }, null);
    const { damagedCount } = opened;
    digests.isPartial = damagedCount > 0;
    if (damagedCount > 0) telemetry.event('error', 'store.damaged', { records: damagedCount });
    done(null, {
      opened,
      superseded: opened.superseded,
      witnesses: new RecordWitnesses(opened.newestKeys),
      digests,
      expiryTimes,
      tombstones,
    });
  });
}

export function readStore(
  storage: Storage,
  onRecord: (seen: RecordSeen) => void,
  done: (error: StorageError | null, opened: Opened | null) => void,
): void {
  let versionHighest = 0;
  const newest = new NewestKeys();
  let damagedCount = 0;
  scanAll(
    storage,
    RECORDS_FROM,
    RECORDS_TO,
    (stored, value) => {
      const sealed = openRecord(value);
      if (sealed === undefined) {
        damagedCount += 1;
        return;
      }
      const { version, tombstone, updatedAt } = sealed.record;
      newest.note(sealed.record.key, updatedAt);
      const expiresAt = tombstone ? 0 : sealed.record.expiresAt;
      const deletedAt = tombstone ? Math.max(1, updatedAt) : 0;
      versionHighest = Math.max(versionHighest, version);
      onRecord({ ...splitRecordKey(stored), version, checksum: sealed.checksum, expiresAt, deletedAt });
    },
    (error) => {
      if (error !== null) return done(error, null);
      readInFlight(storage, (inFlightError, inFlight, batchHighest) => {
        if (inFlightError !== null) return done(inFlightError, null);
        readOperations(storage, (operationsError, operationBytes) => {
          if (operationsError !== null) return done(operationsError, null);
          readFloors(storage, (floorsError, found) => {
            if (floorsError !== null) return done(floorsError, null);
            const newestKeys = newest.keys();
            readSpoolMarks(storage, (spoolError, spooled) => {
              if (spoolError !== null) return done(spoolError, null);
              const seen = {
                versionHighest,
                newestKeys,
                batchHighest,
                inFlight,
                damagedCount,
                operationBytes,
              };
              const countersReservedThrough = readCounters(storage);
              if (countersReservedThrough === undefined)
                return done(
                  { kind: 'damaged', message: 'the reserved counters in the store are damaged' },
                  null,
                );
              readSuperseded(storage, (supersededError, superseded) =>
                done(supersededError, { ...seen, ...found, spooled, countersReservedThrough, superseded }),
              );
            });
          });
        });
      });
    },
  );
}

/** Keeps the few newest of very many entries, which come in any order. */
class NewestKeys {
  private readonly found: { readonly key: string; readonly at: number }[] = [];
  private oldest = -Infinity;

  note(key: string, at: number): void {
    if (this.found.length === RECORD_WITNESS_COUNT) {
      if (at <= this.oldest) return;
      this.found.splice(
        this.found.findIndex((each) => each.at === this.oldest),
        1,
      );
    }
    this.found.push({ key, at });
    if (this.found.length === RECORD_WITNESS_COUNT)
      this.oldest = Math.min(...this.found.map((each) => each.at));
  }

  keys(): string[] {
    return this.found.map((each) => each.key);
  }
}

function readInFlight(
  storage: Storage,
  done: (error: StorageError | null, inFlight: Opened['inFlight'], batchHighest: number) => void,
): void {
  const found: { batch: number; writes: readonly InFlightWrite[] }[] = [];
  let damaged = false;
  let batchHighest = 0;
  scanAll(
    storage,
    IN_FLIGHT_FROM,
    IN_FLIGHT_TO,
    (stored, value) => {
      const batch = batchOfInFlightKey(stored);
      batchHighest = Math.max(batchHighest, batch);
      const writes = decodeInFlight(value);
      if (writes === undefined) damaged = true;
      else found.push({ batch, writes });
    },
    (error) => {
      const fault: StorageError | null = damaged
        ? { kind: 'damaged', message: 'an in-flight entry of the store is damaged' }
        : error;
      done(fault, found, batchHighest);
    },
  );
}

function readFloors(storage: Storage, done: (error: StorageError | null, found: FloorsFound) => void): void {
  const floors: SlotFloor[] = [];
  const forgotten: SlotFloor[] = [];
  let damaged = false;
  const onFloor = (stored: string, value: Uint8Array): void => {
    const floor = decodeFloor(stored, value);
    if (floor === undefined) damaged = true;
    else floors.push(floor);
  };
  // A damaged entry counts as none: knowing it is not essential.
  const onForgotten = (stored: string, value: Uint8Array): void => {
    const floor = decodeFloor(stored, value);
    if (floor !== undefined) forgotten.push(floor);
  };
  scanAll(storage, FLOORS_FROM, FLOORS_TO, onFloor, (error) => {
    const fault: StorageError | null = damaged
      ? { kind: 'damaged', message: 'a floor in the store is damaged' }
      : error;
    if (fault !== null) return done(fault, { floors, forgotten });
    scanAll(storage, FORGOTTEN_FROM, FORGOTTEN_TO, onForgotten, (later) =>
      done(later, { floors, forgotten }),
    );
  });
}

function readCounters(storage: Storage): number | undefined {
  const bytes = storage.get(metaKey(COUNTERS_NAME));
  return bytes === undefined ? 0 : decodeCounters(bytes);
}

function readOperations(
  storage: Storage,
  done: (error: StorageError | null, byteCount: number) => void,
): void {
  let byteCount = 0;
  scanAll(
    storage,
    OPERATIONS_FROM,
    OPERATIONS_TO,
    (stored, value) => {
      byteCount += stored.length + value.length;
    },
    (error) => done(error, byteCount),
  );
}

function readSpoolMarks(
  storage: Storage,
  done: (error: StorageError | null, tally: SpoolTally) => void,
): void {
  const tally = new SpoolTally();
  const add = (stored: string, value: Uint8Array): void => tally.found(stored, value);
  scanAll(storage, SPOOL_FROM, SPOOL_TO, add, (error) => done(error, tally));
}

function readSuperseded(
  storage: Storage,
  done: (error: StorageError | null, found: SupersededFound) => void,
): void {
  const keys: { slot: number; key: string }[] = [];
  const life = storage.get(LIFE_SEEN_KEY);
  // If damaged, no life counts as examined: then too much may count as superseded, never too little.
  const lifeSeen = life === undefined ? 0 : (decodeCounters(life) ?? 0);
  const add = (stored: string): void => {
    if (stored !== LIFE_SEEN_KEY) keys.push(splitRecordKey(stored));
  };
  scanAll(storage, SUPERSEDED_FROM, SUPERSEDED_TO, add, (error) => done(error, { lifeSeen, keys }));
}

function scanAll(
  storage: Storage,
  from: string,
  to: string,
  onEntry: (key: string, value: Uint8Array) => void,
  done: (error: StorageError | null) => void,
): void {
  storage.scan(from, to, SCAN_ENTRIES, SCAN_BYTES, (error, entries) => {
    if (error !== null) return done(error);
    for (const entry of entries) onEntry(entry.key, entry.value);
    const last = entries.at(-1);
    if (last === undefined) return done(null);
    scanAll(storage, last.key + '\u0000', to, onEntry, done);
  });
}
