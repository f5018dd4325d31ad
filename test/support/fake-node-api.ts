/**
 * A node that keeps its records in a map, for tests of doors, the client and the command line. It fulfils the contract
 * of NodeApi (each callback once, never synchronously), and can be told to make readers wait, to fail, and to hold its
 * answers back.
 */
import { failure } from '../../src/core/errors.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import type {
  Expectation,
  ReadResult,
  ScanResult,
  StaleResult,
  WriteOperation,
  WriteResult,
} from '../../src/core/operation.ts';
import { NO_ACTIVITY } from '../../src/core/observability/recent-activity.ts';
import { EMPTY_VALUE, ORIGIN_CLIENT } from '../../src/core/record.ts';
import { NOBODY } from '../../src/core/clients/key-watch.ts';
import type { KeyWatching, WatchListener } from '../../src/core/clients/key-watch.ts';
import { judge } from '../../src/core/replication/judge.ts';
import type { KeyRecord } from '../../src/core/record.ts';
import { SLOT_COUNT } from '../../src/core/limits.ts';
import { cursorOf, placeOf } from '../../src/core/clients/scan-place.ts';
import { slotOf } from '../../src/core/placement/slots.ts';
import { makeVersion } from '../../src/core/version.ts';
import { WAIT } from '../../src/node/api.ts';
import { SCRUBBED_NEVER } from '../../src/node/scrub/report.ts';
import type { Inspection, NodeApi } from '../../src/node/api.ts';
import type { ClusterAnswer, ClusterOrder } from '../../src/node/cluster-orders.ts';
import type { NodeStatus } from '../../src/node/status.ts';

const INT64_MAX = 2n ** 63n - 1n;

/** A map that counts its changes. */
class Records extends Map<string, KeyRecord> {
  changes = 0;

  override set(key: string, record: KeyRecord): this {
    this.changes += 1;
    return super.set(key, record);
  }

  override delete(key: string): boolean {
    this.changes += 1;
    return super.delete(key);
  }

  override clear(): void {
    this.changes += 1;
    super.clear();
  }
}

export class FakeNodeApi implements NodeApi {
  readonly records = new Records();
  /** Keys for which `tryGet` returns WAIT. */
  readonly waiting = new Set<string>();
  /** Every read that waits and every write fails with this code. */
  failWith: ErrorCode | undefined;
  /** If set, a read that accepts old answers gets one of this age instead of the failure `failWith`. */
  staleMs: number | undefined;
  /** Returns true for a write that is invalid as it stands. */
  refuses: (operation: WriteOperation) => boolean = () => false;
  /** This many writes are carried out but answered as if their outcome were unknown. */
  loseAnswers = 0;
  /** Called once, before the next write is carried out. */
  beforeWrite: (() => void) | null = null;
  /** For scans: records per page, and whether rows are missing. */
  scanPageMax = 500;
  incomplete = false;
  /** Whether scans are ordered by slot and key, with the cursors of a real node. */
  scansBySlot = false;
  /** Whether too many writes are in flight. */
  full = false;
  /** Answers are kept until `release`. */
  holding = false;
  statusChanges: Partial<NodeStatus> = {};
  /** The answers to operators' orders; any other order is refused as not ready. */
  readonly answers: ClusterAnswer[] = [];
  readonly orders: ClusterOrder[] = [];
  calls: { kind: string; key: string; timeoutMs: number }[] = [];
  /**
   * Keys of which clients keep copies. When one is written, this is reported before the answer, and the key is watched
   * no more.
   */
  readonly watchedKeys = new Set<string>();
  listensToAll = false;
  listener: WatchListener = NOBODY;
  readonly keyWatch: KeyWatching = {
    listen: (listener) => (this.listener = listener),
    watch: (key) => this.watchedKeys.add(key),
    unwatch: (key) => this.watchedKeys.delete(key),
    watchAll: (isWanted) => (this.listensToAll = isWanted),
  };
  #held: (() => void)[] = [];
  readonly #known = new Map<string, WriteResult>();
  #counter = 1;
  #sorted: readonly string[] = [];
  #sortedOf = -1;

  tryGet(key: string): KeyRecord | undefined | typeof WAIT {
    if (this.waiting.has(key) || this.failWith !== undefined) return WAIT;
    return this.#live(key);
  }

  get(key: string, timeoutMs: number, done: (result: ReadResult) => void): void {
    this.calls.push({ kind: 'get', key, timeoutMs });
    const record = this.#live(key);
    if (this.failWith !== undefined) this.#later(done, { kind: 'failed', failure: failure(this.failWith) });
    else this.#later(done, record === undefined ? { kind: 'absent' } : { kind: 'value', record });
  }

  getStale(key: string, timeoutMs: number, done: (result: ReadResult | StaleResult) => void): void {
    if (this.failWith === undefined || this.staleMs === undefined) return this.get(key, timeoutMs, done);
    this.calls.push({ kind: 'getStale', key, timeoutMs });
    this.#later(done, { kind: 'stale', record: this.#live(key), staleMs: this.staleMs });
  }

