/**
 * The commands as a client sees them, one conversation per family; the fixtures recorded from a real Redis go deeper.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRespDoor } from '../../../test/support/resp-door.ts';
import type { RespFixture, RespLine } from '../../../test/support/resp-door.ts';
import { failure } from '../../core/errors.ts';
import { MODIFY_CHANGES_MAX } from '../../core/limits.ts';
import { RESP_SWEEPS_MAX, RESP_WATCHED_KEYS_MAX } from '../../core/clients/redis-limits.ts';
import { Glob } from './glob.ts';

let door: RespFixture;
let line: RespLine;
beforeEach(async () => {
  door = await openRespDoor();
  line = await door.connect();
});
afterEach(() => door.stop());

/** Sends each command and checks the first line of its reply. */
async function converse(...pairs: readonly (readonly [string, string])[]): Promise<void> {
  for (const [call, answer] of pairs)
    expect(`${call} -> ${await line.ask(call)}`).toBe(`${call} -> ${answer}`);
}

describe('values', () => {
  test('set under conditions, told, measured, cut and joined', async () => {
    await converse(
      ['SET k v', '+OK'],
      ['get k', 'v'],
      ['GET missing', '$-1'],
      ['SET k w NX', '$-1'],
      ['SET k w XX GET', 'v'],
      ['SET k x EX 10 KEEPTTL', '-ERR syntax error'],
      ['SET k x EX 0', "-ERR invalid expire time in 'set' command"],
      ['SET k x EX a', '-ERR value is not an integer or out of range'],
      ['SETNX k x', ':0'],
      ['GETSET k y', 'w'],
      ['APPEND k yy', ':3'],
      ['STRLEN k', ':3'],
      ['SETRANGE k 5 z', ':6'],
      ['GETRANGE k 0 2', 'yyy'],
      ['GETRANGE k -1 -1', 'z'],
      ['GETRANGE k 4 2', ''],
      ['GETEX k PERSIST', 'yyy\0\0z'],
      ['GETDEL k', 'yyy\0\0z'],
      ['GETDEL k', '$-1'],
      ['MSETNX a 1 b 2', '-ERR MSETNX sets one key here: there are no transactions over several'],
      ['MSET a 1 b', "-ERR wrong number of arguments for 'mset' command"],
      ['MSET a ohmytext b mynewtext', '+OK'],
      ['LCS a b', 'mytext'],
      ['LCS a b LEN', ':6'],
    );
    line.send('MGET a missing b', 'LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN');
    const places =
      '*4\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n$3\r\nlen\r\n:6\r\n';
    const values = '*3\r\n$8\r\nohmytext\r\n$-1\r\n$9\r\nmynewtext\r\n';
    expect(await line.hears(values + places)).toBe(values + places);
  });

  test('numbers: counted, and refused in the words of Redis', async () => {
    await converse(
      ['INCR n', ':1'],
      ['INCRBY n 9223372036854775806', ':9223372036854775807'],
      ['INCR n', '-ERR increment or decrement would overflow'],
      ['DECRBY n -9223372036854775808', '-ERR decrement would overflow'],
      ['DECR n', ':9223372036854775806'],
      ['SET n abc', '+OK'],
      ['INCR n', '-ERR value is not an integer or out of range'],
      ['INCRBYFLOAT n 1', '-ERR value is not a valid float'],
      ['SET n 10.50', '+OK'],
      ['INCRBYFLOAT n 0.1', '10.6'],
      ['INCRBYFLOAT n nonsense', '-ERR value is not a valid float'],
    );
  });

  test('times to live: given, asked for, taken away', async () => {
    await converse(
      ['TTL k', ':-2'],
      ['EXPIRE k 10', ':0'],
      ['SET k v', '+OK'],
      ['TTL k', ':-1'],
      ['EXPIRE k 100', ':1'],
      ['TTL k', ':100'],
      ['EXPIRE k 50 GT', ':0'],
      ['EXPIRE k 50 LT', ':1'],
      ['EXPIRE k 50 NX', ':0'],
      ['EXPIRE k 50 NX XX', '-ERR NX and XX, GT or LT options at the same time are not compatible'],
      ['EXPIRE k 50 ZZ', '-ERR Unsupported option ZZ'],
      ['EXPIRE k 9223372036854775807', "-ERR invalid expire time in 'expire' command"],
      ['PEXPIREAT k 32503680000000', ':1'],
      ['PEXPIRETIME k', ':32503680000000'],
      ['EXPIRETIME k', ':32503680000'],
      ['SET k w KEEPTTL', '+OK'],
      ['EXPIRETIME k', ':32503680000'],
      ['PERSIST k', ':1'],
      ['PERSIST k', ':0'],
      ['SETEX k 100 v', '+OK'],
      ['TTL k', ':100'],
      ['EXPIRE k -1', ':1'],
      ['EXISTS k', ':0'],
    );
  });
});

