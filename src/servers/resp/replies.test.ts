/** Large or unread replies: a client that reads gets all of them; one that does not harms only itself. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRespDoor } from '../../../test/support/resp-door.ts';
import type { RespFixture, RespLine } from '../../../test/support/resp-door.ts';
import { ORIGIN_CLIENT } from '../../core/record.ts';
import {
  RESP_OUTPUT_BYTES_MAX,
  RESP_OUTPUT_BYTES_PAUSE,
  RESP_OUTPUT_BYTES_TOTAL_MAX,
  RESP_TELLING_MAX,
  RESP_WAITING_BYTES_MAX,
} from '../../core/clients/redis-limits.ts';
import type { Client } from './client.ts';
import { ReplyQueue } from './reply-queue.ts';

const MIB = 1024 * 1024;
const COUNT = 1 + RESP_OUTPUT_BYTES_MAX / MIB;
const VALUE = 'x'.repeat(MIB);
const REPLY = `$${MIB}\r\n${VALUE}\r\n`;

let door: RespFixture;
let line: RespLine;
beforeEach(async () => {
  door = await openRespDoor();
  line = await door.connect();
  await line.until(() => door.server.door.clients.size === 1);
});
afterEach(() => door.stop());

function store(key: string): void {
  const value = Buffer.from(VALUE);
  door.api.records.set(key, {
    ...{ key, value, version: 1, origin: ORIGIN_CLIENT, tombstone: false },
    ...{ createdAt: 1, updatedAt: 1, expiresAt: 0, operationId: null, contentType: null },
  });
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Compares piece by piece, because the whole reply would be too large for an error message. */
async function hearsTimes(reply: string, count: number): Promise<number> {
  let heard = 0;
  while (heard < count && (await line.hears(reply)) === reply) heard += 1;
  return heard;
}

/** Tracks the most bytes that ever waited, sampled whenever something is read. */
function watchWaiting({ queue }: Client): () => number {
  let most = 0;
  const get = door.api.get.bind(door.api);
  door.api.get = (key, timeoutMs, done) =>
    get(key, timeoutMs, (result) => {
      done(result);
      most = Math.max(most, queue.heldBytes + queue.gathered);
    });
  return () => most;
}

describe('a client that reads', () => {
  test.each([
    ['GET', 'GET k', REPLY],
    ['MGET', 'MGET k k', `*2\r\n${REPLY.repeat(2)}`],
    ['GETRANGE', 'GETRANGE k 0 -1', REPLY],
  ])(
    '%s of large values many times, all answered at once: none is lost, and few are kept',
    async (_name, call, reply) => {
      store('k');
      door.api.waiting.add('k');
      door.api.holding = true;
      const count = call.startsWith('MGET') ? COUNT / 2 : COUNT;
      const [client] = door.server.door.clients.values();
      const mostWaiting = watchWaiting(client!);
      line.send(...Array.from({ length: Math.ceil(count) }, () => call));
      await line.until(() => door.api.heldCount >= COUNT);
      door.api.release();
      expect(await hearsTimes(reply, Math.ceil(count))).toBe(Math.ceil(count));
      expect(mostWaiting()).toBeGreaterThan(0);
      expect(mostWaiting()).toBeLessThan(RESP_WAITING_BYTES_MAX + 2 * reply.length);
      expect(client!.queue).toMatchObject({ parked: 0, gathered: 0, telling: 0 });
    },
  );
});

