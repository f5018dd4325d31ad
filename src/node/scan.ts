/**
 * One page of all live records, in the order of slot and key: from this node's store for slots it owns, where they are
 * valid under its lease, otherwise from an owner. A key in flight is waited for, as by any reader; the legacy source is
 * not asked for keys that nobody has read yet. (PROTOCOL R9, R10, R23)
 */
import { failure } from '../core/errors.ts';
import type { Failure } from '../core/errors.ts';
import { SCAN_PAGE_BYTES_MAX, SCAN_PAGE_RECORDS_MAX, SLOT_COUNT } from '../core/limits.ts';
import type { ScanResult } from '../core/operation.ts';
import { isLive } from '../core/record.ts';
import type { KeyRecord } from '../core/record.ts';
import { cursorOf, placeOf, SCAN_START } from '../core/clients/scan-place.ts';
import type { ScanPlace } from '../core/clients/scan-place.ts';
import type { SlotView } from '../core/replication/slot-view.ts';
import type { TraceContext } from '../core/observability/trace-context.ts';
import type { Storage, StorageEntry } from '../ports/storage.ts';
import { RECORDS_TO, recordKey, slotRangeAfter, splitRecordKey } from '../wire/store-codec.ts';
import type { Expiring } from './deadlines.ts';
import { errorOf, scanSpans } from './tracing/flow-spans.ts';
import { startRead } from './get.ts';
import { HOPS_MAX, NOT_READY_MS_MAX, refusalUnready } from './serving.ts';
import type { Serving } from './serving.ts';

const NO_PLACE = 'the place to go on from must be the one that an earlier page ended with';

export interface ScanRequest {
  /** Null for the beginning. */
  readonly after: string | null;
  readonly limit: number;
  readonly timeoutMs: number;
  readonly hops: number;
  readonly trace?: TraceContext | undefined;
}

export function startScan(
  serving: Serving,
  storage: Storage,
  request: ScanRequest,
  done: (result: ScanResult) => void,
): void {
  const place = request.after === null ? SCAN_START : placeOf(request.after);
  if (place === undefined) done({ kind: 'failed', failure: failure('invalid_argument', NO_PLACE) });
  else new Scan(serving, storage, request, place, done).step();
}

class Scan implements Expiring {
  readonly deadlineAt: number;
  private readonly serving: Serving;
  private readonly storage: Storage;
  private readonly request: ScanRequest;
  private readonly place: ScanPlace;
  private readonly limit: number;
  private readonly done: (result: ScanResult) => void;
  private readonly readyUntil: number;
  private readonly spans: ReturnType<typeof scanSpans>;
  private forwarded = 0;
  private ended = false;

  constructor(
    serving: Serving,
    storage: Storage,
    request: ScanRequest,
    place: ScanPlace,
    done: (result: ScanResult) => void,
  ) {
    const now = serving.clock.now();
    this.serving = serving;
    this.storage = storage;
    this.request = request;
    this.place = place;
    this.limit = Math.max(1, Math.min(request.limit, SCAN_PAGE_RECORDS_MAX));
    this.done = done;
    this.spans = scanSpans(serving, request);
    this.deadlineAt = now + request.timeoutMs;
    this.readyUntil = now + Math.min(request.timeoutMs, NOT_READY_MS_MAX);
    serving.deadlines.add(this);
  }

  onDeadline(): void {
    this.fail(failure('read_timeout'));
  }

  step(): void {
    if (this.ended) return;
    const view = this.serving.view();
    if (view === null) return this.notReady();
    const row = view.row(this.place.slot);
    if (row.owns && this.serving.leaseHeld()) return this.readHere(view);
    const others = row.owners.filter((id) => id !== view.selfId);
    if (others.length === 0) return this.notReady();
    this.forward(others[Math.floor(this.serving.random.next() * others.length)]!);
  }

  private forward(target: number): void {
    const peer = this.serving.nameOf(target);
    const { hops } = this.request;
    if (peer === undefined || hops >= HOPS_MAX) return this.notReady();
    const timeoutMs = Math.max(1, this.deadlineAt - this.serving.clock.now());
    const after = cursorOf(this.place);
    const { forwarder } = this.serving;
    const onPage = (result: ScanResult | 'lost'): void => {
      this.forwarded = 0;
      this.spans?.handedBack(errorOf(result));
      if (result === 'lost' || (result.kind === 'failed' && result.failure.code === 'not_ready'))
        this.notReady();
      else this.finish(result);
    };
    const trace = this.spans?.handOver(peer);
    this.forwarded = forwarder.scan(peer, after, this.limit, hops + 1, timeoutMs, onPage, trace);
    if (this.forwarded !== 0) return;
    this.spans?.handedBack('not_ready');
    this.notReady();
  }