describe('keys', () => {
  test('counted, typed, moved and deleted', async () => {
    await converse(
      ['MSET a 1 b 2', '+OK'],
      ['EXISTS a b a c', ':3'],
      ['TYPE a', '+string'],
      ['TYPE c', '+none'],
      ['OBJECT ENCODING a', 'int'],
      ['RENAME c d', '-ERR no such key'],
      ['RENAME a d', '+OK'],
      ['GET d', '1'],
      ['EXISTS a', ':0'],
      ['RENAMENX b d', ':0'],
      ['COPY b d', ':0'],
      ['COPY b d REPLACE', ':1'],
      ['COPY b b', '-ERR source and destination objects are the same'],
      ['GET d', '2'],
      ['DEL b d missing', ':2'],
      ['DBSIZE', ':0'],
    );
  });

  test('an expiry told as a point in time: kept to the millisecond, however late the write is begun', async () => {
    const { api } = door;
    const { write } = api;
    api.write = (...call) => void setTimeout(() => write.apply(api, call), 10);
    for (const form of ['PXAT 4099000000001', 'PXAT 4099000000001 XX', 'PXAT 4099000000001 GET'])
      await converse(
        [`SET a 1`, '+OK'],
        [`SET a 1 ${form}`, form.endsWith('GET') ? '1' : '+OK'],
        ['PEXPIRETIME a', ':4099000000001'],
      );
  });

  test('a source that changes while it is moved: its newest value is moved', async () => {
    await converse(['SET a 1', '+OK']);
    const { api } = door;
    const { write } = api;
    let isFirst = true;
    api.write = (operation, timeoutMs, done) => {
      if (operation.kind !== 'compareAndDelete' || !isFirst)
        return write.call(api, operation, timeoutMs, done);
      isFirst = false;
      const newer = { kind: 'put', key: 'a', operationId: null, value: Buffer.from('2'), ttlMs: 0 } as const;
      write.call(api, newer, timeoutMs, () => write.call(api, operation, timeoutMs, done));
    };
    await converse(['RENAME a b', '+OK'], ['GET b', '2'], ['EXISTS a', ':0']);
  });

  test('all of them, by pattern, page by page, in any order of pages', async () => {
    const names = Array.from({ length: 25 }, (_, at) => `key:${at}`);
    await converse([`MSET ${names.map((name) => `${name} v`).join(' ')} other 1`, '+OK'], ['DBSIZE', ':26']);
    line.send('KEYS key:1?');
    const found = await line.hears('*10\r\n');
    expect(found).toBe('*10\r\n');
    await line.hears('$6\r\nkey:10\r\n'.repeat(10));
    const seen = new Set<string>();
    let cursor = '0';
    do {
      line.send(`SCAN ${cursor} MATCH key:* COUNT 7`);
      await line.until(() => /^\*2\r\n\$\d+\r\n\d+\r\n\*(\d+)\r\n/.test(line.unread));
      const [head, next, count] = /^\*2\r\n\$\d+\r\n(\d+)\r\n\*(\d+)\r\n/.exec(line.unread)!;
      await line.hears(head);
      for (let left = Number(count); left > 0; left -= 1) {
        const bulk = /^\$\d+\r\n(key:\d+)\r\n/.exec(line.unread)!;
        seen.add(bulk[1]!);
        await line.hears(bulk[0]);
      }
      cursor = next!;
    } while (cursor !== '0');
    expect([...seen].sort()).toEqual([...names].sort());
    await converse(
      ['SCAN x', '-ERR invalid cursor'],
      ['SCAN 0 COUNT 0', '-ERR syntax error'],
      ['FLUSHALL', '+OK'],
      ['DBSIZE', ':0'],
      ['RANDOMKEY', '$-1'],
    );
  });

  test('rows of PostgreSQL that no node holds yet: it says so, and never tells a part for all', async () => {
    door.api.incomplete = true;
    const words = '-LOADING not all rows of PostgreSQL are held by the nodes yet';
    await converse(['DBSIZE', words], ['KEYS *', words], ['SCAN 0', words], ['FLUSHALL', words]);
  });

  test('what is no key here is named', async () => {
    await converse(
      ['GET ""', '-ERR invalid_argument: the key is empty'],
      ['GET "\\xff"', '-ERR invalid_argument: the key is not UTF-8: keys are text here'],
      ['GET "a\\x00"', '-ERR invalid_argument: the key contains a NUL character'],
      [`GET ${'a'.repeat(1025)}`, '-ERR invalid_argument: the key is longer than 1024 bytes'],
      ['GET "\\xc3\\xa4"', '$-1'],
    );
  });
});

