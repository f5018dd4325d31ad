/** The door itself: order, backpressure, limits, passwords, and deliberately broken input. */
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { call, openRespDoor } from '../../../test/support/resp-door.ts';
import type { RespFixture } from '../../../test/support/resp-door.ts';
import { failure, type ErrorCode } from '../../core/errors.ts';
import {
  RESP_INPUT_BYTES_TOTAL_MAX,
  RESP_OUTPUT_BYTES_PAUSE,
  RESP_UNANSWERED_MAX,
} from '../../core/clients/redis-limits.ts';
import type { RespSettings } from './door.ts';

let open: RespFixture[] = [];
afterEach(async () => {
  for (const door of open) await door.stop();
  open = [];
});

async function doorWith(changes: Partial<RespSettings> = {}): Promise<RespFixture> {
  const door = await openRespDoor(changes);
  open.push(door);
  return door;
}

describe('pipelines', () => {
  test('slow and fast commands mixed: replies in the order of the commands', async () => {
    const door = await doorWith();
    const line = await door.connect();
    line.send('SET a 1', 'GET a', 'PING', 'INCR n', 'ECHO x', 'INCR n', 'GET n', 'DBSIZE', 'PING');
    const replies = '+OK\r\n$1\r\n1\r\n+PONG\r\n:1\r\n$1\r\nx\r\n:2\r\n$1\r\n2\r\n:2\r\n+PONG\r\n';
    expect(await line.hears(replies)).toBe(replies);
  });

  test('different keys: all are begun at once; what reads a key waits for what writes it', async () => {
    const door = await doorWith();
    const line = await door.connect();
    door.api.holding = true;
    line.send('SET a 1', 'SET b 1', 'SET c 1', 'GET d', 'GET a', 'SET a 2', 'SET e 1');
    await line.until(() => door.api.heldCount === 4);
    expect(door.api.calls.map(({ key }) => key)).toEqual(['a', 'b', 'c', 'e']);
    door.api.release();
    const replies = `${'+OK\r\n'.repeat(3)}$-1\r\n$1\r\n1\r\n+OK\r\n+OK\r\n`;
    expect(await line.hears(replies)).toBe(replies);
    expect(door.api.calls.map(({ key }) => key)).toEqual(['a', 'b', 'c', 'e', 'a', 'a']);
  });

  test('a read that waits: a write of its key waits for it, another read does not', async () => {
    const door = await doorWith();
    const line = await door.connect();
    door.api.waiting.add('k');
    door.api.holding = true;
    line.send('GET k', 'GET k', 'SET k 1');
    await line.until(() => door.api.heldCount === 2);
    expect(door.api.calls.map(({ kind }) => kind)).toEqual(['get', 'get']);
    door.api.release();
    expect(await line.hears('$-1\r\n$-1\r\n+OK\r\n')).toBe('$-1\r\n$-1\r\n+OK\r\n');
  });

  test('more commands than may be unanswered: the rest is begun when answers are out', async () => {
    const door = await doorWith();
    const line = await door.connect();
    door.api.holding = true;
    const count = RESP_UNANSWERED_MAX + 200;
    line.raw(Array.from({ length: count }, (_, at) => call('SET', `k${at}`, 'v')).join(''));
    await line.until(() => door.api.heldCount >= RESP_UNANSWERED_MAX);
    await new Promise((resolve) => setImmediate(resolve));
    expect(door.api.heldCount).toBe(RESP_UNANSWERED_MAX);
    door.api.release();
    expect(await line.hears('+OK\r\n'.repeat(count))).toBe('+OK\r\n'.repeat(count));
  });

  test('a node that takes no more writes: who has some under way waits, who has none is told', async () => {
    const door = await doorWith();
    const line = await door.connect();
    door.api.holding = true;
    line.send('SET a 1');
    await line.until(() => door.api.heldCount === 1);
    door.api.full = true;
    line.send('SET b 1');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(door.api.calls).toHaveLength(1);
    door.api.full = false;
    door.api.release();
    expect(await line.hears('+OK\r\n+OK\r\n')).toBe('+OK\r\n+OK\r\n');
    door.api.failWith = 'overloaded';
    expect(await line.ask('SET c 1')).toMatch(/^-TRYAGAIN overloaded: /);
  });

  test('a client that does not read: so much waits and no more, and nothing is lost when it reads', async () => {
    const door = await doorWith();
    const line = await door.connect();
    const value = 'x'.repeat(100_000);
    line.raw(call('SET', 'k', value));
    await line.hears('+OK\r\n');
    line.socket.pause();
    const count = 400;
    line.raw(call('GET', 'k').repeat(count));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const begun = door.server.door.counts.commands;
    expect(begun).toBeLessThan(count);
    const [client] = door.server.door.clients.values();
    expect(client!.queue.heldBytes).toBeLessThan(RESP_OUTPUT_BYTES_PAUSE + 2 * value.length);
    line.socket.resume();
    const reply = `$100000\r\n${value}\r\n`;
    expect((await line.hears(reply.repeat(count))).length).toBe(reply.length * count);
  });

  test.each([
    [2_000, 3_000],
    [60_000, 100],
  ])(
    'values of %i bytes, %i times, which the system takes at once: all are told, though no event says that they are taken',
    async (bytes, count) => {
      const door = await doorWith();
      const line = await door.connect();
      const value = 'x'.repeat(bytes);
      line.raw(call('SET', 'k', value));
      await line.hears('+OK\r\n');
      line.raw(call('GET', 'k').repeat(count));
      const reply = `$${bytes}\r\n${value}\r\n`;
      await line.until(() => line.unread.length >= reply.length * count);
      expect(line.unread === reply.repeat(count)).toBe(true);
    },
  );
});

