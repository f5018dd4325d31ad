/** Client-side caching as clients see it: which invalidations they receive, when, and after which replies. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRespDoor } from '../../../test/support/resp-door.ts';
import type { RespFixture, RespLine } from '../../../test/support/resp-door.ts';
import { KEY_BYTES_MAX } from '../../core/limits.ts';
import {
  RESP_OUTPUT_BYTES_MAX,
  RESP_OUTPUT_BYTES_TOTAL_MAX,
  RESP_TRACKED_PREFIXES_MAX,
} from '../../core/clients/redis-limits.ts';

let door: RespFixture;
let reader: RespLine;
let writer: RespLine;
beforeEach(async () => {
  door = await openRespDoor();
  reader = await door.connect();
  writer = await door.connect();
});
afterEach(() => door.stop());

const push = (...keys: string[]): string =>
  `>2\r\n$10\r\ninvalidate\r\n*${keys.length}\r\n${keys.map((key) => `$${key.length}\r\n${key}\r\n`).join('')}`;
const EVERYTHING = '>2\r\n$10\r\ninvalidate\r\n_\r\n';
const CHANNEL = '__redis__:invalidate';

async function greeted(line: RespLine, ...calls: string[]): Promise<void> {
  line.send('HELLO 3');
  await line.until(() => line.unread.endsWith('*0\r\n'));
  await line.hears(line.unread);
  for (const call of calls) expect(await line.ask(call)).toBe('+OK');
}

async function idOf(line: RespLine): Promise<string> {
  return (await line.ask('CLIENT ID')).slice(1);
}

/** Checks that nothing was received before the next reply. */
async function isQuiet(line: RespLine): Promise<void> {
  line.send('ECHO quiet');
  expect(await line.hears('$5\r\nquiet\r\n')).toBe('$5\r\nquiet\r\n');
}

describe('a key changes while it is being read', () => {
  test('the message comes behind the reply: what was read last is what is dropped', async () => {
    await greeted(reader, 'CLIENT TRACKING ON');
    await writer.ask('SET k 1');
    door.api.waiting.add('k');
    door.api.holding = true;
    reader.send('GET k');
    await reader.until(() => door.api.heldCount === 1);
    door.api.tellChange('k');
    await reader.until(() => true);
    door.api.release();
    const both = `$1\r\n1\r\n${push('k')}`;
    expect(await reader.hears(both)).toBe(both);
    // The invalidation is repeated after a while, in a piece of its own.
    for (let looks = 0; looks < 2; looks += 1) door.server.door.tracking.tellHeld();
    expect(await reader.hears(push('k'))).toBe(push('k'));
    for (let looks = 0; looks < 2; looks += 1) door.server.door.tracking.tellHeld();
    await isQuiet(reader);
  });

  test('another command is slow: the message does not wait for it', async () => {
    await greeted(reader, 'CLIENT TRACKING ON');
    expect(await reader.ask('GET k')).toBe('_');
    door.api.waiting.add('slow');
    door.api.holding = true;
    reader.send('GET slow');
    await reader.until(() => door.api.heldCount === 1);
    door.api.tellChange('k');
    expect(await reader.hears(push('k'))).toBe(push('k'));
    door.api.release();
    expect(await reader.reply()).toBe('_');
  });

  test('everything may have changed: the message comes behind every reply under way, and what was asked for is named', async () => {
    await greeted(reader, 'CLIENT TRACKING ON');
    expect(await reader.ask('GET known')).toBe('_');
    for (const key of ['slow', 'slower']) door.api.waiting.add(key);
    door.api.holding = true;
    reader.send('GET slow', 'GET slower');
    await reader.until(() => door.api.heldCount === 2);
    door.api.listener.allChanged();
    door.api.release();
    const all = `_\r\n_\r\n${push('slow', 'slower')}${EVERYTHING}`;
    expect(await reader.hears(all)).toBe(all);
    // The invalidation is repeated after a while, in a piece of its own.
    const { tracking } = door.server.door;
    for (let looks = 0; looks < 2; looks += 1) tracking.tellHeld();
    expect(await reader.hears(EVERYTHING)).toBe(EVERYTHING);
    for (let looks = 0; looks < 2; looks += 1) tracking.tellHeld();
    expect(await reader.ask('GET known')).toBe('_');
    door.api.listener.allChanged();
    expect(await reader.hears(EVERYTHING)).toBe(EVERYTHING);
    await isQuiet(reader);
  });

  test('it is read within a transaction: the message comes behind the reply to EXEC', async () => {
    await greeted(reader, 'CLIENT TRACKING ON OPTIN', 'CLIENT CACHING YES', 'MULTI');
    expect(await reader.ask('GET k')).toBe('+QUEUED');
    expect(await reader.ask('PING')).toBe('+QUEUED');
    reader.send('EXEC');
    await reader.hears('*2\r\n_\r\n+PONG\r\n');
    await writer.ask('SET k 1');
    expect(await reader.hears(push('k'))).toBe(push('k'));
    expect(await reader.ask('GET k')).toBe('1');
    await writer.ask('SET k 2');
    await isQuiet(reader);
  });
});