  /** The store lists the keys of a run of this node's slots; the record of each key is then read individually. */
  private readHere(view: SlotView): void {
    const { slot, afterKey } = this.place;
    const slotEnd = ownedUntil(view, slot);
    const { from } = slotRangeAfter(slot, afterKey);
    const to = slotEnd === SLOT_COUNT ? RECORDS_TO : recordKey(slotEnd, '');
    this.storage.scan(from, to, this.limit, SCAN_PAGE_BYTES_MAX, (error, entries) => {
      if (this.ended) return;
      if (error !== null) return this.fail(failure('internal', error.message));
      if (entries.length === 0) {
        if (!this.serving.leaseHeld() || this.serving.view() !== view) return this.notReady();
        const next = slotEnd === SLOT_COUNT ? null : cursorOf({ slot: slotEnd, afterKey: '' });
        return this.finish(pageOf(view, [], next));
      }
      this.collect(view, entries);
    });
  }

  private collect(view: SlotView, entries: readonly StorageEntry[]): void {
    const found = new Array<KeyRecord | undefined>(entries.length);
    let waiting = 1;
    const arrived = (): void => {
      waiting -= 1;
      if (waiting === 0 && !this.ended) this.assemble(view, entries, found);
    };
    for (const [at, entry] of entries.entries()) {
      const { slot, key } = splitRecordKey(entry.key);
      const record = this.recordAtRest(slot, key);
      if (record !== 'wait') {
        found[at] = record;
        continue;
      }
      waiting += 1;
      this.read(key, (read) => {
        found[at] = read;
        arrived();
      });
    }
    // The clock is read after the records, and nothing else has run in between. (R9)
    if (!this.serving.leaseHeld() || this.serving.view() !== view) return this.notReady();
    arrived();
  }

  /** The record as it stands now, not as the store listed it: the listed entry may have been in flight, and lost. */
  private recordAtRest(slot: number, key: string): KeyRecord | undefined | 'wait' {
    const state = this.serving.replica()?.stateOf(key);
    if (state !== undefined) return state.valid && state.held !== null ? state.held.record : 'wait';
    const sealed = this.serving.shelf.load(key, slot);
    return sealed === 'damaged' ? 'wait' : sealed?.record;
  }

  private read(key: string, arrived: (record: KeyRecord | undefined) => void): void {
    const timeoutMs = Math.max(1, this.deadlineAt - this.serving.clock.now());
    const { hops } = this.request;
    const trace = this.spans?.context;
    startRead(this.serving, { key, timeoutMs, hops, miss: false, mayAskLegacy: false, trace }, (result) => {
      if (result.kind === 'failed') this.fail(result.failure);
      else arrived(result.kind === 'value' ? result.record : undefined);
    });
  }

  /** Bounded again, because a value may have grown since the store listed it. */
  private assemble(
    view: SlotView,
    entries: readonly StorageEntry[],
    found: readonly (KeyRecord | undefined)[],
  ): void {
    const wallNow = this.serving.clock.wallNow();
    const records: KeyRecord[] = [];
    let bytes = 0;
    let last = entries[0]!;
    for (const [at, record] of found.entries()) {
      if (bytes >= SCAN_PAGE_BYTES_MAX) break;
      last = entries[at]!;
      if (record === undefined || !isLive(record, wallNow)) continue;
      records.push(record);
      bytes += record.key.length + record.value.length;
    }
    const { slot, key } = splitRecordKey(last.key);
    this.finish(pageOf(view, records, cursorOf({ slot, afterKey: key })));
  }

  private notReady(): void {
    if (this.ended) return;
    const refusal = refusalUnready(this.serving, this.readyUntil);
    if (refusal !== null) return this.fail(refusal);
    this.serving.later(() => this.step());
  }

  private fail(problem: Failure): void {
    this.finish({ kind: 'failed', failure: problem });
  }

  private finish(result: ScanResult): void {
    if (this.ended) return;
    this.ended = true;
    this.serving.deadlines.remove(this);
    if (this.forwarded !== 0) this.serving.forwarder.forget(this.forwarded);
    this.spans?.ended(result);
    this.done(result);
  }
}

function pageOf(view: SlotView, records: readonly KeyRecord[], next: string | null): ScanResult {
  return { kind: 'page', records, next, incomplete: !view.topology.loaded };
}

/** The first slot from here on that this node does not own. */
function ownedUntil(view: SlotView, slot: number): number {
  let end = slot + 1;
  while (end < SLOT_COUNT && view.row(end).owns) end += 1;
  return end;
}
