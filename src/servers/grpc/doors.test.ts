/** Every unary RPC over a real connection, called with raw bytes: answers, limits, and the metadata of each failure. */
import { readFileSync } from 'node:fs';
import { status as Status } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ERROR_TABLE } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { PIPELINE_OPERATIONS_MAX } from '../../core/clients/grpc-limits.ts';
import { KEY_BYTES_MAX, MANY_ANSWER_BYTES_MAX } from '../../core/limits.ts';
import { ORIGIN_CLIENT, ORIGIN_LEGACY, ORIGIN_OUTSIDE } from '../../core/record.ts';
import { causeway } from '../../gen/protocol.js';
import type { MessageType } from '../../gen/protocol.js';
import { CallError, call, callBytes, openDoors } from '../../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../../test/support/grpc-call.ts';
import { timeoutMsOf } from './method.ts';

const { v1 } = causeway;
const VALUE_BYTES_MAX = 256 * 1024;
const bytes = (text: string): Buffer => Buffer.from(text);
let doors: DoorFixture;

beforeAll(async () => {
  doors = await openDoors(VALUE_BYTES_MAX);
});
afterAll(() => doors.stop());
beforeEach(() => {
  doors.api.records.clear();
  doors.api.waiting.clear();
  doors.api.failWith = undefined;
  doors.api.calls = [];
});

function keyValue<Fields, Decoded>(
  method: string,
  requestType: MessageType<unknown, Fields>,
  answerType: MessageType<Decoded, never>,
  request: Fields,
  deadlineMs?: number,
): Promise<Decoded> {
  return call(doors.client, `/causeway.v1.KeyValue/${method}`, requestType, answerType, request, deadlineMs);
}

const put = (request: causeway.v1.PutRequestFields) =>
  keyValue('Put', v1.PutRequest, v1.PutResponse, request);
const get = (key: string) => keyValue('Get', v1.GetRequest, v1.GetResponse, { key });
const compareAndPut = (request: causeway.v1.CompareAndPutRequestFields) =>
  keyValue('CompareAndPut', v1.CompareAndPutRequest, v1.CompareResponse, request);
const increment = (request: causeway.v1.IncrementRequestFields) =>
  keyValue('Increment', v1.IncrementRequest, v1.IncrementResponse, request);

