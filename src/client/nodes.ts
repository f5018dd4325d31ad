/**
 * The client's connections. Calls are distributed round-robin over the connected nodes, avoiding a node that is far
 * slower than the others. A call moves on to another node only if the first one has definitely not carried it out.
 * Nothing is sent before a connection is established, so a node that is down makes a write indefinite only if it went
 * down during the call.
 */
import { Client, Metadata, connectivityState, credentials, status } from '@grpc/grpc-js';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { isDoorAddress } from '../core/clients/door-address.ts';
import { causeway } from '../gen/protocol.js';
import type { MessageType } from '../gen/protocol.js';
import { abortedError, checkConnectOptions, failIfAborted, pause, manyListen } from './bound.ts';
import type { Bound } from './bound.ts';
import {
  CausewayError,
  certaintyOfLoss,
  ClosedError,
  errorOfStatus,
  mayTryAnother,
} from './causeway-error.ts';
import type { ConnectOptions } from './options.ts';
import { Pace } from './pace.ts';
import { Patience } from './patience.ts';
import { whyNot } from './why-not.ts';

export interface Method<Fields, Decoded> {
  readonly path: string;
  readonly request: MessageType<unknown, Fields>;
  readonly answer: MessageType<Decoded, never>;
  readonly isWrite: boolean;
}

interface Node {
  readonly address: string;
  readonly client: Client;
  readonly pace: Pace;
  /** The key of the last call to this node that named one. */
  key: string | undefined;
}

const HEALTH_CHECK = '/grpc.health.v1.Health/Check';
const GET = '/causeway.v1.KeyValue/Get';
const CONNECT_TIMEOUT_MS_DEFAULT = 2_000;
const ASK_TIMEOUT_MS = 5_000;
const CHANNEL_OPTIONS = {
  'grpc.max_receive_message_length': -1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  // A machine that vanished sends nothing; keepalives detect it.
  'grpc.keepalive_time_ms': 5_000,
  'grpc.keepalive_timeout_ms': 2_000,
  // Otherwise all clients of a process share their connections, and a new one its predecessors' pauses after failures.
  'grpc.use_local_subchannel_pool': 1,
  // DNS TXT records must not configure retries in grpc-js: a retried call may already have happened.
  'grpc.service_config_disable_resolution': 1,
};

export class Nodes {
  readonly trace: ConnectOptions['trace'];
  readonly #nodes: readonly Node[];
  readonly #connectTimeoutMs: number;
  readonly #patience = new Patience();
  readonly #closing = new AbortController();
  #next = 0;