describe('what ends a connection', () => {
  test('a protocol error: what was asked before is answered, the error is told, then it ends', async () => {
    const door = await doorWith();
    const line = await door.connect();
    line.raw(`${call('SET', 'a', '1')}*1\r\n:1\r\n${call('PING')}`);
    await line.until(() => line.isEnded);
    expect(line.unread).toBe("+OK\r\n-ERR Protocol error: expected '$', got ':'\r\n");
    const other = await door.connect();
    expect(await other.ask('PING')).toBe('+PONG');
  });

  test('a browser that a page sends here: cut before what the page says is done', async () => {
    const door = await doorWith();
    for (const head of ['POST / HTTP/1.1', 'GET / HTTP/1.1\r\nHost: 127.0.0.1']) {
      const line = await door.connect();
      line.raw(`${head}\r\nContent-Length: 9\r\n\r\nSET a 1\r\n`);
      await line.until(() => line.isEnded);
    }
    expect(door.api.records.size).toBe(0);
  });

  test('QUIT behind slow commands: all are answered first', async () => {
    const door = await doorWith();
    const line = await door.connect();
    line.send('SET a 1', 'QUIT', 'PING');
    await line.until(() => line.isEnded);
    expect(line.unread).toBe('+OK\r\n+OK\r\n');
  });

  test('a client that ends its side after its commands: they are answered', async () => {
    const door = await doorWith();
    const line = await door.connect();
    line.send('SET a 1', 'GET a');
    line.socket.end();
    await line.until(() => line.isEnded);
    expect(line.unread).toBe('+OK\r\n$1\r\n1\r\n');
  });

  test.each([
    ['QUIT', 'QUIT\r\n', '+OK\r\n'],
    ['a protocol error', '*x\r\n', '-ERR Protocol error: invalid multibulk length\r\n'],
  ])('%s, and a client that does not end its side: it is gone all the same', async (_name, said, told) => {
    const door = await doorWith();
    door.server.door.lingerMs = 1;
    const socket = connect({ port: door.server.port, host: '127.0.0.1', allowHalfOpen: true });
    let heard = '';
    socket.on('data', (bytes: Buffer) => (heard += bytes.toString()));
    socket.on('error', () => undefined);
    socket.write(said);
    while (heard === '' || door.server.door.clients.size > 0)
      await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toBe(told);
    socket.destroy();
  });

  test('more connections than may be: told and closed, and taken again when one has gone', async () => {
    const door = await doorWith({ connectionsMax: 1 });
    const first = await door.connect();
    expect(await first.ask('PING')).toBe('+PONG');
    const second = await door.connect();
    await second.until(() => second.isEnded);
    expect(second.unread).toBe('-ERR max number of clients reached\r\n');
    first.close();
    while (door.server.door.clients.size > 0) await new Promise((resolve) => setImmediate(resolve));
    const third = await door.connect();
    expect(await third.ask('PING')).toBe('+PONG');
  });

  test('the door closes: what was begun is answered', async () => {
    const door = await doorWith();
    const line = await door.connect();
    door.api.holding = true;
    line.send('SET a 1');
    await line.until(() => door.api.heldCount === 1);
    const closed = door.server.close();
    door.api.release();
    await line.until(() => line.isEnded);
    expect(line.unread).toBe('+OK\r\n');
    await closed;
  });

  test('killed by another, by id: it is gone', async () => {
    const door = await doorWith();
    const line = await door.connect();
    const other = await door.connect();
    const id = (await line.ask('CLIENT ID')).slice(1);
    expect(await other.ask(`CLIENT KILL ID ${id}`)).toBe(':1');
    await line.until(() => line.isEnded);
    expect(await other.ask('CLIENT KILL 1.2.3.4:5')).toBe('-ERR No such client');
  });
});

