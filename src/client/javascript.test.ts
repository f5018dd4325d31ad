/** The client as plain JavaScript uses it, with no types to forbid anything: nothing unintended is written. */
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import { connect, newOperationId } from './index.ts';
import type { CausewayClient } from './index.ts';

let doors: DoorFixture;
let client: CausewayClient;
beforeEach(async () => {
  doors = await openDoors();
  client = connect({ nodes: [doors.address], timeoutMs: 3_000 });
});
afterEach(async () => {
  client.close();
  await doors.stop();
});

const refusal = (message: RegExp) => ({
  ...{ code: 'invalid_argument', certainty: 'definite', message: expect.stringMatching(message) as string },
});

describe.each([
  ['a number', 5],
  ['null', null],
  ['nothing', undefined],
  ['an object', { a: 1 }],
  ['a list', [1, 2]],
  ['an ArrayBuffer', new ArrayBuffer(3)],
  ['other numbers than bytes', new Float64Array(1)],
])('%s as a value', (_what, given) => {
  const value = given as unknown as string;
  const expected = refusal(/^the value is neither a string nor a Uint8Array/);

  test('is refused by every way to write one, and nothing is sent', async () => {
    const pipeline = await client.pipeline();
    await expect(client.set('a', value)).rejects.toMatchObject(expected);
    await expect(client.setMany([{ key: 'a', value }])).rejects.toMatchObject(expected);
    await expect(client.compareAndSet('a', 'absent', value)).rejects.toMatchObject(expected);
    await expect(client.compareAndSet('a', { value }, 'x')).rejects.toMatchObject(expected);
    await expect(pipeline.set('a', value)).rejects.toMatchObject(expected);
    await pipeline.close();
    expect(doors.api.calls).toEqual([]);
  });
});

test('half of a surrogate pair as a value: refused by every way to write one; it was stored as another character', async () => {
  const half = 'x\ud800';
  const expected = refusal(/^the value is not well-formed Unicode/);
  const pipeline = await client.pipeline();
  await expect(client.set('a', half)).rejects.toMatchObject(expected);
  await expect(client.setMany([{ key: 'a', value: half }])).rejects.toMatchObject(expected);
  await expect(client.compareAndSet('a', { value: half }, 'x')).rejects.toMatchObject(expected);
  await expect(pipeline.set('a', half)).rejects.toMatchObject(expected);
  await pipeline.close();
  expect(doors.api.calls).toEqual([]);
  await client.set('a', '\ud83d\ude00');
  expect(await client.getText('a')).toBe('\u{1f600}');
});

test('bytes of another context, as test runners make them: bytes as any', async () => {
  await client.set('a', runInNewContext('Uint8Array.of(1, 2)') as Uint8Array);
  expect([...(await client.get('a'))!]).toEqual([1, 2]);
});

test('a key that is no string, a time that is none, an id of another length: refused, and nothing is sent', async () => {
  for (const key of [5, null, undefined, {}] as unknown as string[])
    await expect(client.get(key)).rejects.toMatchObject(refusal(/^the key is no string$/));
  for (const ttlMs of ['5', 1.5, -1, NaN] as number[])
    await expect(client.set('a', 'x', { ttlMs })).rejects.toMatchObject(refusal(/^the time to live/));
  for (const operationId of ['x', Uint8Array.of(1)] as Uint8Array[])
    await expect(client.set('a', 'x', { operationId })).rejects.toMatchObject(refusal(/newOperationId\(\)/));
  expect(doors.api.calls).toEqual([]);
  expect(await client.set('a', 'x', { ttlMs: 60_000, operationId: newOperationId() })).toBeGreaterThan(0);
});

test.each([
  ['no number', 1.5],
  ['text', 'x'],
  ['beyond 64 bits', 2n ** 63n],
  ['a number beyond 2^53, which may be another than was meant', 2 ** 63],
])(
  'a delta that is %s: refused by every way to add it; it was added cut off to 64 bits',
  async (_, given) => {
    const delta = given as bigint;
    const expected = refusal(/ is no whole number to add/);
    const pipeline = await client.pipeline();
    await expect(client.increment('n', delta)).rejects.toMatchObject(expected);
    await expect(pipeline.increment('n', delta)).rejects.toMatchObject(expected);
    await pipeline.close();
    expect(doors.api.calls).toEqual([]);
  },
);

