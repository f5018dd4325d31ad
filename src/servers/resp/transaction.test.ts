/** The limits of one transaction: what it may hold, read, change and reply. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { call, openRespDoor } from '../../../test/support/resp-door.ts';
import type { RespFixture, RespLine } from '../../../test/support/resp-door.ts';
import {
  RESP_KEPT_BYTES_SHARE,
  RESP_KEPT_BYTES_TOTAL_MAX,
  RESP_LCS_CELLS_MAX,
  RESP_MANY_IN_FLIGHT_MAX,
  RESP_REPLY_BYTES_MAX,
  RESP_TRANSACTION_STEPS_MAX,
} from '../../core/clients/redis-limits.ts';

const MIB = 1024 * 1024;
const ABORTED = '-EXECABORT Transaction discarded because of previous errors.';

let door: RespFixture;
let line: RespLine;
beforeEach(async () => {
  door = await openRespDoor();
  line = await door.connect();
});
afterEach(() => door.stop());

/** Sends the commands within MULTI; resolves to the first line that EXEC replies. */
async function exec(...calls: readonly (readonly string[])[]): Promise<string> {
  expect(await line.ask('MULTI')).toBe('+OK');
  line.raw(calls.map((words) => call(...words)).join(''));
  const queued = '+QUEUED\r\n'.repeat(calls.length);
  expect(await line.hears(queued)).toBe(queued);
  return line.ask('EXEC');
}

async function set(key: string, bytes: number): Promise<void> {
  line.raw(call('SET', key, 'x'.repeat(bytes)));
  expect(await line.ask('')).toBe('+OK');
}

describe('what is kept', () => {
  test('more keys, or more arguments, than may be kept: refused, and EXEC does nothing', async () => {
    const keys = Array.from({ length: RESP_TRANSACTION_STEPS_MAX / 2 + 1 }, () => 'k');
    expect(await line.ask('MULTI')).toBe('+OK');
    line.raw(call('EXISTS', ...keys) + call('EXISTS', ...keys) + call('EXEC'));
    const told = `+QUEUED\r\n-ERR too many keys in a transaction: at most 65536\r\n${ABORTED}\r\n`;
    expect(await line.hears(told)).toBe(told);
    const empty = call('DEL', ...Array.from({ length: 65_535 }, () => ''));
    expect(await line.ask('MULTI')).toBe('+OK');
    line.raw(empty.repeat(16));
    const queued = `${'+QUEUED\r\n'.repeat(15)}-ERR too many bytes in a transaction: at most 16777216\r\n`;
    expect(await line.hears(queued)).toBe(queued);
    expect(await line.ask('EXEC')).toBe(ABORTED);
  });
});

describe('what is kept for all connections', () => {
  const LARGE = 'x'.repeat(RESP_KEPT_BYTES_SHARE);

  /** As if other connections kept all that may be kept. */
  function fill(): void {
    door.server.door.keptBytes += RESP_KEPT_BYTES_TOTAL_MAX;
  }

  test('it is full: who keeps much is refused and keeps nothing any more, who keeps little goes on', async () => {
    await line.ask('MULTI');
    line.raw(call('SET', 'k', LARGE));
    expect(await line.reply()).toBe('+QUEUED');
    fill();
    expect(await line.ask('GET k')).toMatch(/^-TRYAGAIN overloaded: .* the limit of 134217728 bytes$/);
    expect(await line.ask('GET k')).toBe('+QUEUED');
    expect(door.server.door.keptBytes).toBe(RESP_KEPT_BYTES_TOTAL_MAX);
    expect(await line.ask('EXEC')).toBe(ABORTED);
    expect(await exec(['SET', 'k', 'small'], ['GET', 'k'])).toBe('*2');
    expect(await line.hears('+OK\r\n$5\r\nsmall\r\n')).toBe('+OK\r\n$5\r\nsmall\r\n');
    const keys = Array.from({ length: 100 }, (_, at) => `${'k'.repeat(200)}${at}`);
    expect(await line.ask(`WATCH ${keys.join(' ')}`)).toMatch(/^-TRYAGAIN overloaded/);
    expect(await line.ask('WATCH k')).toBe('+OK');
    const prefixes = keys.map((key) => `PREFIX ${key}.`).join(' ');
    expect(await line.ask('HELLO 3')).toBe('%7');
    await line.until(() => line.unread.includes('modules\r\n*0\r\n'));
    await line.hears(line.unread);
    expect(await line.ask(`CLIENT TRACKING ON BCAST ${prefixes}`)).toMatch(/^-TRYAGAIN overloaded/);
  });

  test('it is counted as long as it is kept, also while EXEC waits, and until the connection has gone', async () => {
    const { api, server } = door;
    expect(await line.ask('WATCH k')).toBe('+OK');
    await line.ask('MULTI');
    line.raw(call('SET', 'k', LARGE));
    expect(await line.reply()).toBe('+QUEUED');
    expect(server.door.keptBytes).toBeGreaterThan(RESP_KEPT_BYTES_SHARE);
    api.holding = true;
    line.send('EXEC');
    await line.until(() => api.heldCount === 1);
    expect(server.door.keptBytes).toBeGreaterThan(RESP_KEPT_BYTES_SHARE);
    api.holding = false;
    api.release();
    expect(await line.reply()).toBe('*1');
    await line.hears('+OK\r\n');
    expect(server.door.keptBytes).toBe(0);
    for (const end of ['DISCARD', 'RESET']) {
      await line.ask('MULTI');
      line.raw(call('SET', 'k', LARGE));
      expect(await line.reply()).toBe('+QUEUED');
      await line.ask(end);
      expect(server.door.keptBytes).toBe(0);
    }
    await line.ask('MULTI');
    line.raw(call('SET', 'k', LARGE));
    await line.reply();
    const other = await door.connect();
    line.close();
    await other.until(() => server.door.clients.size === 1);
    expect(server.door.keptBytes).toBe(0);
  });
});

