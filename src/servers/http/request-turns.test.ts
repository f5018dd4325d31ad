/** The HTTP door begins requests for a few milliseconds per turn of the event loop, and goes on in the next one. */
import { connect } from 'node:net';
import type { Hono } from 'hono';
import { expect, test, vi } from 'vitest';
import { FakeNodeApi } from '../../../test/support/fake-node-api.ts';
import {
  HTTP_ARRIVAL_TURN_MS,
  HTTP_CONNECTION_REQUESTS_MAX,
  HTTP_REQUESTS_IGNORED_MAX,
  HTTP_TURN_MS,
  HTTP_TURN_REQUESTS_MAX,
} from '../../core/clients/http-limits.ts';
import { RequestTurns } from './request-turns.ts';
import { Unanswered } from './room.ts';
import { httpRoutes, openHttpServer } from './server.ts';

const READ_BYTES = 64 * 1024;

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test.each([
  ['each takes the whole time', HTTP_TURN_MS, 1],
  ['a few fit into the time', HTTP_TURN_MS / 3, 4],
  ['they take no time', 0, HTTP_TURN_REQUESTS_MAX],
])(
  'more requests than there is time for, %s: the others in later turns, in order',
  async (_name, ms, perTurn) => {
    const turns = new RequestTurns();
    let now = 1;
    turns.now = () => now;
    const ran: number[] = [];
    // Most of what a request takes, it takes after its first step.
    const run = (at: number) => (): void => {
      ran.push(at);
      queueMicrotask(() => (now += ms));
    };
    now += HTTP_TURN_MS;
    turns.begin(run(0));
    now += HTTP_TURN_MS;
    const count = 2 * HTTP_TURN_REQUESTS_MAX;
    for (let at = 1; at < count; at += 1) turns.begin(run(at));
    expect(ran).toEqual([0]);
    const byTurn: number[] = [];
    while (ran.length < count) {
      const before = ran.length;
      await nextTurn();
      if (ran.length > before) byTurn.push(ran.length - before);
    }
    expect(Math.max(...byTurn)).toBe(perTurn);
    expect(ran).toEqual(Array.from({ length: count }, (_, at) => at));
  },
);

test('connections arrive: so much less is begun in each of these turns, and as much as before when none does', async () => {
  const turns = new RequestTurns();
  let now = 1;
  turns.now = () => now;
  let ran = 0;
  for (let at = 0; at < 100; at += 1)
    turns.begin(() => {
      ran += 1;
      now += HTTP_ARRIVAL_TURN_MS;
    });
  const byTurn = async (isArriving: boolean): Promise<number> => {
    if (isArriving) turns.arrived();
    const before = ran;
    await nextTurn();
    return ran - before;
  };
  const counts = async (isArriving: boolean): Promise<number> => {
    let most = 0;
    for (let turn = 0; turn < 6; turn += 1) most = Math.max(most, await byTurn(isArriving));
    return most;
  };
  expect(await counts(false)).toBe(HTTP_TURN_MS / HTTP_ARRIVAL_TURN_MS);
  expect(await counts(true)).toBe(1);
  expect(await counts(false)).toBe(HTTP_TURN_MS / HTTP_ARRIVAL_TURN_MS);
});

test('a probe comes while others wait: it is begun before them, and after probes that came before it', async () => {
  const turns = new RequestTurns();
  let now = 1;
  turns.now = () => now;
  const ran: string[] = [];
  const begin = (name: string, isProbe = false): void =>
    turns.begin(() => {
      ran.push(name);
      now += HTTP_TURN_MS;
    }, isProbe);
  for (const name of ['first', 'second', 'third']) begin(name);
  for (const name of ['probe', 'another probe']) begin(name, true);
  expect(ran).toEqual(['first']);
  await expect.poll(() => ran.length).toBe(5);
  expect(ran).toEqual(['first', 'probe', 'another probe', 'second', 'third']);
});

test('many connections that send many requests at once: what else the process does is done between them', async () => {
  const api = new FakeNodeApi();
  let begun = 0;
  const server = await openHttpServer(
    httpRoutes(api, [
      (routes) =>
        routes.get('/slow', (context) => {
          begun += 1;
          // A request that keeps the processor busy.
          for (const until = performance.now() + 1; performance.now() < until;);
          return context.text('done');
        }),
    ]),
    '127.0.0.1',
    0,
  );
  const connections = 20;
  const all = connections * HTTP_CONNECTION_REQUESTS_MAX;
  let mostInTurn = 0;
  let before = 0;
  const watch = (): void => {
    mostInTurn = Math.max(mostInTurn, begun - before);
    before = begun;
    if (begun < all) setImmediate(watch);
  };
  watch();
  const asked = Array.from({ length: connections }, () => {
    const socket = connect(server.port, '127.0.0.1');
    let text = '';
    socket.on('data', (part) => (text += part.toString('latin1')));
    return { socket, count: () => text.split('done').length - 1 };
  });
  await expect.poll(() => server.connections.count).toBe(connections);
  // All in one turn, so that all of it is there when the door looks next.
  for (const { socket } of asked)
    socket.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(HTTP_CONNECTION_REQUESTS_MAX));
  await expect
    .poll(() => asked.map(({ count }) => count()), { timeout: 20_000 })
    .toEqual(Array<number>(connections).fill(HTTP_CONNECTION_REQUESTS_MAX));
  // Those of one connection come in one piece, and begin together.
  expect(mostInTurn).toBeLessThanOrEqual(HTTP_CONNECTION_REQUESTS_MAX + HTTP_TURN_MS);
  for (const { socket } of asked) socket.destroy();
  await server.close();
});

test('a connection that sends without end, and whose first requests are not answered: it is cut', async () => {
  const seen = vi.spyOn(Unanswered.prototype, 'begin');
  const never = new Promise<Response>(() => undefined);
  const mounts = [(routes: Hono): void => void routes.get('/never', () => never)];
  const server = await openHttpServer(httpRoutes(new FakeNodeApi(), mounts), '127.0.0.1', 0);
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  const request = 'GET /never HTTP/1.1\r\nHost: x\r\n\r\n';
  socket.write(request.repeat(100_000));
  await expect.poll(() => socket.closed, { timeout: 20_000 }).toBe(true);
  const taken = HTTP_CONNECTION_REQUESTS_MAX + 1 + HTTP_REQUESTS_IGNORED_MAX;
  // Node takes apart what it has read, even of a connection that is cut.
  expect(seen.mock.calls.length).toBeLessThan(taken + READ_BYTES / request.length + 1);
  seen.mockRestore();
  await server.close();
});