describe('its own writes', () => {
  test('are told behind their replies', async () => {
    await greeted(reader, 'CLIENT TRACKING ON');
    reader.send('GET k', 'SET k 1', 'GET k', 'SET k 2');
    const heard = `_\r\n+OK\r\n${push('k')}$1\r\n1\r\n+OK\r\n${push('k')}`;
    expect(await reader.hears(heard)).toBe(heard);
  });

  test('NOLOOP: are not told, and those of others are', async () => {
    await greeted(reader, 'CLIENT TRACKING ON NOLOOP');
    expect(await reader.ask('GET k')).toBe('_');
    expect(await reader.ask('SET k 1')).toBe('+OK');
    await isQuiet(reader);
    expect(await reader.ask('GET k')).toBe('1');
    await writer.ask('SET k 2');
    expect(await reader.hears(push('k'))).toBe(push('k'));
  });

  test('NOLOOP, and its own write fails while another one changes the key: told', async () => {
    await greeted(reader, 'CLIENT TRACKING ON NOLOOP');
    expect(await reader.ask('GET k')).toBe('_');
    door.api.holding = true;
    door.api.failWith = 'record_unavailable';
    reader.send('SET k 1');
    await reader.until(() => door.api.heldCount === 1);
    door.api.tellChange('k');
    door.api.release();
    expect(await reader.reply()).toMatch(/^-TRYAGAIN/);
    expect(await reader.hears(push('k'))).toBe(push('k'));
  });
});

describe('its own writes, and it listens to all changes', () => {
  test('are told like those of others', async () => {
    await greeted(reader, 'CLIENT TRACKING ON BCAST');
    expect(await reader.ask('SET k 1')).toBe('+OK');
    expect(await reader.hears(push('k'))).toBe(push('k'));
  });

  test('NOLOOP: are not told, set or changed, alone, in line or in a transaction; those of others are', async () => {
    await greeted(reader, 'CLIENT TRACKING ON BCAST NOLOOP');
    reader.send('SET k 1', 'INCR k', 'SET k 2', 'SET k 3', 'MULTI', 'APPEND k 4', 'EXEC', 'DEL k');
    const replies = '+OK\r\n:2\r\n+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n:2\r\n:1\r\n';
    expect(await reader.hears(replies)).toBe(replies);
    await isQuiet(reader);
    await writer.ask('SET k 5');
    expect(await reader.hears(push('k'))).toBe(push('k'));
  });

  test('NOLOOP, and another connection writes in its name: told, for it is another client', async () => {
    await greeted(reader, 'CLIENT SETNAME me', 'CLIENT TRACKING ON BCAST NOLOOP');
    await greeted(writer, 'CLIENT SETNAME me', 'CLIENT TRACKING ON BCAST NOLOOP');
    await writer.ask('SET k 1');
    expect(await reader.hears(push('k'))).toBe(push('k'));
    await isQuiet(writer);
  });

  test('NOLOOP, and another changes the key meanwhile: told behind the reply', async () => {
    await greeted(reader, 'CLIENT TRACKING ON BCAST NOLOOP PREFIX k');
    door.api.holding = true;
    reader.send('SET k 1');
    await reader.until(() => door.api.heldCount === 1);
    door.api.listener.settled('k', 999_999_999);
    door.api.listener.settled('other', 5);
    await new Promise((resolve) => setImmediate(resolve));
    expect(reader.unread).toBe('');
    door.api.release();
    expect(await reader.hears(`+OK\r\n${push('k')}`)).toBe(`+OK\r\n${push('k')}`);
    await isQuiet(reader);
  });

  test.each(['BCAST NOLOOP', 'NOLOOP'])(
    '%s, its own write hangs, and another changes the key: told all the same',
    async (mode) => {
      await greeted(reader, `CLIENT TRACKING ON ${mode}`);
      expect(await reader.ask('GET k')).toBe('_');
      door.api.holding = true;
      reader.send('SET k 1');
      await reader.until(() => door.api.heldCount === 1);
      door.api.listener.settled('k', 999_999_999);
      door.api.tellChange('k');
      expect(await reader.hears(push('k'))).toBe(push('k'));
      expect(door.api.heldCount).toBe(1);
      door.api.release();
    },
  );
});

