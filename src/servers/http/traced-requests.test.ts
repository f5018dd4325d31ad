/** The spans of HTTP requests about keys, in front of a node that keeps its values in a map. */
import { beforeEach, expect, test } from 'vitest';
import { FakeNodeApi } from '../../../test/support/fake-node-api.ts';
import { logLevels } from '../../../test/support/http-door.ts';
import { TraceBook } from '../../../test/support/recording-tracing.ts';
import type { TraceContext } from '../../core/observability/trace-context.ts';
import { mountApi } from './api-routes.ts';
import type { RouteFacts } from './route.ts';
import { httpRoutes } from './server.ts';
import { tracedReply } from './traced-requests.ts';

const SENT = { traceparent: `00-${'4b'.repeat(16)}-${'0f'.repeat(8)}-01`, tracestate: 'a=1' };
let api: FakeNodeApi;
let book: TraceBook;
let asked: (TraceContext | undefined)[];
let request: (method: string, path: string, init?: RequestInit) => Promise<number>;

beforeEach(() => {
  api = new FakeNodeApi();
  book = new TraceBook(() => 0);
  asked = [];
  const tracing = book.of('a');
  const write = api.write.bind(api);
  api.write = (...call) => {
    asked.push(tracing.active);
    write(...call);
  };
  const scan = api.scan.bind(api);
  api.scan = (...call) => {
    asked.push(tracing.active);
    scan(...call);
  };
  const operate = api.operate.bind(api);
  api.operate = (...call) => {
    asked.push(tracing.active);
    operate(...call);
  };
  const options = { valueBytesMax: 1024, log: logLevels(), tracing };
  const routes = httpRoutes(api, [(on) => mountApi(on, api, options)]);
  request = async (method, path, init = {}) => (await routes.request(path, { method, ...init })).status;
});

test('a write with a traceparent: a span below it, by its route and never by its key, under which the node is asked', async () => {
  const status = await request('PUT', '/v1/kv/a-secret-key', { body: 'v', headers: SENT });
  expect(status).toBeLessThan(300);
  expect(book.spans).toMatchObject([
    { what: 'http', name: 'PUT /v1/kv/{key}', parentId: '0f'.repeat(8), endedAt: 0, error: undefined },
  ]);
  expect(book.spans[0]!.attributes).toEqual({
    'http.request.method': 'PUT',
    'http.route': '/v1/kv/{key}',
    'http.response.status_code': status,
  });
  expect(book.spans[0]!.context.state).toBe('a=1');
  expect(asked).toEqual([book.spans[0]!.context]);
  expect(JSON.stringify(book.spans)).not.toContain('secret');
});

test('an absent key, and no context: the first span of a trace, and no failure', async () => {
  expect(await request('GET', '/v1/kv/k')).toBe(404);
  expect(book.spans).toMatchObject([{ parentId: null, error: undefined }]);
  expect(book.spans[0]!.attributes['http.response.status_code']).toBe(404);
});

const spanIds = (): (string | undefined)[] => asked.map((context) => context?.spanId);
const json = (body: unknown): RequestInit => ({
  body: JSON.stringify(body),
  headers: { ...SENT, 'Content-Type': 'application/json' },
});

test('operations of a batch: those with a context of their own are below it, linked to the request; the others belong to that', async () => {
  const traceparent = `00-${'5c'.repeat(16)}-${'0e'.repeat(8)}-01`;
  const put = { op: 'put', value: 'v' };
  const operations = [
    { ...put, key: 'a', traceparent, tracestate: 'b=2' },
    { ...put, key: 'b' },
    { ...put, key: 'c', traceparent: 'yes' },
    // Operations on one key run in order: the second begins when the first has ended.
    { ...put, key: 'a' },
    { op: 'increment', key: 'a', increment: 1, traceparent },
  ];
  expect(await request('POST', '/v1/kv', json({ operations }))).toBe(200);
  const [whole, first, last] = book.spans;
  expect(book.spans).toHaveLength(3);
  expect(whole).toMatchObject({ parentId: '0f'.repeat(8), error: undefined });
  for (const one of [first!, last!])
    expect(one).toMatchObject({ what: 'http', name: 'POST /v1/kv', parentId: '0e'.repeat(8) });
  expect(first!.context).toMatchObject({ traceId: '5c'.repeat(16), state: 'b=2' });
  expect(first!.links).toEqual([whole!.context]);
  // A condition that does not hold is not a failure of the server.
  expect(last).toMatchObject({ error: undefined, attributes: { 'http.response.status_code': 409 } });
  expect(spanIds().sort()).toEqual(
    [first!, whole!, whole!, whole!, last!].map(({ context }) => context.spanId).sort(),
  );
  expect(book.open).toEqual([]);
});

test('a listing of several pages, and a write that reads first: every question to the node is part of the request', async () => {
  for (let at = 0; at < 30; at += 1) api.put(`k${at}`, 'v');
  api.scanPageMax = 7;
  expect(await request('GET', '/v1/kv?limit=30', { headers: SENT })).toBe(200);
  expect(spanIds()).toEqual(Array<string>(5).fill(book.spans[0]!.context.spanId));
  asked.length = 0;
  const headers = { ...SENT, 'If-None-Match': '"7"' };
  expect(await request('PUT', '/v1/kv/k', { body: 'v', headers })).toBe(204);
  expect(spanIds()).toEqual([book.spans[1]!.context.spanId]);
});

test('how many keys there are: a span, under which the node counts; other orders have none', async () => {
  expect(await request('GET', '/v1/admin/count', { headers: SENT })).toBe(200);
  await request('GET', '/v1/admin/slots', { headers: SENT });
  expect(book.spans).toMatchObject([{ name: 'GET /v1/admin/count', parentId: '0f'.repeat(8) }]);
  expect(spanIds()).toEqual([book.spans[0]!.context.spanId, undefined]);
});

test('a probe, and the description: no span', async () => {
  await request('GET', '/openapi.json');
  await request('GET', '/readyz');
  expect(book.spans).toEqual([]);
});

test('an operation of a batch that breaks off: its span ends, with what is told of it', async () => {
  const sent = { traceparent: SENT.traceparent };
  const facts = { method: 'POST', path: '/v1/kv' } as unknown as RouteFacts;
  const broken = tracedReply(book.of('a'), facts, new Headers(), (trace) =>
    trace.operation(
      sent,
      () => Promise.reject(new Error('broken')),
      () => ({ status: 200 }),
    ),
  );
  await expect(broken).rejects.toThrow('broken');
  expect(book.spans).toMatchObject([
    { endedAt: 0, error: 'internal' },
    { endedAt: 0, error: 'internal' },
  ]);
});
