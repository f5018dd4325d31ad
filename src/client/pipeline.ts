/**
 * Many operations over one stream. The operations of one turn of the event loop leave as one frame. At most
 * `unansweredMax` operations are outstanding at the node, and as many again may wait here; beyond that an operation
 * fails at once with a definite error, so wait for `room` before sending more. A broken stream ends the pipeline:
 * writes that were sent are then indefinite, everything else is definite.
 */
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { ChurningMap } from '../base/churning-map.ts';
import { PIPELINE_BYTES_MAX, PIPELINE_OPERATIONS_MAX } from '../core/clients/grpc-limits.ts';
import type { causeway } from '../gen/protocol.js';
import { CausewayError, certaintyOfLoss, errorOfStatus } from './causeway-error.ts';
import {
  bytesOf,
  checkedContentType,
  checkedDelta,
  checkedKey,
  checkedOperationId,
  checkedTtl,
  compareResultOf,
  entryOf,
  errorOfFailure,
  expectationFields,
  standingFields,
} from './entry.ts';
import type { CompareResult, Entry, Expected, Value } from './entry.ts';
import { checkOptions } from './bound.ts';
import type { ConnectOptions, SetOptions } from './options.ts';

export interface PipelineOptions {
  /** Timeout in milliseconds of each operation, counted from when it is sent. */
  readonly timeoutMs?: number | undefined;
  /** How many operations may be outstanding at the node; default 2,000. */
  readonly unansweredMax?: number | undefined;
  /** As in `ConnectOptions`; default: the client's own `trace`. */
  readonly trace?: ConnectOptions['trace'];
}

/** As in the client's `set`. The time limit is that of the pipeline, and repeating a write is up to the caller. */
export type PipelineSetOptions = Pick<SetOptions, 'ttlMs' | 'contentType' | 'operationId'>;

type Stream = ClientDuplexStream<causeway.v1.PipelineRequestFields, causeway.v1.PipelineResponse>;

interface Pending {
  readonly fields: causeway.v1.OperationFields;
  readonly bytes: number;
  readonly isWrite: boolean;
  readonly resolve: (result: causeway.v1.OperationResult) => void;
  readonly reject: (error: CausewayError) => void;
  /** Monotonic milliseconds: if the wall clock is set, the operations must not all appear late. */
  sentAt: number;
}

const UNANSWERED_MAX_DEFAULT = 2_000;
/** Grace period in milliseconds beyond an operation's timeout before the stream counts as broken. */
const LATE_MS = 2_000;
const WATCH_INTERVAL_MS = 500;

