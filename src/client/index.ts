/**
 * The TypeScript client: `connect({ nodes: ['127.0.0.1:50051'] })`. Any node answers for every key. Every
 * failure is a CausewayError that says whether the call may be repeated. For throughput use `pipeline`.
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

  /** Undefined: the key is absent. */
  async get(key: string, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    return (await this.find(key, options)).entry?.value;
  }

  async getWithMeta(key: string, options: ReadOptions = {}): Promise<ReadEntry | undefined> {
    return (await this.find(key, options)).entry;
  }

  /** What stands, or that nothing does, and whether the answer may be old: of an absence, too. */
  async find(key: string, options: ReadOptions = {}): Promise<Found> {
    const request = { key: checkedKey(key), allowStale: options.allowStale ?? false };
    return foundOf(await this.#call(METHODS.get, request, options));
  }

  /** Resolves to the new version, once the value is durable everywhere it must be. */
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

  /** Resolves to the new number. An absent key counts as 0. */
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

  /** In the order of the keys; undefined: absent. */
  async getMany(
    keys: readonly string[],
    options: ReadOptions = {},
  ): Promise<Outcome<Uint8Array | undefined>[]> {
    const found = await this.findMany(keys, options);
    return found.map((each) => (each.ok ? { ok: true, result: each.result.entry?.value } : each));
  }

  /** The same, with all that is known about each value, and whether it may be old. */
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
        // The answer was full: what did not fit is asked for again, as long as each answer brings some.
        if (failure?.code === 'overloaded' && progress) again.push(at);
        else if (failure !== null) outcomes.set(at, { ok: false, error: errorOfFailure(failure) });
        else outcomes.set(at, { ok: true, result: foundOf(get) });
      }
      asking = [...again, ...later];
    }
    return keys.map((_key, at) => outcomes.get(at)!);
  }

  /**
   * In the order of the entries; each its new version. A call that fails as a whole fails all entries in it. What carries an
   * operation id is repeated under it until its outcome is known; entries of one key stand in no order then.
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

  /** Many operations at once over one stream to one node. */
  async pipeline(options: PipelineOptions = {}): Promise<Pipeline> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const stream = await this.#nodes.stream(METHODS.pipeline, timeoutMs);
    return new Pipeline(stream, { trace: this.#nodes.trace, ...options, timeoutMs });
  }

  /**
   * All live records, in pages, after the place that an earlier page named ('': from the start). Where it fails, a
   * new one goes on after the last page's `next`.
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

  /** What the store of this very node holds. */
  async inspect(node: string, key: string, options: CallOptions = {}): Promise<Inspected> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const answer = await this.#nodes.callAt(node, METHODS.inspect, { key: checkedKey(key) }, timeoutMs);
    const { owner, slot, valid, tombstone, record } = answer;
    return { owner, slot, valid, tombstone, entry: record === null ? undefined : entryOf(record) };
  }

  /** The status of this very node, as it tells it (a NodeStatus of src/node/api.ts). */
  async status(node: string, options: CallOptions = {}): Promise<unknown> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const { json } = await this.#nodes.callAt(node, METHODS.status, {}, timeoutMs);
    return JSON.parse(json) as unknown;
  }

  /** What the whole cluster has in common: for a process that is to join it. */
  async describe(options: CallOptions = {}): Promise<ClusterFacts> {
    return this.#call(METHODS.describe, {}, options);
  }

  /** What joins and departures would move. Nothing is changed. */
  async plan(change: PlannedChange, options: CallOptions = {}): Promise<MovePlan> {
    const joins = (change.joins ?? []).map(({ name, zone = '', host = '', weight = 1 }) => ({
      ...{ name, zone, host, weight },
    }));
    return this.#call(METHODS.plan, { joins, leaves: [...(change.leaves ?? [])] }, options);
  }

  /** The member is to leave for good: resolves to the epoch that says so; its slots move from then on. */
  async leave(name: string, options: CallOptions = {}): Promise<number> {
    return (await this.#call(METHODS.leave, { name }, options)).epoch;
  }

  /** Puts in force what the asked node speaks, once all members do: resolves to the epoch that says so. */
  async finishUpgrade(options: CallOptions = {}): Promise<number> {
    return (await this.#call(METHODS.finishUpgrade, {}, options)).epoch;
  }

  /** Shares the slots out anew: resolves to the epoch that says so, or in which nothing was to be changed. */
  async rebalance(options: CallOptions = {}): Promise<number> {
    return (await this.#call(METHODS.rebalance, {}, options)).epoch;
  }

  /** Slots whose complete owners are all gone, and what this very node knows of them. Nothing is changed. */
  async loss(node: string, options: CallOptions = {}): Promise<ClusterLoss> {
    return this.#nodes.callAt(node, METHODS.loss, {}, options.timeoutMs ?? this.#timeoutMs);
  }

  /**
   * Gives the last complete owners of all lost slots up for good, as many as `loss` has told: the slots are made whole from
   * PostgreSQL and from what living members have left over. Resolves to the epoch that says so.
   */
  async recover(slotCount: number, options: CallOptions = {}): Promise<number> {
    return (await this.#call(METHODS.recover, { slots: slotCount }, options)).epoch;
  }

  /** Begins a round of scrubbing at this very node, at these rates (0: without limit). Resolves to its number there. */
  async scrub(node: string, rate: ScrubRate, options: CallOptions = {}): Promise<number> {
    return (await this.#nodes.callAt(node, METHODS.scrub, rate, options.timeoutMs ?? this.#timeoutMs)).number;
  }

  /** Whether the voters that are up can choose an epoch, as this very node sees it. Nothing is changed. */
  async quorum(node: string, options: CallOptions = {}): Promise<ClusterQuorum> {
    return this.#nodes.callAt(node, METHODS.quorum, {}, options.timeoutMs ?? this.#timeoutMs);
  }

  /**
   * Where they cannot: this very node goes on with those who are up, in another life of the cluster, and everybody else is
   * given up. `lost` and `lifeKept` are what `quorum` has told of that node. Resolves to the epoch that begins it.
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

  /** Which PostgreSQL is in use, and which one this very node sees. Nothing is changed. */
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
   * The PostgreSQL that this very node sees, as `recordServer` has told it, is in use from then on, and what the nodes hold is
   * committed to it. Resolves to the epoch that says so.
   */
  async adoptRecord(node: string, order: AdoptRecordOrder, options: CallOptions = {}): Promise<number> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    return (await this.#nodes.callAt(node, METHODS.adoptRecord, order, timeoutMs)).epoch;
  }

  /** Calls under way end with an error. */
  close(): void {
    this.#nodes.close();
  }

  /** With an id the write is repeated until its outcome is known; without one nobody repeats it. */
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