describe('bounds', () => {
  test('more is collected than may be: refused, and EXEC does nothing', async () => {
    await converse(['MULTI', '+OK']);
    const value = 'x'.repeat(4 * 1024 * 1024);
    const replies: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      line.raw(`*2\r\n$4\r\nECHO\r\n$${value.length}\r\n${value}\r\n`);
      replies.push(await line.ask(''));
    }
    expect(replies.slice(0, 3)).toEqual(['+QUEUED', '+QUEUED', '+QUEUED']);
    expect(replies).toContain('-ERR too many bytes in a transaction: at most 16777216');
    await converse(['EXEC', '-EXECABORT Transaction discarded because of previous errors.']);
    const keys = Array.from({ length: RESP_WATCHED_KEYS_MAX + 1 }, (_, at) => `k${at}`);
    await converse([`WATCH ${keys.join(' ')}`, `-ERR more than ${RESP_WATCHED_KEYS_MAX} keys are watched`]);
    await converse(['MULTI', '+OK']);
    for (let count = 0; count <= MODIFY_CHANGES_MAX; count += 1) await converse(['INCR n', '+QUEUED']);
    await converse([
      'EXEC',
      `-ERR a transaction uses the key it changes at most ${MODIFY_CHANGES_MAX} times`,
    ]);
    await converse(['GET n', '$-1']);
  });

  test('more commands over all keys at once than a node takes: the further ones are refused', async () => {
    door.api.holding = true;
    const others = await Promise.all(Array.from({ length: RESP_SWEEPS_MAX }, () => door.connect()));
    for (const other of others) other.send('DBSIZE');
    await line.until(() => door.api.heldCount === RESP_SWEEPS_MAX);
    expect(await line.ask('DBSIZE')).toMatch(/^-TRYAGAIN overloaded: /);
    door.api.release();
    for (const other of others) await other.hears(':0\r\n');
    await converse(['DBSIZE', ':0']);
  });

  test('more keys than one answer holds: KEYS says so', async () => {
    const stored = await door.connect();
    expect(await stored.ask('SET k v')).toBe('+OK');
    const record = door.api.records.get('k')!;
    const long = 'k'.repeat(1_000);
    for (let at = 0; at < 18_000; at += 1)
      door.api.records.set(`${long}${at}`, { ...record, key: `${long}${at}` });
    expect(await line.ask('KEYS *')).toBe('-ERR more keys than one answer holds: use SCAN');
  });

  test('a pattern made to be slow: judged at once', () => {
    const begun = performance.now();
    expect(new Glob(`${'a*'.repeat(200)}b`).matches('a'.repeat(1_000))).toBe(false);
    expect(performance.now() - begun).toBeLessThan(1_000);
  });
});

test.each([
  ['h?llo', 'hello', true],
  ['h*llo', 'heeeello', true],
  ['h[ae]llo', 'hillo', false],
  ['h[^e]llo', 'hallo', true],
  ['h[a-c]llo', 'hbllo', true],
  ['h[c-a]llo', 'hbllo', true],
  ['h\\*llo', 'h*llo', true],
  ['h\\*llo', 'hello', false],
  ['*', '', true],
  ['', 'a', false],
  ['*a*b', 'xxaxxb', true],
  ['[', '[', false],
])('the pattern %j and %j: %s', (pattern, text, isMatch) => {
  expect(new Glob(pattern).matches(text)).toBe(isMatch);
});

