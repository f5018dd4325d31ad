/** `causeway set` without a value, against a real server: a user at a terminal is told that it waits for input. */
import { describe, expect, test } from 'vitest';
import { keptIo } from '../../test/support/command-io.ts';
import { openDoors } from '../../test/support/grpc-call.ts';
import { runCommand } from './main.ts';

test.each([
  ['a terminal', true, 'The value, and Ctrl-D at its end:\n'],
  ['a pipe', false, ''],
])('a value that comes from %s: read to its end', async (_name, isTerminal, said) => {
  const doors = await openDoors();
  try {
    const { ran, io } = keptIo('typed', isTerminal);
    await runCommand(['set', 'a', '--nodes', doors.address], io);
    expect(ran).toEqual({ code: 0, out: '', err: said });
    const { ran: read, io: reading } = keptIo();
    await runCommand(['get', 'a', '--nodes', doors.address], reading);
    expect(read.out).toBe('typed');
  } finally {
    await doors.stop();
  }
});

describe('a value of one dash', () => {
  async function setAndGet(typed: string | undefined, ...words: string[]): Promise<string> {
    const doors = await openDoors();
    try {
      const { ran, io } = keptIo(typed);
      await runCommand(['set', '--nodes', doors.address, ...words], io);
      expect([ran.code, ran.err]).toEqual([0, '']);
      const reading = keptIo();
      await runCommand(['get', 'a', '--nodes', doors.address], reading.io);
      return reading.ran.out;
    } finally {
      await doors.stop();
    }
  }

  test.each([
    ['standard input', ['a', '-'], 'typed\n', 'typed\n'],
    ['standard input that is empty', ['a', '-'], undefined, ''],
    ['standard input, with nothing behind the dashes', ['a', '-', '--'], 'typed', 'typed'],
    ['itself behind --', ['a', '--', '-'], 'typed', '-'],
    ['itself where the key is behind -- too', ['--', 'a', '-'], 'typed', '-'],
    ['with more behind it: itself', ['a', '--', '-5'], 'typed', '-5'],
  ])('is %s', async (_what, words, typed, held) => {
    expect(await setAndGet(typed, ...words)).toBe(held);
  });
});

test.each([
  ['1500', 1_500],
  ['1500ms', 1_500],
  ['90s', 90_000],
  ['15m', 900_000],
  ['12h', 43_200_000],
  ['7d', 604_800_000],
])('a time of %s to live is %i ms', async (text, ms) => {
  const doors = await openDoors();
  const { io, ran } = keptIo();
  await runCommand(['set', 'a', 'x', '--ttl', text, '--timeout', '5s', '--nodes', doors.address], io);
  expect([ran.code, ran.err]).toEqual([0, '']);
  const { expiresAt, updatedAt } = doors.api.records.get('a')!;
  expect(expiresAt - updatedAt).toBe(ms);
  await doors.stop();
});
