/** The client against real servers: what it does and, above all, what it reports when it cannot know the outcome. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually, openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import { errorOfStatus } from './causeway-error.ts';
import { CausewayError, connect, newOperationId } from './index.ts';
import type { CausewayClient } from './index.ts';

/** A port on which nobody listens. */
const NOBODY = '127.0.0.1:1';
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

async function errorOf(calling: Promise<unknown>): Promise<CausewayError> {
  const error: unknown = await calling.then(
    () => new Error('the call did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof CausewayError) return error;
  throw error;
}

const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();

describe('calls', () => {
  test('every operation: does what it says', async () => {
    const version = await client.set('a', 'one', { ttlMs: 60_000 });
    expect(text(await client.get('a'))).toBe('one');
    expect(await client.getWithMeta('a')).toMatchObject({ version, origin: 'client' });
    expect(await client.compareAndSet('a', 'absent', 'x')).toMatchObject({
      applied: false,
      current: { version },
    });
    expect(await client.compareAndSet('a', { value: 'one' }, 'two')).toMatchObject({ applied: true });
    expect(await client.compareAndDelete('a', { version })).toMatchObject({ applied: false });
    expect(await client.compareAndDelete('a', { value: 'two' })).toMatchObject({ applied: true });
    expect(await client.get('a')).toBeUndefined();
    expect(await client.compareAndSet('a', { version }, 'x')).toEqual({ applied: false, current: undefined });
    expect(await client.getText('a')).toBeUndefined();
    await client.set('a', '\ufeffÄ \u{1f389}');
    expect(await client.getText('a')).toBe('\ufeffÄ \u{1f389}');
    await client.set('a', Uint8Array.of(0xff));
    await expect(client.getText('a')).rejects.toThrow(TypeError);
    expect(await client.increment('n')).toBe(1n);
    expect(await client.increment('n', -3)).toBe(-2n);
    await client.delete('n');
    expect(await client.inspect(one.address, 'n')).toMatchObject({ owner: true, tombstone: true });
    expect(await client.status(one.address)).toEqual(one.api.status());
  });

  test('a content type: kept with a value by every way to set one, told with it, and gone without one', async () => {
    const contentType = 'text/csv; header=present';
    const typeOf = async (): Promise<string | undefined> => (await client.getWithMeta('a'))!.contentType;
    await client.set('a', 'one', { contentType });
    expect(await typeOf()).toBe(contentType);
    await client.set('a', 'one');
    expect(await typeOf()).toBeUndefined();
    await client.compareAndSet('a', { value: 'one' }, 'two', { contentType });
    expect(await typeOf()).toBe(contentType);
    const pipeline = await client.pipeline();
    await pipeline.set('a', 'three', { contentType: 'text/plain' });
    await pipeline.close();
    expect(await typeOf()).toBe('text/plain');
    await client.setMany([{ key: 'a', value: 'four', contentType }]);
    expect(await typeOf()).toBe(contentType);
    const error = await errorOf(client.set('a', 'five', { contentType: 'csv' }));
    expect([error.code, error.message]).toEqual(['invalid_argument', expect.stringContaining('255 bytes')]);
    expect(text(await client.get('a'))).toBe('four');
  });

  test('more keys and bytes than one call takes: all set, all read, each with its own outcome', async () => {
    const entries = Array.from({ length: 2500 }, (_, at) => ({ key: `k${at}`, value: 'v'.repeat(2000) }));
    const set = await client.setMany(entries);
    expect(set.every(({ ok }) => ok)).toBe(true);
    const got = await client.getMany([...entries.map(({ key }) => key), 'none']);
    expect(got).toHaveLength(2501);
    expect(got.slice(0, 2500).every((each) => each.ok && each.result?.length === 2000)).toBe(true);
    expect(got[2500]).toEqual({ ok: true, result: undefined });
  });

  test('many keys while the node is overloaded: each fails as such, and the asking ends', async () => {
    one.api.failWith = 'overloaded';
    const got = await client.getMany(['a', 'b']);
    expect(got.map((each) => (each.ok ? '' : each.error.code))).toEqual(['overloaded', 'overloaded']);
  });

  test('one node of two is asked for too much: the other does it, and the first is left alone for a while', async () => {
    const both = connect({ nodes: [one.address, two.address], timeoutMs: 3000 });
    one.api.failWith = 'overloaded';
    for (let at = 0; at < 20; at += 1) await both.set(`k${at}`, 'x');
    expect(two.api.records.size).toBe(20);
    expect(one.api.calls.length).toBeLessThan(5);
    both.close();
  });

  test('a node is asked for too much and then no longer: the call is made again after a pause', async () => {
    one.api.failWith = 'overloaded';
    const setting = client.set('a', 'x');
    await eventually(() => one.api.calls.length > 0, 'the first attempt');
    one.api.failWith = undefined;
    await setting;
    expect(one.api.records.size).toBe(1);
  });

  test('it stays so: told as such, with what the node said, and asked again seldom', async () => {
    one.api.failWith = 'overloaded';
    const calls = Array.from({ length: 300 }, (_, at) =>
      errorOf(client.set(`k${at}`, 'x', { timeoutMs: 10_000 })),
    );
    for (const error of await Promise.all(calls))
      expect(error).toMatchObject({ code: 'overloaded', certainty: 'definite', retryAfterMs: 250 });
    expect(one.api.calls.length).toBeLessThan(300 + 100);
  });

  test('a key that cannot be: refused before anything is sent', async () => {
    const { code, certainty } = await errorOf(client.set('a\ud800', 'x'));
    expect([code, certainty]).toEqual(['invalid_argument', 'definite']);
    expect(one.api.calls).toEqual([]);
  });
});

test('old answers, where they are taken: told with their age, for absence too', async () => {
  await client.set('a', 'one');
  expect(await client.find('a', { allowStale: true })).toMatchObject({ stale: false, staleMs: 0 });
  one.api.failWith = 'not_ready';
  one.api.staleMs = 700;
  const stale = { stale: true, staleMs: 700 };
  expect(await client.getWithMeta('a', { allowStale: true })).toMatchObject(stale);
  expect(text(await client.get('a', { allowStale: true }))).toBe('one');
  expect(await client.find('none', { allowStale: true })).toEqual({ entry: undefined, ...stale });
  const many = await client.findMany(['a', 'none'], { allowStale: true });
  expect(many).toMatchObject([
    { ok: true, result: { entry: stale, ...stale } },
    { ok: true, result: { entry: undefined, ...stale } },
  ]);
  expect(await errorOf(client.get('a'))).toMatchObject({ code: 'not_ready', certainty: 'definite' });
});

describe('failures', () => {
  test('the stack of an error leads to who has called, and not into the library', async () => {
    const handler = async (): Promise<void> => {
      await client.set('word', 'x');
      await client.increment('word');
    };
    const seen = await errorOf(handler());
    expect(seen.code).toBe('not_an_integer');
    expect(seen.stack).toMatch(/at (async )?handler /);
    const asked = async (): Promise<void> => void (await client.plan({ leaves: ['x'] }));
    one.api.failWith = 'not_ready';
    expect((await errorOf(asked())).stack).toMatch(/at (async )?asked /);
  });

  test('no answer in time: the message says from whom, and within which time', async () => {
    one.api.holding = true;
    expect(await errorOf(client.set('a', 'x', { timeoutMs: 50 }))).toMatchObject({
      ...{ code: 'transport', message: `no answer from ${one.address} within 50 ms` },
    });
  });

  test('a write on a connection that went before it was sent: definite, whatever the library calls it', async () => {
    const direct = new Client(NOBODY, credentials.createInsecure());
    const call = (): Promise<ServiceError> =>
      new Promise((resolve) => {
        const path = '/causeway.v1.KeyValue/Put';
        const bytes = (given: Buffer): Buffer => given;
        direct.makeUnaryRequest(path, bytes, bytes, Buffer.alloc(0), (error) => resolve(error!));
      });
    // The first call waits for the connection attempt to fail; the second finds it failed already.
    for (const error of [await call(), await call()]) {
      expect(error.details).toContain('No connection established');
      expect(errorOfStatus(error, true)).toMatchObject({ code: 'transport', certainty: 'definite' });
    }
    direct.close();
  });

  test('a failure of the node: its code and certainty, as it said them', async () => {
    one.api.failWith = 'outcome_unknown';
    expect(await errorOf(client.set('a', 'x'))).toMatchObject({
      code: 'outcome_unknown',
      certainty: 'indefinite',
    });
    one.api.failWith = 'record_unavailable';
    expect(await errorOf(client.set('a', 'x'))).toMatchObject({
      code: 'record_unavailable',
      certainty: 'definite',
    });
  });

  test('no connection: the message says why, for each node', async () => {
    const http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    const { port } = http.address() as AddressInfo;
    const nowhere = connect({ nodes: [NOBODY, `127.0.0.1:${port}`], connectTimeoutMs: 500 });
    expect((await errorOf(nowhere.get('a'))).message).toBe(
      `cannot connect to ${NOBODY} (ECONNREFUSED), 127.0.0.1:${port} (what listens there does not speak gRPC): nothing was sent`,
    );
    nowhere.close();
    http.close();
  });

  test('an earlier client pauses before it tries that node again: a new one tries by itself, and says why, too', async () => {
    const earlier = connect({ nodes: [NOBODY], connectTimeoutMs: 800 });
    const later = connect({ nodes: [NOBODY], connectTimeoutMs: 50 });
    await errorOf(earlier.get('a'));
    expect((await errorOf(later.get('a'))).message).toContain(`${NOBODY} (ECONNREFUSED)`);
    earlier.close();
    later.close();
  });

  test('a node that is gone before the call: definite, as nothing was sent', async () => {
    const lonely = connect({ nodes: [NOBODY], connectTimeoutMs: 200 });
    const error = await errorOf(lonely.set('a', 'x'));
    expect(error).toMatchObject({ code: 'transport', certainty: 'definite' });
    expect(error.message).toContain(NOBODY);
    lonely.close();
  });

  test('a node that dies with the call under way: a write is indefinite, a read is definite', async () => {
    one.api.holding = true;
    one.api.waiting.add('a');
    const write = errorOf(client.set('a', 'x'));
    const read = errorOf(client.get('a'));
    await eventually(() => one.api.heldCount === 2, 'both calls at the node');
    await one.stop();
    expect(await write).toMatchObject({ code: 'transport', certainty: 'indefinite' });
    expect(await read).toMatchObject({ code: 'transport', certainty: 'definite' });
  });

  test('an answer of something that is no node of ours: a write is indefinite', async () => {
    const stranger = new Server();
    const port = await new Promise<number>((resolve) =>
      stranger.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, bound) =>
        resolve(bound),
      ),
    );
    const lost = connect({ nodes: [`127.0.0.1:${port}`] });
    expect(await errorOf(lost.set('a', 'x'))).toMatchObject({ code: 'transport', certainty: 'indefinite' });
    expect(await errorOf(lost.get('a'))).toMatchObject({ code: 'transport', certainty: 'definite' });
    lost.close();
    stranger.forceShutdown();
  });

  test('a client that was closed: calls fail, definitely', async () => {
    client.close();
    expect(await errorOf(client.set('a', 'x'))).toMatchObject({ certainty: 'definite' });
  });
});

