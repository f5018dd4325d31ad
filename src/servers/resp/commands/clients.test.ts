/** What CLIENT does since Redis 7.4, and the version that clients are told: no recorded reply of Redis 7.0 shows it. */
import { afterEach, expect, test } from 'vitest';
import { openRespDoor } from '../../../../test/support/resp-door.ts';
import type { RespFixture } from '../../../../test/support/resp-door.ts';

let door: RespFixture;
afterEach(() => door.stop());

/** As if it had been open for so long. */
function age(id: string, seconds: number): void {
  const { line } = door.server.door.clients.get(Number(id.slice(1)))!;
  (line as { openedAt: number }).openedAt -= seconds * 1_000;
}

test('CLIENT KILL MAXAGE: ends the connections that are as old or older, and no others', async () => {
  door = await openRespDoor();
  const [old, young, killer] = [await door.connect(), await door.connect(), await door.connect()];
  age(await old.ask('CLIENT ID'), 100);
  age(await young.ask('CLIENT ID'), 50);
  expect(await killer.ask('CLIENT KILL MAXAGE 101')).toBe(':0');
  expect(await killer.ask('CLIENT KILL MAXAGE 100')).toBe(':1');
  await old.until(() => old.isEnded);
  expect(await young.ask('PING')).toBe('+PONG');
});

test('CLIENT KILL MAXAGE of what is no age: refused in the words of Redis', async () => {
  door = await openRespDoor();
  const line = await door.connect();
  expect(await line.ask('CLIENT KILL MAXAGE x')).toBe('-ERR maxage is not an integer or out of range');
  expect(await line.ask('CLIENT KILL MAXAGE 0')).toBe('-ERR maxage should be greater than 0');
  expect(await line.ask('CLIENT KILL MAXAGE')).toBe('-ERR No such client');
});

test('CLIENT INFO tells how many keys are watched', async () => {
  door = await openRespDoor();
  const line = await door.connect();
  expect(await line.ask('CLIENT INFO')).toContain(' multi=-1 watch=0 ');
  await line.ask('WATCH a b');
  expect(await line.ask('CLIENT INFO')).toContain(' watch=2 ');
});

test('names that are longer than may be, wherever they are set: refused, and the earlier ones stay', async () => {
  door = await openRespDoor();
  const line = await door.connect();
  const longest = 'n'.repeat(256);
  const calls = ['CLIENT SETNAME', 'CLIENT SETINFO LIB-NAME', 'CLIENT SETINFO LIB-VER'];
  for (const call of calls) {
    expect(await line.ask(`${call} ${longest}`)).toBe('+OK');
    expect(await line.ask(`${call} ${longest}n`)).toMatch(/^-ERR .* have at most 256 bytes here$/);
  }
  expect(await line.ask(`HELLO 3 SETNAME ${longest}n`)).toBe('-ERR Client names have at most 256 bytes here');
  const named = `name=${longest} .*lib-name=${longest} lib-ver=${longest}`;
  expect(await line.ask('CLIENT INFO')).toMatch(new RegExp(named));
});

test('COMMAND INFO and DOCS of more names than one turn tells of: refused', async () => {
  door = await openRespDoor();
  const line = await door.connect();
  const names = 'nothing '.repeat(256);
  for (const word of ['INFO', 'DOCS']) {
    expect(await line.ask(`COMMAND ${word} ${names}get`)).toBe('-ERR at most 256 commands');
    expect(await line.ask(`COMMAND ${word} ${names}`)).toBe(word === 'INFO' ? '*256' : '*0');
    if (word === 'INFO') await line.hears('*-1\r\n'.repeat(256));
  }
});

test('the version that a client is told: one from which on redis-py and Jedis keep copies of what they read', async () => {
  door = await openRespDoor();
  const line = await door.connect();
  const version = /redis_version:(\d+)\.(\d+)/.exec(await line.ask('INFO server'))!;
  const [major, minor] = version.slice(1).map(Number);
  expect(major! * 100 + minor!).toBeGreaterThanOrEqual(704);
});
