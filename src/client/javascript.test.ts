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

test('no nodes, or none that can be reached by what was given: told when it connects', () => {
  const connectTo = (nodes: unknown) => () => connect({ nodes } as never);
  for (const nodes of [undefined, [], '127.0.0.1:50051'])
    expect(connectTo(nodes)).toThrow(/^no nodes are given to connect to/);
  expect(() => connect(undefined as never)).toThrow(/^no nodes are given to connect to/);
  for (const nodes of [['here'], [5], ['a:1', 'b']])
    expect(connectTo(nodes)).toThrow(/ is not host:port$|^5 is/);
});