  write(operation: WriteOperation, timeoutMs: number, done: (result: WriteResult) => void): void {
    this.calls.push({ kind: operation.kind, key: operation.key, timeoutMs });
    const before = this.beforeWrite;
    this.beforeWrite = null;
    before?.();
    if (this.failWith !== undefined) {
      return this.#later(done, { kind: 'failed', failure: failure(this.failWith) });
    }
    if (this.refuses(operation)) {
      return this.#later(done, { kind: 'failed', failure: failure('invalid_argument') });
    }
    const id = operation.operationId;
    const name = id === null ? '' : `${Buffer.from(id).toString('hex')} ${operation.key}`;
    const result = this.#known.get(name) ?? this.#apply(operation);
    if (id !== null && result.kind === 'done') this.#known.set(name, result);
    if (this.loseAnswers > 0) {
      this.loseAnswers -= 1;
      return this.#later(done, { kind: 'failed', failure: failure('outcome_unknown') });
    }
    this.#later(done, result);
  }

  /** A write by another client. */
  put(key: string, text: string): void {
    this.#store(key, Buffer.from(text), 0, null);
  }

  /** Ordered by key, with keys as cursors; or like a real node. */
  scan(after: string | null, limit: number, timeoutMs: number, done: (result: ScanResult) => void): void {
    this.calls.push({ kind: 'scan', key: after ?? '', timeoutMs });
    if (this.failWith !== undefined) {
      return this.#later(done, { kind: 'failed', failure: failure(this.failWith) });
    }
    const places = this.#places();
    const behind = after === null ? places : places.filter((place) => place > after);
    const page = behind.slice(0, Math.min(limit, this.scanPageMax));
    const keyOf = (place: string): string => (this.scansBySlot ? placeOf(place)!.afterKey : place);
    const records = page.map((place) => this.#live(keyOf(place))).filter((record) => record !== undefined);
    const next = page.length < behind.length ? page.at(-1)! : null;
    this.#later(done, { kind: 'page', records, next, incomplete: this.incomplete });
  }

  isFull(): boolean {
    return this.full;
  }

  inspect(key: string): Inspection {
    return { owner: true, record: this.records.get(key), valid: !this.waiting.has(key), slot: 42 };
  }

  status(): NodeStatus {
    return { ...STATUS, keysHeld: this.records.size, ...this.statusChanges };
  }

  operate(order: ClusterOrder, _timeoutMs: number, done: (answer: ClusterAnswer) => void): void {
    this.orders.push(order);
    if (order.kind === 'slots' && this.answers.length === 0) return this.#later(done, ALONE);
    if (order.kind === 'count') return this.#later(done, this.#counted());
    this.#later(done, this.answers.shift() ?? { kind: 'failed', failure: failure('not_ready') });
  }

  #counted(): ClusterAnswer {
    if (this.failWith !== undefined) return { kind: 'failed', failure: failure(this.failWith) };
    const count = [...this.records.keys()].filter((key) => this.#live(key) !== undefined).length;
    return { kind: 'counted', count, incomplete: this.incomplete };
  }

  get heldCount(): number {
    return this.#held.length;
  }

  release(): void {
    this.holding = false;
    for (const run of this.#held.splice(0)) setImmediate(run);
  }

  #later<Result>(done: (result: Result) => void, result: Result): void {
    if (this.holding) this.#held.push(() => done(result));
    else setImmediate(() => done(result));
  }

  #places(): readonly string[] {
    if (this.#sortedOf === this.records.changes) return this.#sorted;
    this.#sortedOf = this.records.changes;
    const keys = [...this.records.keys()];
    const places = keys.map((key) =>
      this.scansBySlot ? cursorOf({ slot: slotOf(key), afterKey: key }) : key,
    );
    this.#sorted = places.sort();
    return this.#sorted;
  }

  #live(key: string): KeyRecord | undefined {
    const record = this.records.get(key);
    const expired = record !== undefined && record.expiresAt !== 0 && record.expiresAt <= Date.now();
    return record === undefined || record.tombstone || expired ? undefined : record;
  }