describe('operation ids', () => {
  test('an increment whose answers are lost: repeated under its id, counted once', async () => {
    const once = connect({ nodes: [one.address], timeoutMs: 3000, operationIds: true });
    one.api.loseAnswers = 2;
    expect(await once.increment('n', 5)).toBe(5n);
    expect(text(await once.get('n'))).toBe('5');
    expect(one.api.calls.filter(({ kind }) => kind === 'increment')).toHaveLength(3);
    once.close();
  });

  test('the same id in a later call: answered as the first time; a fresh one counts anew', async () => {
    const operationId = newOperationId();
    expect(await client.increment('n', 1, { operationId })).toBe(1n);
    expect(await client.increment('n', 1, { operationId })).toBe(1n);
    expect(await client.increment('n', 1, { operationId: newOperationId() })).toBe(2n);
  });

  test('an id carries its time in its first 48 bits', () => {
    const time = Buffer.from(newOperationId()).readUIntBE(0, 6);
    expect(Math.abs(time - Date.now())).toBeLessThan(60_000);
  });

  test('a refusal of the first attempt: definite; of a later one: the write stays indefinite', async () => {
    const operationId = newOperationId();
    await client.set('a', 'one');
    const expected = { value: 'two' };
    expect(await client.compareAndSet('a', expected, 'x', { operationId })).toMatchObject({ applied: false });
    one.api.loseAnswers = 1;
    const lost = client.compareAndSet('a', expected, 'x', { operationId: newOperationId() });
    expect(await errorOf(lost)).toMatchObject({ code: 'outcome_unknown', certainty: 'indefinite' });
    await client.set('word', 'no number');
    one.api.loseAnswers = 1;
    const word = client.increment('word', 1, { operationId: newOperationId() });
    expect(await errorOf(word)).toMatchObject({ certainty: 'indefinite' });
  });

  test('nobody ever knows: repeated until the time is over, then indefinite', async () => {
    await client.set('warm', 'x');
    one.api.failWith = 'outcome_unknown';
    const late = await errorOf(client.set('a', 'x', { operationId: newOperationId(), timeoutMs: 1_500 }));
    expect(`${late.code} ${late.certainty}`).toMatch(/^(outcome_unknown|transport) indefinite$/);
    expect(one.api.calls.filter(({ kind }) => kind === 'put').length).toBeGreaterThan(2);
  });
});

