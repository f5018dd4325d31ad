/** Clients that listen to all changes are told in rounds, a few milliseconds per turn of the event loop. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRespDoor } from '../../../test/support/resp-door.ts';
import type { RespFixture, RespLine } from '../../../test/support/resp-door.ts';
import {
  RESP_AUDIENCES_MAX,
  RESP_NEWS_KEYS_MAX,
  RESP_PUSH_REST_TIMES,
  RESP_PUSH_TURN_MS,
} from '../../core/clients/redis-limits.ts';
import type { Client } from './client.ts';
import { Broadcast, audienceOf } from './broadcast.ts';
import { Invalidation } from './invalidation.ts';
import { Tracking } from './tracking.ts';
import { Turns } from './turns.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const push = (...keys: string[]): string =>
  `>2\r\n$10\r\ninvalidate\r\n*${keys.length}\r\n${keys.map((key) => `$${key.length}\r\n${key}\r\n`).join('')}`;

describe('rounds', () => {
  let turns: Turns;
  let now: number;
  let listeners: Set<Client>;
  let told: { client: Client; message: Invalidation }[];
  let broadcast: Broadcast;
  /** Pauses between rounds that are being waited for. */
  let rests: { ms: number; end: () => void }[];
  /** Milliseconds that it takes to tell one client. */
  let costMs: number;
  beforeEach(() => {
    turns = new Turns();
    now = 1;
    turns.now = () => now;
    listeners = new Set();
    told = [];
    rests = [];
    costMs = 0;
    broadcast = new Broadcast(listeners, turns, (client, message) => {
      now += costMs;
      told.push({ client, message });
    });
    broadcast.later = (ms, end) => rests.push({ ms, end });
  });

  function listen(...prefixes: string[]): Client {
    const tracking = new Tracking({
      ...{ redirect: 0, isBroadcast: true, isOptIn: false, isOptOut: false, noLoop: false },
    });
    for (const prefix of prefixes) tracking.prefixes.add(prefix);
    tracking.audience = audienceOf(tracking.prefixes);
    const client = { tracking } as unknown as Client;
    listeners.add(client);
    return client;
  }

  test('more clients than there is time for in a turn: the others in the next ones, in order, each once', async () => {
    const clients = Array.from({ length: 7 }, () => listen(''));
    costMs = RESP_PUSH_TURN_MS / 2;
    broadcast.changed('k', 1);
    const byTurn: number[] = [];
    while (rests.length === 0) {
      const before = told.length;
      await nextTurn();
      byTurn.push(told.length - before);
    }
    expect(byTurn).toEqual([2, 2, 2, 1]);
    expect(told.map(({ client }) => client)).toEqual(clients);
    expect(rests[0]!.ms).toBe(7 * costMs * RESP_PUSH_REST_TIMES);
  });

  test('keys change while clients are told, and while it rests: all of them in one message, in the next round', async () => {
    const [first, second] = [listen(''), listen('')];
    costMs = RESP_PUSH_TURN_MS;
    broadcast.changed('a', 1);
    await nextTurn();
    for (const key of ['b', 'c', 'b']) broadcast.changed(key, 2);
    await nextTurn();
    broadcast.changed('d', 3);
    await nextTurn();
    expect(told.map(({ message }) => message.keys)).toEqual([['a'], ['a']]);
    rests[0]!.end();
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    expect(told.slice(2).map(({ client }) => client)).toEqual([first, second]);
    expect(told.slice(2).map(({ message }) => message.keys)).toEqual([
      ['b', 'c', 'd'],
      ['b', 'c', 'd'],
    ]);
    rests[1]!.end();
    await nextTurn();
    expect(told.length).toBe(4);
  });

  test('many listen to the same prefixes: one message for all of them, and another one for others', async () => {
    for (let count = 0; count < 100; count += 1) listen('a', 'b');
    listen('a');
    listen('c');
    for (const key of ['a1', 'b1', 'x']) broadcast.changed(key, 1);
    await nextTurn();
    expect(told.length).toBe(101);
    expect(new Set(told.slice(0, 100).map(({ message }) => message)).size).toBe(1);
    expect(told[0]!.message.keys).toEqual(['a1', 'b1']);
    expect(told[100]!.message.keys).toEqual(['a1']);
    const { message } = told[0]!;
    expect(message.bytes(3)).toBe(message.bytes(3));
    expect(message.bytes(3).toString()).toBe(push('a1', 'b1'));
  });

  test('more different prefixes than messages are kept for: each client is told what it listens to', async () => {
    const count = 2 * RESP_AUDIENCES_MAX + 1;
    for (let at = 0; at < count; at += 1) listen(`k${at}.`);
    for (let at = 0; at < count; at += 1) broadcast.changed(`k${at}.`, 1);
    await nextTurn();
    expect(told.map(({ message }) => message.keys)).toEqual(
      Array.from({ length: count }, (_, at) => [`k${at}.`]),
    );
  });

  test('more changes than are kept until the next round: all may have changed', async () => {
    listen('a');
    for (let at = 0; at <= RESP_NEWS_KEYS_MAX; at += 1) broadcast.changed(`b${at}`, 1);
    await nextTurn();
    broadcast.changed('a1', 1);
    await nextTurn();
    expect(told.map(({ message }) => message.keys)).toEqual([null, ['a1']]);
  });

  test('a client turns it off and on again in every turn: the round ends all the same, and nobody is left out', async () => {
    const clients = Array.from({ length: 3 }, () => listen(''));
    costMs = RESP_PUSH_TURN_MS;
    broadcast.changed('k', 1);
    for (let turn = 0; turn < 10; turn += 1) {
      await nextTurn();
      listeners.delete(clients[0]!);
      listeners.add(clients[0]!);
    }
    expect(rests.length).toBe(1);
    expect(told.map(({ client }) => client)).toEqual(clients);
  });
});

describe('at a door', () => {
  let door: RespFixture;
  let lines: RespLine[];
  beforeEach(async () => {
    door = await openRespDoor();
    lines = await Promise.all(Array.from({ length: 40 }, () => door.connect()));
    for (const line of lines) {
      line.send('HELLO 3', 'CLIENT TRACKING ON BCAST');
      await line.until(() => line.unread.endsWith('+OK\r\n'));
      await line.hears(line.unread);
    }
  });
  afterEach(() => door.stop());

  test('many listen: few are told in a turn, others are answered meanwhile, and all are told', async () => {
    const { turns, counts } = door.server.door;
    const other = await door.connect();
    let now = 1;
    turns.now = () => (now += RESP_PUSH_TURN_MS / 2);
    const bytes = push('k').length;
    const before = counts.outputBytes;
    let most = 0;
    let last = before;
    door.api.listener.settled('k', 1);
    await nextTurn();
    other.send('PING');
    const heard = other.hears('+PONG\r\n').then(() => counts.outputBytes - before);
    while (counts.outputBytes - before < lines.length * bytes) {
      await nextTurn();
      most = Math.max(most, counts.outputBytes - last);
      last = counts.outputBytes;
    }
    expect(most).toBeLessThanOrEqual(5 * bytes);
    expect(await heard).toBeLessThan(lines.length * bytes);
    for (const line of lines) expect(await line.hears(push('k'))).toBe(push('k'));
  });
});
