/** Commands of a pipeline on one key run in order and are answered one by one; adjacent writes are combined. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { call, openRespDoor } from '../../../test/support/resp-door.ts';
import type { RespFixture, RespLine } from '../../../test/support/resp-door.ts';
import { MODIFY_BYTES_MAX, MODIFY_CHANGES_MAX } from '../../core/limits.ts';
import { RESP_IN_LINE_BYTES_MAX, RESP_TELLING_MAX } from '../../core/clients/redis-limits.ts';
import { Connection } from './connection.ts';
import { KeysInFlight } from './keys-in-flight.ts';
import type { InLine } from './keys-in-flight.ts';

/** The door's side of a connection; the test hands it pieces of input. */
class Receiver extends Duplex {
  override _read(): void {}
  override _write(_bytes: Buffer, _encoding: string, taken: () => void): void {
    taken();
  }
  setNoDelay(): void {}
  setTimeout(): void {}
}

let door: RespFixture;
let line: RespLine;
beforeEach(async () => {
  door = await openRespDoor();
  line = await door.connect();
});
afterEach(() => door.stop());

const kinds = (): string[] => door.api.calls.map(({ kind, key }) => `${kind} ${key}`);
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('values set one after the other: the last one is written, and all are answered', async () => {
  line.send('SET a 1', 'SET a 2', 'SET a 3 PX 60000');
  expect(await line.hears('+OK\r\n'.repeat(3))).toBe('+OK\r\n'.repeat(3));
  expect(kinds()).toEqual(['put a']);
  expect(await line.ask('GET a')).toBe('3');
  expect(await line.ask('PTTL a')).toMatch(/^:(60000|5\d{4})$/);
});

test('changes that depend on one another: one modification, and each is told its own', async () => {
  line.send(
    'SETNX n 5',
    'INCR n',
    'APPEND n 0',
    'INCRBY n 40',
    'SETNX n 1',
    'EXPIRE n 100',
    'DEL n',
    'DEL n',
  );
  const told = ':1\r\n:6\r\n:2\r\n:100\r\n:0\r\n:1\r\n:1\r\n:0\r\n';
  expect(await line.hears(told)).toBe(told);
  expect(kinds()).toEqual(['modify n']);
});

test('values set whatever stands, and what asks what stands: two writes, for the first needs nobody to tell', async () => {
  line.send('SET n 4', 'SET n 5', 'INCR n', 'SET n 7 KEEPTTL', 'SET n 8');
  const told = '+OK\r\n+OK\r\n:6\r\n+OK\r\n+OK\r\n';
  expect(await line.hears(told)).toBe(told);
  expect(kinds()).toEqual(['put n', 'modify n', 'put n']);
});

test('a value that is too large behind one that is not: it alone is refused', async () => {
  const large = 'x'.repeat(door.server.door.valueBytesMax + 1);
  line.raw(call('SET', 'a', '1') + call('SET', 'a', large) + call('SET', 'b', '2'));
  expect(await line.reply()).toBe('+OK');
  expect(await line.reply()).toMatch(/^-ERR /);
  expect(await line.reply()).toBe('+OK');
  expect(await line.ask('GET a')).toBe('1');
});

test('a pipeline of more bytes than are read at once: a key in two pieces of it is written once', async () => {
  const half = call('SET', 'a', '1') + call('SET', 'long', 'x'.repeat(65_536));
  const bytes = Buffer.from(`${half}${call('SET', 'a', '2')}`);
  const socket = new Receiver();
  new Connection(door.server.door, socket as unknown as Socket, 99);
  socket.emit('data', bytes.subarray(0, 65_536));
  socket.emit('data', bytes.subarray(65_536));
  await nextTurn();
  expect(kinds().toSorted()).toEqual(['put a', 'put long']);
  expect(await line.ask('GET a')).toBe('2');
  // Nothing more came after a completely filled piece; the command must begin all the same.
  const whole = Buffer.from(call('SET', 'b', 'x'.repeat(65_506)));
  expect(whole).toHaveLength(65_536);
  socket.emit('data', whole);
  await nextTurn();
  expect(kinds()).toContain('put b');
});

test('one of them fails by itself: it is told so, and the others are done', async () => {
  line.send('SET n x', 'INCR n', 'APPEND n y', `SETRANGE n 900000000 z`, 'STRLEN n');
  const told = '+OK\r\n-ERR value is not an integer or out of range\r\n:2\r\n';
  expect(await line.hears(told)).toBe(told);
  expect(await line.reply()).toMatch(/^-ERR /);
  expect(await line.reply()).toBe(':2');
});

