/** How connections are counted and let in, with made-up ones. */
import { EventEmitter } from 'node:events';
import type { Http2Server, ServerHttp2Stream } from 'node:http2';
import { beforeEach, expect, test } from 'vitest';
import { GRPC_FIRST_CALL_MS_MAX, GRPC_LOOK_MS } from '../../core/clients/grpc-limits.ts';
import { Connections } from './connections.ts';

const MEMBER = '/link';

/** A connection: closed, it stays open until the client has gone, too. */
class Session extends EventEmitter {
  closed = false;
  destroyed = false;

  constructor() {
    super();
    server.emit('session', this);
  }

  close(): void {
    this.closed = true;
  }

  destroy(): void {
    this.closed = this.destroyed = true;
    this.emit('close');
  }

  /** Whether a call on it is turned away. */
  call(path = '/call'): boolean {
    const stream = Object.assign(new EventEmitter(), { session: this, destroyed: true });
    return connections.turnsAway(stream as unknown as ServerHttp2Stream, path);
  }
}

let server: EventEmitter & { maxConnections?: number };
let connections: Connections;
beforeEach(() => {
  server = new EventEmitter();
  connections = new Connections({ statusOf: () => ({}), memberPath: MEMBER, connectionsMax: 2 });
  connections.watch(server as unknown as Http2Server);
});

function lookUntilLate(): void {
  for (let ms = 0; ms <= GRPC_FIRST_CALL_MS_MAX; ms += GRPC_LOOK_MS) connections.look();
}

test('connections beyond the bound: turned away, each counted once, however many calls it begins', () => {
  const [first, second, third] = [new Session(), new Session(), new Session()];
  expect([first, second, third, third].map((each) => each.call())).toEqual([false, false, true, true]);
  expect([first.closed, second.closed, third.closed]).toEqual([false, false, true]);
  expect([connections.count, connections.rejected]).toEqual([3, 1]);
});

test('many were turned away and have gone: the bound is what it was', () => {
  const within = [new Session(), new Session()];
  for (let each = 0; each < 5; each += 1) {
    const beyond = new Session();
    expect(beyond.call()).toBe(true);
    beyond.destroy();
  }
  expect(within.map((each) => each.call())).toEqual([false, false]);
  expect(new Session().call()).toBe(true);
  within[0]!.destroy();
  expect([new Session(), new Session()].map((each) => each.call())).toEqual([false, true]);
});

test('one within the bound goes before one beyond it begins a call: that is let in, for good', () => {
  const [first, , third] = [new Session(), new Session(), new Session()];
  first.destroy();
  expect(third.call()).toBe(false);
  lookUntilLate();
  expect([third.closed, third.call()]).toEqual([false, false]);
  expect(new Session().call()).toBe(true);
});

test('a member opens its link on a connection beyond the bound: let in, for good', () => {
  const [, , member] = [new Session(), new Session(), new Session()];
  expect(member.call(MEMBER)).toBe(false);
  lookUntilLate();
  expect([member.closed, member.call()]).toEqual([false, false]);
});

test('one beyond the bound begins no call, or keeps the connection that was closed: closed in time, then cut', () => {
  const [within, , silent] = [new Session(), new Session(), new Session()];
  for (let ms = GRPC_LOOK_MS; ms <= GRPC_FIRST_CALL_MS_MAX; ms += GRPC_LOOK_MS) connections.look();
  expect(silent.closed).toBe(false);
  connections.look();
  expect([silent.closed, silent.destroyed, connections.rejected]).toEqual([true, false, 1]);
  connections.look();
  expect([silent.destroyed, within.closed, connections.rejected]).toEqual([true, false, 1]);
  expect(connections.count).toBe(2);
});

test('connections that the system was told not to take: counted', () => {
  expect(server.maxConnections).toBeGreaterThan(2);
  server.emit('drop');
  expect(connections.rejected).toBe(1);
});
