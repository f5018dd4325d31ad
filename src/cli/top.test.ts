/**
 * `causeway top` against a real server: without a terminal, as data, and that a terminal is restored however it ends.
 */
import { EventEmitter } from 'node:events';
import type { ReadStream, WriteStream } from 'node:tty';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keptIo } from '../../test/support/command-io.ts';
import type { Ran } from '../../test/support/command-io.ts';
import { openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import { runCommand } from './main.ts';
import { Terminal } from './top-terminal.ts';
import { paletteOf } from './top.ts';

let doors: DoorFixture;
beforeEach(async () => {
  doors = await openDoors();
});
afterEach(() => doors.stop());

async function run(words: string[], isTTY = false): Promise<Ran> {
  const { io, ran } = keptIo(undefined, isTTY);
  await runCommand(['top', ...words, '--only', '--nodes', doors.address], io);
  return ran;
}

test('no terminal: it says what it can do without one, exit 2, and asks nobody', async () => {
  const { code, out, err } = await run([]);
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain('--once shows one frame as text');
});

test('--once: one frame as text, and the exit code of status', async () => {
  const { code, out } = await run(['--once']);
  expect(code).toBe(0);
  expect(out).toContain('1 of 1 nodes serve');
  expect(out).not.toContain('\u001b');
  doors.api.statusChanges = { phase: 'learning' };
  expect((await run(['--once'])).code).toBe(1);
});

test('--once in a pipe: a remark is whole, however long, as that of status is', async () => {
  const outside = `these are up and have not let this node in: ${'node-1 (10.0.0.1:50051), '.repeat(8)}so start it anew`;
  doors.api.statusChanges = { outside };
  const { out } = await run(['--once']);
  expect(out.split('\n')).toContain(`fake: ${outside}`);
});

test('--json: one line per look', async () => {
  const { code, out } = await run(['--json', '--count', '2', '--interval', '1']);
  expect(code).toBe(0);
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { nodes: { name: string }[] });
  expect(lines.map(({ nodes }) => nodes.map(({ name }) => name))).toEqual([['fake'], ['fake']]);
});

test('colours by NO_COLOR, characters by the locale', () => {
  expect(paletteOf({ NO_COLOR: '1', LANG: 'C.UTF-8' })).toMatchObject({ isUnicode: true });
  expect(paletteOf({ NO_COLOR: '1' }).bad('x')).toBe('x');
  expect(paletteOf({}).bad('x')).toContain('\u001b[');
  expect(paletteOf({ LANG: 'C' }).isUnicode).toBe(false);
  expect(paletteOf({ LANG: 'de_DE.UTF-8', LC_ALL: 'C' }).isUnicode).toBe(false);
});

/** A fake terminal that records what is written to it. */
function fakeTerminal() {
  const seen = { text: '', isRaw: false, ends: [] as string[], keys: '', draws: 0 };
  const input = Object.assign(new EventEmitter(), {
    setRawMode: (isRaw: boolean) => (seen.isRaw = isRaw),
    resume: () => undefined,
    pause: () => undefined,
  });
  const output = Object.assign(new EventEmitter(), {
    ...{ columns: 0, rows: 0 },
    write: (text: string) => (seen.text += text),
  });
  const terminal = new Terminal(input as unknown as ReadStream, output as unknown as WriteStream);
  terminal.open({
    keys: (text) => (seen.keys += text),
    redraw: () => seen.draws++,
    end: (signal) => seen.ends.push(signal),
  });
  return { seen, input, output, terminal };
}

const RESTORED = '\u001b[?7h\u001b[?25h\u001b[?1049l';

test('a terminal: taken, drawn on, told of keys and sizes, and given back once', () => {
  const { seen, input, output, terminal } = fakeTerminal();
  expect(seen.isRaw).toBe(true);
  expect(seen.text).toContain('\u001b[?1049h');
  expect(terminal.size).toEqual({ columns: 80, rows: 24 });
  input.emit('data', Buffer.from('jq'));
  output.emit('resize');
  terminal.draw(['a', 'b']);
  expect([seen.keys, seen.draws]).toEqual(['jq', 1]);
  // Erased before it is written: after a line that fills its row, the cursor stands on the last cell, and erasing would
  // remove that.
  expect(seen.text.endsWith('\u001b[H\u001b[Ka\r\n\u001b[Jb')).toBe(true);
  terminal.close();
  terminal.close();
  terminal.draw(['late']);
  expect(seen.text.split(RESTORED)).toHaveLength(2);
  expect(seen.text.endsWith(RESTORED)).toBe(true);
  expect(seen.isRaw).toBe(false);
});

test('however the process ends, the terminal is given back, and nobody listens any more afterwards', () => {
  const listeners = (): number[] =>
    ['SIGTERM', 'SIGINT', 'SIGHUP', 'exit', 'SIGCONT'].map((name) => process.listenerCount(name));
  const before = listeners();
  for (const event of ['exit', 'uncaughtExceptionMonitor'] as const) {
    const { seen, terminal } = fakeTerminal();
    for (const listener of process.listeners(event as 'exit').slice(-1)) listener(0);
    expect(seen.text.endsWith(RESTORED)).toBe(true);
    terminal.close();
  }
  const { seen, input, terminal } = fakeTerminal();
  process.emit('SIGTERM');
  process.emit('SIGHUP');
  input.emit('end');
  expect(seen.ends).toEqual(['SIGTERM', 'SIGHUP', 'closed']);
  terminal.close();
  expect(listeners()).toEqual(before);
});
