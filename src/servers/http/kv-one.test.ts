/**
 * `/v1/kv/{key}` without sockets. Every answer is also checked against the OpenAPI document
 * (test/support/http-door.ts).
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { HttpDoor } from '../../../test/support/http-door.ts';
import type { Answer } from '../../../test/support/http-door.ts';
import { uncaughtBy } from '../../../test/support/uncaught.ts';
import { ERROR_TABLE, certaintyOf, isErrorCode } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from '../../core/limits.ts';
import { HTTP_STATUS } from './problem.ts';

let door: HttpDoor;
beforeEach(() => {
  door = new HttpDoor();
});

const put = (
  path: string,
  value: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answer> => door.ask('PUT', path, { body: value as NonNullable<RequestInit['body']>, headers });
const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  door.ask('GET', path, { headers });
const codeOf = ({ status, json }: Answer): unknown[] => [status, json['code']];
/** A UUID of version 7, made now. */
const operationId = (): string => {
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000001`;
};

describe('a value', () => {
  test('put, read, asked for by its head, deleted: the ETag is the version that every door tells', async () => {
    const written = await put('/v1/kv/order:1', 'paid');
    expect(written.status).toBe(204);
    const { version } = door.api.records.get('order:1')!;
    expect(written.headers.get('etag')).toBe(`"${version}"`);
    const read = await get('/v1/kv/order:1');
    expect([read.status, read.text, read.headers.get('etag')]).toEqual([200, 'paid', `"${version}"`]);
    expect(read.headers.get('causeway-origin')).toBe('client');
    expect(read.headers.get('causeway-ttl-ms')).toBeNull();
    const head = await door.ask('HEAD', '/v1/kv/order:1');
    expect([head.status, head.text, head.headers.get('content-length')]).toEqual([200, '', '4']);
    expect((await door.ask('DELETE', '/v1/kv/order:1')).status).toBe(204);
    expect(codeOf(await get('/v1/kv/order:1'))).toEqual([404, 'absent']);
  });

  test('bytes of any kind: as they were put, and nothing that a browser would run', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
    await put('/v1/kv/bytes', bytes, { 'Content-Type': 'text/html' });
    const response = await door.routes.request('/v1/kv/bytes');
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
    expect(response.headers.get('content-type')).toBe('text/html');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('content-security-policy')).toContain('sandbox');
    expect((await put('/v1/kv/empty', '')).status).toBe(204);
    expect((await get('/v1/kv/empty')).text).toBe('');
  });

  test('its content type is what it was put with; who says nothing, or that it is bytes, gets bytes', async () => {
    const typeOf = async (path: string): Promise<string | null> =>
      (await get(path)).headers.get('content-type');
    const type = 'application/json; charset=utf-8';
    await put('/v1/kv/doc', '{}', { 'Content-Type': type });
    expect(await typeOf('/v1/kv/doc')).toBe(type);
    expect((await door.ask('HEAD', '/v1/kv/doc')).headers.get('content-type')).toBe(type);
    expect((await get('/v1/key?key=doc')).headers.get('content-type')).toBe(type);
    await put('/v1/kv/doc', '{}', { 'Content-Type': 'Application/Octet-Stream' });
    expect(door.api.records.get('doc')!.contentType).toBeNull();
    expect(await typeOf('/v1/kv/doc')).toBe('application/octet-stream');
    await put('/v1/kv/doc', '<a/>', { 'Content-Type': 'text/xml', 'If-Match': '*' });
    expect(await typeOf('/v1/kv/doc')).toBe('text/xml');
    const standing = { 'If-Match': (await get('/v1/kv/doc')).headers.get('etag')! };
    await put('/v1/kv/doc', 'a', { 'Content-Type': 'text/csv', ...standing });
    expect(await typeOf('/v1/kv/doc')).toBe('text/csv');
  });

  test.each(['json', 'text/plain; charset', `text/${'x'.repeat(251)}`])(
    'with the content type %s: refused with the limit, and nothing is stored',
    async (type) => {
      const answer = await put('/v1/kv/doc', 'x', { 'Content-Type': type });
      expect(codeOf(answer)).toEqual([400, 'invalid_argument']);
      expect(answer.json['detail']).toContain('255 bytes');
      expect(door.api.calls).toEqual([]);
    },
  );

  test.each(['json', 'text/plain; charset'])(
    'with the content type %s, while members speak a version that keeps none: taken without, as before the upgrade',
    async (type) => {
      door.api.statusChanges = { protocol: { speaks: 6, inForce: 5 } };
      expect((await put('/v1/kv/doc', 'x', { 'Content-Type': type })).status).toBe(204);
      expect(door.api.records.get('doc')!.contentType).toBeNull();
      door.api.statusChanges = { protocol: { speaks: 6, inForce: 6 } };
      expect(codeOf(await put('/v1/kv/doc', 'x', { 'Content-Type': type }))).toEqual([
        400,
        'invalid_argument',
      ]);
    },
  );

  test('with a time to live: what is left is told', async () => {
    await put('/v1/kv/session?ttl_ms=60000', 'x');
    const left = Number((await get('/v1/kv/session')).headers.get('causeway-ttl-ms'));
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(60_000);
  });

  test('packed, or a part of one: refused, for nothing would say so when it is read', async () => {
    expect((await put('/v1/kv/a', 'x', { 'Content-Encoding': 'gzip' })).status).toBe(415);
    expect((await put('/v1/kv/a', 'x', { 'Content-Encoding': 'identity' })).status).toBe(204);
    expect((await put('/v1/kv/a', 'x', { 'Content-Range': 'bytes 0-0/2' })).status).toBe(400);
  });

  test('of the largest size: taken; one byte more: 413, and nothing is stored', async () => {
    const largest = new Uint8Array(VALUE_BYTES_MAX);
    expect((await put('/v1/kv/large', largest)).status).toBe(204);
    expect(codeOf(await put('/v1/kv/larger', new Uint8Array(VALUE_BYTES_MAX + 1)))).toEqual([
      413,
      'invalid_argument',
    ]);
    expect(door.api.records.has('larger')).toBe(false);
  });
});

describe('compare-and-set by ETag', () => {
  test('If-None-Match: *: created once, then 412 with the version that stands', async () => {
    const only = { 'If-None-Match': '*' };
    expect((await put('/v1/kv/lock', 'a', only)).status).toBe(201);
    const { version } = door.api.records.get('lock')!;
    const second = await put('/v1/kv/lock', 'b', only);
    expect(codeOf(second)).toEqual([412, 'condition_failed']);
    expect([second.json['currentVersion'], second.headers.get('etag')]).toEqual([version, `"${version}"`]);
    expect((await get('/v1/kv/lock')).text).toBe('a');
  });

  test('If-Match: only where that version stands, of a put as of a delete', async () => {
    const first = (await put('/v1/kv/n', '1')).headers.get('etag')!;
    const second = (await put('/v1/kv/n', '2', { 'If-Match': first })).headers.get('etag')!;
    expect(codeOf(await put('/v1/kv/n', '3', { 'If-Match': first }))).toEqual([412, 'condition_failed']);
    expect(codeOf(await door.ask('DELETE', '/v1/kv/n', { headers: { 'If-Match': first } }))).toEqual([
      412,
      'condition_failed',
    ]);
    expect((await door.ask('DELETE', '/v1/kv/n', { headers: { 'If-Match': second } })).status).toBe(204);
    const gone = await put('/v1/kv/n', '4', { 'If-Match': second });
    expect([gone.status, gone.json['currentVersion']]).toEqual([412, null]);
  });

  test('If-Match: *: only where there is a value', async () => {
    const any = { 'If-Match': '*' };
    expect(codeOf(await put('/v1/kv/x', '1', any))).toEqual([412, 'condition_failed']);
    await put('/v1/kv/x', '1');
    expect((await put('/v1/kv/x', '2', any)).status).toBe(204);
    expect((await get('/v1/kv/x')).text).toBe('2');
    expect((await door.ask('DELETE', '/v1/kv/x', { headers: any })).status).toBe(204);
    expect((await door.ask('DELETE', '/v1/kv/x', { headers: any })).status).toBe(412);
  });

  test('reads: 304 where it still stands, 412 where another does', async () => {
    const etag = (await put('/v1/kv/page', 'text')).headers.get('etag')!;
    const same = await get('/v1/kv/page', { 'If-None-Match': `"7", W/${etag}` });
    expect([same.status, same.text, same.headers.get('etag')]).toEqual([304, '', etag]);
    expect((await get('/v1/kv/page', { 'If-None-Match': '"7"' })).status).toBe(200);
    expect((await get('/v1/kv/page', { 'If-Match': etag })).status).toBe(200);
    expect(codeOf(await get('/v1/kv/page', { 'If-Match': '"7"' }))).toEqual([412, 'condition_failed']);
    expect(codeOf(await get('/v1/kv/none', { 'If-Match': '*' }))).toEqual([412, 'condition_failed']);
    expect(codeOf(await get('/v1/kv/none', { 'If-None-Match': '*' }))).toEqual([404, 'absent']);
  });

  test.each([
    [{ 'If-Match': '7' }],
    [{ 'If-Match': '"7' }],
    [{ 'If-Match': 'w/"7"' }],
    [{ 'If-Match': '"7" "8"' }],
    [{ 'If-Match': '"7", *' }],
    [{ 'If-Match': ',' }],
    [{ 'If-None-Match': 'seven' }],
    [{ 'If-Unmodified-Since': 'Sat, 28 Nov 2026 20:51:05 GMT' }],
  ])('a condition that cannot be judged, %j: refused, and nothing is written', async (headers) => {
    expect(codeOf(await put('/v1/kv/n', '1', headers as Record<string, string>))).toEqual([
      400,
      'invalid_argument',
    ]);
    expect(door.api.calls).toEqual([]);
  });
});

describe('numbers, and writes that are repeated', () => {
  test('an increment is exact beyond 2^53, and its fault says that nothing was changed', async () => {
    await put('/v1/kv/visits', '9007199254740993');
    const { status, json } = await door.post('/v1/kv/visits', { increment: 2 });
    expect([status, json['number']]).toEqual([200, '9007199254740995']);
    expect((await door.post('/v1/kv/visits', { increment: '-9007199254740995' })).json['number']).toBe('0');
    await put('/v1/kv/name', 'ada');
    expect(codeOf(await door.post('/v1/kv/name', { increment: 1 }))).toEqual([409, 'not_an_integer']);
    for (const increment of ['99999999999999999999', '9223372036854775808', 1.5, 'x', 2 ** 53])
      expect(codeOf(await door.post('/v1/kv/visits', { increment }))).toEqual([400, 'invalid_argument']);
    const { detail } = (await door.post('/v1/kv/visits', { increment: 1.5 })).json;
    expect(detail).toBe('increment: must be a whole number of 64 bits, as text where it is beyond 2^53');
  });

  test('under an Idempotency-Key whose answer was lost: told as indefinite, then the same write', async () => {
    const headers = { 'Idempotency-Key': operationId() };
    door.api.loseAnswers = 1;
    const lost = await door.post('/v1/kv/visits', { increment: 5 }, headers);
    expect([lost.status, lost.json['code'], lost.json['outcome']]).toEqual([
      504,
      'outcome_unknown',
      'indefinite',
    ]);
    const again = await door.post('/v1/kv/visits', { increment: 5 }, headers);
    expect(again.json['number']).toBe('5');
    // A random UUID does not begin with a time: it was taken for an id whose outcome is not remembered any more.
    for (const key of ['my-key', randomUUID()])
      expect(codeOf(await put('/v1/kv/a', '1', { 'Idempotency-Key': key }))).toEqual([
        400,
        'invalid_argument',
      ]);
  });
});

describe('keys', () => {
  test.each([
    'plain',
    'user:1001',
    'a/b/c',
    'a//b',
    '/a',
    'a/',
    '//',
    'a/../b',
    './a',
    'a b+c',
    'a%2Fb',
    '100%',
    'ключ/鍵/🔑',
    'a?b#c',
    'a\nb\r\tc',
    '\\',
    'increment',
  ])('%j: written, read and deleted by its own name', async (key) => {
    const path = `/v1/kv/${encodeURIComponent(key)}`;
    expect((await put(path, 'v')).status).toBe(204);
    expect([...door.api.records.keys()]).toEqual([key]);
    expect((await get(path)).text).toBe('v');
    expect((await door.ask('DELETE', path)).status).toBe(204);
  });

  test.each(['.', '..', 'a', '/', 'a/../b', '🔑?&='])(
    '%j by its name in the query: the same key',
    async (key) => {
      const path = `/v1/key?key=${encodeURIComponent(key)}`;
      expect((await put(path, 'v')).status).toBe(204);
      expect([...door.api.records.keys()]).toEqual([key]);
      expect((await get(path)).text).toBe('v');
      expect((await door.post(path, { increment: 1 })).status).toBe(409);
      expect((await door.ask('DELETE', path)).status).toBe(204);
    },
  );

  test('of the largest size: taken; one byte more: refused', async () => {
    expect((await put(`/v1/kv/${'ü'.repeat(KEY_BYTES_MAX / 2)}`, 'v')).status).toBe(204);
    expect((await put(`/v1/kv/${'ü'.repeat(KEY_BYTES_MAX / 2)}x`, 'v')).json['detail']).toMatch(/longer/);
  });

  test('slashes may stand as they are', async () => {
    await put('/v1/kv/a//b/', 'v');
    expect([...door.api.records.keys()]).toEqual(['a//b/']);
  });

  test.each([
    ['/v1/kv/', /empty.*\/v1\/key/],
    ['/v1/kv/%', /percent-encoding/],
    ['/v1/kv/%FF', /percent-encoding/],
    ['/v1/kv/%ED%A0%80', /percent-encoding/],
    ['/v1/kv/a%00b', /NUL/],
    ['/v1/key', /key/],
    ['/v1/key?key=', /key/],
    ['/v1/key?key=a&key=b', /twice/],
    ['/v1/key?key=%FF', /percent-encoding/],
    ['/v1/key?key=a%', /percent-encoding/],
    ['/v1/key?key=%ED%A0%80', /percent-encoding/],
    ['/v1/kv/a?tll_ms=5', /tll_ms/],
    ['/v1/kv/a?ttl_ms=-1', /^ttl_ms: must be a whole number from 0 to 31536000000000, not '-1'$/],
    ['/v1/kv/a?ttl_ms=-0', /^ttl_ms: must be a whole number from 0 to \d+, not '-0'$/],
    ['/v1/kv/a?ttl_ms=1e3', /^ttl_ms: must be a whole number from 0 to \d+, not '1e3'$/],
    ['/v1/kv/a?ttl_ms=1.0', /^ttl_ms: must be a whole number from 0 to \d+, not '1.0'$/],
    ['/v1/kv/a?ttl_ms=', /^ttl_ms: must be a whole number from 0 to \d+, not ''$/],
    ['/v1/kv/a?ttl_ms=31536000000001', /^ttl_ms: must be a whole number from 0 to 31536000000000, not/],
    [`/v1/kv/a?ttl_ms=${'9'.repeat(99)}`, /^ttl_ms: must be a whole number from 0 to \d+, not '9{40}…'$/],
    ['/v1/kv/a?timeout_ms=0', /^timeout_ms: must be a whole number from 1 to 120000, not '0'$/],
    ['/v1/kv/a?ttl_ms=x&timeout_ms=y', /^ttl_ms: .*; timeout_ms: must be/],
  ])('%s: refused with the reason, and nothing is written', async (path, words) => {
    const answer = await put(path, 'v');
    expect(codeOf(answer)).toEqual([400, 'invalid_argument']);
    expect(answer.json['detail']).toMatch(words);
    expect(door.api.calls).toEqual([]);
  });
});

describe('failures', () => {
  test.each(Object.keys(ERROR_TABLE).filter(isErrorCode))(
    '%s: its status, its certainty, never an absence',
    async (code) => {
      door.api.failWith = code;
      const answers = [await get('/v1/kv/a'), await put('/v1/kv/a', '1'), await get('/v1/kv')];
      for (const { status, json, headers } of answers) {
        expect([status, json['code'], json['outcome']]).toEqual([HTTP_STATUS[code], code, certaintyOf(code)]);
        expect(headers.get('causeway-code')).toBe(code);
        expect(headers.has('retry-after')).toBe(status === 503);
      }
    },
  );

  test('by the status alone: what 503 and 4xx tell has not happened, but for an expired operation id', () => {
    const indefinite = (Object.keys(HTTP_STATUS) as ErrorCode[]).filter(
      (code) => certaintyOf(code) === 'indefinite',
    );
    expect(indefinite.map((code) => HTTP_STATUS[code]).sort()).toEqual([409, 500, 504]);
    expect(Object.values(HTTP_STATUS)).not.toContain(404);
  });

  test('an old answer, where it is asked for: says how old it may be, and is never "not modified"', async () => {
    const etag = (await put('/v1/kv/a', '1')).headers.get('etag')!;
    door.api.failWith = 'not_ready';
    door.api.staleMs = 1_200;
    expect((await get('/v1/kv/a')).status).toBe(503);
    const old = await get('/v1/kv/a?allow_stale=1', { 'If-None-Match': etag });
    expect([old.status, old.text]).toEqual([200, '1']);
    expect([old.headers.get('causeway-stale-ms'), old.headers.get('age')]).toEqual(['1200', '2']);
    const other = await get('/v1/kv/a?allow_stale=1', { 'If-Match': '"1"' });
    expect([other.status, other.headers.get('causeway-stale-ms')]).toEqual([412, '1200']);
    const none = await get('/v1/kv/b?allow_stale=1');
    expect([none.status, none.headers.get('causeway-stale-ms')]).toEqual([404, '1200']);
  });

  test('the head of a failure tells the code, too', async () => {
    door.api.failWith = 'record_unavailable';
    const { status, headers } = await door.ask('HEAD', '/v1/kv/a');
    expect([status, headers.get('causeway-code')]).toEqual([503, 'record_unavailable']);
  });

  test('time that is asked for reaches the node, and not more than there is', async () => {
    await put('/v1/kv/a?timeout_ms=2500', '1');
    expect(door.api.calls[0]!.timeoutMs).toBeGreaterThan(0);
    expect(door.api.calls[0]!.timeoutMs).toBeLessThanOrEqual(2_500);
    expect((await put('/v1/kv/a?timeout_ms=120001', '1')).status).toBe(400);
  });

  test('a switch that is none: told what it may be', async () => {
    const answer = await get('/v1/kv/a?allow_stale=yes');
    expect(codeOf(answer)).toEqual([400, 'invalid_argument']);
    expect(answer.json['detail']).toBe("allow_stale: must be 1, true, 0 or false, not 'yes'");
  });

  test('another method: 405 with those that there are; another path: no such page, and not an absence', async () => {
    const patched = await door.ask('PATCH', '/v1/kv/a');
    expect([...codeOf(patched), patched.headers.get('allow')]).toEqual([
      405,
      'not_supported',
      'GET, HEAD, PUT, DELETE, POST',
    ]);
    expect(codeOf(await get('/v1/kvs/a'))).toEqual([404, 'not_supported']);
    expect(codeOf(await get('/v1/'))).toEqual([404, 'not_supported']);
  });
});

test('docs/ERRORS.md tells the status of every code', () => {
  const document = readFileSync(new URL('../../../docs/ERRORS.md', import.meta.url), 'utf8');
  const rows = [...document.matchAll(/^\| (\d{3}) \| (.*) \|$/gm)];
  const told = rows.flatMap(([, status, codes]) =>
    [...codes!.matchAll(/`(\w+)`/g)].map(([, code]) => [code!, Number(status)] as const),
  );
  expect(Object.fromEntries(told)).toEqual(HTTP_STATUS);
  expect(told).toHaveLength(Object.keys(HTTP_STATUS).length);
});

test('a fault of the program: the client is told that nobody knows what has happened, and the process is to end', async () => {
  const fault = new Error('a fault');
  door.api.write = () => {
    throw fault;
  };
  const { told, error } = await uncaughtBy(() => put('/v1/kv/order:1', 'paid'));
  expect([told.status, told.json['code'], told.json['outcome']]).toEqual([500, 'internal', 'indefinite']);
  expect(error).toBe(fault);
});
