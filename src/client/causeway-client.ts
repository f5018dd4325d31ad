/**
 * The client's calls about keys: one key, many keys, and all of them. Each checks its arguments, makes a request of them,
 * and turns the answer into the types that a caller sees; which node is asked, and what is repeated, is decided in
 * `calls.ts`, `nodes.ts` and `repeat.ts`.
 */
import { PIPELINE_OPERATIONS_MAX } from '../core/clients/grpc-limits.ts';
import { checkPipelineOptions } from './bound.ts';
import { Calls } from './calls.ts';
import { CausewayError } from './causeway-error.ts';
import { ClusterClient } from './cluster-client.ts';
import {
  bytesOf,
  checkedContentType,
  checkedDelta,
  checkedKey,
  checkedKeys,
  checkedOperationId,
  checkedTtl,
  compareResultOf,
  entryOf,
  errorOfFailure,
  expectationFields,
  foundOf,
  refused,
  standingFields,
  textOf,
} from './entry.ts';
import type { CompareResult, Expected, Found, ReadEntry, Value } from './entry.ts';
import { METHODS } from './methods.ts';
import type { Method } from './nodes.ts';
import type {
  CallOptions,
  ConnectOptions,
  ExportedPage,
  Outcome,
  ReadOptions,
  ScannedEntry,
  ScanOptions,
  SetEntry,
  SetOptions,
  WriteOptions,
} from './options.ts';
import { Pipeline } from './pipeline.ts';
import type { PipelineOptions } from './pipeline.ts';
import { putMany } from './put-many.ts';
import { newOperationId, repeatUnderId } from './repeat.ts';
import { scan } from './scan.ts';

/** The operations on keys, and those for operators (ClusterClient). Every call fails with a {@link CausewayError}. */
export class CausewayClient extends ClusterClient {
  readonly #calls: Calls;
  readonly #operationIds: boolean;

  constructor(options: ConnectOptions) {
    const calls = new Calls(options);
    super(calls);
    this.#calls = calls;
    this.#operationIds = options.operationIds ?? false;
  }

  /** The addresses (host:port) that were passed to `connect`. */
  get nodes(): string[] {
    return this.#calls.nodes.addresses;
  }

  /** Resolves to the bytes of the value (a Buffer), or to undefined if the key is absent. */
  async get(key: string, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    return (await this.find(key, options)).entry?.value;
  }

  /** Resolves to the value as text. Throws a TypeError if it is not UTF-8, since decoding would change the value. */
  async getText(key: string, options: ReadOptions = {}): Promise<string | undefined> {
    const value = await this.get(key, options);
    return value === undefined ? undefined : textOf(value);
  }

  /** The value with its version, times, origin and content type; undefined: the key is absent. */
  async getWithMeta(key: string, options: ReadOptions = {}): Promise<ReadEntry | undefined> {
    return (await this.find(key, options)).entry;
  }