  /** Like a real node: not synchronously, and before the write is answered. */
  #apply(operation: WriteOperation): WriteResult {
    const { key } = operation;
    const before = this.records.get(key);
    const result = this.#change(operation);
    if (this.records.get(key) !== before) setImmediate(() => this.tellChange(key));
    return result;
  }

  /** Reports that the key has changed, whoever wrote it. */
  tellChange(key: string): void {
    if (this.watchedKeys.delete(key)) this.listener.changed(key);
    if (this.listensToAll) this.listener.settled(key, this.records.get(key)?.version ?? 0);
  }

  #change(operation: WriteOperation): WriteResult {
    const current = this.#live(operation.key);
    switch (operation.kind) {
      case 'put':
        return this.#store(operation.key, operation.value, operation.ttlMs, null, operation.contentType);
      case 'delete':
        return this.#store(operation.key, null, 0, null);
      case 'compareAndPut':
        if (!holds(operation.expect, current)) return { kind: 'conditionFailed', current };
        return this.#store(operation.key, operation.value, operation.ttlMs, null, operation.contentType);
      case 'compareAndDelete':
        if (!holds(operation.expect, current)) return { kind: 'conditionFailed', current };
        return this.#store(operation.key, null, 0, null);
      case 'increment': {
        const text = current === undefined ? '0' : Buffer.from(current.value).toString();
        if (!/^-?\d{1,19}$/.test(text)) return { kind: 'failed', failure: failure('not_an_integer') };
        const total = BigInt(text) + operation.delta;
        if (total > INT64_MAX || total < -INT64_MAX - 1n) {
          return { kind: 'failed', failure: failure('integer_overflow') };
        }
        return this.#store(operation.key, Buffer.from(String(total)), 0, total);
      }
      case 'modify': {
        const judgement = judge(operation, this.records.get(operation.key), Date.now(), false, { bytes: 0 });
        if (judgement.kind !== 'write') return judgement;
        const version = makeVersion(this.#counter++, 1);
        this.records.set(operation.key, { ...judgement.content, version });
        return { kind: 'modified', version, results: judgement.results! };
      }
      case 'fill':
      case 'expire':
        return { kind: 'failed', failure: failure('not_supported') };
    }
  }

  #store(
    key: string,
    value: Uint8Array | null,
    ttlMs: number,
    number: bigint | null,
    contentType: string | null = null,
  ): WriteResult & { kind: 'done' } {
    const version = makeVersion(this.#counter++, 1);
    const now = Date.now();
    this.records.set(key, {
      key,
      version,
      origin: ORIGIN_CLIENT,
      tombstone: value === null,
      value: value === null ? EMPTY_VALUE : Buffer.from(value),
      createdAt: now,
      updatedAt: now,
      expiresAt: ttlMs === 0 ? 0 : now + ttlMs,
      operationId: null,
      contentType,
    });
    return { kind: 'done', version, number };
  }
}

function holds(expect: Expectation, current: KeyRecord | undefined): boolean {
  switch (expect.kind) {
    case 'absent':
      return current === undefined;
    case 'version':
      return current?.version === expect.version;
    case 'value':
      return current !== undefined && Buffer.compare(current.value, expect.value) === 0;
  }
}

/** One member, which serves everything. */
const ALONE: ClusterAnswer = {
  kind: 'slots',
  map: {
    epoch: 3,
    members: [{ name: 'fake', alive: true, grpc: '127.0.0.1:50051', http: '', resp: '' }],
    ranges: [{ from: 0, to: SLOT_COUNT - 1, owners: ['fake'] }],
  },
};

const STATUS: NodeStatus = {
  name: 'fake',
  id: 1,
  incarnation: 7,
  phase: 'serving',
  epoch: 3,
  life: 1,
  clusterId: 'c0ffee',
  leaseHeld: true,
  leaseLeftMs: 500,
  protocol: { speaks: 6, inForce: 6 },
  members: [
    {
      id: 1,
      name: 'fake',
      address: '127.0.0.1:50051',
      alive: true,
      standing: 'in',
      slotsComplete: 16384,
      slotsLearning: 0,
      linkUp: true,
      protocol: 5,
      slow: '',
    },
    {
      id: 2,
      name: 'gone',
      address: '127.0.0.1:1',
      alive: false,
      standing: 'in',
      slotsComplete: 0,
      slotsLearning: 9,
      linkUp: false,
      protocol: 0,
      slow: 'taken out as slow: it answers after 210 ms, the others after 4 ms',
    },
  ],
  store: { setAside: [], reason: '', inDoubt: false },
  disk: {
    ...{ state: 'enough', freeBytes: 9_000_000, reserveBytes: 1_000_000 },
    ...{ freeFiles: 60_000, reserveFiles: 1_000, isGone: false },
  },
  load: { state: 'calm', readsInFlight: 0, writesInFlight: 0, refused: 0, forwardedHere: 0 },
  record: { state: 'up', reason: '' },
  legacy: { state: 'unused', reason: '', calls: 0 },
  slotsMoving: 0,
  slotsLost: 0,
  keysInFlight: 0,
  oldestUnfinishedMs: 0,
  keysHeld: 0,
  tombstones: { held: 0, forgotten: 0, rowsWaiting: 0, rowsRemoved: 0, debrisRemoved: 0 },
  copy: {
    ...{ slotsDone: 0, slotsTotal: 0, bytes: 0, bytesPerSecond: 0, secondsLeft: null, givesWay: false },
    ...{ recordsCopied: 0, bytesCopied: 0 },
  },
  spool: {
    ...{ outage: 'reject', isOn: false, isFull: false, entries: 0, bytes: 0 },
    ...{ oldestMs: 0, conflicts: 0, drainedPerSecond: 0 },
  },
  learnedShare: 1,
  scrub: SCRUBBED_NEVER,
  operations: { reads: 0, writes: 0, failures: 0, staleReads: 0 },
  recent: NO_ACTIVITY,
  progress: { tickAgoMs: 0, storeBatchMs: 0 },
  stopCosts: [],
  outside: '',
  refusals: [],
  unlinked: [],
  notWrittenThrough: [],
};
