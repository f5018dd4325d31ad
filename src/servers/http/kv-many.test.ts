/** `/v1/kv` without sockets: batches and listings. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { HttpDoor } from '../../../test/support/http-door.ts';
import {
  HTTP_BATCH_BYTES_MAX,
  HTTP_BATCH_OPERATIONS_MAX,
  HTTP_LISTINGS_MAX,
} from '../../core/clients/http-limits.ts';
import { MANY_ANSWER_BYTES_MAX, VALUE_BYTES_MAX } from '../../core/limits.ts';

let door: HttpDoor;
beforeEach(() => {
  door = new HttpDoor();
});

type Result = {
  problem?: { code: string; detail?: string };
  record?: { value?: string; valueBase64?: string };
} & Record<string, unknown>;

async function batch(operations: readonly object[]): Promise<Result[]> {
  const { status, json } = await door.post('/v1/kv', { operations });
  expect(status).toBe(200);
  return json['results'] as Result[];
}

describe('a batch', () => {
  test('each operation has its own outcome, in the order of the operations', async () => {
    const results = await batch([
      { op: 'put', key: 'a', value: 'één' },
      { op: 'put', key: 'b', valueBase64: 'AP8=', ttlMs: 60_000 },
      { op: 'get', key: 'a' },
      { op: 'get', key: 'b' },
      { op: 'get', key: 'none' },
      { op: 'increment', key: 'n', increment: '41' },
      { op: 'increment', key: 'a', increment: 1 },
      { op: 'put', key: 'a', value: 'x', expect: { absent: true } },
      { op: 'delete', key: 'b', expect: { present: true } },
      { op: 'get', key: '' },
    ]);
    expect(results[2]).toMatchObject({ found: true, record: { value: 'één', origin: 'client' } });
    expect(results[3]).toMatchObject({ found: true, record: { valueBase64: 'AP8=' } });
    expect(results[4]).toEqual({ found: false });
    expect(results[5]).toMatchObject({ number: '41' });
    expect(results[6]!.problem!.code).toBe('not_an_integer');
    expect(results[7]!.problem).toMatchObject({
      code: 'condition_failed',
      outcome: 'definite',
      currentVersion: results[0]!['version'],
    });
    expect(results[8]).toHaveProperty('version');
    expect(results[9]!.problem!.code).toBe('invalid_argument');
    expect(
      [...door.api.records.entries()].filter(([, { tombstone }]) => !tombstone).map(([key]) => key),
    ).toEqual(['a', 'n']);
  });

  test('a content type is kept and told; one that is none is refused by itself', async () => {
    const contentType = 'application/json';
    const results = await batch([
      { op: 'put', key: 'a', value: '{}', contentType },
      { op: 'get', key: 'a' },
      { op: 'put', key: 'a', value: '{}' },
      { op: 'get', key: 'a' },
      { op: 'put', key: 'b', value: '{}', contentType, expect: { absent: true } },
      { op: 'put', key: 'c', value: '{}', contentType: 'json' },
    ]);
    expect(results[1]!.record).toMatchObject({ value: '{}', contentType });
    expect(results[3]!.record).not.toHaveProperty('contentType');
    expect(results[5]!.problem).toMatchObject({ code: 'invalid_argument', status: 400 });
    expect(door.api.records.get('b')!.contentType).toBe(contentType);
    expect((await door.ask('GET', '/v1/kv')).json['entries']).toMatchObject([
      { key: 'a' },
      { key: 'b', contentType },
    ]);
  });

  test('operations on one key: one after the other, however long each takes', async () => {
    const results = await batch([
      { op: 'put', key: 'n', value: '1' },
      { op: 'increment', key: 'n', increment: 1 },
      { op: 'get', key: 'n' },
      { op: 'delete', key: 'n' },
      { op: 'get', key: 'n' },
    ]);
    expect(results[1]).toMatchObject({ number: '2' });
    expect(results[2]).toMatchObject({ record: { value: '2' } });
    expect(results[4]).toEqual({ found: false });
  });

  test('what fails does not keep the rest from being done, and says whether it happened', async () => {
    door.api.loseAnswers = 1;
    const results = await batch([
      { op: 'put', key: 'a', value: '1' },
      { op: 'put', key: 'b', value: '2' },
    ]);
    expect(results[0]!.problem).toMatchObject({ code: 'outcome_unknown', outcome: 'indefinite' });
    expect(results[1]).toHaveProperty('version');
  });

  test('a value that is no text, or would grow in JSON, comes in Base64', async () => {
    await batch([
      { op: 'put', key: 'a', value: 'a\u0001b' },
      { op: 'put', key: 'b', value: 'a\n\t"' },
    ]);
    const results = await batch([
      { op: 'get', key: 'a' },
      { op: 'get', key: 'b' },
    ]);
    expect(results[0]!.record!.valueBase64).toBe('YQFi');
    expect(results[1]!.record!.value).toBe('a\n\t"');
  });

  test('the largest value in Base64 fits; a byte more is refused by itself', async () => {
    const valueBase64 = Buffer.alloc(VALUE_BYTES_MAX, 0xff).toString('base64');
    expect((await batch([{ op: 'put', key: 'a', valueBase64 }]))[0]).toHaveProperty('version');
    const larger = Buffer.alloc(VALUE_BYTES_MAX + 1, 0xff).toString('base64');
    expect((await batch([{ op: 'put', key: 'b', valueBase64: larger }]))[0]!.problem).toMatchObject({
      status: 413,
    });
  });

  test('more bytes of values than an answer has room for: the rest is not read, to be asked again', async () => {
    const value = 'x'.repeat(VALUE_BYTES_MAX);
    const keys = ['a', 'b', 'c', 'd'];
    for (const key of keys) await door.ask('PUT', `/v1/kv/${key}`, { body: value });
    const results = await batch(keys.map((key) => ({ op: 'get', key })));
    const found = results.filter((result) => result['found'] === true).length;
    expect(found).toBe(MANY_ANSWER_BYTES_MAX / VALUE_BYTES_MAX);
    expect(results.at(-1)!.problem!.code).toBe('overloaded');
  });

  test.each([
    ['no JSON', '{"operations":['],
    ['another form', '[]'],
    ['an operation that is none', '{"operations":[{"op":"drop","key":"a"}]}'],
    ['a field too many', '{"operations":[{"op":"put","key":"a","value":"1","ttl":5}]}'],
    ['a value of bad Base64', '{"operations":[{"op":"put","key":"a","valueBase64":"*"}]}'],
    [
      'a number beyond what JSON keeps',
      '{"operations":[{"op":"increment","key":"a","increment":9007199254740993}]}',
    ],
    [
      'too many',
      JSON.stringify({ operations: Array(HTTP_BATCH_OPERATIONS_MAX + 1).fill({ op: 'get', key: 'a' }) }),
    ],
  ])('%s: the whole is refused, and nothing is done', async (_name, body) => {
    const answer = await door.ask('POST', '/v1/kv', {
      body,
      headers: { 'Content-Type': 'application/json' },
    });
    expect([answer.status, answer.json['code']]).toEqual([400, 'invalid_argument']);
    expect(door.api.calls).toEqual([]);
  });

  test.each([
    ['neither value nor valueBase64', '{"op":"put","key":"a"}'],
    ['both', '{"op":"put","key":"a","value":"","valueBase64":""}'],
    ['half a character', '{"op":"put","key":"a","value":"\\ud800"}'],
    ['half a character in its key', '{"op":"get","key":"\\ud800"}'],
    ['no UUID as its id', '{"op":"delete","key":"a","operationId":"7"}'],
    ['a UUID of another version', `{"op":"delete","key":"a","operationId":"${randomUUID()}"}`],
    ['an increment of 65 bits', '{"op":"increment","key":"a","increment":"9223372036854775808"}'],
  ])('an operation with %s: refused by itself', async (_name, one) => {
    const body = `{"operations":[${one},{"op":"put","key":"b","value":""}]}`;
    const answer = await door.ask('POST', '/v1/kv', {
      body,
      headers: { 'Content-Type': 'application/json' },
    });
    const results = answer.json['results'] as Result[];
    expect(results[0]!.problem!.code).toBe('invalid_argument');
    if (one.includes('operationId'))
      expect(results[0]!.problem!.detail).toMatch(/^operationId must be a UUID/);
    expect(results[1]).toHaveProperty('version');
  });

  test('too many bytes, another type, bytes that are no UTF-8: refused', async () => {
    const long = JSON.stringify({ operations: [], more: 'x'.repeat(HTTP_BATCH_BYTES_MAX) });
    const headers = { 'Content-Type': 'application/json' };
    expect((await door.ask('POST', '/v1/kv', { body: long, headers })).status).toBe(413);
    const form = { 'Content-Type': 'text/plain' };
    expect((await door.ask('POST', '/v1/kv', { body: '{"operations":[]}', headers: form })).status).toBe(415);
    const bytes = Buffer.from('{"operations":[{"op":"get","key":"\xff"}]}', 'latin1');
    expect((await door.ask('POST', '/v1/kv', { body: bytes, headers })).status).toBe(400);
  });
});

describe('a listing', () => {
  const keysOf = (json: Record<string, unknown>): string[] =>
    (json['entries'] as { key: string }[]).map(({ key }) => key);

  beforeEach(async () => {
    door.api.scansBySlot = true;
    for (let at = 0; at < 60; at += 1)
      await door.ask('PUT', `/v1/kv/${at % 4 === 0 ? 'order' : 'user'}:${at}?ttl_ms=${at % 2 ? 60_000 : 0}`, {
        body: `v${at}`,
      });
  });

  async function all(query: string): Promise<string[]> {
    const seen: string[] = [];
    let after = '';
    for (let pages = 0; pages < 100; pages += 1) {
      const { status, json } = await door.ask('GET', `/v1/kv?${query}${after}`);
      expect(status).toBe(200);
      seen.push(...keysOf(json));
      if (json['next'] === null) return seen;
      after = `&after=${encodeURIComponent(json['next'] as string)}`;
    }
    throw new Error('it does not end');
  }

  test.each([1, 7, 60, 500])('%i keys on a page: every key once, with its version', async (limit) => {
    const seen = await all(`limit=${limit}`);
    expect(seen.length).toBe(60);
    expect(new Set(seen).size).toBe(60);
  });

  test.each([1, 4, 15, 16])('by a prefix, %i on a page: those alone, each once', async (limit) => {
    const seen = await all(`prefix=order:&limit=${limit}`);
    expect(seen.length).toBe(15);
    expect(new Set(seen).size).toBe(15);
    expect(seen.every((key) => key.startsWith('order:'))).toBe(true);
  });

  test('pages that the node cuts short: as many keys, and no more pages than are looked through', async () => {
    door.api.scanPageMax = 2;
    expect((await all('prefix=order:&limit=50')).length).toBe(15);
    door.api.calls = [];
    const { json } = await door.ask('GET', '/v1/kv?prefix=none&limit=50');
    expect(keysOf(json)).toEqual([]);
    expect(json['next']).not.toBeNull();
    expect(door.api.calls.length).toBe(20);
  });

  test('a later page of the node fails: what was found by then is a page, after which it goes on', async () => {
    door.api.scanPageMax = 7;
    const scan = door.api.scan.bind(door.api);
    let scans = 0;
    door.api.scan = (...asked) => {
      scans += 1;
      door.api.failWith = scans % 2 === 0 ? 'read_timeout' : undefined;
      scan(...asked);
    };
    const seen = await all('limit=50');
    expect([seen.length, new Set(seen).size]).toEqual([60, 60]);
    expect(scans).toBeGreaterThan(60 / 7);
    scans = 1;
    expect((await door.ask('GET', '/v1/kv?limit=50')).json['code']).toBe('read_timeout');
  });

  test('with what is known of each, and values only where they are asked for', async () => {
    const [first] = (await door.ask('GET', '/v1/kv?prefix=user:1&limit=1')).json['entries'] as Record<
      string,
      unknown
    >[];
    expect(first).toMatchObject({ origin: 'client', version: expect.any(Number) as number });
    expect(first).not.toHaveProperty('value');
    const [read] = (await door.ask('GET', '/v1/kv?prefix=order:&limit=1&values=1')).json['entries'] as Record<
      string,
      unknown
    >[];
    expect(read!['value']).toBe(`v${(read!['key'] as string).split(':')[1]}`);
  });

  test('while PostgreSQL has rows that are not loaded, it says that it is incomplete', async () => {
    expect((await door.ask('GET', '/v1/kv')).json['incomplete']).toBe(false);
    door.api.incomplete = true;
    expect((await door.ask('GET', '/v1/kv')).json['incomplete']).toBe(true);
  });

  test.each(['limit=0', 'limit=501', 'limit=x', 'after=', 'prefix=a&prefix=b', 'values=yes'])(
    '%s: refused',
    async (query) => {
      expect((await door.ask('GET', `/v1/kv?${query}`)).status).toBe(400);
    },
  );

  test('more at once than a node takes: refused, and taken again afterwards', async () => {
    door.api.holding = true;
    const open = Array.from({ length: HTTP_LISTINGS_MAX }, () => door.ask('GET', '/v1/kv'));
    await expect.poll(() => door.api.heldCount).toBe(HTTP_LISTINGS_MAX);
    const refused = await door.ask('GET', '/v1/kv');
    expect([refused.status, refused.json['code']]).toEqual([503, 'overloaded']);
    door.api.release();
    for (const one of open) expect((await one).status).toBe(200);
    expect((await door.ask('GET', '/v1/kv')).status).toBe(200);
  });
});
