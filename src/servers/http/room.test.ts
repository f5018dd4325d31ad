/** How much memory answers that nobody reads may use. */
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Hono } from 'hono';
import { expect, test, vi } from 'vitest';
import { HTTP_ANSWER_BYTES_TOTAL_MAX, HTTP_CONNECTION_REQUESTS_MAX } from '../../core/clients/http-limits.ts';
import type { Wire } from './key-path.ts';
import { Room, Unanswered } from './room.ts';
import { mountRoutes, route } from './route.ts';

class Outgoing extends EventEmitter {
  closed = false;

  close(): void {
    this.closed = true;
    this.emit('close');
  }
}

/** One request on the connection `socket`. */
function request(socket: object = new EventEmitter()): { wire: Required<Wire>; outgoing: Outgoing } {
  const outgoing = new Outgoing();
  const incoming = { socket } as IncomingMessage;
  return { wire: { incoming, outgoing: outgoing as unknown as ServerResponse }, outgoing };
}

test('answers that are not taken fill their room: the next request is refused, and taken when some have gone', () => {
  const room = new Room();
  const half = HTTP_ANSWER_BYTES_TOTAL_MAX / 2;
  const first = request();
  const second = request();
  for (const { wire } of [first, second]) {
    room.begin();
    room.answer(wire, half);
  }
  expect(() => room.begin()).toThrow('answers wait to be taken');
  first.outgoing.close();
  const third = request();
  room.begin();
  // A request whose connection closed before its answer was made holds nothing.
  third.outgoing.close();
  room.answer(third.wire, HTTP_ANSWER_BYTES_TOTAL_MAX);
  second.outgoing.close();
  expect(() => room.begin()).not.toThrow();
});

test('an answer of JSON counts with the bytes that are sent, and not with its characters', async () => {
  const room = new Room();
  const counted = vi.spyOn(room, 'answer');
  const handle = (): Promise<{ status: number; json: unknown }> =>
    Promise.resolve({ status: 200, json: { key: '鍵'.repeat(100) } });
  const routes = new Hono();
  const shape = { method: 'GET', path: '/x', id: 'x', summary: 'X', answers: {}, handle } as const;
  mountRoutes(routes, room, [route(shape)], null);
  const sent = await (await routes.request('/x')).arrayBuffer();
  expect(counted.mock.calls.map(([, bytes]) => bytes)).toEqual([sent.byteLength]);
});

test('requests of one connection: so many, and more when some are answered; another connection is not held up', () => {
  const unanswered = new Unanswered();
  const socket = new EventEmitter();
  const begun = Array.from({ length: HTTP_CONNECTION_REQUESTS_MAX }, () => request(socket));
  for (const { wire } of begun) expect(unanswered.begin(wire)).toBeNull();
  begun[0]!.outgoing.close();
  expect(unanswered.begin(request(socket).wire)).toBeNull();
  expect(unanswered.begin(request().wire)).toBeNull();
  expect(unanswered.begin(request(socket).wire)).toMatchObject({
    message: expect.stringContaining('of this connection are not answered') as string,
    headers: { Connection: 'close' },
  });
  // That closes the connection, whatever is answered until then.
  for (const { outgoing } of begun) outgoing.close();
  expect(unanswered.begin(request(socket).wire)).toBe('after');
});