test('reads in between see what was written before them, and nothing of what comes behind', async () => {
  line.send('INCR n', 'GET n', 'INCR n', 'INCR n', 'GET n', 'GET n', 'SET n x', 'GET n');
  const told = ':1\r\n$1\r\n1\r\n:2\r\n:3\r\n$1\r\n3\r\n$1\r\n3\r\n+OK\r\n$1\r\nx\r\n';
  expect(await line.hears(told)).toBe(told);
  expect(kinds()).toEqual(['modify n', 'get n', 'modify n', 'get n', 'get n', 'put n', 'get n']);
});

test('what tells the value before it goes by itself, in its place', async () => {
  line.send('SET a 1', 'SET a 2', 'GETSET a 3', 'SET a 4', 'SET a 5 GET', 'GETDEL a');
  const told = '+OK\r\n+OK\r\n$1\r\n2\r\n+OK\r\n$1\r\n4\r\n$1\r\n5\r\n';
  expect(await line.hears(told)).toBe(told);
  expect(kinds()).toEqual(['put a', 'modify a', 'put a', 'modify a', 'modify a']);
});

test('one is under way: those behind it on its key go together next, and other keys do not wait', async () => {
  door.api.holding = true;
  line.send('INCR n');
  await line.until(() => door.api.heldCount === 1);
  line.send('INCR n', 'INCR n', 'SET b 1', 'GET n', 'INCR n');
  await line.until(() => door.api.heldCount === 2);
  expect(kinds()).toEqual(['modify n', 'put b']);
  door.api.release();
  const told = ':1\r\n:2\r\n:3\r\n+OK\r\n$1\r\n3\r\n:4\r\n';
  expect(await line.hears(told)).toBe(told);
  expect(kinds()).toEqual(['modify n', 'put b', 'modify n', 'get n', 'modify n']);
});

test('a command of several keys waits for those before it, and those behind it for that one', async () => {
  line.send('SET a 1', 'SET a 2', 'MGET a b', 'MSET a 3 b 3', 'SET a 4', 'DEL a b');
  const told = '+OK\r\n+OK\r\n*2\r\n$1\r\n2\r\n$-1\r\n+OK\r\n+OK\r\n:2\r\n';
  expect(await line.hears(told)).toBe(told);
});

test('many that tell the value before: few are under way at a time, and all are answered in order', async () => {
  const count = 3 * RESP_TELLING_MAX;
  const keys = Array.from({ length: count }, (_, at) => `k${at % 7}`);
  line.send(...keys.map((key, at) => `SET ${key} ${100 + at} GET`));
  const told = keys.map((_key, at) => (at < 7 ? '$-1\r\n' : `$3\r\n${100 + at - 7}\r\n`)).join('');
  expect(await line.hears(told)).toBe(told);
});

test('nobody knows whether it was done: each of them is told so', async () => {
  door.api.loseAnswers = 1;
  line.send('INCR n', 'INCR n', 'PING');
  expect(await line.reply()).toMatch(/^-INDEFINITE outcome_unknown: /);
  expect(await line.reply()).toMatch(/^-INDEFINITE outcome_unknown: /);
  expect(await line.reply()).toBe('+PONG');
  expect(await line.ask('INCR n')).toBe(':3');
});

test('together they ask for more than one modification may: each is done by itself', async () => {
  const half = 'x'.repeat(800_000);
  await line.ask('SET a 1');
  door.api.refuses = (operation) => operation.kind === 'modify' && operation.changes.length > 1;
  line.raw(call('APPEND', 'a', '2') + call('APPEND', 'a', '3') + call('GET', 'a'));
  expect(await line.hears(':2\r\n:3\r\n$3\r\n123\r\n')).toBe(':2\r\n:3\r\n$3\r\n123\r\n');
  door.api.refuses = () => false;
  door.api.calls = [];
  line.raw(call('APPEND', 'b', half) + call('APPEND', 'b', 'x') + call('APPEND', 'c', half));
  expect(await line.hears(':800000\r\n:800001\r\n:800000\r\n')).toBe(':800000\r\n:800001\r\n:800000\r\n');
});

