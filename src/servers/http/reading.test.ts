/** The HTTP door reads its connections for a few milliseconds per turn of the event loop, and in turns. */
import { connect } from 'node:net';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeNodeApi } from '../../../test/support/fake-node-api.ts';
import {
  HTTP_CONNECTION_REQUESTS_MAX,
  HTTP_NEW_CONNECTIONS_MAX,
  HTTP_READ_AGAIN_MAX,
  HTTP_TURN_MS,
} from '../../core/clients/http-limits.ts';
import { Reading } from './reading.ts';
import { Unanswered } from './room.ts';
import { httpRoutes, openHttpServer } from './server.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class FakeSocket {
  isRead = true;
  close = (): void => undefined;

  pause(): this {
    this.isRead = false;
    return this;
  }

  resume(): this {
    this.isRead = true;
    return this;
  }

  isPaused(): boolean {
    return !this.isRead;
  }

  once(_event: string, run: () => void): this {
    this.close = run;
    return this;
  }
}

describe('many connections', () => {
  let reading: Reading;
  let now: number;
  let sockets: FakeSocket[];
  beforeEach(() => {
    reading = new Reading();
    now = 1;
    reading.now = () => now;
    sockets = Array.from({ length: 20 }, () => opened());
    // So that none of these is new any more.
    for (let count = 0; count < HTTP_NEW_CONNECTIONS_MAX; count += 1) opened();
  });

  function opened(): FakeSocket {
    const socket = new FakeSocket();
    reading.opened(socket as never);
    return socket;
  }

  /** The connections that are read send requests, and Node goes on reading them, until the turn is over. */
  async function turn(ms: number): Promise<number[]> {
    const heard: number[] = [];
    for (const [at, socket] of sockets.entries()) {
      if (!socket.isRead) continue;
      heard.push(at);
      reading.took(socket as never);
      now += ms;
      reading.took(socket as never);
      socket.resume();
    }
    await nextTurn();
    return heard;
  }

  test('one waits for its body to be read, so that Node does not read on: it is not made to', async () => {
    const waits = sockets[5]!;
    waits.pause();
    for (let count = 0; count < 3 * sockets.length; count += 1) {
      await turn(HTTP_TURN_MS);
      expect(waits.isRead).toBe(false);
    }
    waits.resume();
    const heard = new Set<number>();
    for (let count = 0; count < 3 * sockets.length; count += 1)
      for (const at of await turn(HTTP_TURN_MS)) heard.add(at);
    expect(heard.size).toBe(sockets.length);
  });

  test('one takes all the time: the others are not read in this turn, then one in each, in order', async () => {
    for (let round = 0; round < 3; round += 1)
      for (let at = 0; at < sockets.length; at += 1) expect(await turn(HTTP_TURN_MS)).toEqual([at]);
  });

  test('they take little time: more are read again in each turn, up to the bound, and in the end all', async () => {
    await turn(HTTP_TURN_MS);
    const counts: number[] = [];
    let isAll = false;
    for (let turns = 0; turns < 20 && !isAll; turns += 1) {
      const heard = await turn(0);
      counts.push(heard.length);
      isAll = heard.length === sockets.length;
    }
    expect(isAll).toBe(true);
    for (const [at, count] of counts.entries())
      expect(count - (counts[at - 1] ?? 0)).toBeLessThanOrEqual(HTTP_READ_AGAIN_MAX);
  });

  test('a new one: read although the time is over, until it has sent a request', async () => {
    const probe = opened();
    await turn(HTTP_TURN_MS);
    expect(probe.isRead).toBe(true);
    sockets.push(probe);
    expect(await turn(HTTP_TURN_MS)).toEqual([1, 20]);
    expect(probe.isRead).toBe(false);
  });

  test('connections are closed while they wait: they are not read again, and the next one is', async () => {
    await turn(HTTP_TURN_MS);
    for (const at of [2, 3]) sockets[at]!.close();
    expect(await turn(HTTP_TURN_MS)).toEqual([1]);
    expect(await turn(HTTP_TURN_MS)).toEqual([4]);
  });
});

test('many connections that send all they may at once, and taking it apart is slow: a few in a turn, a probe meanwhile', async () => {
  const server = await openHttpServer(httpRoutes(new FakeNodeApi()), '127.0.0.1', 0);
  let taken = 0;
  const begin = Object.getOwnPropertyDescriptor(Unanswered.prototype, 'begin')!.value as Unanswered['begin'];
  const slow = vi.spyOn(Unanswered.prototype, 'begin').mockImplementation(function (this: Unanswered, wire) {
    taken += 1;
    for (const until = performance.now() + 1; performance.now() < until;);
    return begin.call(this, wire);
  });
  const count = 40;
  const all = count * HTTP_CONNECTION_REQUESTS_MAX;
  let mostInTurn = 0;
  let before = 0;
  let answeredAt = 0;
  const watch = (): void => {
    mostInTurn = Math.max(mostInTurn, taken - before);
    before = taken;
    if (taken < all) setImmediate(watch);
  };
  const asked = Array.from({ length: count }, () => {
    const socket = connect(server.port, '127.0.0.1');
    let text = '';
    socket.on('data', (part) => (text += part.toString('latin1')));
    return { socket, count: () => text.split('HTTP/1.1 404').length - 1 };
  });
  await expect.poll(() => server.connections.count).toBe(count);
  watch();
  // All in one turn, so that all of it is there when the door looks next.
  for (const { socket } of asked)
    socket.write('GET /none HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(HTTP_CONNECTION_REQUESTS_MAX));
  const probe = connect(server.port, '127.0.0.1');
  probe.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  probe.on('data', () => (answeredAt = taken));
  await expect
    .poll(() => asked.map((each) => each.count()), { timeout: 20_000 })
    .toEqual(Array<number>(count).fill(HTTP_CONNECTION_REQUESTS_MAX));
  // Those of one connection come in one piece. Some are new, and one or two are read again in any case.
  expect(mostInTurn).toBeLessThanOrEqual(HTTP_TURN_MS + 12 * HTTP_CONNECTION_REQUESTS_MAX);
  expect(answeredAt).toBeGreaterThan(0);
  expect(answeredAt).toBeLessThan(all);
  slow.mockRestore();
  for (const { socket } of asked) socket.destroy();
  probe.destroy();
  await server.close();
});