  constructor(options: ConnectOptions) {
    manyListen(this.#closing.signal);
    const addresses = checkedNodes((options as ConnectOptions | undefined)?.nodes);
    checkConnectOptions(options);
    this.trace = options.trace;
    this.#nodes = addresses.map((address) => ({
      address,
      client: new Client(address, credentials.createInsecure(), CHANNEL_OPTIONS),
      pace: new Pace(),
      key: undefined,
    }));
    this.#connectTimeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS_DEFAULT;
  }

  /** Aborted when the client is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  get addresses(): string[] {
    return this.#nodes.map(({ address }) => address);
  }

  async call<Fields, Decoded>(
    method: Method<Fields, Decoded>,
    request: Fields,
    bound: Bound,
  ): Promise<Decoded> {
    const metadata = this.#metadata();
    const deadline = Date.now() + bound.timeoutMs;
    const untried = new Set(this.#nodes);
    let refusal: CausewayError | undefined;
    this.#patience.noteCall(performance.now());
    for (let refusals = 0; ;) {
      failIfAborted(bound.signal);
      const node = await this.#pick(untried, deadline, bound.signal).catch((fault: unknown) => {
        failIfAborted(bound.signal);
        // An answer from a node is more informative than "the next one could not be reached".
        throw refusal ?? fault;
      });
      this.#failIfOver(bound.signal);
      untried.delete(node);
      node.key = keyIn(request) ?? node.key;
      const ended = node.pace.begin(performance.now());
      try {
        return await unary(node.client, method, request, metadata, deadline, bound.signal);
      } catch (failure) {
        // Created here and not in the callback of the library, so that the stack trace contains the caller.
        const error = errorOfUnary(failure as ServiceError, method.isWrite, node.address, bound);
        if (!mayTryAnother(error) || Date.now() >= deadline) throw error;
        refusal = error;
        if (error.code === 'overloaded')
          await this.#waitAfter(error, node, refusals++, untried, deadline, bound);
        else if (untried.size === 0) throw error;
      } finally {
        ended(performance.now());
      }
    }
  }

  /** After an `overloaded` answer: returns when the call should be made again, or throws if it should not. */
  async #waitAfter(
    error: CausewayError,
    { address }: Node,
    attempt: number,
    untried: Set<Node>,
    deadline: number,
    { signal }: Bound,
  ): Promise<void> {
    const now = performance.now();
    const hasOther = untried.size > 0;
    const pauseMs = this.#patience.afterRefusal(address, error, attempt, hasOther, now, Math.random());
    if (pauseMs === null || Date.now() + pauseMs >= deadline) throw error;
    if (hasOther) return;
    for (const each of this.#nodes) untried.add(each);
    await pause(pauseMs, signal);
  }

  /** Asks this one node only. */
  async callAt<Fields, Decoded>(
    address: string,
    method: Method<Fields, Decoded>,
    request: Fields,
    bound: Bound,
  ): Promise<Decoded> {
    const node = this.#nodes.find((each) => each.address === address);
    if (node === undefined)
      throw new CausewayError('transport', 'definite', `${address} is none of the nodes`);
    const metadata = this.#metadata();
    const deadline = Date.now() + bound.timeoutMs;
    failIfAborted(bound.signal);
    await this.#pick(new Set([node]), deadline, bound.signal);
    this.#failIfOver(bound.signal);
    try {
      return await unary(node.client, method, request, metadata, deadline, bound.signal);
    } catch (failure) {
      throw errorOfUnary(failure as ServiceError, method.isWrite, address, bound);
    }
  }

  /** Opens a stream to the next connected node. */
  async stream<Fields, Decoded>(
    method: Method<Fields, Decoded>,
    timeoutMs: number,
  ): Promise<ClientDuplexStream<Fields, Decoded>> {
    const { client } = await this.#pick(new Set(this.#nodes), Date.now() + timeoutMs, undefined);
    this.#failIfOver(undefined);
    return client.makeBidiStreamRequest<Fields, Decoded>(
      method.path,
      (fields) => method.request.encode(fields).finish() as Buffer,
      (bytes) => method.answer.decode(bytes),
    );
  }

  /**
   * Yields the responses of one streaming call to the next connected node; each must follow the previous one within
   * `timeoutMs`.
   */
  async *answers<Fields, Decoded>(
    method: Method<Fields, Decoded>,
    request: Fields,
    { timeoutMs, signal }: Bound,
  ): AsyncGenerator<Decoded, void> {
    const metadata = this.#metadata();
    failIfAborted(signal);
    const { client } = await this.#pick(new Set(this.#nodes), Date.now() + timeoutMs, signal);
    this.#failIfOver(signal);
    const stream = client.makeServerStreamRequest<Fields, Decoded>(
      method.path,
      (fields) => method.request.encode(fields).finish() as Buffer,
      (bytes) => method.answer.decode(bytes),
      request,
      metadata,
    );
    let isLate = false;
    const late = (): void => {
      isLate = true;
      stream.cancel();
    };
    let timer = setTimeout(late, timeoutMs);
    const cancel = (): void => stream.cancel();
    signal?.addEventListener('abort', cancel);
    try {
      for await (const answer of stream) {
        clearTimeout(timer);
        yield answer as Decoded;
        failIfAborted(signal);
        timer = setTimeout(late, timeoutMs);
      }
    } catch (error) {
      failIfAborted(signal);
      if (isLate) throw new CausewayError('transport', 'definite', `no answer within ${timeoutMs} ms`);
      throw errorOfStatus(error as ServiceError, method.isWrite);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
      stream.cancel();
    }
  }

  close(): void {
    this.#closing.abort();
    for (const { client } of this.#nodes) client.close();
  }

  /** To be called after every wait: grpc-js still sends what it is given after it was closed. */
  #failIfOver(signal: AbortSignal | undefined): void {
    failIfAborted(signal);
    if (this.closing.aborted) throw new ClosedError();
  }

  /** The trace context of the caller at this moment; everything sent for this call belongs to it. */
  #metadata(): Metadata {
    const metadata = new Metadata();
    const { traceparent, tracestate = '' } = this.trace?.() ?? {};
    if (traceparent !== undefined) metadata.set('traceparent', traceparent);
    if (tracestate !== '') metadata.set('tracestate', tracestate);
    return metadata;
  }

  #isAvoided(node: Node): boolean {
    const { pace } = node;
    const now = performance.now();
    if (!pace.isInDoubt(now)) return false;
    const others = this.#nodes.filter((each) => each !== node).map((each) => each.pace);
    if (!pace.isAvoided(others, now)) return false;
    if (pace.shouldAsk(now)) ask(node, now);
    return true;
  }

  async #pick(
    candidates: ReadonlySet<Node>,
    deadline: number,
    signal: AbortSignal | undefined,
  ): Promise<Node> {
    this.#failIfOver(signal);
    const count = this.#nodes.length;
    const start = this.#next;
    // A call for one particular node does not advance the round-robin.
    const hasTurn = candidates.size > 1;
    if (hasTurn) this.#next = (start + 1) % count;
    let avoided: Node | undefined;
    for (let at = 0; at < count; at++) {
      const node = this.#nodes[(start + at) % count]!;
      const isReady = node.client.getChannel().getConnectivityState(true) === connectivityState.READY;
      if (!isReady || !candidates.has(node)) continue;
      const isFull = this.#patience.isFull(node.address, performance.now());
      if (!isFull && !this.#isAvoided(node)) {
        // The next call starts after this node. Otherwise the successor of a node that is down would get that node's
        // share as well.
        if (hasTurn) this.#next = (start + at + 1) % count;
        return node;
      }
      avoided ??= node;
    }
    if (avoided !== undefined) return avoided;
    const connectBy = Math.min(deadline, Date.now() + this.#connectTimeoutMs);
    const connected = await firstConnected([...candidates], connectBy, [this.closing, signal]);
    this.#failIfOver(signal);
    if (connected !== undefined) return connected;
    const named = [...candidates].map(async ({ address, client }) => {
      const reason = await whyNot(client);
      return reason === '' ? address : `${address} (${reason})`;
    });
    const names = (await Promise.all(named)).join(', ');
    throw new CausewayError('transport', 'definite', `cannot connect to ${names}: nothing was sent`);
  }
}