describe('what is told', () => {
  test('replies are switched on and off within it: what comes after that is sent, or not, as Redis does', async () => {
    const lines = ['CLIENT REPLY OFF', 'MULTI', 'INCR n', 'CLIENT REPLY ON', 'INCR n', 'EXEC', 'PING a'];
    line.raw([...lines, 'MULTI', 'INCR n', 'CLIENT REPLY OFF', 'INCR n', 'EXEC', 'PING', ''].join('\r\n'));
    const queued = '+QUEUED\r\n'.repeat(3);
    const on = `+OK\r\n:2\r\n$1\r\na\r\n`;
    const off = `+OK\r\n${queued}*3\r\n:3\r\n`;
    expect(await line.hears(on + off)).toBe(on + off);
    line.raw('CLIENT REPLY ON\r\nGET n\r\n');
    const after = '+OK\r\n$1\r\n4\r\n';
    expect(await line.hears(after)).toBe(after);
  });

  test('channels while replies are off: confirmed, as they are outside of MULTI, and nothing else', async () => {
    const channel = '__redis__:invalidate';
    const words = ['CLIENT REPLY OFF', 'MULTI', 'INCR n', 'HELLO 3', `UNSUBSCRIBE ${channel}`, 'EXEC'];
    line.raw([...words, 'CLIENT REPLY ON', 'GET n', ''].join('\r\n'));
    const confirmed = `>3\r\n$11\r\nunsubscribe\r\n$20\r\n${channel}\r\n:0\r\n`;
    const told = `${confirmed}+OK\r\n$1\r\n1\r\n`;
    expect(await line.hears(told)).toBe(told);
  });

  test('answers of more bytes than one reply has: refused, and nothing is written', async () => {
    await set('large', MIB);
    const reads = Array.from({ length: RESP_REPLY_BYTES_MAX / MIB }, () => ['GET', 'large']);
    const told = `-ERR the answers of a transaction have more than ${RESP_REPLY_BYTES_MAX} bytes`;
    expect(await exec(['INCR', 'n'], ...reads)).toBe(told);
    expect(await line.ask('GET n')).toBe('$-1');
    // Replies with lengths and substrings of the values are short.
    const short = reads.flatMap(() => [
      ['STRLEN', 'large'],
      ['GETRANGE', 'large', '0', '1'],
      ['TTL', 'large'],
      ['EXISTS', 'large', 'large'],
    ]);
    expect(await exec(['INCR', 'n'], ...short)).toBe(`*${1 + short.length}`);
  });

  test('what stands for itself and says much, many times: at last it says only that it is too much', async () => {
    expect(await exec(...Array.from({ length: 2_000 }, () => ['COMMAND']))).toBe('*2000');
    await line.until(() => line.unread.length > RESP_REPLY_BYTES_MAX);
    const last = `-ERR the answers of a transaction have more than ${RESP_REPLY_BYTES_MAX} bytes\r\n`;
    await line.until(() => line.unread.endsWith(last.repeat(2)));
    expect(line.unread.length).toBeLessThan(1.1 * RESP_REPLY_BYTES_MAX);
  });
});

describe('what is read and done', () => {
  test('many keys: so many reads at once, and no more values than one reply has', async () => {
    const keys = Array.from({ length: RESP_MANY_IN_FLIGHT_MAX + 44 }, (_, at) => `k${at}`);
    expect(await line.ask('MULTI')).toBe('+OK');
    line.raw(call('EXISTS', ...keys));
    expect(await line.hears('+QUEUED\r\n')).toBe('+QUEUED\r\n');
    door.api.holding = true;
    line.send('EXEC');
    await line.until(() => door.api.heldCount > 0);
    expect(door.api.heldCount).toBe(RESP_MANY_IN_FLIGHT_MAX);
    door.api.release();
    expect(await line.hears('*1\r\n:0\r\n')).toBe('*1\r\n:0\r\n');
    const large = keys.slice(0, 1 + RESP_REPLY_BYTES_MAX / MIB);
    for (const key of large) await set(key, MIB);
    const told = `-ERR the values that a transaction reads have more than ${RESP_REPLY_BYTES_MAX} bytes`;
    expect(await exec(['INCR', 'n'], ['EXISTS', ...large])).toBe(told);
    expect(await line.ask('GET n')).toBe('$-1');
    // A key that is only watched counts with its version, not with its value.
    expect(await line.ask(`WATCH ${large.join(' ')}`)).toBe('+OK');
    expect(await exec(['INCR', 'n'])).toBe('*1');
  });

  test('LCS many times: those beyond the bound of one are refused by themselves', async () => {
    await set('a', 1_500);
    await set('b', 1_500);
    expect(await exec(...Array.from({ length: 3 }, () => ['LCS', 'a', 'b', 'LEN']), ['SET', 'k', 'v'])).toBe(
      '*4',
    );
    const error = `-ERR the LCS of a transaction compare more than ${RESP_LCS_CELLS_MAX} pairs of bytes\r\n`;
    const told = `:1500\r\n${error}${error}+OK\r\n`;
    expect(await line.hears(told)).toBe(told);
  });
});

test('HELLO among what is collected: what comes behind EXEC is said in the protocol that it chose', async () => {
  expect(await exec(['HELLO', '3'])).toBe('*1');
  await line.until(() => line.unread.endsWith('*0\r\n'));
  await line.hears(line.unread);
  expect(await line.ask('GET missing')).toBe('_');
});
