/** The spans of gRPC calls, on a real port before a fake node. */
import { Client, Metadata, Server, ServerCredentials, credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeNodeApi } from '../../../test/support/fake-node-api.ts';
import { TraceBook } from '../../../test/support/recording-tracing.ts';
import { connect } from '../../client/index.ts';
import { cache } from '../../gen/protocol.js';
import { createDoors } from './doors.ts';
import { messageLimits } from './method.ts';

const TRACE = '4b'.repeat(16);
const SPAN = '0f'.repeat(8);
let book: TraceBook;
let server: Server;
let address: string;

beforeEach(async () => {
  book = new TraceBook(() => 0);
  server = new Server(messageLimits(1024));
  createDoors(server, new FakeNodeApi(), { valueBytesMax: 1024, tracing: book.of('a') });
  address = await new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(`127.0.0.1:${port}`) : reject(error),
    );
  });
});
afterEach(() => server.forceShutdown());

/** Resolves with the status code's number; 0: it went well. */
function set(key: string, headers: Readonly<Record<string, string | string[]>>): Promise<number> {
  const metadata = new Metadata();
  for (const [name, texts] of Object.entries(headers))
    for (const text of [texts].flat()) metadata.add(name, text);
  const client = new Client(address, credentials.createInsecure());
  const bytes = cache.SetRequest.encode({ key, value: Buffer.from('v') }).finish();
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      '/cache.CacheService/Set',
      (request: Uint8Array) => Buffer.from(request),
      (answer: Buffer) => answer,
      bytes,
      metadata,
      { deadline: Date.now() + 5_000 },
      (error) => {
        client.close();
        resolve(error?.code ?? 0);
      },
    );
  });
}

test('a call with a traceparent: a span below it, with what its vendors say', async () => {
  await set('k', { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: ['a=1', 'b=2'] });
  expect(book.spans).toMatchObject([
    { what: 'rpc', name: 'cache.CacheService/Set', parentId: SPAN, error: undefined, endedAt: 0 },
  ]);
  const [{ context, attributes }] = book.spans as [(typeof book.spans)[0]];
  expect(context).toMatchObject({ traceId: TRACE, state: expect.stringMatching(/^a=1, ?b=2$/) as string });
  expect(attributes['rpc.status_code']).toBe('OK');
});

test.each([
  ['none', {}],
  ['one that cannot be understood', { traceparent: 'yes' }],
  ['two', { traceparent: [`00-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-01`] }],
])('a call with %s: the first span of a trace', async (_name, headers) => {
  await set('k', headers);
  expect(book.spans).toMatchObject([{ what: 'rpc', parentId: null }]);
});

test('a call that is refused: its span says why, by the code of the table', async () => {
  await set('', {});
  expect(book.spans).toMatchObject([{ error: 'invalid_argument', endedAt: 0 }]);
  expect(book.spans[0]!.attributes['rpc.status_code']).toBe('INVALID_ARGUMENT');
});

test('operations in a pipeline: a span each; questions about health: none', async () => {
  const client = connect({ nodes: [address] });
  const pipeline = await client.pipeline();
  await Promise.all([pipeline.set('a', '1'), pipeline.set('b', '2'), pipeline.get('c')]);
  client.close();
  const inPipeline = book.spans.filter(({ name }) => name === 'causeway.v1.KeyValue/Pipeline');
  expect(inPipeline).toHaveLength(3);
  expect(book.open).toEqual([]);
  expect(book.spans.map(({ name }) => name).filter((name) => /health|reflection|Admin/.test(name))).toEqual(
    [],
  );
});