/** Resolves to undefined if none is connected by the deadline, or if a signal aborts. */
function firstConnected(
  nodes: readonly Node[],
  deadline: number,
  signals: readonly (AbortSignal | undefined)[],
): Promise<Node | undefined> {
  return new Promise((settle) => {
    const abort = (): void => resolve(undefined);
    const resolve = (node: Node | undefined): void => {
      for (const signal of signals) signal?.removeEventListener('abort', abort);
      settle(node);
    };
    for (const signal of signals) signal?.addEventListener('abort', abort);
    let left = nodes.length;
    for (const node of nodes) {
      node.client.waitForReady(deadline, (error) => {
        left--;
        if (error === undefined) resolve(node);
        else if (left === 0) resolve(undefined);
      });
    }
  });
}

/**
 * Sends a probe to measure how long the node takes; the answer itself does not matter. If a key is known, the probe
 * reads it, since reads are what the node was slow with: a node with bad links to its peers still answers a health
 * check quickly.
 */
function ask({ client, pace, key }: Node, now: number): void {
  const ended = pace.begin(now);
  const deadline = Date.now() + ASK_TIMEOUT_MS;
  const asIs = (bytes: Buffer): Buffer => bytes;
  const [path, bytes] =
    key === undefined
      ? [HEALTH_CHECK, Buffer.alloc(0)]
      : [GET, causeway.v1.GetRequest.encode({ key }).finish() as Buffer];
  client.makeUnaryRequest(path, asIs, asIs, bytes, { deadline }, () => ended(performance.now()));
}

function keyIn(request: unknown): string | undefined {
  const { key } = request as { readonly key?: unknown };
  return typeof key === 'string' ? key : undefined;
}

/** Rejects with the error of the library. */
function unary<Fields, Decoded>(
  client: Client,
  method: Method<Fields, Decoded>,
  request: Fields,
  metadata: Metadata,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<Decoded> {
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(
      method.path,
      (fields: Fields) => method.request.encode(fields).finish() as Buffer,
      (bytes: Buffer) => method.answer.decode(bytes),
      request,
      metadata,
      { deadline },
      (error: ServiceError | null, answer?: Decoded) => {
        signal?.removeEventListener('abort', cancel);
        if (error === null) resolve(answer as Decoded);
        else reject(error);
      },
    );
    const cancel = (): void => call.cancel();
    signal?.addEventListener('abort', cancel);
  });
}

function errorOfUnary(
  failure: ServiceError,
  isWrite: boolean,
  address: string,
  { timeoutMs, signal }: Bound,
): CausewayError {
  if (signal?.aborted === true && failure.code === status.CANCELLED)
    return abortedError(signal, certaintyOfLoss(isWrite));
  return errorOfStatus(failure, isWrite, `from ${address} within ${Math.round(timeoutMs)} ms`);
}

/** Plain JavaScript can pass anything here, and a bad address would otherwise fail much later or not at all. */
function checkedNodes(nodes: unknown): string[] {
  if (!Array.isArray(nodes) || nodes.length === 0)
    throw new TypeError("no nodes are given to connect to: connect({ nodes: ['127.0.0.1:50051'] })");
  for (const node of nodes)
    if (typeof node !== 'string' || !isDoorAddress(node))
      throw new TypeError(`${String(node)} is not host:port`);
  return nodes as string[];
}
