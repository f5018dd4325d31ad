/** The spans of HTTP requests about keys, in front of a node in a map. */
import { beforeEach, expect, test } from 'vitest';
import { FakeNodeApi } from '../../../test/support/fake-node-api.ts';
import { logLevels } from '../../../test/support/http-door.ts';
import { TraceBook } from '../../../test/support/recording-tracing.ts';
import type { TraceContext } from '../../core/trace-context.ts';
import { mountApi } from './api-routes.ts';
import { httpRoutes } from './server.ts';

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

test('a probe, and the description: no span', async () => {
  await request('GET', '/openapi.json');
  await request('GET', '/readyz');
  expect(book.spans).toEqual([]);
});