describe('what is bounded', () => {
  test('more keys than are remembered: the oldest is forgotten, and that is told', async () => {
    await greeted(reader, 'CONFIG SET tracking-table-max-keys 2', 'CLIENT TRACKING ON');
    reader.send('MGET a b c');
    const heard = `*3\r\n_\r\n_\r\n_\r\n${push('a')}`;
    expect(await reader.hears(heard)).toBe(heard);
    expect(await writer.ask('INFO stats')).toContain('tracking_total_keys:2\r\ntracking_total_items:2');
    expect(await reader.ask('CONFIG SET tracking-table-max-keys 0')).toMatch(/^-ERR .*must be from 1 to/);
  });

  test('many clients keep the same keys: of more pairs than are remembered the oldest key goes, and that is told', async () => {
    door.server.door.tracking.pairsMax = 3;
    for (const each of [reader, writer]) await greeted(each, 'CLIENT TRACKING ON');
    reader.send('MGET a b');
    expect(await reader.hears('*2\r\n_\r\n_\r\n')).toBe('*2\r\n_\r\n_\r\n');
    writer.send('MGET a b');
    const heard = `*2\r\n_\r\n_\r\n${push('a')}`;
    expect(await writer.hears(heard)).toBe(heard);
    expect(await reader.hears(push('a'))).toBe(push('a'));
    expect(await writer.ask('INFO stats')).toContain('tracking_total_keys:1\r\ntracking_total_items:2');
  });

  test('more prefixes than a connection may have: refused', async () => {
    const prefixes = Array.from({ length: RESP_TRACKED_PREFIXES_MAX + 1 }, (_, at) => `PREFIX p${at}.`);
    const refused = await reader.ask(`CLIENT TRACKING ON BCAST ${prefixes.join(' ')}`);
    expect(refused).toBe(`-ERR more than ${RESP_TRACKED_PREFIXES_MAX} prefixes`);
  });

  test('many prefixes, or long ones: refused for that before any two of them are compared', async () => {
    const same = Array.from({ length: RESP_TRACKED_PREFIXES_MAX + 1 }, () => 'PREFIX p');
    const many = await reader.ask(`CLIENT TRACKING ON BCAST ${same.join(' ')}`);
    expect(many).toBe(`-ERR more than ${RESP_TRACKED_PREFIXES_MAX} prefixes`);
    const long = 'p'.repeat(KEY_BYTES_MAX);
    const tooLong = await reader.ask(`CLIENT TRACKING ON BCAST PREFIX ${long}p PREFIX ${long}p`);
    expect(tooLong).toBe('-ERR a prefix has at most 1024 bytes, as a key has');
    await greeted(reader, `CLIENT TRACKING ON BCAST PREFIX ${long}`);
    expect(door.server.door.keptBytes).toBeGreaterThan(KEY_BYTES_MAX);
    expect(await reader.ask('CLIENT TRACKING OFF')).toBe('+OK');
    expect(door.server.door.keptBytes).toBe(0);
  });

  test('a client that does not take its messages: cut, not fed without end', async () => {
    await greeted(reader, 'CLIENT TRACKING ON BCAST');
    reader.socket.pause();
    const key = 'k'.repeat(1_000);
    door.server.door.tracking.broadcast.later = (_ms, run) => run();
    let told = 0;
    while (door.server.door.clients.size > 1) {
      for (let each = 0; each < 1_000; each += 1) door.api.listener.settled(`${key}${told++}`, 0);
      await new Promise((resolve) => setImmediate(resolve));
      expect(told).toBeLessThan(200_000);
    }
    expect(await writer.ask('INFO clients')).toContain('tracking_clients:0');
  });

  test('a message that is larger than what may wait for a client then: told to who takes its messages', async () => {
    const shared = door.server.door;
    await greeted(writer, 'CLIENT TRACKING ON BCAST');
    shared.outputBytes += RESP_OUTPUT_BYTES_TOTAL_MAX;
    const keys = Array.from({ length: 4_000 }, (_, at) => `${'k'.repeat(996)}${at + 1_000}`);
    for (const key of keys) door.api.listener.settled(key, 0);
    const told = push(...keys);
    expect((await writer.hears(told)) === told).toBe(true);
  });

  test('all that may wait for clients waits: who does not take its messages is cut with little, who takes them is told', async () => {
    const shared = door.server.door;
    await greeted(reader, 'CLIENT TRACKING ON BCAST');
    await greeted(writer, 'CLIENT TRACKING ON BCAST');
    reader.socket.pause();
    // As if other connections had filled it.
    shared.outputBytes += RESP_OUTPUT_BYTES_TOTAL_MAX;
    const key = 'k'.repeat(1_000);
    let bytes = 0;
    for (let told = 0; shared.clients.size > 1; told += 1) {
      door.api.listener.settled(`${key}${told}`, 0);
      bytes += key.length;
      expect(await writer.hears(push(`${key}${told}`))).toBe(push(`${key}${told}`));
      // The system takes some for the client.
      expect(bytes).toBeLessThan(RESP_OUTPUT_BYTES_MAX / 4);
    }
    expect(await writer.ask('INFO clients')).toContain('tracking_clients:1');
    expect(shared.outputBytes).toBe(RESP_OUTPUT_BYTES_TOTAL_MAX);
  });
});

