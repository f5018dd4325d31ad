/**
 * Handles unary calls straight from HTTP/2. The work of grpc-js around each call (interceptors, queues, metadata in
 * both directions, a timer) costs a server 25 to 30 of the 75 microseconds that a call takes; a single message in each
 * direction needs none of it. Unusual calls (compressed, or with an unreadable timeout) still go to grpc-js, and so
 * does every stream.
 */
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Metadata, Server, StatusObject } from '@grpc/grpc-js';
import { failure } from '../../core/errors.ts';
import type { Failure } from '../../core/errors.ts';
import { LibraryArrival } from './arrivals.ts';
import type { Arrival, Arrivals, Held } from './arrivals.ts';
import type { Connections } from './connections.ts';
import { tellCodes } from './library-status.ts';
import { tellStatus, turnAway } from './raw-status.ts';
import type { StatusOf } from './raw-status.ts';
import { StreamArrival } from './stream-arrival.ts';

/** The metadata of a call, looked up by name. */
export type Sent = Pick<Metadata, 'get'>;

/** What a unary handler sees of a call, whether this file or grpc-js handles it. */
export interface UnaryCall<Request> {
  readonly request: Request;
  readonly metadata: Sent;
  readonly cancelled: boolean;
  getDeadline(): Date | number;
  getPeer(): string;
  /** Emitted at the end of every call: the client has taken the answer, or is gone. */
  once(event: 'cancelled', listener: () => void): unknown;
}

export type Respond = (error: Partial<StatusObject> | null, answer: Uint8Array | null) => void;

export interface UnaryMethod<Request> {
  readonly decode: (bytes: Buffer) => Request;
  readonly handle: (call: UnaryCall<Request>, respond: Respond) => void;
  /** The status of failures that occur before there is a request. */
  readonly statusOf: StatusOf;
}

/** What all unary calls share, whoever handles them. */
export interface Surroundings {
  readonly arrivals: Arrivals;
  readonly connections: Connections;
  readonly requestBytesMax: number;
  /** The failure for a request that is larger than `requestBytesMax`. */
  readonly tooLarge: Failure;
  /** The status of failures that no unary method reports itself. */
  readonly statusOf: StatusOf;
}

type Methods = Map<string, UnaryMethod<unknown>>;

/** The gRPC message prefix: a flag (compressed or not) and the length of the message, big endian. */
const PREFIX_BYTES = 5;
const NO_CODING = 'the message is compressed, and no header names the coding';
const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const MS_PER_UNIT: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

const HEAD = {
  ':status': 200,
  'content-type': 'application/grpc+proto',
  'grpc-accept-encoding': 'identity,deflate,gzip',
};
const HEAD_OPTIONS = { waitForTrailers: true };
const TRAILERS = { 'grpc-status': '0', 'grpc-message': 'OK' };

const methodsOf = new WeakMap<Server, Methods>();

export function addDirect<Request>(server: Server, path: string, method: UnaryMethod<Request>): void {
  let methods = methodsOf.get(server);
  if (methods === undefined) methodsOf.set(server, (methods = new Map<string, UnaryMethod<unknown>>()));
  methods.set(path, method as UnaryMethod<unknown>);
}

/**
 * To be called once the server is bound: unary calls then arrive here first. Returns false if grpc-js offers no way to
 * do that.
 */
export function takeDirectCalls(server: Server, around: Surroundings): boolean {
  const methods = methodsOf.get(server);
  // A private field of grpc-js, whose version is pinned. A test notices if the field disappears; everything works
  // without it.
  const { http2Servers } = server as unknown as { readonly http2Servers?: Map<Http2Server, unknown> };
  if (methods === undefined || http2Servers === undefined || http2Servers.size === 0) return false;
  for (const http2Server of http2Servers.keys()) {
    around.connections.watch(http2Server);
    takeFrom(http2Server, methods, around);
  }
  return true;
}

function takeFrom(http2Server: Http2Server, methods: Methods, around: Surroundings): void {
  const { arrivals, connections, statusOf } = around;
  const others = http2Server.listeners('stream');
  http2Server.removeAllListeners('stream');
  http2Server.on('stream', (stream, headers, flags) => {
    const path = headers[':path']!;
    if (connections.turnsAway(stream, path)) return;
    const method = methods.get(path);
    const timeoutMs = method === undefined ? undefined : timeoutMsIn(headers);
    if (method !== undefined && timeoutMs !== undefined && isPlain(headers))
      return new DirectCall(method, stream, headers, timeoutMs, around).listen();
    if (!connections.isOfMembers(path)) tellCodes(stream, around);
    for (const other of others) other.call(http2Server, stream, headers, flags);
    if (method !== undefined) new LibraryArrival(arrivals, stream, method.statusOf);
    else if (!connections.isOfMembers(path)) new StreamArrival(arrivals, stream, statusOf);
  });
}

function isPlain(headers: IncomingHttpHeaders): boolean {
  const encoding = headers['grpc-encoding'];
  return (
    headers['content-type']?.startsWith('application/grpc') === true &&
    (encoding === undefined || encoding === 'identity')
  );
}

