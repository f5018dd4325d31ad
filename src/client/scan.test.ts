/** Scanning all records before real doors, also while the node that is being read from goes away. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import { connect } from './index.ts';
import type { CausewayClient } from './index.ts';

let one: DoorFixture;
let two: DoorFixture;
let client: CausewayClient;

beforeEach(async () => {
  [one, two] = await Promise.all([openDoors(), openDoors()]);
  client = connect({ nodes: [one.address], timeoutMs: 3000, connectTimeoutMs: 3000 });
});
afterEach(async () => {
  client.close();
  await Promise.all([one.stop(), two.stop()]);
});

describe('all records, one by one', () => {
  const keysOf = async (scanned: AsyncGenerator<{ readonly key: string }>): Promise<string[]> => {
    const keys: string[] = [];
    for await (const { key } of scanned) keys.push(key);
    return keys.sort();
  };

  test('those with a prefix, and all without', async () => {
    for (const key of ['user:1', 'user:2', 'order:1']) await client.set(key, 'x');
    expect(await keysOf(client.scan({ prefix: 'user:' }))).toEqual(['user:1', 'user:2']);
    expect(await keysOf(client.scan())).toHaveLength(3);
    for (const options of [{ prefixes: 'a' }, { prefix: 5 as unknown as string }])
      await expect(keysOf(client.scan(options))).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  test('a node that fails on the way: another goes on, and none comes twice', async () => {
    const keys = Array.from({ length: 40 }, (_, at) => `k${at}`);
    for (const [each, value] of [
      [one, 'v'.repeat(100_000)],
      [two, 'another'],
    ] as const) {
      each.api.scanPageMax = 3;
      const alone = connect({ nodes: [each.address] });
      await alone.setMany(keys.map((key) => ({ key, value })));
      alone.close();
    }
    const seen: string[] = [];
    let last: Uint8Array | undefined;
    const both = connect({ nodes: [one.address, two.address], timeoutMs: 10_000 });
    for await (const { key, entry } of both.scan()) {
      seen.push(key);
      if (seen.length === 1) await one.stop();
      last = entry.value;
    }
    expect(seen.sort()).toEqual(keys.sort());
    expect(Buffer.from(last!).toString()).toBe('another');
    both.close();
  });

  test('a node that stops in the middle: told when the next page is late', async () => {
    await client.setMany(Array.from({ length: 4 }, (_, at) => ({ key: `k${at}`, value: 'x' })));
    one.api.scanPageMax = 3;
    const scan = one.api.scan.bind(one.api);
    const first = vi.fn<typeof scan>().mockImplementationOnce(scan);
    one.api.scan = first;
    const pages = client.export('', { timeoutMs: 2_000 });
    expect((await pages.next()).value).toMatchObject({ entries: { length: 3 } });
    await expect(pages.next()).rejects.toMatchObject({ message: 'no answer within 2000 ms' });
    expect(first).toHaveBeenCalledTimes(2);
  });

  test('nobody goes on: told within the time of a call', async () => {
    one.api.failWith = 'not_ready';
    await expect(keysOf(client.scan({ timeoutMs: 500 }))).rejects.toMatchObject({ certainty: 'definite' });
  });
});
