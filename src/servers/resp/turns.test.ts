/** A door works for a few milliseconds per turn of the event loop, and continues in the next turn, in order. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { call, openRespDoor } from '../../../test/support/resp-door.ts';
import type { RespFixture, RespLine } from '../../../test/support/resp-door.ts';
import { KEY_BYTES_MAX } from '../../core/limits.ts';
import { RESP_PATTERNS_MAX, RESP_SHORT_COMMANDS, RESP_TURN_MS } from '../../core/clients/redis-limits.ts';
import { Glob } from './glob.ts';
import { Turns } from './turns.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A clock that advances by `ms` each time it is read. */
function slowClock(turns: Turns, ms: number): void {
  let now = 1;
  turns.now = () => (now += ms);
}

test('its time is over: who waits gets its turn in order, and before who worked longest', async () => {
  const turns = new Turns();
  slowClock(turns, RESP_TURN_MS);
  const ran: string[] = [];
  const work = (name: string, left: number): void => {
    ran.push(name);
    turns.spend(false);
    turns.spend(false);
    if (left > 0) turns.atEnd(() => work(name, left - 1));
  };
  for (const name of ['a', 'b', 'c']) turns.atEnd(() => work(name, 1));
  const byTurn: number[] = [];
  while (ran.length < 6) {
    const before = ran.length;
    await nextTurn();
    byTurn.push(ran.length - before);
  }
  expect(ran).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  expect(Math.max(...byTurn)).toBe(1);
});

test('short commands: the clock is looked at now and then only, and they end a turn, too', () => {
  const turns = new Turns();
  slowClock(turns, RESP_TURN_MS);
  for (let count = 0; count < 2 * RESP_SHORT_COMMANDS - 1; count += 1) turns.spend(true);
  expect(turns.isOver).toBe(false);
  turns.spend(true);
  expect(turns.isOver).toBe(true);
});

describe('at a door', () => {
  let door: RespFixture;
  let line: RespLine;
  let turns: Turns;
  beforeEach(async () => {
    door = await openRespDoor();
    line = await door.connect();
    turns = door.server.door.turns;
  });
  afterEach(() => door.stop());

  /** The largest increase between two samples of a rising count, until it has reached `end`. */
  async function mostAtOnce(count: () => number, end: number): Promise<number> {
    let most = 0;
    for (let before = count(); before < end;) {
      await nextTurn();
      const now = count();
      most = Math.max(most, now - before);
      before = now;
    }
    return most;
  }

  test('a pipeline of commands that take long: few in a turn, and all are answered in order', async () => {
    await line.ask('MSET a abc b abd');
    slowClock(turns, RESP_TURN_MS / 2);
    const { counts } = door.server.door;
    const end = counts.commands + 100;
    line.raw(call('LCS', 'a', 'b').repeat(99) + call('PING'));
    expect(await mostAtOnce(() => counts.commands, end)).toBeLessThan(12);
    const told = `${'$2\r\nab\r\n'.repeat(99)}+PONG\r\n`;
    expect(await line.hears(told)).toBe(told);
  });

  test('EXEC of commands that take long: told over many turns, as one answer', async () => {
    await line.ask('MSET a abc b abd');
    line.raw(call('MULTI') + call('LCS', 'a', 'b').repeat(50) + call('HELLO', '3'));
    const queued = `+OK\r\n${'+QUEUED\r\n'.repeat(51)}`;
    expect(await line.hears(queued)).toBe(queued);
    slowClock(turns, RESP_TURN_MS / 2);
    let looks = 0;
    const { now } = turns;
    turns.now = () => {
      looks += 1;
      return now();
    };
    line.raw(call('EXEC') + call('GET', 'missing'));
    expect(await mostAtOnce(() => looks, 50)).toBeLessThan(12);
    const told = `*51\r\n${'$2\r\nab\r\n'.repeat(50)}%7\r\n`;
    expect(await line.hears(told)).toBe(told);
    await line.until(() => line.unread.endsWith('_\r\n'));
  });

  test('a pattern that goes back and forth over long keys: a page takes many turns, and finds what matches', async () => {
    const rest = { version: 1, origin: 0 as const, tombstone: false, value: Buffer.from('v') };
    const long = 'a'.repeat(KEY_BYTES_MAX - 3);
    for (let at = 0; at < 40; at += 1) {
      const key = `${at}`.padStart(2, '0') + long + (at === 7 ? 'b' : 'a');
      door.api.records.set(key, {
        ...{ ...rest, key, createdAt: 1, updatedAt: 1 },
        ...{ expiresAt: 0, operationId: null, contentType: null },
      });
    }
    slowClock(turns, RESP_TURN_MS / 2);
    let looks = 0;
    const { now } = turns;
    turns.now = () => {
      looks += 1;
      return now();
    };
    const pattern = `*${'a'.repeat(KEY_BYTES_MAX / 2)}b`;
    for (const asked of [call('KEYS', pattern), call('SCAN', '0', 'MATCH', pattern, 'COUNT', '100')]) {
      looks = 0;
      line.raw(asked);
      expect(await mostAtOnce(() => looks, 30)).toBeLessThan(12);
      await line.until(() => line.unread.endsWith(`${long}b\r\n`));
      expect(line.unread).toContain(`*1\r\n$${KEY_BYTES_MAX}\r\n07aa`);
      await line.hears(line.unread);
    }
  });

  test('a pattern longer than any key, and too many of them: refused', async () => {
    const long = 'x'.repeat(KEY_BYTES_MAX + 1);
    const refusal = `-ERR a pattern has at most ${KEY_BYTES_MAX} bytes`;
    for (const asked of [`KEYS ${long}`, `SCAN 0 MATCH ${long}`, `CONFIG GET ${long}`])
      expect(await line.ask(asked)).toBe(refusal);
    expect(await line.ask(`COMMAND LIST FILTERBY PATTERN ${long}`)).toBe(refusal);
    const many = Array.from({ length: RESP_PATTERNS_MAX + 1 }, () => 'timeout').join(' ');
    expect(await line.ask(`CONFIG GET ${many}`)).toBe(`-ERR at most ${RESP_PATTERNS_MAX} patterns`);
  });
});

test('a class in a pattern: one step for each text byte, however much stands in it', () => {
  const glob = new Glob(`*[${'x'.repeat(1_000)}]`);
  expect(glob.matches('a'.repeat(1_000))).toBe(false);
  expect(glob.steps).toBeLessThanOrEqual(2_001);
});
