/** SLOWLOG and LATENCY: which commands are kept, what is shown of them, and how many there is room for. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RESP_SLOW_COMMANDS_MAX } from '../../core/clients/redis-limits.ts';
import { openRespDoor } from '../../../test/support/resp-door.ts';
import type { RespFixture, RespLine } from '../../../test/support/resp-door.ts';

let door: RespFixture;
let line: RespLine;
beforeEach(async () => {
  door = await openRespDoor();
  line = await door.connect();
});
afterEach(() => door.stop());

/** From now on every command that waits for anything is kept. */
async function keepAll(): Promise<void> {
  expect(await line.ask('CONFIG SET slowlog-log-slower-than 0')).toBe('+OK');
}

/** The arguments of the latest entry of SLOWLOG GET. */
async function latestArguments(): Promise<string[]> {
  line.send('SLOWLOG GET 1');
  expect(await line.reply()).toBe('*1');
  expect(await line.reply()).toBe('*6');
  for (let each = 0; each < 3; each += 1) expect(await line.reply()).toMatch(/^:\d+$/);
  const count = Number((await line.reply()).slice(1));
  const words: string[] = [];
  for (let each = 0; each < count; each += 1) words.push(await line.reply());
  expect(await line.reply()).toMatch(/^127\.0\.0\.1:\d+$/);
  words.push(`by ${await line.reply()}`);
  return words;
}

describe('SLOWLOG', () => {
  test('keeps what waited, the latest first, with who asked; RESET forgets, and numbers go on', async () => {
    expect(await line.ask('SLOWLOG LEN')).toBe(':0');
    await keepAll();
    await line.ask('CLIENT SETNAME shop');
    await line.ask('SET k value');
    expect(await latestArguments()).toEqual(['SET', 'k', 'value', 'by shop']);
    await line.ask('SET l value');
    expect((await latestArguments())[1]).toBe('l');
    const { slowCommands } = door.server.door;
    const { id } = slowCommands.latest(1)[0]!;
    expect(await line.ask('SLOWLOG RESET')).toBe('+OK');
    // The command itself took some time, as in Redis.
    expect(await line.ask('SLOWLOG LEN')).toBe(':1');
    expect(slowCommands.latest(1)[0]!.id).toBeGreaterThan(id);
  });

  test('keeps nothing that is faster than was asked for, and nothing at all at -1', async () => {
    await line.ask('SET k value');
    await line.ask('CONFIG SET slowlog-log-slower-than -1');
    await line.ask('SET k value');
    expect(await line.ask('SLOWLOG LEN')).toBe(':0');
    expect(await line.ask('CONFIG SET slowlog-log-slower-than -2')).toMatch(/^-ERR CONFIG SET failed/);
  });

  test('tells no more of arguments than Redis does', async () => {
    await keepAll();
    await line.ask(`SET k ${'v'.repeat(200)}`);
    expect(await latestArguments()).toEqual(['SET', 'k', `${'v'.repeat(128)}... (72 more bytes)`, 'by ']);
    const keys = Array.from({ length: 40 }, (_, at) => `key:${at}`);
    await line.ask(`DEL ${keys.join(' ')}`);
    const told = await latestArguments();
    expect(told.length).toBe(33);
    expect(told.slice(30)).toEqual(['key:29', '... (10 more arguments)', 'by ']);
  });

  test('tells no value of a setting: it may be a password that was set by the wrong name', async () => {
    await keepAll();
    await line.ask('CONFIG SET requirepass s3cret');
    const told = await latestArguments();
    expect(told).toEqual(['CONFIG', 'SET', 'requirepass', '(redacted)', 'by ']);
  });

  test('has room for as many as it is told, and no more than the bound', async () => {
    await keepAll();
    expect(await line.ask('CONFIG SET slowlog-max-len 3')).toBe('+OK');
    for (let each = 0; each < 5; each += 1) await line.ask(`SET k${each} value`);
    expect(await line.ask('SLOWLOG LEN')).toBe(':3');
    expect(await line.ask('CONFIG SET slowlog-max-len 1')).toBe('+OK');
    expect(await line.ask('SLOWLOG LEN')).toBe(':1');
    expect(await line.ask(`CONFIG SET slowlog-max-len ${RESP_SLOW_COMMANDS_MAX + 1}`)).toMatch(/^-ERR/);
  });

  test('a command that is held up is kept with the time that it took', async () => {
    await line.ask('CONFIG SET slowlog-log-slower-than 5000');
    door.api.holding = true;
    line.send('SET k value');
    await line.until(() => door.api.calls.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 10));
    door.api.release();
    expect(await line.reply()).toBe('+OK');
    expect(await latestArguments()).toEqual(['SET', 'k', 'value', 'by ']);
  });
});

describe('LATENCY', () => {
  test('watches nothing until it is told from which time on; then the slowest of each second', async () => {
    await line.ask('SET k value');
    expect(await line.ask('LATENCY LATEST')).toBe('*0');
    expect(await line.ask('LATENCY DOCTOR')).toContain('latency-monitor-threshold');
    const { latency } = door.server.door;
    // More than any command of this test takes, even on a busy machine.
    await line.ask('CONFIG SET latency-monitor-threshold 60000');
    expect(await line.ask('LATENCY DOCTOR')).toContain('60000 ms');
    latency.add('command', 59_999.9);
    latency.add('command', 90_000.4);
    latency.add('command', 70_000);
    line.send('LATENCY LATEST');
    expect(await line.reply()).toBe('*1');
    expect(await line.reply()).toBe('*4');
    expect(await line.reply()).toBe('command');
    expect(await line.reply()).toMatch(/^:\d{10}$/);
    // Two entries, if a new second began between the commands.
    expect([':90000', ':70000']).toContain(await line.reply());
    expect(await line.reply()).toBe(':90000');
    expect(await line.ask('LATENCY DOCTOR')).toContain('90000 ms at most');
    expect(await line.ask('LATENCY HISTORY command')).toMatch(/^\*[12]$/);
  });

  test('forgets one event, or all, and says how many there were', async () => {
    await line.ask('CONFIG SET latency-monitor-threshold 60000');
    const { latency } = door.server.door;
    for (const event of ['command', 'fast-command'] as const) latency.add(event, 90_000);
    expect(await line.ask('LATENCY RESET command none')).toBe(':1');
    expect(await line.ask('LATENCY RESET')).toBe(':1');
    expect(await line.ask('LATENCY LATEST')).toBe('*0');
  });

  test('HISTOGRAM tells how long commands took, each by itself, and forgets with the other counts', async () => {
    await line.ask('SET k value');
    await line.ask('SET k value');
    line.send('LATENCY HISTOGRAM set nothing');
    expect(await line.reply()).toBe('*2');
    expect(await line.reply()).toBe('set');
    expect(await line.reply()).toBe('*4');
    expect([await line.reply(), await line.reply(), await line.reply()]).toEqual([
      'calls',
      ':2',
      'histogram_usec',
    ]);
    const pairs = Number((await line.reply()).slice(1)) / 2;
    let last = '';
    for (let each = 0; each < 2 * pairs; each += 1) last = await line.reply();
    expect(last).toBe(':2');
    expect(await line.ask('CONFIG RESETSTAT')).toBe('+OK');
    expect(await line.ask('LATENCY HISTOGRAM set')).toBe('*0');
  });
});