describe('another connection is told', () => {
  test('RESP2, subscribed: on the channel, and not before the reply that it is about', async () => {
    expect(await writer.ask(`SUBSCRIBE ${CHANNEL}`)).toBe('*3');
    await writer.hears(`$9\r\nsubscribe\r\n$20\r\n${CHANNEL}\r\n:1\r\n`);
    const id = [...door.server.door.clients.keys()][1]!;
    expect(await reader.ask(`CLIENT TRACKING ON REDIRECT ${id}`)).toBe('+OK');
    door.api.waiting.add('k');
    door.api.holding = true;
    reader.send('GET k');
    await reader.until(() => door.api.heldCount === 1);
    door.api.tellChange('k');
    await new Promise((resolve) => setImmediate(resolve));
    expect(writer.unread).toBe('');
    door.api.release();
    expect(await reader.reply()).toBe('$-1');
    const message = `*3\r\n$7\r\nmessage\r\n$20\r\n${CHANNEL}\r\n*1\r\n$1\r\nk\r\n`;
    expect(await writer.hears(message)).toBe(message);
    const shown = await reader.ask('CLIENT LIST');
    expect(shown).toMatch(/flags=P .* sub=1 .*\n?/);
    expect(shown).toMatch(new RegExp(`flags=t .* redir=${id} `));
    expect(await reader.ask('CLIENT LIST TYPE pubsub')).toContain(`id=${id} `);
  });

  test('it is gone: who reads hears of that, once there is something to tell', async () => {
    await greeted(reader);
    const id = await idOf(writer);
    expect(await reader.ask(`CLIENT TRACKING ON REDIRECT ${id}`)).toBe('+OK');
    expect(await reader.ask('GET k')).toBe('_');
    writer.close();
    await reader.until(() => door.server.door.clients.size === 1);
    door.api.tellChange('k');
    const broken = `>2\r\n$21\r\ntracking-redir-broken\r\n:${id}\r\n`;
    expect(await reader.hears(broken)).toBe(broken);
    expect(await reader.ask('CLIENT INFO')).toContain('flags=tR ');
  });
});

describe('whoever listens to all changes', () => {
  test('hears in one message what one turn has brought of its prefixes, each key once', async () => {
    await greeted(reader, 'CLIENT TRACKING ON BCAST PREFIX a PREFIX \xc3\xa9');
    for (const key of ['a1', 'b1', 'a2', 'a1', 'éa']) door.api.listener.settled(key, 0);
    const heard = '>2\r\n$10\r\ninvalidate\r\n*3\r\n$2\r\na1\r\n$2\r\na2\r\n$3\r\n\xc3\xa9a\r\n';
    expect(await reader.hears(heard)).toBe(heard);
    expect(await writer.ask('INFO stats')).toContain('tracking_total_prefixes:2');
  });

  test('nobody can tell which keys have changed: all of them, and who listens to none hears nothing', async () => {
    await greeted(reader, 'CLIENT TRACKING ON BCAST PREFIX a');
    await greeted(writer, 'CLIENT TRACKING ON');
    door.api.listener.unsure();
    expect(await reader.hears(EVERYTHING)).toBe(EVERYTHING);
    await isQuiet(writer);
    expect(door.api.listensToAll).toBe(true);
    expect(await reader.ask('CLIENT TRACKING OFF')).toBe('+OK');
    expect(door.api.listensToAll).toBe(false);
  });
});

test('nothing is kept by who has turned it off, was reset, or kept nothing: not told that everything changed', async () => {
  await greeted(reader, 'CLIENT TRACKING ON');
  door.api.listener.allChanged();
  await isQuiet(reader);
  expect(await reader.ask('GET k')).toBe('_');
  expect(await reader.ask('CLIENT TRACKING OFF')).toBe('+OK');
  door.api.tellChange('k');
  await isQuiet(reader);
});

test('a channel that is not there: refused, whatever else is asked for', async () => {
  const refused = await reader.ask(`SUBSCRIBE ${CHANNEL} news`);
  expect(refused).toBe(`-ERR there is no channel 'news' here: only ${CHANNEL}`);
  expect(await reader.ask('GET k')).toBe('$-1');
});