export class Pipeline {
  readonly #stream: Stream;
  readonly #timeoutMs: number;
  readonly #unansweredMax: number;
  readonly #trace: PipelineOptions['trace'];
  readonly #sent = new ChurningMap<number, Pending>();
  #waiting: Pending[] = [];
  #number = 0;
  #flushAsked = false;
  #blocked = false;
  #roomWaiters: (() => void)[] = [];
  /** How many callers of `room` were promised a place in this turn and have not used it yet. */
  #promised = 0;
  #over: CausewayError | undefined;
  #ended: (() => void) | undefined;
  readonly #watch: NodeJS.Timeout;
  readonly #closing: AbortSignal;
  readonly #onClosing = (): void => {
    this.#fail(new CausewayError('transport', 'definite', 'the client was closed'));
    this.#stream.cancel();
  };

  /** `closing` is aborted when the client is closed. */
  constructor(
    stream: Stream,
    options: PipelineOptions & { readonly timeoutMs: number },
    closing: AbortSignal,
  ) {
    this.#stream = stream;
    this.#closing = closing;
    this.#timeoutMs = options.timeoutMs;
    this.#unansweredMax = options.unansweredMax ?? UNANSWERED_MAX_DEFAULT;
    this.#trace = options.trace;
    stream.on('data', (frame: causeway.v1.PipelineResponse) => this.#receive(frame));
    stream.on('drain', () => {
      this.#blocked = false;
      this.#flush();
    });
    stream.on('error', (error: ServiceError) => this.#fail(errorOfStatus(error, false)));
    stream.on('end', () => this.#fail(new CausewayError('transport', 'definite', 'the pipeline has ended')));
    this.#watch = setInterval(() => this.#failIfLate(), WATCH_INTERVAL_MS);
    this.#watch.unref();
    closing.addEventListener('abort', this.#onClosing);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return (await this.getWithMeta(key))?.value;
  }

  async getWithMeta(key: string): Promise<Entry | undefined> {
    const { get } = await this.#ask({ get: { key: checkedKey(key) } }, 0, false);
    return get?.record ? entryOf(get.record) : undefined;
  }

  async set(key: string, value: Value, options: PipelineSetOptions = {}): Promise<number> {
    const put = { key: checkedKey(key), value: bytesOf(value), ...this.#kept(options) };
    return (await this.#ask({ put }, put.value.length, true)).put!.version;
  }

  async delete(key: string): Promise<number> {
    return (await this.#ask({ delete: { key: checkedKey(key) } }, 0, true)).delete!.version;
  }

  async compareAndSet(
    key: string,
    expected: Expected,
    value: Value,
    options: PipelineSetOptions = {},
  ): Promise<CompareResult> {
    const fields = expectationFields(expected);
    const put = { ...fields, key: checkedKey(key), value: bytesOf(value), ...this.#kept(options) };
    const bytes = put.value.length + (fields.expectValue?.length ?? 0);
    return compareResultOf((await this.#ask({ compareAndPut: put }, bytes, true)).compare!);
  }

  async compareAndDelete(key: string, expected: Exclude<Expected, 'absent'>): Promise<CompareResult> {
    const compareAndDelete = { key: checkedKey(key), ...standingFields(expected) };
    const bytes = compareAndDelete.expectValue?.length ?? 0;
    return compareResultOf((await this.#ask({ compareAndDelete }, bytes, true)).compare!);
  }

  async increment(key: string, delta: bigint | number = 1n): Promise<bigint> {
    const increment = { key: checkedKey(key), delta: checkedDelta(delta) };
    return (await this.#ask({ increment }, 0, true)).increment!.total;
  }

  /**
   * Resolves when another operation would be accepted; at once if that is the case now, or if the pipeline is over. The
   * place is reserved until the end of this turn of the event loop: however many callers wait, each one that sends its
   * operation at once is accepted.
   */
  room(): Promise<void> {
    if (this.#over !== undefined) return Promise.resolve();
    if (this.#waiting.length + this.#promised >= this.#unansweredMax) {
      return new Promise((resolve) => this.#roomWaiters.push(resolve));
    }
    this.#promised += 1;
    this.#askFlush();
    return Promise.resolve();
  }

  /** Accepts no more operations; resolves when those under way are answered, at the latest by their deadlines. */
  close(): Promise<void> {
    if (this.#over !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#ended = resolve;
      this.#endIfDone();
    });
  }

  /** The checked fields of a write beside its key and value. */
  #kept(options: PipelineSetOptions) {
    checkOptions(options);
    return {
      ttlMs: checkedTtl(options.ttlMs),
      contentType: checkedContentType(options.contentType),
      operationId: checkedOperationId(options.operationId),
    };
  }

  #ask(
    fields: causeway.v1.OperationFields,
    bytes: number,
    isWrite: boolean,
  ): Promise<causeway.v1.OperationResult> {
    if (this.#over !== undefined) return Promise.reject(this.#lost(false));
    if (this.#ended !== undefined || this.#waiting.length >= this.#unansweredMax) {
      const why =
        this.#ended === undefined ? 'too many operations wait in the pipeline' : 'the pipeline is closing';
      return Promise.reject(new CausewayError('overloaded', 'definite', why));
    }
    const headers = this.#trace?.();
    const traced = headers === undefined ? fields : { ...fields, ...headers };
    if (this.#promised > 0) this.#promised -= 1;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ fields: traced, bytes, isWrite, resolve, reject, sentAt: 0 });
      this.#askFlush();
    });
  }

  #askFlush(): void {
    if (this.#flushAsked) return;
    this.#flushAsked = true;
    setImmediate(() => {
      this.#flushAsked = false;
      this.#flush();
    });
  }

  #flush(): void {
    let taken = 0;
    while (!this.#blocked && this.#over === undefined) {
      const operations: causeway.v1.OperationFields[] = [];
      let bytes = 0;
      while (
        taken < this.#waiting.length &&
        this.#sent.size < this.#unansweredMax &&
        operations.length < PIPELINE_OPERATIONS_MAX &&
        (operations.length === 0 || bytes + this.#waiting[taken]!.bytes <= PIPELINE_BYTES_MAX)
      ) {
        const pending = this.#waiting[taken++]!;
        bytes += pending.bytes;
        operations.push(this.#numbered(pending));
      }
      if (operations.length === 0) break;
      this.#blocked = !this.#stream.write({ operations, timeoutMs: this.#timeoutMs });
    }
    if (taken > 0) this.#waiting = this.#waiting.slice(taken);
    this.#tellOfRoom();
  }

  /** At the end of a turn the promises made in it expire; wake as many waiting callers as there is room for. */
  #tellOfRoom(): void {
    const told = this.#roomWaiters.splice(0, Math.max(0, this.#unansweredMax - this.#waiting.length));
    this.#promised = told.length;
    for (const go of told) go();
    if (told.length > 0) this.#askFlush();
  }

  #numbered(pending: Pending): causeway.v1.OperationFields {
    // There are far more numbers than outstanding operations, so a number is long free when the counter wraps round to
    // it.
    this.#number = (this.#number + 1) >>> 0;
    pending.sentAt = performance.now();
    this.#sent.set(this.#number, pending);
    return { number: this.#number, ...pending.fields };
  }

  #receive(frame: causeway.v1.PipelineResponse): void {
    for (const result of frame.results) {
      const pending = this.#sent.get(result.number);
      if (pending === undefined) continue;
      this.#sent.delete(result.number);
      if (result.failure === null) pending.resolve(result);
      else pending.reject(errorOfFailure(result.failure));
    }
    if (this.#waiting.length > 0) this.#askFlush();
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#ended === undefined || this.#sent.size > 0 || this.#waiting.length > 0) return;
    this.#stream.end();
    this.#fail(new CausewayError('transport', 'definite', 'the pipeline was closed'));
  }

  /**
   * The node answers every operation by its deadline. The map is in order of sending, so its first entry is the oldest.
   */
  #failIfLate(): void {
    for (const oldest of this.#sent.values()) {
      if (performance.now() - oldest.sentAt <= this.#timeoutMs + LATE_MS) return;
      this.#fail(new CausewayError('transport', 'definite', 'the node does not answer'));
      this.#stream.cancel();
      return;
    }
  }

  #fail(error: CausewayError): void {
    if (this.#over !== undefined) return;
    this.#over = error;
    clearInterval(this.#watch);
    this.#closing.removeEventListener('abort', this.#onClosing);
    for (const pending of this.#sent.values()) pending.reject(this.#lost(pending.isWrite));
    for (const pending of this.#waiting) pending.reject(this.#lost(false));
    this.#sent.clear();
    this.#waiting = [];
    for (const go of this.#roomWaiters.splice(0)) go();
    this.#ended?.();
  }

  #lost(wasSentWrite: boolean): CausewayError {
    const { code, message } = this.#over!;
    // A node that refuses the pipeline because it has too many has begun none of its operations.
    const certainty = code === 'overloaded' ? 'definite' : certaintyOfLoss(wasSentWrite);
    return new CausewayError(code, certainty, message);
  }
}