describe('a client that does not read', () => {
  test('values that it deletes and is told of: so many are deleted as can wait, and none is lost when it reads', async () => {
    for (let at = 0; at < COUNT; at += 1) store(`k${at}`);
    line.socket.pause();
    const [client] = door.server.door.clients.values();
    const { queue } = client!;
    const { api } = door;
    api.holding = true;
    line.send(...Array.from({ length: COUNT }, (_, at) => `GETDEL k${at}`));
    await line.until(() => queue.parked > 0);
    expect(api.heldCount).toBe(RESP_TELLING_MAX);
    // The kernel buffers some replies for the client; as long as it does, more commands begin.
    while (api.heldCount > 0) {
      api.release();
      api.holding = true;
      const isFull = (): boolean => client!.line.untakenBytes() >= RESP_OUTPUT_BYTES_PAUSE;
      await line.until(() => queue.telling === api.heldCount && (api.heldCount > 0 || isFull()));
      expect(queue.telling).toBeLessThanOrEqual(RESP_TELLING_MAX);
      expect(queue.outputBytes).toBeLessThan(RESP_OUTPUT_BYTES_PAUSE + (RESP_TELLING_MAX + 1) * MIB);
    }
    expect(api.calls.length).toBeLessThan(COUNT);
    api.release();
    line.socket.resume();
    expect(await hearsTimes(REPLY, COUNT)).toBe(COUNT);
    expect(queue).toMatchObject({ parked: 0, gathered: 0, telling: 0 });
  });

  test('small replies, each sent by itself: they take up no more memory than they have bytes', async () => {
    line.socket.pause();
    const [client] = door.server.door.clients.values();
    const untaken = (): number => client!.line.untakenBytes();
    const echo = 'e'.repeat(60_000);
    while (untaken() === 0) {
      const { commands } = door.server.door.counts;
      line.send(`ECHO ${echo}`);
      await line.until(() => door.server.door.counts.commands > commands);
      await nextTurn();
    }
    const before = process.memoryUsage().arrayBuffers;
    for (let sent = 0; sent < 400; sent += 1) {
      const bytes = untaken();
      line.send('PING');
      await line.until(() => untaken() > bytes);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * MIB);
    expect(untaken()).toBeLessThan(RESP_OUTPUT_BYTES_PAUSE);
    line.socket.resume();
    await line.until(() => untaken() === 0);
  });

  test('a reply of which the system has taken a part: the rest is what it was, whatever others are told meanwhile', async () => {
    line.socket.pause();
    const [client] = door.server.door.clients.values();
    const { counts } = door.server.door;
    const text = 'm'.repeat(60_000);
    let sent = 0;
    while (client!.line.untakenBytes() === 0) {
      const before = counts.commands;
      line.send(`ECHO ${text}`);
      sent += 1;
      await line.until(() => counts.commands > before);
      await nextTurn();
    }
    const other = await door.connect();
    expect(await other.ask(`ECHO ${'o'.repeat(60_000)}`)).toBe('o'.repeat(60_000));
    line.socket.resume();
    expect(await hearsTimes(`$60000\r\n${text}\r\n`, sent)).toBe(sent);
  });

  test('all that may wait for clients waits: who holds much and takes none of it is cut, others go on', async () => {
    const shared = door.server.door;
    store('k');
    const other = await door.connect();
    line.socket.pause();
    line.send(...Array.from({ length: COUNT }, () => 'GET k'));
    const [client] = shared.clients.values();
    await other.until(() => client!.line.untakenBytes() > 0);
    expect(shared.outputBytes).toBeGreaterThan(0);
    // As if other connections had filled it.
    shared.outputBytes += RESP_OUTPUT_BYTES_TOTAL_MAX;
    expect(await other.ask('GET k')).toBe(VALUE);
    // A client is given some time to take what it holds.
    shared.lingerMs = 60_000;
    const { now } = shared;
    await other.until(() => shared.now > now);
    expect(shared.clients.size).toBe(2);
    shared.lingerMs = 0;
    await other.until(() => shared.clients.size === 1);
    expect(await other.ask('PING')).toBe('+PONG');
    expect(shared.outputBytes).toBe(RESP_OUTPUT_BYTES_TOTAL_MAX);
  });
});

test('a client that does not read, and is to be closed: it is gone after a while', async () => {
  const shared = door.server.door;
  store('k');
  line.socket.pause();
  line.send(...Array.from({ length: COUNT }, () => 'GET k'));
  const [client] = shared.clients.values();
  await line.until(() => client!.line.untakenBytes() > 0);
  shared.lingerMs = 1;
  client!.line.closeInOrder();
  await line.until(() => shared.clients.size === 0);
});

test('commands that wait for room: none begins before there is some, then in their order', () => {
  let untaken = RESP_OUTPUT_BYTES_PAUSE;
  const begun: string[] = [];
  const queue = new ReplyQueue(
    () => undefined,
    () => untaken,
  );
  for (const name of ['first', 'second']) queue.park(queue.begin(), () => begun.push(name));
  queue.resumeParked();
  expect(begun).toEqual([]);
  untaken -= 1;
  queue.resumeParked();
  expect(begun).toEqual(['first', 'second']);
  expect(queue.parked).toBe(0);
});