  /** Resolves to the entry or its absence. `stale` says whether that answer may be outdated, for an absence too. */
  async find(key: string, options: ReadOptions = {}): Promise<Found> {
    const request = { key: checkedKey(key), allowStale: options?.allowStale ?? false };
    return foundOf(await this.#calls.call(METHODS.get, request, options));
  }

  /** Resolves to the new version once the value is durable everywhere it must be. A string is written as UTF-8. */
  async set(key: string, value: Value, options: SetOptions = {}): Promise<number> {
    const request = { key: checkedKey(key), value: bytesOf(value), ...keptAs(options) };
    return (await this.#write(METHODS.put, request, options)).version;
  }

  /** Resolves to the version of the deletion, whether or not the key had a value. */
  async delete(key: string, options: WriteOptions = {}): Promise<number> {
    return (await this.#write(METHODS.delete, { key: checkedKey(key) }, options)).version;
  }

  /**
   * Writes the value only if the key is absent, or has this version or value. Otherwise resolves to the current entry.
   *
   * @example
   * await client.compareAndSet('lock', 'absent', 'me', { ttlMs: 30_000 });
   * await client.compareAndSet('config', { version: entry.version }, changed);
   */
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
      ...keptAs(options),
    };
    return compareResultOf(await this.#write(METHODS.compareAndPut, request, options, isApplied));
  }

  /** Deletes the key only if it has this version or value. Otherwise resolves to the current entry. */
  async compareAndDelete(
    key: string,
    expected: Exclude<Expected, 'absent'>,
    options: WriteOptions = {},
  ): Promise<CompareResult> {
    const request = { key: checkedKey(key), ...standingFields(expected) };
    return compareResultOf(await this.#write(METHODS.compareAndDelete, request, options, isApplied));
  }

  /** Adds to a value that is a 64-bit integer as text. Resolves to the new total. An absent key counts as 0. */
  async increment(key: string, delta: bigint | number = 1n, options: WriteOptions = {}): Promise<bigint> {
    return (await this.incrementWithMeta(key, delta, options)).total;
  }

  /** Like `increment`, with the new version. */
  async incrementWithMeta(
    key: string,
    delta: bigint | number = 1n,
    options: WriteOptions = {},
  ): Promise<{ readonly total: bigint; readonly version: number }> {
    const request = { key: checkedKey(key), delta: checkedDelta(delta) };
    const { total, version } = await this.#write(METHODS.increment, request, options);
    return { total, version };
  }

  /**
   * Returns the outcomes in the order of the keys; the result for an absent key is undefined. The values are not a
   * snapshot.
   */
  async getMany(
    keys: readonly string[],
    options: ReadOptions = {},
  ): Promise<Outcome<Uint8Array | undefined>[]> {
    const found = await this.findMany(keys, options);
    return found.map((each) => (each.ok ? { ok: true, result: each.result.entry?.value } : each));
  }

  /** Like `getMany`, with the metadata of each value and whether it may be stale. */
  async findMany(keys: readonly string[], options: ReadOptions = {}): Promise<Outcome<Found>[]> {
    checkedKeys(keys);
    const allowStale = options?.allowStale ?? false;
    const outcomes = new Map<number, Outcome<Found>>();
    let asking = keys.map((_key, at) => at);
    while (asking.length > 0) {
      const chunk = asking.slice(0, PIPELINE_OPERATIONS_MAX);
      const later = asking.slice(PIPELINE_OPERATIONS_MAX);
      const request = { keys: chunk.map((at) => keys[at]!), allowStale };
      const { results } = await this.#calls.call(METHODS.getMany, request, options);
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
    if (!Array.isArray(entries)) throw refused('the entries are no array of { key, value }');
    const puts = (entries as readonly SetEntry[]).map(({ key, value, operationId, ...kept }) => ({
      ...{ key: checkedKey(key), value: bytesOf(value), ...keptAs(kept) },
      operationId: checkedOperationId(operationId ?? this.#newId()),
    }));
    const bound = this.#calls.bound(options);
    return putMany(puts, bound, (some, timeoutMs) =>
      this.#calls.nodes.call(METHODS.putMany, { puts: [...some] }, { ...bound, timeoutMs }),
    );
  }

  /** Opens a stream to one node that carries many operations at once: the fastest way to write many keys. */
  async pipeline(options: PipelineOptions = {}): Promise<Pipeline> {
    checkPipelineOptions(options);
    const { timeoutMs } = this.#calls.bound({ timeoutMs: options.timeoutMs });
    const { nodes } = this.#calls;
    const stream = await nodes.stream(METHODS.pipeline, timeoutMs);
    return new Pipeline(stream, { trace: nodes.trace, ...options, timeoutMs }, nodes.closing);
  }

  /**
   * Yields all live records, page by page, starting after `after`: the `next` of an earlier page, or '' for the
   * beginning. After a failure, a new export can resume from the `next` of the last page; `scan` does so by itself.
   */
  async *export(after = '', options: CallOptions = {}): AsyncGenerator<ExportedPage, void> {
    const bound = this.#calls.bound(options);
    for await (const page of this.#calls.nodes.answers(METHODS.export, { after }, bound)) {
      const { next, incomplete } = page;
      const entries = page.entries.map(({ key, record }) => ({ key, entry: entryOf(record!) }));
      yield { entries, next, incomplete };
      if (next === '') return;
    }
    throw new CausewayError('transport', 'definite', 'the export ended before its last page');
  }

  /**
   * Yields all live records one by one, in no particular order, or only those whose key begins with `prefix` (all
   * records are read for that, too). Records that are written meanwhile may be missing. If a node fails, the scan goes
   * on at another one.
   *
   * @example
   * for await (const { key, entry } of client.scan({ prefix: 'user:' })) console.log(key, entry.version);
   */
  async *scan({ prefix = '', ...options }: ScanOptions = {}): AsyncGenerator<ScannedEntry, void> {
    yield* scan(prefix, this.#calls.bound(options), (after) => this.export(after, options));
  }

  /** Closes all connections. Calls under way fail. */
  close(): void {
    this.#calls.nodes.close();
  }

  /** A write with an operation id is repeated until its outcome is known; a write without one is sent once. */
  #write<Fields extends object, Decoded>(
    method: Method<Fields & { operationId: Uint8Array }, Decoded>,
    request: Fields,
    options: WriteOptions,
    isDone: (answer: Decoded) => boolean = () => true,
  ): Promise<Decoded> {
    const bound = this.#calls.bound(options);
    const operationId = options.operationId ?? this.#newId();
    const fields = { ...request, operationId: checkedOperationId(operationId) };
    const { nodes } = this.#calls;
    if (operationId === undefined) return nodes.call(method, fields, bound);
    return repeatUnderId(bound, (timeoutMs) => nodes.call(method, fields, { ...bound, timeoutMs }), isDone);
  }

  #newId(): Uint8Array | undefined {
    return this.#operationIds ? newOperationId() : undefined;
  }
}

function isApplied(answer: { readonly applied: boolean }): boolean {
  return answer.applied;
}

/** The checked fields of a write beside its value. Options that are not an object are refused later, with the others. */
function keptAs(options: Pick<SetOptions, 'ttlMs' | 'contentType'>) {
  return {
    ttlMs: checkedTtl(options?.ttlMs),
    contentType: checkedContentType(options?.contentType),
  };
}
