/**
 * The node's api from the first moment of the process: probes must learn that a node is starting, and what it waits
 * for, long before there is a node. Operations in that time are refused with a definite failure.
 */
import { failure } from '../core/errors.ts';
import { NOBODY } from '../core/clients/key-watch.ts';
import type { KeyWatching, WatchListener } from '../core/clients/key-watch.ts';
import type { ReadResult, ScanResult, StaleResult, WriteOperation, WriteResult } from '../core/operation.ts';
import { NO_ACTIVITY } from '../core/observability/recent-activity.ts';
import { PROTOCOL_MAX } from '../core/membership/protocol-versions.ts';
import { slotOf } from '../core/placement/slots.ts';
import { WAIT } from '../node/api.ts';
import { SCRUBBED_NEVER } from '../node/scrub/report.ts';
import type { Inspection, NodeApi } from '../node/api.ts';
import type { ClusterAnswer, ClusterOrder } from '../node/cluster-orders.ts';
import type { NodeStatus } from '../node/status.ts';

export class LateApi implements NodeApi {
  private readonly name: string;
  private readonly record: () => NodeStatus['record'];
  private node: NodeApi | null = null;
  readonly keyWatch = new LateWatch();

  /** `record` returns what is known of PostgreSQL, which a start may have to wait for. */
  constructor(name: string, record: () => NodeStatus['record']) {
    this.name = name;
    this.record = record;
  }

  become(node: NodeApi): void {
    this.node = node;
    this.keyWatch.become(node.keyWatch);
  }

  tryGet(key: string): ReturnType<NodeApi['tryGet']> {
    return this.node === null ? WAIT : this.node.tryGet(key);
  }

  get(key: string, timeoutMs: number, done: (result: ReadResult) => void): void {
    if (this.node !== null) return this.node.get(key, timeoutMs, done);
    setImmediate(() => done({ kind: 'failed', failure: failure('not_ready') }));
  }

  getStale(key: string, timeoutMs: number, done: (result: ReadResult | StaleResult) => void): void {
    if (this.node !== null) return this.node.getStale(key, timeoutMs, done);
    setImmediate(() => done({ kind: 'failed', failure: failure('not_ready') }));
  }

  write(operation: WriteOperation, timeoutMs: number, done: (result: WriteResult) => void): void {
    if (this.node !== null) return this.node.write(operation, timeoutMs, done);
    setImmediate(() => done({ kind: 'failed', failure: failure('not_ready') }));
  }

  scan(after: string | null, limit: number, timeoutMs: number, done: (result: ScanResult) => void): void {
    if (this.node !== null) return this.node.scan(after, limit, timeoutMs, done);
    setImmediate(() => done({ kind: 'failed', failure: failure('not_ready') }));
  }

  isFull(): boolean {
    return this.node?.isFull() ?? false;
  }

  inspect(key: string): Inspection {
    return this.node?.inspect(key) ?? { owner: false, record: undefined, valid: false, slot: slotOf(key) };
  }

  operate(order: ClusterOrder, timeoutMs: number, done: (answer: ClusterAnswer) => void): void {
    if (this.node !== null) return this.node.operate(order, timeoutMs, done);
    setImmediate(() => done({ kind: 'failed', failure: failure('not_ready') }));
  }

  status(): NodeStatus {
    return this.node?.status() ?? { ...NOTHING_YET, name: this.name, record: this.record() };
  }
}

/**
 * Before there is a node nothing can be read, so there are no changes to report. A listener to all keys is passed on
 * when the node exists.
 */
class LateWatch implements KeyWatching {
  private listener = NOBODY;
  private wantsAll = false;
  private watching: KeyWatching | null = null;

  become(watching: KeyWatching): void {
    this.watching = watching;
    watching.listen(this.listener);
    watching.watchAll(this.wantsAll);
  }

  listen(listener: WatchListener): void {
    this.listener = listener;
    this.watching?.listen(listener);
  }

  watch(key: string): void {
    this.watching?.watch(key);
  }

  unwatch(key: string): void {
    this.watching?.unwatch(key);
  }

  watchAll(isWanted: boolean): void {
    this.wantsAll = isWanted;
    this.watching?.watchAll(isWanted);
  }
}

const NO_SPOOL: NodeStatus['spool'] = {
  outage: 'reject',
  isOn: false,
  isFull: false,
  entries: 0,
  bytes: 0,
  oldestMs: 0,
  conflicts: 0,
  drainedPerSecond: 0,
};

const NOTHING_YET: Omit<NodeStatus, 'name' | 'record'> = {
  protocol: { speaks: PROTOCOL_MAX, inForce: 0 },
  id: 0,
  incarnation: 0,
  phase: 'starting',
  epoch: 0,
  life: 0,
  clusterId: '',
  leaseHeld: false,
  leaseLeftMs: 0,
  members: [],
  store: { setAside: [], reason: '', inDoubt: false },
  disk: { state: 'enough', freeBytes: 0, reserveBytes: 0, freeFiles: 0, reserveFiles: 0, isGone: false },
  load: { state: 'calm', readsInFlight: 0, writesInFlight: 0, refused: 0, forwardedHere: 0 },
  outside: '',
  refusals: [],
  unlinked: [],
  legacy: { state: 'unused', reason: '', calls: 0 },
  slotsMoving: 0,
  slotsLost: 0,
  keysInFlight: 0,
  oldestUnfinishedMs: 0,
  keysHeld: 0,
  tombstones: { held: 0, forgotten: 0, rowsWaiting: 0, rowsRemoved: 0, debrisRemoved: 0 },
  learnedShare: 0,
  copy: {
    ...{ slotsDone: 0, slotsTotal: 0, bytes: 0, bytesPerSecond: 0, secondsLeft: null, givesWay: false },
    ...{ recordsCopied: 0, bytesCopied: 0 },
  },
  spool: NO_SPOOL,
  scrub: SCRUBBED_NEVER,
  operations: { reads: 0, writes: 0, failures: 0, staleReads: 0 },
  recent: NO_ACTIVITY,
  progress: { tickAgoMs: 0, storeBatchMs: 0 },
  stopCosts: [],
  notWrittenThrough: [],
};
