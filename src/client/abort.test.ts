/** A caller takes a call back: at each stage of it, it ends at once, and says whether it may have happened. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually, openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import { connect, newOperationId } from './index.ts';
import type { CausewayClient } from './index.ts';

/** A port on which nobody listens. */
const NOBODY = '127.0.0.1:1';
/** Milliseconds in which nothing but the signal ends a call. */
const timeoutMs = 100_000;
let doors: DoorFixture;
let client: CausewayClient;
let aborting: AbortController;
beforeEach(async () => {
  doors = await openDoors();
  client = connect({ nodes: [doors.address], timeoutMs, connectTimeoutMs: timeoutMs });
  aborting = new AbortController();
});
afterEach(async () => {
  client.close();
  await doors.stop();
});

const enough = new Error('enough');
const aborted = (certainty: string) => ({
  ...{ name: 'CausewayError', code: 'aborted', certainty, cause: enough },
  message: expect.stringMatching(/^the caller took the call back: enough/) as string,
});

test('before it is made: nothing is sent', async () => {
  aborting.abort(enough);
  const { signal } = aborting;
  for (const operationId of [undefined, newOperationId()])
    await expect(client.set('a', 'x', { signal, operationId })).rejects.toMatchObject(aborted('definite'));
  await expect(client.status(doors.address, { signal })).rejects.toMatchObject(aborted('definite'));
  await expect(client.export('', { signal }).next()).rejects.toMatchObject(aborted('definite'));
  expect(doors.api.calls).toEqual([]);
});

test('right after it was made, when a connection stands: nothing is sent', async () => {
  await client.get('a');
  const callsBefore = doors.api.calls.length;
  const { signal } = aborting;
  const made = [
    client.set('a', 'x', { signal }),
    client.status(doors.address, { signal }),
    client.export('', { signal }).next(),
  ];
  aborting.abort(enough);
  for (const each of await Promise.allSettled(made))
    expect(each).toMatchObject({ reason: aborted('definite') });
  expect(doors.api.calls).toHaveLength(callsBefore);
});

test('while it waits for a connection: it did not happen', async () => {
  const nowhere = connect({ nodes: [NOBODY], timeoutMs, connectTimeoutMs: timeoutMs });
  const setting = nowhere.set('a', 'x', { signal: aborting.signal });
  aborting.abort(enough);
  await expect(setting).rejects.toMatchObject(aborted('definite'));
  nowhere.close();
});

test('many calls that wait for a connection, half of them with one signal: no warning of a leak in the caller’s process', async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warned);
  const nowhere = connect({ nodes: [NOBODY], timeoutMs, connectTimeoutMs: timeoutMs });
  const { signal } = aborting;
  const calls = Array.from({ length: 40 }, (_, at) => nowhere.get('a', at % 2 === 0 ? { signal } : {}));
  nowhere.close();
  for (const call of await Promise.allSettled(calls)) expect(call.status).toBe('rejected');
  // Warnings are told in a turn of their own.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', warned);
  expect(warnings).toEqual([]);
});

test('while it waits for another node, since the first one has refused: taken back, and not refused', async () => {
  doors.api.failWith = 'not_ready';
  const two = connect({ nodes: [doors.address, NOBODY], timeoutMs, connectTimeoutMs: timeoutMs });
  const { signal } = aborting;
  let waits = 0;
  const add = signal.addEventListener.bind(signal);
  signal.addEventListener = (...given: Parameters<typeof add>) => {
    waits += 1;
    add(...given);
  };
  const reading = two.get('r', { signal });
  await eventually(() => waits === 3, 'it waited for a node, for the answer, and waits for another node');
  aborting.abort(enough);
  await expect(reading).rejects.toMatchObject(aborted('definite'));
  two.close();
});

test('while the node has it: a write may have happened, a read changes nothing', async () => {
  doors.api.holding = true;
  doors.api.waiting.add('r');
  const { signal } = aborting;
  const setting = client.set('a', 'x', { signal });
  const many = client.setMany([{ key: 'b', value: 'x' }], { signal });
  const reading = client.get('r', { signal });
  await eventually(() => doors.api.heldCount === 3, 'all at the node');
  aborting.abort(enough);
  await expect(setting).rejects.toMatchObject(aborted('indefinite'));
  await expect(reading).rejects.toMatchObject(aborted('definite'));
  expect(await many).toMatchObject([{ ok: false, error: aborted('indefinite') }]);
  doors.api.release();
});

test('a write with an id is not repeated any more, and an attempt that is open stays in doubt', async () => {
  doors.api.failWith = 'outcome_unknown';
  const setting = client.set('a', 'x', { signal: aborting.signal, operationId: newOperationId() });
  await eventually(() => doors.api.calls.length > 1, 'it is repeated');
  aborting.abort(enough);
  await expect(setting).rejects.toMatchObject(aborted('indefinite'));
});

test('while an overloaded node is left in peace', async () => {
  doors.api.failWith = 'overloaded';
  doors.api.waiting.add('r');
  const reading = client.get('r', { signal: aborting.signal });
  await eventually(() => doors.api.calls.length > 0, 'the first attempt');
  aborting.abort(enough);
  await expect(reading).rejects.toMatchObject(aborted('definite'));
});

test('between two pages of an export', async () => {
  await client.setMany(Array.from({ length: 3 }, (_, at) => ({ key: `k${at}`, value: 'x' })));
  doors.api.scanPageMax = 1;
  const pages = client.export('', { signal: aborting.signal });
  await pages.next();
  aborting.abort(enough);
  await expect(pages.next()).rejects.toMatchObject(aborted('definite'));
});

test('after it has ended: nothing, and the signal holds on to nothing', async () => {
  const { signal } = aborting;
  const added: unknown[] = [];
  const removed: unknown[] = [];
  signal.addEventListener = (_type: string, listener: unknown) => void added.push(listener);
  signal.removeEventListener = (_type: string, listener: unknown) => void removed.push(listener);
  await client.set('a', 'x', { signal });
  for await (const page of client.export('', { signal })) expect(page.entries).toHaveLength(1);
  expect(added.length).toBeGreaterThan(1);
  expect(new Set(removed)).toEqual(new Set(added));
});