describe('memory', () => {
  test('commands that are not whole fill what there is for them: who holds much is cut, others go on', async () => {
    const door = await doorWith();
    const line = await door.connect();
    const small = await door.connect();
    small.raw('*2\r\n$3\r\nGET\r\n$1\r\n');
    line.raw(`*2\r\n$3\r\nGET\r\n$200000\r\n${'x'.repeat(70_000)}`);
    await line.until(() => door.server.door.inputBytes > 70_000);
    expect(line.isEnded).toBe(false);
    // As if other connections had filled it.
    door.server.door.inputBytes += RESP_INPUT_BYTES_TOTAL_MAX;
    line.raw('x'.repeat(1_000));
    await line.until(() => line.isEnded);
    small.raw('k\r\n');
    expect(await small.hears('$-1\r\n')).toBe('$-1\r\n');
    expect(door.server.door.inputBytes).toBe(RESP_INPUT_BYTES_TOTAL_MAX);
  });

  test('a large command that is done: an idle connection keeps nothing of it', async () => {
    const door = await doorWith();
    const line = await door.connect();
    line.raw(call('SET', 'k', 'x'.repeat(1024 * 1024)) + call('PING').slice(0, 6));
    expect(await line.hears('+OK\r\n')).toBe('+OK\r\n');
    expect(door.server.door.inputBytes).toBeLessThan(1_000);
    line.raw(call('PING').slice(6));
    expect(await line.hears('+PONG\r\n')).toBe('+PONG\r\n');
    expect(door.server.door.inputBytes).toBe(0);
  });

  test('a connection that says nothing for longer than it may: ended, unless it waits for an answer', async () => {
    const door = await doorWith({ idleMsMax: 1 });
    const idle = await door.connect();
    const waiting = await door.connect();
    door.api.holding = true;
    waiting.send('SET a 1');
    await idle.until(() => idle.isEnded);
    expect(waiting.isEnded).toBe(false);
    door.api.release();
    expect(await waiting.hears('+OK\r\n')).toBe('+OK\r\n');
  });
});

describe('a password', () => {
  test('nothing is answered before it is said, and little is taken', async () => {
    const door = await doorWith({ password: 'secret' });
    const line = await door.connect();
    expect(await line.ask('GET a')).toBe('-NOAUTH Authentication required.');
    expect(await line.ask('HELLO 3')).toMatch(/^-NOAUTH HELLO must be called/);
    expect(await line.ask('AUTH wrong')).toMatch(/^-WRONGPASS /);
    expect(await line.ask('AUTH other secret')).toMatch(/^-WRONGPASS /);
    expect(await line.ask('AUTH secret')).toBe('+OK');
    expect(await line.ask('GET a')).toBe('$-1');
    // As in Redis, it is no secret which commands do not exist.
    await line.ask('RESET');
    expect(await line.ask('FOO a')).toBe("-ERR unknown command 'FOO', with args beginning with: 'a' ");
    expect(await line.ask('CLIENT FOO')).toBe("-ERR unknown subcommand 'FOO'. Try CLIENT HELP.");
    expect(await line.ask('GET')).toBe("-ERR wrong number of arguments for 'get' command");
    expect(await line.ask('GET a')).toBe('-NOAUTH Authentication required.');
    const greedy = await door.connect();
    greedy.raw('*11\r\n');
    await greedy.until(() => greedy.isEnded);
    expect(greedy.unread).toBe('-ERR Protocol error: unauthenticated multibulk length\r\n');
  });

  test('with the greeting, in the new protocol', async () => {
    const door = await doorWith({ password: 'secret' });
    const line = await door.connect();
    expect(await line.ask('HELLO 3 AUTH default secret SETNAME me')).toBe('%7');
    await line.until(() => line.unread.endsWith('*0\r\n'));
    await line.hears(line.unread);
    expect(await line.ask('CLIENT GETNAME')).toBe('me');
    expect(await line.ask('GET a')).toBe('_');
  });

  test('none is asked for: AUTH says so', async () => {
    const line = await (await doorWith()).connect();
    expect(await line.ask('AUTH x')).toMatch(/^-ERR AUTH <password> called without any password/);
    expect(await line.ask('HELLO 4')).toBe('-NOPROTO unsupported protocol version');
  });
});