test('more bytes than may stand in line: the connection is not read until some have gone', async () => {
  door.api.holding = true;
  line.send('SET a 1');
  await line.until(() => door.api.heldCount === 1);
  const value = 'x'.repeat(RESP_IN_LINE_BYTES_MAX / 4);
  line.raw(call('SET', 'a', value).repeat(12) + call('GET', 'missing'));
  const [client] = door.server.door.clients.values();
  await line.until(() => client!.inFlight.waitingBytes >= RESP_IN_LINE_BYTES_MAX);
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  expect(client!.inFlight.waitingBytes).toBe(RESP_IN_LINE_BYTES_MAX);
  expect(door.server.door.inputBytes).toBeGreaterThanOrEqual(RESP_IN_LINE_BYTES_MAX);
  door.api.release();
  const told = `${'+OK\r\n'.repeat(13)}$-1\r\n`;
  expect(await line.hears(told)).toBe(told);
  await line.ask('PING');
  expect(client!.inFlight.waitingBytes).toBe(0);
});

test('its client goes while one is under way: nothing that stands in line is begun, and none of its bytes are counted', async () => {
  door.api.holding = true;
  line.send('INCR n');
  await line.until(() => door.api.heldCount === 1);
  line.send('SET n 1', 'INCR n', 'SET n 2', 'GET n');
  const { clients } = door.server.door;
  const [client] = clients.values();
  await line.until(() => client!.inFlight.waitingBytes > 0);
  line.socket.resetAndDestroy();
  await line.until(() => clients.size === 0);
  expect([door.server.door.inputBytes, client!.inFlight.waitingBytes]).toEqual([0, 0]);
  door.api.release();
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  expect(kinds()).toEqual(['modify n']);
});

test('after CLIENT REPLY OFF, and between MULTI and EXEC: the order is the same', async () => {
  line.send(
    'CLIENT REPLY OFF',
    'INCR n',
    'INCR n',
    'CLIENT REPLY ON',
    'INCR n',
    'MULTI',
    'INCR n',
    'INCR n',
    'EXEC',
    'INCR n',
  );
  const told = '+OK\r\n:3\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:4\r\n:5\r\n:6\r\n';
  expect(await line.hears(told)).toBe(told);
});

describe('a line', () => {
  interface Item extends InLine {
    readonly name: string;
  }
  const item = (name: string, byteCount = 0): Item => ({
    ...{ name, byteCount, writes: /^[A-Z]/.test(name) },
    joins: /^[A-M]$/.test(name) ? 'modify' : /^[N-W]$/.test(name) ? 'put' : null,
  });
  let begun: string[] = [];
  let keys = new KeysInFlight<Item>(() => undefined);
  beforeEach(() => {
    begun = [];
    keys = new KeysInFlight<Item>((items) => begun.push(items.map(({ name }) => name).join('')));
  });

  function stand(...items: readonly Item[]): void {
    for (const each of items) keys.stand('k', each);
    keys.beginDue();
  }

  test('readers go side by side, writers alone or together, and all in their order', () => {
    stand(item('a'), item('b'), item('A'), item('B'), item('X1'), item('C'), item('c'));
    expect(begun).toEqual(['a', 'b']);
    keys.remove('k', false);
    expect(begun).toHaveLength(2);
    keys.remove('k', false);
    expect(begun).toEqual(['a', 'b', 'AB']);
    keys.remove('k', true);
    expect(begun).toHaveLength(3);
    keys.remove('k', true);
    expect(begun.at(-1)).toBe('X1');
    keys.remove('k', true);
    keys.remove('k', true);
    expect(begun.slice(3)).toEqual(['X1', 'C', 'c']);
    expect([keys.isTaken('k', true), keys.isTaken('k', false)]).toEqual([true, false]);
    keys.remove('k', false);
    expect(keys.isTaken('k', true)).toBe(false);
  });

  test('a reader that comes while others read goes beside them, unless a writer stands before it', () => {
    stand(item('a'));
    stand(item('b'));
    expect(begun).toEqual(['a', 'b']);
    stand(item('A'));
    stand(item('c'));
    expect(begun).toHaveLength(2);
    for (let count = 0; count < 2; count += 1) keys.remove('k', false);
    keys.remove('k', true);
    expect(begun).toEqual(['a', 'b', 'A', 'c']);
  });

  test('more than one modification takes, in number or in bytes: the rest goes next', () => {
    stand(...Array.from({ length: MODIFY_CHANGES_MAX + 1 }, () => item('A')));
    expect(begun.map(({ length }) => length)).toEqual([MODIFY_CHANGES_MAX]);
    for (let count = 0; count < MODIFY_CHANGES_MAX; count += 1) keys.remove('k', true);
    expect(begun.at(-1)).toBe('A');
    keys.remove('k', true);
    stand(item('A', MODIFY_BYTES_MAX - 1), item('B', 1), item('C', 1));
    expect(begun.at(-1)).toBe('AB');
    expect(keys.waitingBytes).toBe(1);
  });
});
