/**
 * Counts and times what a node asks of its disk, of PostgreSQL and of its peers, which reveals batches that are too
 * small or too slow.
 */
import type { Storage } from '../src/ports/storage.ts';
import type { SystemOfRecord } from '../src/ports/system-of-record.ts';
import type { Transport } from '../src/ports/transport.ts';

export interface Meter {
  calls: number;
  /** Entries of batches, rows of statements, bytes of frames. */
  items: number;
  /** Total time from the calls to their answers. */
  ms: number;
}

export function newMeter(): Meter {
  return { calls: 0, items: 0, ms: 0 };
}

export function meteredStorage(inner: Storage, meter: Meter): Storage {
  return {
    get: (key) => inner.get(key),
    scan: (from, to, entryCountMax, byteCountMax, done) =>
      inner.scan(from, to, entryCountMax, byteCountMax, done),
    close: (done) => inner.close(done),
    write: (keys, values, done) => {
      const startedAt = performance.now();
      const items = keys.length;
      inner.write(keys, values, (error) => {
        count(meter, items, startedAt);
        done(error);
      });
    },
  };
}

export function meteredRecord(inner: SystemOfRecord, meter: Meter): SystemOfRecord {
  return {
    edits: inner.edits,
    scrub: inner.scrub,
    health: () => inner.health(),
    tryWriting: (done) => inner.tryWriting(done),
    read: (keys, done) => inner.read(keys, done),
    scan: (after, rowCountMax, done) => inner.scan(after, rowCountMax, done),
    statementMsMax: inner.statementMsMax,
    readFloors: (slots, done) => inner.readFloors(slots, done),
    raiseFloors: (life, floors, done) => inner.raiseFloors(life, floors, done),
    removeRows: (life, rows, settledMs, done) => inner.removeRows(life, rows, settledMs, done),
    seen: () => inner.seen(),
    choose: (server) => inner.choose(server),
    survey: (done) => inner.survey(done),
    claim: (expected, claim, done) => inner.claim(expected, claim, done),
    versionsOf: (slot, afterKey, max, done) => inner.versionsOf(slot, afterKey, max, done),
    readLife: (done) => inner.readLife(done),
    signLife: (life, members, done) => inner.signLife(life, members, done),
    found: (expectedLife, clusterId, done) => inner.found(expectedLife, clusterId, done),
    commit: (life, rows, done) => {
      const startedAt = performance.now();
      inner.commit(life, rows, (error, results) => {
        count(meter, rows.length, startedAt);
        done(error, results);
      });
    },
  };
}

/** The sender does not know how long a frame takes. */
export function meteredTransport(inner: Transport, meter: Meter): Transport {
  return {
    start: (hello, handler) => inner.start(hello, handler),
    dial: (name, address) => inner.dial(name, address),
    forget: (name) => inner.forget(name),
    queuedBytes: (name) => inner.queuedBytes(name),
    close: (done) => inner.close(done),
    send: (name, frame) => {
      meter.calls += 1;
      meter.items += frame.length;
      return inner.send(name, frame);
    },
  };
}

function count(meter: Meter, items: number, startedAt: number): void {
  meter.calls += 1;
  meter.items += items;
  meter.ms += performance.now() - startedAt;
}
