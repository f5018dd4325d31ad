/** Supervised children as real processes: restarts, the pauses between them, and every way to end. */
import {
  closeSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../test/support/supervisor-program.ts';
import { type ChildEvent, type ChildSpec, SupervisedChild } from './child-process.ts';
import { lastLines, lastWords, LogFile } from './log-file.ts';
import { isAlive } from './process-table.ts';

let directory: string;
let events: ChildEvent[];
let children: SupervisedChild[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'causeway-child-'));
  events = [];
  children = [];
});
afterEach(async () => {
  await Promise.all(children.map((child) => child.halt()));
  rmSync(directory, { recursive: true, force: true });
});

function childOf(script: string, more: Partial<ChildSpec> = {}): SupervisedChild {
  const child = new SupervisedChild({
    name: 'child',
    command: process.execPath,
    args: ['-e', script],
    env: process.env,
    logPath: join(directory, 'logs', 'child.log'),
    onEvent: (event) => events.push(event),
    restart: { delayMsMin: 10, delayMsMax: 80, settledAfterMs: 60_000 },
    ...more,
  });
  children.push(child);
  return child;
}

const started = (): number[] => events.flatMap((event) => (event.kind === 'started' ? [event.pid] : []));
const pauses = (): (number | undefined)[] =>
  events.flatMap((event) => (event.kind === 'ended' ? [event.restartInMs] : []));
const words = (): string => lastLines(join(directory, 'logs', 'child.log'), 1).join();
const LIVES_ON = 'setInterval(() => {}, 1000); console.log("up");';

test('a child that logs JSON and then says in words why it ends: its words are told, without the rest', () => {
  const path = join(directory, 'odd.log');
  writeFileSync(path, '{"level":"info"}\nit could not start: why\n{"event":"stopped"}\n\n');
  expect(lastWords(path)).toBe('it could not start: why');
  writeFileSync(path, '{"level":"info"}\n');
  expect([lastWords(path), lastWords(join(directory, 'none.log'))]).toEqual(['', '']);
});

test('a child that keeps crashing: started again after pauses that double up to a bound', async () => {
  childOf('process.exit(3)').start();
  await until('five ends', () => pauses().length >= 5);
  expect(pauses().slice(0, 5)).toEqual([10, 20, 40, 80, 80]);
  expect(events.find((event) => event.kind === 'ended')).toMatchObject({ reason: 'exit code 3' });
});

test('a child that lived long enough before its crash: the pause begins anew', async () => {
  childOf('setTimeout(() => process.exit(3), 50)', {
    restart: { delayMsMin: 10, delayMsMax: 80, settledAfterMs: 40 },
  }).start();
  await until('three ends', () => pauses().length >= 3);
  expect(pauses().slice(0, 3)).toEqual([10, 10, 10]);
});

test('a killed child: another one runs, and never two at a time', async () => {
  const child = childOf(LIVES_ON);
  child.start();
  await until('the first start', () => started().length === 1);
  process.kill(started()[0] as number, 'SIGKILL');
  await until('the second start', () => started().length === 2);
  expect(isAlive(started()[0] as number)).toBe(false);
  expect(child.pid).toBe(started()[1]);
});

test('stop: the child ends by SIGTERM and is not started again', async () => {
  const child = childOf(`process.on("SIGTERM", () => process.exit(0)); ${LIVES_ON}`);
  child.start();
  await until('its word', () => words() === 'up');
  await child.stop();
  expect(pauses()).toEqual([undefined]);
  expect(events.at(-1)).toMatchObject({ reason: 'exit code 0' });
  expect(isAlive(started()[0] as number)).toBe(false);
});

test('a child that is deaf to SIGTERM: killed at the deadline, with what it has started itself', async () => {
  const script = `const { spawn } = require("node:child_process");
    const inner = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log(inner.pid);`;
  const child = childOf(script, { stopTimeoutMs: 200 });
  child.start();
  await until('its word', () => words() !== '');
  await child.stop();
  expect(events.at(-1)).toMatchObject({ reason: 'signal SIGKILL' });
  await until('the inner process has gone', () => !isAlive(Number(words())));
});

test('stop during the pause after a crash: nothing is started any more', async () => {
  const child = childOf('process.exit(3)', {
    restart: { delayMsMin: 60_000, delayMsMax: 60_000, settledAfterMs: 60_000 },
  });
  child.start();
  await until('its end', () => pauses().length === 1);
  await child.stop();
  expect(started()).toHaveLength(1);
});

test('a program that does not exist: told as a failed start, and tried again', async () => {
  childOf('', { command: join(directory, 'missing') }).start();
  await until('two failures', () => pauses().length >= 2);
  expect(events[0]?.kind === 'ended' && events[0].reason).toContain('ENOENT');
});

test('somebody has removed the logs: a child that ends is started again, with a log; but no data directory is made for it', async () => {
  childOf(LIVES_ON).start();
  await until('the first start', () => started().length === 1);
  const logs = join(directory, 'logs');
  rmSync(logs, { recursive: true });
  process.kill(started()[0] as number, 'SIGKILL');
  await until('the second start', () => started().length === 2);
  await until('its word', () => words() === 'up');
  // Where the whole directory was moved away, nothing is put in its place.
  rmSync(directory, { recursive: true });
  process.kill(started()[1] as number, 'SIGKILL');
  await until('a start that fails', () => pauses().length >= 2);
  expect(existsSync(directory)).toBe(false);
});

test('what must be done before a start fails: the child is not started until it succeeds', async () => {
  let attempts = 0;
  childOf(LIVES_ON, {
    beforeStart: () => {
      attempts += 1;
      return attempts < 3 ? Promise.reject(new Error('not yet')) : Promise.resolve();
    },
  }).start();
  await until('the start', () => started().length === 1);
  expect(attempts).toBe(3);
});

test('a log above its bound: set aside, and who has it open goes on writing at its new beginning', async () => {
  const log = new LogFile(join(directory, 'one.log'), 1_000, 10);
  const descriptor = log.open();
  try {
    writeSync(descriptor, 'x'.repeat(2_000));
    await until(
      'the rotation',
      () => statSync(log.path).size === 0 && statSync(`${log.path}.1`).size === 2_000,
    );
    writeSync(descriptor, 'more');
    expect(readFileSync(log.path, 'utf8')).toBe('more');
  } finally {
    closeSync(descriptor);
    log.close();
  }
});
