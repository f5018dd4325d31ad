/**
 * Doors on a real port in front of a fake node, and raw grpc-js calls to them, so that tests see what is on the wire
 * and not what our own client makes of it.
 */
import { Client, Metadata, Server, ServerCredentials, credentials } from '@grpc/grpc-js';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { PIPELINE_BYTES_MAX } from '../../src/core/clients/grpc-limits.ts';
import type { MessageType } from '../../src/gen/protocol.js';
import type { Tracing } from '../../src/ports/tracing.ts';
import { createDoors } from '../../src/servers/grpc/doors.ts';
import type { DoorOptions, Doors } from '../../src/servers/grpc/doors.ts';
import { messageLimits } from '../../src/servers/grpc/method.ts';
import { FakeNodeApi } from './fake-node-api.ts';

export interface DoorFixture {
  readonly api: FakeNodeApi;
  readonly address: string;
  readonly client: Client;
  readonly server: Server;
  readonly doors: Doors;
  stop(): Promise<void>;
}

export async function openDoors(
  valueBytesMax = PIPELINE_BYTES_MAX,
  api = new FakeNodeApi(),
  isDirect = true,
  tracing: Tracing | null = null,
  options: Partial<DoorOptions> = {},
): Promise<DoorFixture> {
  const server = new Server(messageLimits(valueBytesMax));
  const doors = createDoors(server, api, { valueBytesMax, tracing, ...options });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  if (isDirect && !doors.onBound()) throw new Error('grpc-js takes the calls itself');
  const address = `127.0.0.1:${port}`;
  const client = new Client(address, credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 });
  return {
    api,
    address,
    client,
    server,
    doors,
    stop: () => {
      client.close();
      doors.close();
      return new Promise((resolve) => {
        server.tryShutdown(() => resolve());
        setTimeout(() => server.forceShutdown(), 200).unref();
      });
    },
  };
}

export class CallError extends Error {
  readonly status: number;
  readonly causewayCode: string | undefined;
  readonly certainty: string | undefined;
  readonly retryAfterMs: string | undefined;

  constructor(error: ServiceError) {
    super(error.details);
    this.status = error.code;
    this.causewayCode = error.metadata?.get('causeway-code')[0]?.toString();
    this.certainty = error.metadata?.get('causeway-certainty')[0]?.toString();
    this.retryAfterMs = error.metadata?.get('grpc-retry-pushback-ms')[0]?.toString();
  }
}

/** One unary call with these bytes. */
export function callBytes(
  client: Client,
  path: string,
  request: Uint8Array,
  deadlineMs = 5000,
  metadata = new Metadata(),
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes: Buffer) => bytes,
      request,
      metadata,
      { deadline: Date.now() + deadlineMs },
      (error, answer) => (error === null ? resolve(answer!) : reject(new CallError(error))),
    );
  });
}

export async function call<Fields, Decoded>(
  client: Client,
  path: string,
  requestType: MessageType<unknown, Fields>,
  answerType: MessageType<Decoded, never>,
  request: Fields,
  deadlineMs?: number,
  metadata?: Metadata,
): Promise<Decoded> {
  const bytes = requestType.encode(request).finish();
  return answerType.decode(await callBytes(client, path, bytes, deadlineMs, metadata));
}

export function openStream<Fields, Decoded>(
  client: Client,
  path: string,
  requestType: MessageType<unknown, Fields>,
  answerType: MessageType<Decoded, never>,
): ClientDuplexStream<Fields, Decoded> {
  return client.makeBidiStreamRequest<Fields, Decoded>(
    path,
    (request) => requestType.encode(request).finish() as Buffer,
    (bytes) => answerType.decode(bytes),
  );
}

/** Waits until `condition` holds; fails after a deadline. */
export async function eventually(condition: () => boolean, what: string, timeoutMs = 5000): Promise<void> {
  const until = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > until) throw new Error(`not seen in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
