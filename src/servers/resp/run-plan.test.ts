/** Commands with many keys: how much of what they read they keep, how long they run, and what they reply. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openRespDoor } from '../../../test/support/resp-door.ts';
import type { RespFixture, RespLine } from '../../../test/support/resp-door.ts';
import {
  RESP_AT_HAND_MAX,
  RESP_MANY_IN_FLIGHT_MAX,
  RESP_MANY_MS_MAX,
  RESP_REPLY_BYTES_MAX,
} from '../../core/clients/redis-limits.ts';

const MIB = 1024 * 1024;
const TOO_MANY_BYTES = `-ERR the values have more than ${RESP_REPLY_BYTES_MAX} bytes, which is what one answer holds`;

let door: RespFixture;
let line: RespLine;
beforeEach(async () => {
  door = await openRespDoor();
  line = await door.connect();
  const large = Buffer.alloc(MIB);
  door.api.write(
    { kind: 'put', key: 'k', value: large, ttlMs: 0, operationId: null },
    1_000,
    () => undefined,
  );
  door.api.calls = [];
});
afterEach(() => door.stop());

const many = (count: number, word = 'k'): string => Array.from({ length: count }, () => word).join(' ');
const numbered = (count: number): string[] => Array.from({ length: count }, (_, at) => `key:${at}`);

test.each(['EXISTS', 'TOUCH'])(
  '%s asks only whether keys are there: their values do not count',
  async (name) => {
    expect(await line.ask(`${name} ${many(RESP_AT_HAND_MAX)}`)).toBe(`:${RESP_AT_HAND_MAX}`);
    door.api.waiting.add('k');
    expect(await line.ask(`${name} ${many(500)}`)).toBe(':500');
  },
);

test('values at hand that are more than one answer holds: refused', async () => {
  expect(await line.ask(`MGET ${many(17)}`)).toBe(TOO_MANY_BYTES);
});

test('values that have to be waited for: no more is read once they are too much', async () => {
  door.api.waiting.add('k');
  expect(await line.ask(`MGET ${many(1_000)}`)).toBe(TOO_MANY_BYTES);
  expect(door.api.calls.length).toBeLessThan(RESP_MANY_IN_FLIGHT_MAX + 32);
  await line.ask('PING');
  expect(door.api.calls.length).toBeLessThan(RESP_MANY_IN_FLIGHT_MAX + 32);
});

test('its time is over: what was not begun is not begun, and the reply says how much was done', async () => {
  door.api.holding = true;
  line.send(
    `MSET ${numbered(600)
      .map((key) => `${key} v`)
      .join(' ')}`,
  );
  await line.until(() => door.api.heldCount === RESP_MANY_IN_FLIGHT_MAX);
  door.server.door.now += RESP_MANY_MS_MAX;
  door.api.release();
  expect(await line.reply()).toMatch(/^-INDEFINITE deadline_before_start: 256 of 600 keys were changed: /);
  expect(door.api.calls).toHaveLength(RESP_MANY_IN_FLIGHT_MAX);
});

test('its time is over, and it changed nothing: it says that it did not happen', async () => {
  door.api.holding = true;
  line.send(`EXISTS ${numbered(600).join(' ')}`);
  await line.until(() => door.api.heldCount === RESP_MANY_IN_FLIGHT_MAX);
  door.server.door.now += RESP_MANY_MS_MAX;
  door.api.release();
  expect(await line.reply()).toMatch(/^-TRYAGAIN deadline_before_start: /);
});

test('what is begun late ends with the command, not later', async () => {
  door.api.holding = true;
  line.send(`DEL ${numbered(300).join(' ')}`);
  await line.until(() => door.api.heldCount === RESP_MANY_IN_FLIGHT_MAX);
  door.server.door.now += RESP_MANY_MS_MAX - 1_000;
  door.api.release();
  expect(await line.reply()).toBe(':0');
  expect(
    Math.max(...door.api.calls.slice(RESP_MANY_IN_FLIGHT_MAX).map((each) => each.timeoutMs)),
  ).toBeLessThanOrEqual(1_000);
});

test('one key fails: nothing more is begun', async () => {
  door.api.failWith = 'record_unavailable';
  expect(await line.ask(`DEL ${numbered(1_000).join(' ')}`)).toMatch(/^-TRYAGAIN record_unavailable: /);
  expect(door.api.calls.length).toBe(RESP_MANY_IN_FLIGHT_MAX);
});

test('an LCS whose values have to be waited for: one is under way at a time', async () => {
  door.api.waiting.add('k');
  door.api.holding = true;
  line.send('LCS k k LEN', 'LCS k k LEN', 'PING');
  await line.until(() => door.api.heldCount === 2);
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(door.api.heldCount).toBe(2);
  door.api.release();
  const told = '-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len\r\n';
  expect(await line.hears(`${told.repeat(2)}+PONG\r\n`)).toBe(`${told.repeat(2)}+PONG\r\n`);
});