describe.each([NaN, 0, -1, Infinity, 2 ** 31, '5', null])('%s as a time', (given) => {
  const timeoutMs = given as number;

  test('is refused by calls, and by connect; NaN ended the process', async () => {
    const expected = refusal(/^timeoutMs is .*: milliseconds, more than 0/);
    await expect(client.get('a', { timeoutMs })).rejects.toMatchObject(expected);
    await expect(client.set('a', 'x', { timeoutMs })).rejects.toMatchObject(expected);
    await expect(client.status(doors.address, { timeoutMs })).rejects.toMatchObject(expected);
    await expect(client.pipeline({ timeoutMs })).rejects.toMatchObject(expected);
    await expect(client.export('', { timeoutMs }).next()).rejects.toMatchObject(expected);
    expect(doors.api.calls).toEqual([]);
    expect(() => connect({ nodes: ['a:1'], timeoutMs })).toThrow(/^timeoutMs is /);
    expect(() => connect({ nodes: ['a:1'], connectTimeoutMs: timeoutMs })).toThrow(/^connectTimeoutMs is /);
  });
});

test('options that nothing reads: refused, where a misspelt time to live would keep a value for ever', async () => {
  const pipeline = await client.pipeline();
  for (const given of [{ ttl: 5 }, { EX: 5 }, 5, 'x', null]) {
    const options = given as object;
    const expected = refusal(/^there is no option "(ttl|EX)", only .*ttlMs|^the options are no object/);
    await expect(client.set('a', 'x', options)).rejects.toMatchObject(expected);
    await expect(client.get('a', options)).rejects.toMatchObject(expected);
    await expect(pipeline.set('a', 'x', options)).rejects.toMatchObject(expected);
  }
  for (const given of [{ timeout: 5 }, { unansweredMax: 0 }, { unansweredMax: NaN }, 5])
    await expect(client.pipeline(given as object)).rejects.toMatchObject(refusal(/option|unansweredMax is/));
  const nodes = [doors.address];
  expect(() => connect({ nodes, password: 'x' } as never)).toThrow(/^there is no option "password", only/);
  expect(() => connect({ nodes, operationIds: 'no' } as never)).toThrow(
    /^operationIds is no: true or false$/,
  );
  expect(() => connect({ nodes, trace: {} } as never)).toThrow(/^trace is no function$/);
  await expect(client.set('a', 'x', { contentType: 7 as never })).rejects.toMatchObject(
    refusal(/no string$/),
  );
  await expect(client.get('a', { signal: {} as never })).rejects.toMatchObject(refusal(/no AbortSignal$/));
  await pipeline.close();
  expect(doors.api.calls).toEqual([]);
  await client.get('a', { ttlMs: 5 } as object);
});

test('an expectation that says nothing: refused; one of no version was sent as one that nothing has', async () => {
  for (const given of ['present', undefined, null, {}, { versoin: 5 }, { version: '5' }, { version: 1.5 }]) {
    const expected = given as { version: number };
    const fault = refusal(/^what is expected is none of /);
    await expect(client.compareAndSet('a', expected, 'x')).rejects.toMatchObject(fault);
    await expect(client.compareAndDelete('a', expected)).rejects.toMatchObject(fault);
  }
  const both = { version: 5, value: 'x' };
  await expect(client.compareAndSet('a', both, 'y')).rejects.toMatchObject(refusal(/and not both/));
  await expect(client.compareAndDelete('a', both)).rejects.toMatchObject(refusal(/and not both/));
  await expect(client.compareAndDelete('a', 'absent' as never)).rejects.toMatchObject(refusal(/none of/));
  await expect(client.getMany('abc' as never)).rejects.toMatchObject(refusal(/^the keys are no array$/));
  await expect(client.setMany({ a: 'b' } as never)).rejects.toMatchObject(
    refusal(/^the entries are no array/),
  );
  expect(doors.api.calls).toEqual([]);
});

test('no nodes, or none that can be reached by what was given: told when it connects', () => {
  const connectTo = (nodes: unknown) => () => connect({ nodes } as never);
  for (const nodes of [undefined, [], '127.0.0.1:50051'])
    expect(connectTo(nodes)).toThrow(/^no nodes are given to connect to/);
  expect(() => connect(undefined as never)).toThrow(/^no nodes are given to connect to/);
  for (const nodes of [['here'], [5], ['a:1', 'b'], ['http://a:1'], ['a:70000'], ['::1:5']])
    expect(connectTo(nodes)).toThrow(/ is not host:port$|^5 is/);
});