/** Returns Infinity if no timeout is set, and undefined if it cannot be read. */
function timeoutMsIn(headers: IncomingHttpHeaders): number | undefined {
  const text = headers['grpc-timeout'];
  if (text === undefined) return Infinity;
  const match = typeof text === 'string' ? TIMEOUT.exec(text) : null;
  return match === null ? undefined : Number(match[1]) * MS_PER_UNIT[match[2]!]!;
}

class DirectCall implements UnaryCall<unknown>, Arrival {
  request: unknown = undefined;
  readonly stream: ServerHttp2Stream;
  readonly since: number;
  held: Held | null = null;
  byteCount = 0;
  private readonly method: UnaryMethod<unknown>;
  private readonly headers: IncomingHttpHeaders;
  private readonly deadline: number;
  private readonly requestBytesMax: number;
  private readonly tooLarge: Failure;
  private readonly arrivals: Arrivals;
  private received: Buffer | null = null;
  /** The pieces of a message that arrived in more than one. */
  private pieces: Buffer[] | null = null;
  private isAnswered = false;

  constructor(
    method: UnaryMethod<unknown>,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    timeoutMs: number,
    { arrivals, requestBytesMax, tooLarge }: Surroundings,
  ) {
    this.method = method;
    this.stream = stream;
    this.headers = headers;
    this.deadline = Date.now() + timeoutMs;
    this.requestBytesMax = requestBytesMax;
    this.tooLarge = tooLarge;
    this.arrivals = arrivals;
    this.since = arrivals.looks;
  }

  listen(): void {
    this.stream.on('error', ignore);
    this.stream.on('data', (piece: Buffer) => this.onData(piece));
    this.stream.on('end', () => this.onEnd());
    this.stream.on('close', () => this.arrivals.end(this));
    this.arrivals.begin(this);
  }

  get cancelled(): boolean {
    return this.stream.destroyed || this.stream.closed;
  }

  /**
   * A handler looks up one header or none, so building an object of all of them would cost more than reading from it.
   */
  get metadata(): Sent {
    return { get: (name) => [this.headers[name] ?? []].flat() };
  }

  getDeadline(): number {
    return this.deadline;
  }

  /** The same form as grpc-js uses, so that both kinds of call on one connection share one account of bytes. */
  getPeer(): string {
    const socket = this.stream.session?.socket;
    if (socket?.remoteAddress === undefined) return 'unknown';
    return socket.remotePort === undefined
      ? socket.remoteAddress
      : `${socket.remoteAddress}:${socket.remotePort}`;
  }

  once(_event: 'cancelled', listener: () => void): void {
    this.stream.once('close', listener);
  }

  private onData(piece: Buffer): void {
    if (this.isAnswered) return;
    this.byteCount += piece.length;
    if (!this.arrivals.came(this, piece.length)) return;
    if (this.received === null) this.received = piece;
    else (this.pieces ??= [this.received]).push(piece);
    // Checked before the pieces are joined: the announced length may exceed the limit, and the client may send more
    // than it announced.
    if (this.byteCount > this.requestBytesMax + PREFIX_BYTES || this.announced() > this.requestBytesMax)
      this.turnAway(this.tooLarge);
  }

  /** The announced length of the message; 0 until the prefix has arrived. */
  private announced(): number {
    const head = this.received!;
    return head.length < PREFIX_BYTES ? 0 : head.readUInt32BE(1);
  }

  private onEnd(): void {
    this.arrivals.end(this);
    if (this.isAnswered) return;
    const { pieces } = this;
    const bytes = pieces === null ? this.received : Buffer.concat(pieces, this.byteCount);
    if (
      bytes === null ||
      bytes.length < PREFIX_BYTES ||
      bytes.readUInt32BE(1) !== bytes.length - PREFIX_BYTES
    )
      return this.turnAway(
        failure('not_supported', 'a unary call must have exactly one message, and a whole one'),
      );
    if (bytes[0] !== 0) return this.turnAway(failure('invalid_argument', NO_CODING));
    this.received = null;
    this.pieces = null;
    const { method } = this;
    this.request = method.decode(bytes.subarray(PREFIX_BYTES));
    method.handle(this, (error, answer) => this.respond(error, answer));
  }

  private respond(error: Partial<StatusObject> | null, answer: Uint8Array | null): void {
    if (this.isAnswered) return;
    this.isAnswered = true;
    const { stream } = this;
    if (this.cancelled) return;
    if (error !== null || answer === null) return tellStatus(stream, error ?? {});
    stream.respond(HEAD, HEAD_OPTIONS);
    stream.once('wantTrailers', sendTrailers);
    stream.end(framed(answer));
  }

  turnAway(failed: Failure): void {
    this.arrivals.end(this);
    this.received = null;
    this.pieces = null;
    this.isAnswered = true;
    turnAway(this.stream, this.method.statusOf(failed));
  }
}

function sendTrailers(this: ServerHttp2Stream): void {
  this.sendTrailers(TRAILERS);
}

function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}

function ignore(): void {
  // The stream is gone, so there is nobody left to tell.
}
