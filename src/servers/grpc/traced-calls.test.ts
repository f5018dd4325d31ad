/** The spans of gRPC calls, on a real port in front of a fake node. */
import { Metadata } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeNodeApi } from '../../../test/support/fake-node-api.ts';
import { callBytes, openDoors } from '../../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../../test/support/grpc-call.ts';
import { TraceBook } from '../../../test/support/recording-tracing.ts';
import { connect } from '../../client/index.ts';
import type { TraceContext } from '../../core/observability/trace-context.ts';
import { cache, causeway } from '../../gen/protocol.js';
import type { Tracing } from '../../ports/tracing.ts';

const TRACE = '4b'.repeat(16);
const SPAN = '0f'.repeat(8);
let book: TraceBook;
let doors: DoorFixture;
let tracing: Tracing;

async function set(key: string, headers: Readonly<Record<string, string | string[]>>): Promise<void> {
  const metadata = new Metadata();
  for (const [name, texts] of Object.entries(headers))
    for (const text of [texts].flat()) metadata.add(name, text);
  const bytes = cache.SetRequest.encode({ key, value: Buffer.from('v') }).finish();
  // Refused calls get a span, too.
  await callBytes(doors.client, '/cache.CacheService/Set', bytes, 5_000, metadata).catch(() => undefined);
}

describe.each([
  ['straight from HTTP/2', true],
  ['by grpc-js', false],
])('calls taken %s', (_way, isDirect) => {
  beforeEach(async () => {
    book = new TraceBook(() => 0);
    tracing = book.of('a');
    doors = await openDoors(1024, new FakeNodeApi(), isDirect, tracing);
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

  test('operations in a pipeline that bring contexts: each below its own; without one, or with one that is none, below the call', async () => {
    const { PipelineRequest, PipelineResponse } = causeway.v1;
    const metadata = new Metadata();
    metadata.set('traceparent', `00-${TRACE}-${SPAN}-01`);
    const traceparent = `00-${'5c'.repeat(16)}-${'0e'.repeat(8)}-01`;
    const sent = [{ traceparent, tracestate: 'b=2' }, {}, { traceparent: 'yes' }, { traceparent }];
    const stream = doors.client.makeBidiStreamRequest(
      '/causeway.v1.KeyValue/Pipeline',
      (fields: causeway.v1.PipelineRequestFields) => PipelineRequest.encode(fields).finish() as Buffer,
      (bytes) => PipelineResponse.decode(bytes),
      metadata,
    );
    let answered = 0;
    const all = new Promise<void>((resolve) =>
      stream.on('data', ({ results }: causeway.v1.PipelineResponse) => {
        answered += results.length;
        if (answered === sent.length) resolve();
      }),
    );
    const operations = sent.map((headers, number) => ({ number, get: { key: `k${number}` }, ...headers }));
    stream.write({ operations });
    await all;
    stream.end();
    expect(book.spans.map(({ parentId }) => parentId)).toEqual(['0e'.repeat(8), SPAN, SPAN, '0e'.repeat(8)]);
    expect(book.spans[0]!.context).toMatchObject({ traceId: '5c'.repeat(16), state: 'b=2' });
    expect(book.open).toEqual([]);
  });

  test('a client that is told what it is part of: single calls, a pipeline and an export say so', async () => {
    let number = 0;
    const trace = (): { traceparent: string; tracestate: string } | undefined => {
      number += 1;
      const spanId = number.toString(16).padStart(16, 'd');
      return number === 3 ? undefined : { traceparent: `00-${TRACE}-${spanId}-01`, tracestate: 'a=1' };
    };
    const client = connect({ nodes: [doors.address], trace });
    await client.get('a');
    const pipeline = await client.pipeline();
    await Promise.all([pipeline.set('a', '1'), pipeline.set('b', '2'), pipeline.get('c')]);
    for await (const page of client.export()) expect(page.entries).toHaveLength(2);
    client.close();
    expect(book.spans.map(({ name, parentId }) => [name.split('/')[1], parentId?.at(-1) ?? null])).toEqual([
      ['Get', '1'],
      ['Pipeline', '2'],
      ['Pipeline', null],
      ['Pipeline', '4'],
      ['Export', '5'],
    ]);
  });

  test('an export: one span, under which each of its pages is asked for, and that says how it ended', async () => {
    const { api } = doors;
    const asked: (TraceContext | undefined)[] = [];
    const scan = api.scan.bind(api);
    api.scan = (...call) => {
      asked.push(tracing.active);
      if (asked.length === 3) api.failWith = 'not_ready';
      scan(...call);
    };
    for (let at = 0; at < 30; at += 1) api.put(`k${at}`, 'v');
    api.scanPageMax = 10;
    const client = connect({ nodes: [doors.address] });
    const read = async (): Promise<void> => {
      for await (const page of client.export()) expect(page.entries).toHaveLength(10);
    };
    await expect(read()).rejects.toMatchObject({ code: 'not_ready' });
    client.close();
    const [span, more] = book.spans;
    expect(more).toBe(undefined);
    expect(asked).toEqual([span!.context, span!.context, span!.context]);
    expect(span).toMatchObject({ name: 'causeway.v1.KeyValue/Export', error: 'not_ready', parentId: null });
  });

  test('an export that its client does not want any more: its span says so, and that it has not failed', async () => {
    for (let at = 0; at < 30; at += 1) doors.api.put(`k${at}`, 'v');
    doors.api.scanPageMax = 10;
    const { ExportRequest, ExportPage } = causeway.v1;
    doors.api.holding = true;
    const call = doors.client.makeServerStreamRequest(
      '/causeway.v1.KeyValue/Export',
      (fields: causeway.v1.ExportRequestFields) => ExportRequest.encode(fields).finish() as Buffer,
      (bytes) => ExportPage.decode(bytes),
      {},
    );
    call.on('error', () => undefined);
    await vi.waitFor(() => expect(book.open).toHaveLength(1));
    call.cancel();
    await vi.waitFor(() => expect(book.open).toEqual([]));
    expect(book.spans).toMatchObject([{ name: 'causeway.v1.KeyValue/Export', error: undefined }]);
    expect(book.spans[0]!.attributes['rpc.status_code']).toBe('CANCELLED');
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
