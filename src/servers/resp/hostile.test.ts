/** Clients that send random commands, drawn by seed: each gets an answer to all of them, and leaves nothing behind. */
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { call, openRespDoor } from '../../../test/support/resp-door.ts';
import type { RespFixture } from '../../../test/support/resp-door.ts';
import { Prng } from '../../base/prng.ts';
import { COMMANDS } from './command-table.ts';

const CALLS = 60;
/** Commands that would end the conversation or silence it. */
const NOT_ASKED = /^(?:quit|client kill|client reply|client pause|config set)/;
const NAMES = COMMANDS.commands
  .flatMap(({ name, subcommands }) => [
    name,
    ...[...(subcommands?.keys() ?? [])].map((sub) => `${name} ${sub}`),
  ])
  .filter((name) => !NOT_ASKED.test(name));
const WORDS = [
  'k',
  'a',
  '{t}1',
  '{t}2',
  '',
  '0',
  '-1',
  '7',
  '*',
  '[^',
  '\\',
  'nan',
  'NX',
  'EX',
  'GET',
  'LEN',
  'IDX',
];
const NUMBERS = ['9223372036854775807', '-9223372036854775808', '1e4932', '1e-4950', '0x1p-16000', '1048575'];

let door: RespFixture;
beforeEach(async () => {
  door = await openRespDoor();
});
afterEach(() => door.stop());

function drawWord(prng: Prng): string {
  if (prng.chance(0.6)) return prng.pick(WORDS);
  if (prng.chance(0.5)) return prng.pick(NUMBERS);
  if (prng.chance(0.1)) return 'x'.repeat(prng.below(100_000));
  return prng.pick(['\xff', '*a', '[a-', '\0'] as const).repeat(prng.below(600));
}

function drawCall(prng: Prng): string {
  if (prng.chance(0.15)) return call(prng.pick(['MULTI', 'MULTI', 'EXEC', 'DISCARD']));
  const count = prng.chance(0.03) ? prng.below(2_000) : prng.below(6);
  return call(...prng.pick(NAMES).split(' '), ...Array.from({ length: count }, () => drawWord(prng)));
}

/** Sends everything at once, then QUIT; resolves when the door has closed the connection. */
function converse(prng: Prng): Promise<void> {
  const said = Array.from({ length: CALLS }, () => drawCall(prng)).join('') + call('EXEC') + call('QUIT');
  return new Promise((resolve) => {
    const socket = connect(door.server.port, '127.0.0.1');
    socket.on('data', () => undefined);
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.write(Buffer.from(said, 'latin1'));
  });
}

test.each([1, 2, 3, 4, 5, 6])('seed %d: five at once', async (seed) => {
  const prng = new Prng(seed);
  await Promise.all(Array.from({ length: 5 }, () => converse(prng.fork())));
  const line = await door.connect();
  expect(await line.ask('PING')).toBe('+PONG');
  const { clients, sweeps, inputBytes } = door.server.door;
  expect({ clients: clients.size, sweeps, inputBytes }).toEqual({ clients: 1, sweeps: 0, inputBytes: 0 });
});

test('a client that is to be closed, takes all replies and goes on talking: it is gone after a while', async () => {
  door.server.door.lingerMs = 100;
  const socket = connect({ port: door.server.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined).resume();
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(call('QUIT'));
  const talk = setInterval(() => socket.write(call('PING')), 10);
  await closed;
  clearInterval(talk);
  expect(door.server.door.clients.size).toBe(0);
});