describe('transactions', () => {
  test('changes of one key are one write, and each is answered', async () => {
    await converse(
      ['SET other 5', '+OK'],
      ['MULTI', '+OK'],
      ['SET k 1', '+QUEUED'],
      ['INCR k', '+QUEUED'],
      ['GET k', '+QUEUED'],
      ['GET other', '+QUEUED'],
      ['APPEND k x', '+QUEUED'],
      ['INCR k', '+QUEUED'],
      ['PING', '+QUEUED'],
    );
    const before = door.api.calls.length;
    line.send('EXEC');
    const told =
      '*7\r\n+OK\r\n:2\r\n$1\r\n2\r\n$1\r\n5\r\n:2\r\n-ERR value is not an integer or out of range\r\n+PONG\r\n';
    expect(await line.hears(told)).toBe(told);
    const writes = door.api.calls.slice(before).filter(({ kind }) => kind === 'modify');
    expect(writes).toHaveLength(1);
    await converse(['GET k', '2x']);
  });

  test('two keys to be changed, or something that is none: EXEC does nothing', async () => {
    await converse(
      ['MULTI', '+OK'],
      ['SET a 1', '+QUEUED'],
      ['SET b 1', '-ERR a transaction changes one key here, and this would be another'],
      ['EXEC', '-EXECABORT Transaction discarded because of previous errors.'],
      ['EXISTS a b', ':0'],
      ['MULTI', '+OK'],
      ['NONSENSE', "-ERR unknown command 'NONSENSE', with args beginning with: "],
      ['EXEC', '-EXECABORT Transaction discarded because of previous errors.'],
      ['EXEC', '-ERR EXEC without MULTI'],
      ['MULTI', '+OK'],
      ['MULTI', '-ERR MULTI calls can not be nested'],
      ['SET a 1', '+QUEUED'],
      ['DISCARD', '+OK'],
      ['EXISTS a', ':0'],
    );
  });

  test.each([
    ['the key that is changed', 'SET k 3'],
    ['another key', 'SET other 3'],
    ['a key that was absent', 'SET new 3'],
  ])('%s was watched and is written by somebody: EXEC does nothing', async (_name, call) => {
    const second = await door.connect();
    await converse(
      ['SET k 1', '+OK'],
      ['SET other 1', '+OK'],
      ['WATCH k other new', '+OK'],
      ['MULTI', '+OK'],
    );
    await converse(['INCR k', '+QUEUED']);
    expect(await second.ask(call)).toBe('+OK');
    await converse(['EXEC', '*-1'], ['GET k', call === 'SET k 3' ? '3' : '1']);
    // EXEC ends the watches.
    await converse(['MULTI', '+OK'], ['INCR k', '+QUEUED'], ['EXEC', '*1']);
  });
});

describe('what is too large', () => {
  const long = (name: string, ...words: readonly string[]): string =>
    `*${words.length + 1}\r\n` + [name, ...words].map((word) => `$${word.length}\r\n${word}\r\n`).join('');

  test('a value beyond the limit, by every command that sets one: refused with the limit, and nothing is there', async () => {
    const value = 'x'.repeat(1024 * 1024 + 1);
    const calls = [
      long('SET', 'k', value),
      long('SET', 'k', value, 'EX', '10'),
      long('SETEX', 'k', '10', value),
      long('MSET', 'k', value),
      long('GETSET', 'k', value),
    ];
    for (const call of calls) {
      line.raw(call);
      expect(await line.reply()).toMatch(/^-ERR invalid_argument: .*1048576/);
    }
    await converse(['EXISTS k', ':0']);
  });

  test('a time to live of more than a thousand years: refused, and nothing is there', async () => {
    for (const call of [
      'SET k v PX 9007199254740000',
      'SET k v EX 9007199254740',
      'PSETEX k 9007199254740000 v',
    ])
      expect(await line.ask(call)).toMatch(/^-ERR/);
    await converse(['EXISTS k', ':0']);
  });

  test('a number of seventy thousand digits is no number', async () => {
    line.raw(long('INCRBYFLOAT', 'k', '1'.repeat(70_000)));
    expect(await line.reply()).toBe('-ERR value is not a valid float');
  });
});

test('all keys are deleted and one cannot be: the reply does not say that nothing happened', async () => {
  await converse(['MSET a 1 b 2 c 3', '+OK']);
  const write = door.api.write.bind(door.api);
  door.api.write = (operation, timeoutMs, done) => {
    if (operation.key !== 'b') return write(operation, timeoutMs, done);
    setImmediate(() => done({ kind: 'failed', failure: failure('overloaded') }));
  };
  expect(await line.ask('FLUSHALL')).toMatch(/^-INDEFINITE some keys were deleted, 2 for certain: TRYAGAIN/);
});