async function failureOf(calling: Promise<unknown>): Promise<CallError> {
  const error: unknown = await calling.then(
    () => new Error('the call did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof CallError) return error;
  throw error;
}

describe('single calls', () => {
  test('a value that was put: read back with its version, times and origin', async () => {
    const before = Date.now();
    const { version } = await put({ key: 'a', value: bytes('one'), ttlMs: 60_000 });
    const { record } = await get('a');
    expect(record).toMatchObject({ version, origin: v1.Origin.ORIGIN_CLIENT });
    expect(Buffer.from(record!.value).toString()).toBe('one');
    expect(record!.createdAtMs).toBeGreaterThanOrEqual(before);
    expect(record!.expiresAtMs).toBe(record!.updatedAtMs + 60_000);
    expect(record!.ageMs).toBeLessThan(60_000);
  });

  test('times before 1970, which a row of PostgreSQL may have: told as 1970', async () => {
    await put({ key: 'a', value: bytes('one') });
    const times = { createdAt: -86_400_000, updatedAt: -86_400_000 };
    doors.api.records.set('a', { ...doors.api.records.get('a')!, ...times });
    expect((await get('a')).record).toMatchObject({ createdAtMs: 0, updatedAtMs: 0 });
  });

  test('a content type that is none: refused with the limit, of a compare-and-put, too', async () => {
    const contentType = 'x'.repeat(300);
    for (const asked of [
      put({ key: 'a', value: bytes('one'), contentType }),
      compareAndPut({ key: 'a', expectAbsent: true, value: bytes('one'), contentType }),
    ])
      expect(await failureOf(asked)).toMatchObject({
        causewayCode: 'invalid_argument',
        message: expect.stringContaining('255 bytes') as string,
      });
    expect(doors.api.records.size).toBe(0);
  });

  test('a key that was never put: no record; an empty value: a record', async () => {
    expect((await get('none')).record).toBeNull();
    await put({ key: 'empty' });
    expect((await get('empty')).record?.value.length).toBe(0);
  });

  test('a read that must wait: asked of the node with the time that the client has left', async () => {
    await put({ key: 'a', value: bytes('one') });
    doors.api.waiting.add('a');
    doors.api.calls = [];
    await keyValue('Get', v1.GetRequest, v1.GetResponse, { key: 'a' }, 3000);
    expect(doors.api.calls).toHaveLength(1);
    expect(doors.api.calls[0]!.timeoutMs).toBeGreaterThan(1000);
    expect(doors.api.calls[0]!.timeoutMs).toBeLessThan(3000);
  });

  test('a delete: the key is absent, and the tombstone is seen by Inspect alone', async () => {
    await put({ key: 'a', value: bytes('one') });
    const { version } = await keyValue('Delete', v1.DeleteRequest, v1.DeleteResponse, { key: 'a' });
    expect((await get('a')).record).toBeNull();
    const path = '/causeway.v1.Admin/Inspect';
    const seen = await call(doors.client, path, v1.InspectRequest, v1.InspectResponse, { key: 'a' });
    expect(seen).toMatchObject({ owner: true, valid: true, slot: 42, tombstone: true });
    expect(seen.record?.version).toBe(version);
    const unseen = await call(doors.client, path, v1.InspectRequest, v1.InspectResponse, { key: 'b' });
    expect(unseen.record).toBeNull();
  });

  test('compare-and-put by version, value and absence: applied once, else what stands is shown', async () => {
    const first = await compareAndPut({ key: 'c', expectAbsent: true, value: bytes('1') });
    expect(first.applied).toBe(true);
    const second = await compareAndPut({ key: 'c', expectAbsent: true, value: bytes('2') });
    expect(second).toMatchObject({ applied: false });
    expect(second.current?.version).toBe(first.version);
    expect((await compareAndPut({ key: 'c', expectVersion: first.version, value: bytes('2') })).applied).toBe(
      true,
    );
    expect((await compareAndPut({ key: 'c', expectValue: bytes('2'), value: bytes('3') })).applied).toBe(
      true,
    );
    const stale = await compareAndPut({ key: 'c', expectValue: bytes('2'), value: bytes('4') });
    expect(Buffer.from(stale.current!.value).toString()).toBe('3');
    const gone = await compareAndPut({ key: 'never', expectVersion: 5, value: bytes('1') });
    expect(gone).toMatchObject({ applied: false, current: null });
  });

  test('compare-and-delete: only what was expected is deleted', async () => {
    await put({ key: 'd', value: bytes('x') });
    const remove = (expectValue: Buffer) =>
      keyValue('CompareAndDelete', v1.CompareAndDeleteRequest, v1.CompareResponse, { key: 'd', expectValue });
    expect((await remove(bytes('y'))).applied).toBe(false);
    expect((await remove(bytes('x'))).applied).toBe(true);
    expect((await get('d')).record).toBeNull();
  });

  test('increments to both ends of 64 bits: exact, and refused beyond', async () => {
    expect((await increment({ key: 'n', delta: 2n ** 63n - 1n })).total).toBe(2n ** 63n - 1n);
    expect(await failureOf(increment({ key: 'n', delta: 1n }))).toMatchObject({
      causewayCode: 'integer_overflow',
    });
    expect((await increment({ key: 'm', delta: -(2n ** 63n) })).total).toBe(-(2n ** 63n));
    expect((await increment({ key: 'z', delta: -5n })).total).toBe(-5n);
    await put({ key: 't', value: bytes('text') });
    expect(await failureOf(increment({ key: 't', delta: 1n }))).toMatchObject({
      causewayCode: 'not_an_integer',
      status: Status.FAILED_PRECONDITION,
    });
  });

  test('the status: the same object that the node gives', async () => {
    const path = '/causeway.v1.Admin/Status';
    const { json } = await call(doors.client, path, v1.StatusRequest, v1.StatusResponse, {});
    expect(JSON.parse(json)).toEqual(doors.api.status());
  });

  test('origins: the same numbers on the wire as in a record', () => {
    const { ORIGIN_CLIENT: client, ORIGIN_LEGACY: legacy, ORIGIN_OUTSIDE: outside } = v1.Origin;
    expect([client, legacy, outside]).toEqual([ORIGIN_CLIENT, ORIGIN_LEGACY, ORIGIN_OUTSIDE]);
  });
});

describe('failures', () => {
  test.each(Object.keys(ERROR_TABLE) as ErrorCode[])(
    '%s: its status, code and certainty reach the client, on a read and on a write',
    async (code) => {
      doors.api.failWith = code;
      const { status, certainty, meaning } = ERROR_TABLE[code];
      const retryAfterMs = code === 'overloaded' ? '250' : undefined;
      const known = { causewayCode: code, certainty, message: meaning };
      const expected = { status: Status[status], ...known, retryAfterMs };
      expect(await failureOf(get('a'))).toMatchObject(expected);
      expect(await failureOf(put({ key: 'a' }))).toMatchObject(expected);
    },
  );

  test('docs/ERRORS.md and the table: the same codes with the same facts, in both directions', () => {
    const document = readFileSync(new URL('../../../docs/ERRORS.md', import.meta.url), 'utf8');
    const rows = [...document.matchAll(/^\| `(\w+)` \| (\w+) \| `(\w+)` \| (.*) \|$/gm)];
    const told = rows.map(([, code, certainty, status, meaning]) => [code, { certainty, status, meaning }]);
    expect(Object.fromEntries(told)).toEqual(ERROR_TABLE);
    expect(told).toHaveLength(Object.keys(ERROR_TABLE).length);
  });

  const wrongKeys: [string, string, string][] = [
    ['empty', '', 'empty'],
    ['too long', 'k'.repeat(KEY_BYTES_MAX + 1), String(KEY_BYTES_MAX)],
    ['with NUL', 'a\0', 'NUL'],
    ['with a lone surrogate', 'a\ud800', 'UTF-8'],
  ];
  test.each(wrongKeys)(
    'a key %s: refused on every rpc, and the node is not asked',
    async (_name, key, word) => {
      const expected = {
        status: Status.INVALID_ARGUMENT,
        causewayCode: 'invalid_argument',
        certainty: 'definite',
      };
      const calls = [
        get(key),
        put({ key }),
        keyValue('Delete', v1.DeleteRequest, v1.DeleteResponse, { key }),
        compareAndPut({ key, expectAbsent: true }),
        keyValue('CompareAndDelete', v1.CompareAndDeleteRequest, v1.CompareResponse, {
          key,
          expectVersion: 1,
        }),
        increment({ key, delta: 1n }),
        call(doors.client, '/causeway.v1.Admin/Inspect', v1.InspectRequest, v1.InspectResponse, { key }),
        callBytes(doors.client, '/cache.CacheService/Get', v1.GetRequest.encode({ key }).finish()),
        callBytes(doors.client, '/cache.CacheService/Set', v1.PutRequest.encode({ key }).finish()),
      ];
      for (const error of await Promise.all(calls.map(failureOf))) {
        expect(error).toMatchObject(expected);
        expect(error.message).toContain(word);
      }
      expect(doors.api.calls).toEqual([]);
    },
  );

  test('key bytes that are not UTF-8: refused, not read as another key', async () => {
    const notUtf8 = Buffer.from([0x0a, 2, 0x61, 0xff]);
    for (const path of ['/cache.CacheService/Get', '/causeway.v1.KeyValue/Put']) {
      const error = await failureOf(callBytes(doors.client, path, notUtf8));
      expect(error).toMatchObject({ causewayCode: 'invalid_argument', certainty: 'definite' });
    }
  });

  test('bytes that are no message: refused with the same facts as any failure', async () => {
    const error = await failureOf(
      callBytes(doors.client, '/causeway.v1.KeyValue/Get', Buffer.from([0x0a, 99, 1])),
    );
    expect(error).toMatchObject({ status: Status.INVALID_ARGUMENT, causewayCode: 'invalid_argument' });
  });

  test('values, times and ids beyond their limits: refused by name; at the limit: taken', async () => {
    await put({ key: 'a', value: Buffer.alloc(VALUE_BYTES_MAX) });
    const wrong: [causeway.v1.PutRequestFields, string][] = [
      [{ key: 'a', value: Buffer.alloc(VALUE_BYTES_MAX + 1) }, String(VALUE_BYTES_MAX)],
      [{ key: 'a', ttlMs: Number.MAX_SAFE_INTEGER }, 'time to live'],
      [{ key: 'a', operationId: bytes('short') }, 'operation id'],
    ];
    for (const [request, word] of wrong) {
      const error = await failureOf(put(request));
      expect(error.causewayCode).toBe('invalid_argument');
      expect(error.message).toContain(word);
    }
  });

  test('a comparison with nothing, with version 0 or above 2^53, with absence = false: refused', async () => {
    const beyond = Buffer.from([0x0a, 1, 0x61, 0x10, ...Array<number>(9).fill(0xff), 1]);
    const path = '/causeway.v1.KeyValue/CompareAndPut';
    const calls = [
      compareAndPut({ key: 'a' }),
      compareAndPut({ key: 'a', expectVersion: 0 }),
      compareAndPut({ key: 'a', expectAbsent: false }),
      compareAndPut({ key: 'a', expectValue: Buffer.alloc(VALUE_BYTES_MAX + 1) }),
      callBytes(doors.client, path, beyond),
    ];
    for (const error of await Promise.all(calls.map(failureOf))) {
      expect(error.causewayCode).toBe('invalid_argument');
    }
    expect(doors.api.calls).toEqual([]);
  });
});

describe('reads that take old answers', () => {
  beforeEach(() => {
    doors.api.staleMs = 1_500;
    return () => (doors.api.staleMs = undefined);
  });

  test('the node serves: an ordinary answer, without a mark', async () => {
    await put({ key: 'a', value: bytes('1') });
    const request = { key: 'a', allowStale: true };
    const answer = await keyValue('Get', v1.GetRequest, v1.GetResponse, request);
    expect(answer).toMatchObject({ stale: false, staleMs: 0, record: { value: bytes('1') } });
  });

  test('it does not serve: what it had last, marked; without being allowed to, a failure', async () => {
    await put({ key: 'a', value: bytes('1') });
    doors.api.failWith = 'not_ready';
    const stale = { stale: true, staleMs: 1_500 };
    const request = { key: 'a', allowStale: true };
    const answer = await keyValue('Get', v1.GetRequest, v1.GetResponse, request);
    expect(answer).toMatchObject({ ...stale, record: { value: bytes('1') } });
    const absent = { key: 'none', allowStale: true };
    const none = await keyValue('Get', v1.GetRequest, v1.GetResponse, absent);
    expect(none).toMatchObject({ ...stale, record: null });
    expect(await failureOf(get('a'))).toMatchObject({ causewayCode: 'not_ready' });
    const keys = { keys: ['a', 'none', ''] };
    const many = await keyValue('GetMany', v1.GetManyRequest, v1.GetManyResponse, {
      ...keys,
      allowStale: true,
    });
    expect(many.results.map(({ get: found, failure }) => found?.stale ?? failure?.code)).toEqual([
      true,
      true,
      'invalid_argument',
    ]);
    const ordinary = await keyValue('GetMany', v1.GetManyRequest, v1.GetManyResponse, keys);
    expect(ordinary.results[0]!.failure).toMatchObject({ code: 'not_ready' });
  });
});

describe('many keys', () => {
  const getMany = (keys: string[]) => keyValue('GetMany', v1.GetManyRequest, v1.GetManyResponse, { keys });

  test('some good, some not: each has its own answer, in order', async () => {
    const { results: written } = await keyValue('PutMany', v1.PutManyRequest, v1.PutManyResponse, {
      puts: [{ key: 'a', value: bytes('1') }, { key: '' }, { key: 'b', value: bytes('2') }],
    });
    expect(written.map(({ result }) => result)).toEqual(['put', 'failure', 'put']);
    expect(written[1]!.failure).toMatchObject({ code: 'invalid_argument', certainty: 0 });
    doors.api.waiting.add('b');
    const { results } = await getMany(['b', 'none', '', 'a']);
    expect(
      results.map(({ get: found, failure }) => found?.record?.value.toString() ?? failure?.code),
    ).toEqual(['2', undefined, 'invalid_argument', '1']);
    expect((await getMany([])).results).toEqual([]);
  });

  test('an indefinite failure of one write: told as such', async () => {
    doors.api.failWith = 'outcome_unknown';
    const puts = [{ key: 'a' }];
    const { results } = await keyValue('PutMany', v1.PutManyRequest, v1.PutManyResponse, { puts });
    expect(results[0]!.failure).toMatchObject({
      code: 'outcome_unknown',
      certainty: v1.Certainty.CERTAINTY_INDEFINITE,
    });
  });

  test('more values than an answer may carry: the rest fail with `overloaded`, to be asked again', async () => {
    const keys = Array.from({ length: 20 }, (_, at) => `big:${at}`);
    for (const key of keys) await put({ key, value: Buffer.alloc(VALUE_BYTES_MAX, 1) });
    let read = 0;
    const tryGet = doors.api.tryGet.bind(doors.api);
    doors.api.tryGet = (key) => {
      read += 1;
      return tryGet(key);
    };
    const { results } = await getMany(keys);
    doors.api.tryGet = tryGet;
    const got = results.filter(({ result }) => result === 'get').length;
    expect(got).toBe(Math.ceil(MANY_ANSWER_BYTES_MAX / VALUE_BYTES_MAX));
    expect(results.slice(got).every(({ failure }) => failure?.code === 'overloaded')).toBe(true);
    expect(read).toBe(got);
  });

  test('more keys than a call may name: refused', async () => {
    const keys = Array.from({ length: PIPELINE_OPERATIONS_MAX + 1 }, (_, at) => `${at}`);
    expect(await failureOf(getMany(keys))).toMatchObject({ causewayCode: 'invalid_argument' });
    expect(
      await failureOf(
        keyValue('PutMany', v1.PutManyRequest, v1.PutManyResponse, { puts: keys.map((key) => ({ key })) }),
      ),
    ).toMatchObject({
      causewayCode: 'invalid_argument',
    });
  });
});

test('a deadline: answered a little before it; none: the default; passed: nothing is begun', () => {
  expect(timeoutMsOf(Infinity)).toBe(10_000);
  expect(timeoutMsOf(Date.now() - 5)).toBe(0);
  const left = timeoutMsOf(new Date(Date.now() + 1000));
  expect(left).toBeGreaterThan(850);
  expect(left).toBeLessThanOrEqual(950);
  expect(timeoutMsOf(Date.now() + 3_600_000)).toBe(120_000);
});