describe('several nodes', () => {
  let both: CausewayClient;
  beforeEach(() => {
    both = connect({ nodes: [one.address, two.address, NOBODY], timeoutMs: 3000, connectTimeoutMs: 3000 });
  });
  afterEach(() => both.close());
  const writesAt = (doors: DoorFixture): number =>
    doors.api.calls.filter(({ kind }) => kind === 'put').length;

  test('calls: spread over the nodes that live, past one that is down', async () => {
    await eventuallyBoth(both);
    const before = [writesAt(one), writesAt(two)];
    const since = (): number[] => [writesAt(one) - before[0]!, writesAt(two) - before[1]!];
    // A node that is slow on a busy machine is avoided for a while; with more calls it gets its share again.
    for (let at = 0; at < 5_000 && Math.min(...since()) < 15; at++) await both.set(`k${at}`, 'x');
    expect(Math.min(...since())).toBeGreaterThanOrEqual(15);
  });

  test('a node that is not ready: another does it; one that is indefinite: nobody repeats it', async () => {
    await eventuallyBoth(both);
    one.api.failWith = 'not_ready';
    for (let at = 0; at < 6; at++) await both.set('a', 'x');
    one.api.failWith = 'outcome_unknown';
    two.api.failWith = 'outcome_unknown';
    const before = writesAt(one) + writesAt(two);
    expect(await errorOf(both.set('a', 'x'))).toMatchObject({ certainty: 'indefinite' });
    expect(writesAt(one) + writesAt(two)).toBe(before + 1);
  });

  test('every node not ready: each is asked once, then the failure is told', async () => {
    await eventuallyBoth(both);
    one.api.failWith = two.api.failWith = 'not_ready';
    const before = writesAt(one) + writesAt(two);
    const { code, certainty } = await errorOf(both.set('a', 'x'));
    expect([code, certainty]).toEqual(['not_ready', 'definite']);
    expect(writesAt(one) + writesAt(two)).toBe(before + 2);
  });

  test('a node that is late with keys, and well otherwise: it is asked for what it was late with before it is used again', async () => {
    await eventuallyBoth(both);
    const { get } = one.api;
    one.api.get = (key, timeoutMs, done) =>
      void setTimeout(() => get.call(one.api, key, timeoutMs, done), 200);
    for (const doors of [one, two]) for (const key of ['first', 'second']) doors.api.waiting.add(key);
    const readsAt = (doors: DoorFixture, key: string): number =>
      doors.api.calls.filter((call) => call.kind === 'get' && call.key === key).length;
    // The slow node is avoided once the other one has been asked this often in a row.
    for (let inRow = 0, seen = 0; inRow < 10; seen = readsAt(one, 'first')) {
      await both.get('first');
      inRow = readsAt(one, 'first') === seen ? inRow + 1 : 0;
    }
    const asked = readsAt(one, 'first');
    for (const until = Date.now() + 10_000; readsAt(one, 'first') === asked && Date.now() < until;) {
      await both.get('second');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(readsAt(one, 'first')).toBeGreaterThan(asked);
  });

  async function eventuallyBoth(target: CausewayClient): Promise<void> {
    for (let at = 0; at < 200 && (writesAt(one) === 0 || writesAt(two) === 0); at++) {
      await target.set('warm', 'x');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
});
