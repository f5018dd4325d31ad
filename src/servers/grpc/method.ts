/**
 * Registers gRPC methods on the server and defines how they fail. Every failure carries its code and its certainty in
 * the trailing metadata, so that a client knows whether it may repeat the call.
 */
import { performance } from 'node:perf_hooks';
import { Metadata, status as Status } from '@grpc/grpc-js';
import type { Server, ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import { ERROR_TABLE, certaintyOf, failure } from '../../core/errors.ts';
import type { Failure } from '../../core/errors.ts';
import {
  ANSWER_BYTES_COUNTED,
  CONNECTION_CALLS_MAX,
  PIPELINE_BYTES_MAX,
} from '../../core/clients/grpc-limits.ts';
import {
  KEY_BYTES_MAX,
  OPERATION_TIMEOUT_MS_DEFAULT,
  OPERATION_TIMEOUT_MS_MAX,
  OVERLOADED_RETRY_MS,
} from '../../core/limits.ts';
import type { MessageType } from '../../gen/protocol.js';
import { addDirect } from './direct-calls.ts';
import type { Respond, UnaryCall } from './direct-calls.ts';
import { tracingOf, underSpan } from './traced-calls.ts';
import { untakenOf } from './untaken.ts';
import type { Untaken } from './untaken.ts';

const METADATA_CODE = 'causeway-code';
const METADATA_CERTAINTY = 'causeway-certainty';
/** Milliseconds after which to retry; clients that use gRPC's own retry policy obey it, too. */
const METADATA_RETRY = 'grpc-retry-pushback-ms';

/** Exactly one of the two is not null. */
export type Done<Answer> = (failed: Failure | null, answer: Answer | null) => void;

type Serve<Request, Answer> = (request: Request, timeoutMs: number, done: Done<Answer>) => void;

/**
 * Takes the place of a request that cannot be decoded. If the decoder threw instead, grpc-js would answer without our
 * metadata.
 */
export class Malformed {
  readonly failed: Failure;

  constructor(fault: unknown) {
    const reason = fault instanceof Error ? fault.message : String(fault);
    this.failed = failure('invalid_argument', `the request is malformed, or a key is not UTF-8 (${reason})`);
  }
}

/**
 * A call ends at most this much before the client's deadline, so that the client still receives what is known of it.
 */
const DEADLINE_MARGIN_MS_MAX = 50;
const DEADLINE_MARGIN_SHARE = 0.1;
/** Room for framing, field tags and options around keys and values. */
const MESSAGE_OVERHEAD_BYTES = 64 * 1024;

/** Sized for a compare-and-put, which carries two values. */
export function requestBytesMax(valueBytesMax: number): number {
  return Math.max(PIPELINE_BYTES_MAX, 2 * valueBytesMax + KEY_BYTES_MAX) + MESSAGE_OVERHEAD_BYTES;
}

/** Options for the server that the doors are added to. */
export function messageLimits(valueBytesMax: number): Record<string, number> {
  return {
    'grpc.max_receive_message_length': requestBytesMax(valueBytesMax),
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': CONNECTION_CALLS_MAX,
  };
}

type Call<Request> = UnaryCall<Request | Malformed>;

/** Reads change nothing, so if there is no room for the answer, a refusal is sent instead. */
const READS = /\/(Get|GetMany|Inspect)$/;

export function unary<Request, Answer>(
  server: Server,
  path: string,
  requestType: MessageType<Request, never>,
  answerType: MessageType<unknown, Answer>,
  serve: Serve<Request, Answer>,
): void {
  const untaken = untakenOf(server);
  const isRead = READS.test(path);
  const tracing = tracingOf(server, path);
  const begin = (call: Call<Request>, request: Request, respond: Respond): void => {
    if (untaken.total > 0 && untaken.isFull(call.getPeer())) return respond(statusOf(NOT_READ), null);
    const timeoutMs = timeoutMsOf(call.getDeadline());
    const done: Done<Answer> = (failed, answer) => {
      if (failed !== null) return respond(statusOf(failed), null);
      const bytes = answerType.encode(answer!).finish();
      if (bytes.length < ANSWER_BYTES_COUNTED || call.cancelled) return respond(null, bytes);
      untaken.turns.made(bytes.length);
      if (isRead && untaken.isFull(call.getPeer())) return respond(statusOf(NOT_READ), null);
      countUntilTaken(untaken, call, bytes.length);
      respond(null, bytes);
    };
    if (tracing === null) return serve(request, timeoutMs, done);
    underSpan(tracing, path, call.metadata, done, (told) => serve(request, timeoutMs, told));
  };
  const take = (call: Call<Request>, respond: Respond): void => {
    const { request } = call;
    if (request instanceof Malformed) return respond(statusOf(request.failed), null);
    if (untaken.turns.isOpen) begin(call, request, respond);
    else
      untaken.turns.wait(() => {
        // Calls whose client has gone meanwhile are skipped: many of them could begin in this one turn, since their
        // answers do not count towards its limit.
        if (!call.cancelled) begin(call, request, respond);
      });
  };
  const handle = (call: Call<Request>, respond: Respond): void =>
    orEnd(
      () => take(call, respond),
      (failed) => respond(statusOf(failed), null),
    );
  const decode = decoder(requestType);
  const encode = (bytes: Uint8Array): Buffer => bytes as Buffer;
  server.register<Request | Malformed, Uint8Array>(path, handle, encode, decode, 'unary');
  addDirect(server, path, { decode, handle, statusOf });
}

/**
 * A programmer's error: the client is told, and the process ends as it does anywhere else. grpc-js would catch the
 * exception and carry on with whatever state is left in memory.
 */
function orEnd(run: () => void, tell: (failed: Failure) => void): void {
  try {
    run();
  } catch (fault) {
    tell(failure('internal'));
    setImmediate(() => {
      throw fault;
    });
  }
}

const NOT_READ = failure('overloaded', 'too many bytes of answers wait to be read on this connection');

/** Every call ends with `cancelled`: when the client has taken the last byte, or is gone. */
function countUntilTaken(untaken: Untaken, call: UnaryCall<unknown>, bytes: number): void {
  const connection = call.getPeer();
  untaken.add(connection, bytes);
  call.once('cancelled', () => untaken.add(connection, -bytes));
}

export function bidirectional<Request, Answer>(
  server: Server,
  path: string,
  requestType: MessageType<Request, never>,
  answerType: MessageType<unknown, Answer>,
  serve: (call: ServerDuplexStream<Request | Malformed, Answer>) => void,
): void {
  server.register<Request | Malformed, Answer>(
    path,
    orEndStream(serve),
    encoder(answerType),
    decoder(requestType),
    'bidi',
  );
}

export function serverStream<Request, Answer>(
  server: Server,
  path: string,
  requestType: MessageType<Request, never>,
  answerType: MessageType<unknown, Answer>,
  serve: (call: ServerWritableStream<Request | Malformed, Answer>) => void,
): void {
  server.register<Request | Malformed, Answer>(
    path,
    orEndStream(serve),
    encoder(answerType),
    decoder(requestType),
    'serverStream',
  );
}

function orEndStream<Call extends Failing>(serve: (call: Call) => void): (call: Call) => void {
  return (call) =>
    orEnd(
      () => serve(call),
      (failed) => failStream(call, failed),
    );
}

export function statusOf(failed: Failure): { code: Status; details: string; metadata: Metadata } {
  const metadata = new Metadata();
  metadata.set(METADATA_CODE, failed.code);
  metadata.set(METADATA_CERTAINTY, certaintyOf(failed.code));
  if (failed.code === 'overloaded') metadata.set(METADATA_RETRY, String(OVERLOADED_RETRY_MS));
  return { code: Status[ERROR_TABLE[failed.code].status], details: failed.message, metadata };
}

interface Failing {
  readonly destroyed: boolean;
  emit(event: 'error', error: unknown): boolean;
}

/** Ends a stream with a status, which grpc-js takes from the error event. */
export function failStream(call: Failing, failed: Failure): void {
  if (!call.destroyed) call.emit('error', statusOf(failed));
}

/** The time left until `deadline`, less a margin for the way back; 0 if it has passed. */
export function timeoutMsOf(deadline: Date | number): number {
  const at = typeof deadline === 'number' ? deadline : deadline.getTime();
  if (!Number.isFinite(at)) return OPERATION_TIMEOUT_MS_DEFAULT;
  const leftMs = at - Date.now();
  const margin = Math.min(leftMs * DEADLINE_MARGIN_SHARE, DEADLINE_MARGIN_MS_MAX);
  return Math.min(Math.max(leftMs - margin, 0), OPERATION_TIMEOUT_MS_MAX);
}

/** Milliseconds of the monotonic clock. */
export function monotonicNow(): number {
  return performance.now();
}

function encoder<Answer>(type: MessageType<unknown, Answer>): (answer: Answer) => Buffer {
  return (answer) => type.encode(answer).finish() as Buffer;
}

function decoder<Request>(type: MessageType<Request, never>): (bytes: Buffer) => Request | Malformed {
  return (bytes) => {
    try {
      return type.decode(bytes);
    } catch (fault) {
      return new Malformed(fault);
    }
  };
}
