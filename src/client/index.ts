/**
 * The TypeScript client: `connect({ nodes: ['127.0.0.1:50051'] })`. Any node answers for every key. Every failure is a
 * CausewayError that says whether the call may be repeated. For throughput use `pipeline`.
 */
import { OPERATION_TIMEOUT_MS_DEFAULT, PIPELINE_OPERATIONS_MAX } from '../core/limits.ts';
import { CausewayError } from './causeway-error.ts';
import type { ClientErrorCode } from './causeway-error.ts';
import {
  bytesOf,
  checkedKey,
  checkedOperationId,
  checkedTtl,
  compareResultOf,
  entryOf,
  errorOfFailure,
  expectationFields,
  foundOf,
} from './entry.ts';
import type { CompareResult, Entry, Expected, Found, ReadEntry, Value } from './entry.ts';
import { factsOfServer } from './cluster-facts.ts';
import type {
  AdoptRecordOrder,
  ClusterFacts,
  ClusterLoss,
  ClusterQuorum,
  MovePlan,
  PlannedChange,
  RecordServerFacts,
  RecordServerIdentity,
  ScrubRate,
} from './cluster-facts.ts';
import { METHODS } from './methods.ts';
import { Nodes } from './nodes.ts';
import type { Method } from './nodes.ts';
import type {
  CallOptions,
  ConnectOptions,
  DeleteOptions,
  ExportedPage,
  Inspected,
  Outcome,
  ReadOptions,
  SetEntry,
  SetOptions,
  TraceHeaders,
} from './options.ts';
import { Pipeline } from './pipeline.ts';
import type { PipelineOptions } from './pipeline.ts';
import { putMany } from './put-many.ts';
import { newOperationId, repeatUnderId } from './repeat.ts';

export { CausewayError, newOperationId, Pipeline };
export type { AdoptRecordOrder, RecordServerFacts, RecordServerIdentity };
export type { ClusterFacts, ClusterLoss, ClusterQuorum, MovePlan, PlannedChange, ScrubRate };
export type { ClientErrorCode, CompareResult, Entry, Expected, Found, PipelineOptions, ReadEntry, Value };

export type {
  CallOptions,
  ConnectOptions,
  DeleteOptions,
  ExportedPage,
  Inspected,
  Outcome,
  ReadOptions,
  SetEntry,
  SetOptions,
  TraceHeaders,
};

export function connect(options: ConnectOptions): CausewayClient {
  return new CausewayClient(options);
}

export class CausewayClient {
  readonly #nodes: Nodes;
  readonly #timeoutMs: number;
  readonly #operationIds: boolean;

  constructor(options: ConnectOptions) {
    this.#nodes = new Nodes(options);
    this.#timeoutMs = options.timeoutMs ?? OPERATION_TIMEOUT_MS_DEFAULT;
    this.#operationIds = options.operationIds ?? false;
  }

  get nodes(): string[] {
    return this.#nodes.addresses;
  }

  /** Resolves to undefined if the key is absent. */
  async get(key: string, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    return (await this.find(key, options)).entry?.value;
  }

  async getWithMeta(key: string, options: ReadOptions = {}): Promise<ReadEntry | undefined> {
    return (await this.find(key, options)).entry;
  }