describe('answers that are not wanted', () => {
  test('OFF, SKIP and ON, with slow commands between: as Redis', async () => {
    const line = await (await doorWith()).connect();
    line.send(
      'CLIENT REPLY SKIP',
      'SET a 1',
      'GET a',
      'CLIENT REPLY OFF',
      'SET a 2',
      'PING',
      'CLIENT REPLY ON',
    );
    line.send('GET a');
    expect(await line.hears('$1\r\n1\r\n+OK\r\n$1\r\n2\r\n')).toBe('$1\r\n1\r\n+OK\r\n$1\r\n2\r\n');
  });
});

describe('a request that is none', () => {
  const BROKEN = ['*x\r\n', 'ECHO a\0b\r\n', '\x16\x03\x01\0'];

  test.each(BROKEN)('%j: told, and the connection ends', async (bytes) => {
    const door = await doorWith();
    const line = await door.connect();
    line.raw(`SET k 1\r\n${bytes}`);
    await line.until(() => line.isEnded);
    expect(line.unread).toMatch(/^\+OK\r\n-ERR Protocol error: [a-zA-Z ]+\r\n$/);
  });

  test.each(BROKEN)('%j while nothing is answered: the connection ends without a word', async (bytes) => {
    const door = await doorWith();
    const line = await door.connect();
    line.raw(`CLIENT REPLY OFF\r\nSET k 1\r\n${bytes}`);
    await line.until(() => line.isEnded);
    expect(line.unread).toBe('');
    expect(door.api.records.has('k')).toBe(true);
  });
});

describe('failures', () => {
  test.each([
    ['outcome_unknown', /^-INDEFINITE outcome_unknown: .*Read the key before repeating it\.$/],
    ['not_ready', /^-CLUSTERDOWN not_ready: .*Ask another node, or retry shortly\.$/],
    ['owners_missing', /^-NOREPLICAS owners_missing: /],
    ['disk_full', /^-MISCONF disk_full: /],
  ] as const)('%s: the first word tells whether it happened', async (code, words) => {
    const door = await doorWith();
    const line = await door.connect();
    door.api.failWith = code;
    expect(await line.ask('SET a 1')).toMatch(words);
    expect(await line.ask('GET a')).toMatch(words);
  });

  test('what another node said, in its own words: told as it is', async () => {
    const door = await doorWith();
    const line = await door.connect();
    door.api.write = (_operation, _timeoutMs, done) =>
      done({ kind: 'failed', failure: failure('outcome_unknown', 'in other words') });
    expect(await line.ask('SET a 1')).toBe('-INDEFINITE outcome_unknown: in other words');
  });

  test('some of several keys were changed: it is not said that nothing happened', async () => {
    const door = await doorWith();
    const line = await door.connect();
    const { api } = door;
    const { write } = api;
    let code: ErrorCode = 'overloaded';
    api.write = (operation, timeoutMs, done) => {
      api.failWith = operation.key === 'b' ? code : undefined;
      write.call(api, operation, timeoutMs, done);
      api.failWith = undefined;
    };
    expect(await line.ask('MSET a 1 b 2')).toMatch(/^-INDEFINITE overloaded: 1 of 2 keys were changed/);
    expect(await line.ask('SET b 1')).toMatch(/^-TRYAGAIN overloaded/);
    code = 'outcome_unknown';
    expect(await line.ask('MSET a 1 b 2')).toMatch(/1 of 2 keys .* Read the key before repeating it\.$/);
  });

  test('commands that Redis has and this door has not: why', async () => {
    const line = await (await doorWith()).connect();
    expect(await line.ask('LPUSH a b')).toBe(
      "-ERR command 'lpush' is not supported: lists are not kept here, only strings",
    );
    expect(await line.ask('HELLO2 a b')).toBe(
      "-ERR unknown command 'HELLO2', with args beginning with: 'a' 'b' ",
    );
    expect(await line.ask('GET')).toBe("-ERR wrong number of arguments for 'get' command");
    expect(await line.ask('CLIENT NOPE')).toBe("-ERR unknown subcommand 'NOPE'. Try CLIENT HELP.");
    expect(await line.ask('client Pause 100')).toBe(
      "-ERR command 'client|pause' is not supported: no client holds up the others here",
    );
    expect(await line.ask('CLIENT ID x')).toBe("-ERR wrong number of arguments for 'client|id' command");
  });
});
