/** The spans of gRPC calls, on a real port before a fake node. */
import { Metadata } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeNodeApi } from '../../../test/support/fake-node-api.ts';
import { callBytes, openDoors } from '../../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../../test/support/grpc-call.ts';
import { TraceBook } from '../../../test/support/recording-tracing.ts';
import { connect } from '../../client/index.ts';
import { cache } from '../../gen/protocol.js';

const TRACE = '4b'.repeat(16);
const SPAN = '0f'.repeat(8);
let book: TraceBook;
let doors: DoorFixture;

async function set(key: string, headers: Readonly<Record<string, string | string[]>>): Promise<void> {
  const metadata = new Metadata();
  for (const [name, texts] of Object.entries(headers))
    for (const text of [texts].flat()) metadata.add(name, text);
  const bytes = cache.SetRequest.encode({ key, value: Buffer.from('v') }).finish();
  // What is refused has its span, too.
  await callBytes(doors.client, '/cache.CacheService/Set', bytes, 5_000, metadata).catch(() => undefined);
}

describe.each([
  ['straight from HTTP/2', true],
  ['by grpc-js', false],
])('calls taken %s', (_way, isDirect) => {
  beforeEach(async () => {
    book = new TraceBook(() => 0);
    doors = await openDoors(1024, new FakeNodeApi(), isDirect, book.of('a'));
  });
  afterEach(() => doors.stop());

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
    const client = connect({ nodes: [doors.address] });
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
});