  /** Resolves to the entry or its absence. `stale` says whether that answer may be outdated, for an absence too. */
  async find(key: string, options: ReadOptions = {}): Promise<Found> {
    const request = { key: checkedKey(key), allowStale: options.allowStale ?? false };
    return foundOf(await this.#call(METHODS.get, request, options));
  }

  /** Resolves to the new version once the value is durable everywhere it must be. */
  async set(key: string, value: Value, options: SetOptions = {}): Promise<number> {
    const request = {
      key: checkedKey(key),
      value: bytesOf(value),
      ttlMs: checkedTtl(options.ttlMs),
      contentType: options.contentType,
    };
    return (await this.#write(METHODS.put, request, options)).version;
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<number> {
    return (await this.#write(METHODS.delete, { key: checkedKey(key) }, options)).version;
  }

  async compareAndSet(
    key: string,
    expected: Expected,
    value: Value,
    options: SetOptions = {},
  ): Promise<CompareResult> {
    const request = {
      key: checkedKey(key),
      ...expectationFields(expected),
      value: bytesOf(value),
      ttlMs: checkedTtl(options.ttlMs),
      contentType: options.contentType,
    };
    return compareResultOf(await this.#write(METHODS.compareAndPut, request, options, isApplied));
  }

  async compareAndDelete(
    key: string,
    expected: Exclude<Expected, 'absent'>,
    options: DeleteOptions = {},
  ): Promise<CompareResult> {
    const { expectVersion, expectValue } = expectationFields(expected);
    const request = { key: checkedKey(key), expectVersion, expectValue };
    return compareResultOf(await this.#write(METHODS.compareAndDelete, request, options, isApplied));
  }

  /** Resolves to the new total. An absent key counts as 0. */
  async increment(key: string, delta: bigint | number = 1n, options: DeleteOptions = {}): Promise<bigint> {
    return (await this.incrementWithMeta(key, delta, options)).total;
  }

  async incrementWithMeta(
    key: string,
    delta: bigint | number = 1n,
    options: DeleteOptions = {},
  ): Promise<{ readonly total: bigint; readonly version: number }> {
    const request = { key: checkedKey(key), delta: BigInt(delta) };
    const { total, version } = await this.#write(METHODS.increment, request, options);
    return { total, version };
  }

  /** Returns the outcomes in the order of the keys; the result for an absent key is undefined. */
  async getMany(
    keys: readonly string[],
    options: ReadOptions = {},
  ): Promise<Outcome<Uint8Array | undefined>[]> {
    const found = await this.findMany(keys, options);
    return found.map((each) => (each.ok ? { ok: true, result: each.result.entry?.value } : each));
  }

  /** Like `getMany`, with the metadata of each value and whether it may be stale. */
  async findMany(keys: readonly string[], options: ReadOptions = {}): Promise<Outcome<Found>[]> {
    keys.forEach(checkedKey);
    const allowStale = options.allowStale ?? false;
    const outcomes = new Map<number, Outcome<Found>>();
    let asking = keys.map((_key, at) => at);
    while (asking.length > 0) {
      const chunk = asking.slice(0, PIPELINE_OPERATIONS_MAX);
      const later = asking.slice(PIPELINE_OPERATIONS_MAX);
      const request = { keys: chunk.map((at) => keys[at]!), allowStale };
      const { results } = await this.#call(METHODS.getMany, request, options);
      const progress = results.some(({ failure }) => failure === null);
      const again: number[] = [];
      for (const [index, at] of chunk.entries()) {
        const { get, failure } = results[index]!;
        // This key did not fit into the answer. Ask for it again, as long as every answer brings at least one key.
        if (failure?.code === 'overloaded' && progress) again.push(at);
        else if (failure !== null) outcomes.set(at, { ok: false, error: errorOfFailure(failure) });
        else outcomes.set(at, { ok: true, result: foundOf(get) });
      }
      asking = [...again, ...later];
    }
    return keys.map((_key, at) => outcomes.get(at)!);
  }

  /**
   * Returns the new versions in the order of the entries. If a call fails as a whole, every entry in it fails. An entry
   * with an operation id is repeated under that id until its outcome is known; the order of several entries for one key
   * is then undefined.
   */
  async setMany(entries: readonly SetEntry[], options: CallOptions = {}): Promise<Outcome<number>[]> {
    const puts = entries.map(({ key, value, ttlMs, contentType, operationId }) => ({
      ...{ key: checkedKey(key), value: bytesOf(value), ttlMs: checkedTtl(ttlMs), contentType },
      operationId: checkedOperationId(operationId ?? this.#newId()),
    }));
    return putMany(puts, options.timeoutMs ?? this.#timeoutMs, (some, timeoutMs) =>
      this.#nodes.call(METHODS.putMany, { puts: [...some] }, timeoutMs),
    );
  }

  /** Opens a stream to one node that carries many operations at once. */
  async pipeline(options: PipelineOptions = {}): Promise<Pipeline> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const stream = await this.#nodes.stream(METHODS.pipeline, timeoutMs);
    return new Pipeline(stream, { trace: this.#nodes.trace, ...options, timeoutMs });
  }

  /**
   * Yields all live records, page by page, starting after `after`: the `next` of an earlier page, or '' for the
   * beginning. After a failure, a new export can resume from the `next` of the last page.
   */
  async *export(after = '', options: CallOptions = {}): AsyncGenerator<ExportedPage, void> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    for await (const page of this.#nodes.answers(METHODS.export, { after }, timeoutMs)) {
      const { next, incomplete } = page;
      const entries = page.entries.map(({ key, record }) => ({ key, entry: entryOf(record!) }));
      yield { entries, next, incomplete };
      if (next === '') return;
    }
    throw new CausewayError('transport', 'definite', 'the export ended before its last page');
  }

  /** What this particular node holds for the key in its own store. */
  async inspect(node: string, key: string, options: CallOptions = {}): Promise<Inspected> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const answer = await this.#nodes.callAt(node, METHODS.inspect, { key: checkedKey(key) }, timeoutMs);
    const { owner, slot, valid, tombstone, record } = answer;
    return { owner, slot, valid, tombstone, entry: record === null ? undefined : entryOf(record) };
  }

  /** The status that this particular node reports about itself (a NodeStatus of src/node/api.ts). */
  async status(node: string, options: CallOptions = {}): Promise<unknown> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const { json } = await this.#nodes.callAt(node, METHODS.status, {}, timeoutMs);
    return JSON.parse(json) as unknown;
  }

  /** Settings and members that the whole cluster shares, for a process that is about to join it. */
  async describe(options: CallOptions = {}): Promise<ClusterFacts> {
    return this.#call(METHODS.describe, {}, options);
  }

  /** Shows what these joins and departures would move, without changing anything. */
  async plan(change: PlannedChange, options: CallOptions = {}): Promise<MovePlan> {
    const joins = (change.joins ?? []).map(({ name, zone = '', host = '', weight = 1 }) => ({
      ...{ name, zone, host, weight },
    }));
    return this.#call(METHODS.plan, { joins, leaves: [...(change.leaves ?? [])] }, options);
  }

  /** Makes the member leave for good. Resolves to the epoch that records this; its slots begin to move then. */
  async leave(name: string, options: CallOptions = {}): Promise<number> {
    return (await this.#call(METHODS.leave, { name }, options)).epoch;
  }

  /**
   * Enables the protocol version of the asked node once all members speak it. Resolves to the epoch that records this.
   */
  async finishUpgrade(options: CallOptions = {}): Promise<number> {
    return (await this.#call(METHODS.finishUpgrade, {}, options)).epoch;
  }

  /**
   * Distributes the slots anew. Resolves to the epoch that records this, or to the current one if nothing had to
   * change.
   */
  async rebalance(options: CallOptions = {}): Promise<number> {
    return (await this.#call(METHODS.rebalance, {}, options)).epoch;
  }

  /** The slots that have lost all complete owners, and what this particular node knows of them. Read-only. */
  async loss(node: string, options: CallOptions = {}): Promise<ClusterLoss> {
    return this.#nodes.callAt(node, METHODS.loss, {}, options.timeoutMs ?? this.#timeoutMs);
  }

  /**
   * Gives up the last complete owners of all lost slots for good. `slotCount` must be the number that `loss` reported.
   * The slots are rebuilt from PostgreSQL and from what living members still hold. Resolves to the epoch that records
   * this.
   */
  async recover(slotCount: number, options: CallOptions = {}): Promise<number> {
    return (await this.#call(METHODS.recover, { slots: slotCount }, options)).epoch;
  }

  /**
   * Starts a round of scrubbing at this particular node with these rate limits (0 = unlimited). Resolves to the number
   * of that round on the node.
   */
  async scrub(node: string, rate: ScrubRate, options: CallOptions = {}): Promise<number> {
    return (await this.#nodes.callAt(node, METHODS.scrub, rate, options.timeoutMs ?? this.#timeoutMs)).number;
  }

  /** Whether the voters that are up can choose an epoch, as this particular node sees it. Read-only. */
  async quorum(node: string, options: CallOptions = {}): Promise<ClusterQuorum> {
    return this.#nodes.callAt(node, METHODS.quorum, {}, options.timeoutMs ?? this.#timeoutMs);
  }

  /**
   * For a cluster whose voters cannot choose an epoch: this particular node goes on, with the members that are up, in a
   * new life of the cluster; all other members are given up. `lost` and `lifeKept` must be what `quorum` reported for
   * this node. Resolves to the first epoch of the new life.
   */
  async succeed(
    node: string,
    order: { readonly lost: readonly string[]; readonly lifeKept: number },
    options: CallOptions = {},
  ): Promise<number> {
    const request = { ...order, lost: [...order.lost] };
    const answer = await this.#nodes.callAt(
      node,
      METHODS.succeed,
      request,
      options.timeoutMs ?? this.#timeoutMs,
    );
    return answer.epoch;
  }

  /** Which PostgreSQL is in use, and which one this particular node is connected to. Read-only. */
  async recordServer(node: string, options: CallOptions = {}): Promise<RecordServerFacts> {
    const told = await this.#nodes.callAt(
      node,
      METHODS.recordServer,
      {},
      options.timeoutMs ?? this.#timeoutMs,
    );
    return factsOfServer(told);
  }

  /**
   * Adopts the PostgreSQL that this particular node is connected to, as `recordServer` reported it: it is in use from
   * then on, and what the nodes hold is committed to it. Resolves to the epoch that records this.
   */
  async adoptRecord(node: string, order: AdoptRecordOrder, options: CallOptions = {}): Promise<number> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    return (await this.#nodes.callAt(node, METHODS.adoptRecord, order, timeoutMs)).epoch;
  }

  /** Calls under way fail. */
  close(): void {
    this.#nodes.close();
  }

  /** A write with an operation id is repeated until its outcome is known; a write without one is sent once. */
  #write<Fields extends object, Decoded>(
    method: Method<Fields & { operationId: Uint8Array }, Decoded>,
    request: Fields,
    options: DeleteOptions,
    isDone: (answer: Decoded) => boolean = () => true,
  ): Promise<Decoded> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const operationId = options.operationId ?? this.#newId();
    const fields = { ...request, operationId: checkedOperationId(operationId) };
    if (operationId === undefined) return this.#nodes.call(method, fields, timeoutMs);
    return repeatUnderId(timeoutMs, (leftMs) => this.#nodes.call(method, fields, leftMs), isDone);
  }

  #newId(): Uint8Array | undefined {
    return this.#operationIds ? newOperationId() : undefined;
  }

  #call<Fields, Decoded>(
    method: Method<Fields, Decoded>,
    request: Fields,
    options: CallOptions,
  ): Promise<Decoded> {
    return this.#nodes.call(method, request, options.timeoutMs ?? this.#timeoutMs);
  }
}

function isApplied(answer: { readonly applied: boolean }): boolean {
  return answer.applied;
}
