/** A process that is held stands still, and continues when it is released, even if its holder is killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { pauseProcesses } from '../support/hold-process.ts';
import { repositoryRoot } from '../support/root.ts';
import { until } from '../support/supervisor-program.ts';

const COUNTS = `let n = 0; setInterval(() => process.stdout.write(String((n += 1)) + '\\n'), 5)`;
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function counter(): { pid: number; lines: () => number } {
  const child = spawn(process.execPath, ['-e', COUNTS], { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  let lines = 0;
  child.stdout.on('data', (bytes: Buffer) => (lines += bytes.toString().split('\n').length - 1));
  return { pid: child.pid!, lines: () => lines };
}

const stateOf = (pid: number): string => /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))![1]!;
const isLinux = process.platform === 'linux';

test.runIf(isLinux)('held, then let go: it stands still, then counts on', async () => {
  const { pid, lines } = counter();
  await until('it counts', () => lines() > 3);
  const pause = await pauseProcesses(['one', 'gone'], (name) => (name === 'one' ? pid : undefined));
  expect(pause.names).toEqual(['one']);
  await until('it stands still', () => stateOf(pid) === 'T');
  await pause.resume();
  const before = lines();
  await until('it counts on', () => lines() > before + 3);
});

test.runIf(isLinux)('in slices: it stands still again and again, and counts all the while', async () => {
  const { pid, lines } = counter();
  await until('it counts', () => lines() > 3);
  const pause = await pauseProcesses(['one'], () => pid, { runMs: 20, stillMs: 60 });
  for (let slice = 0; slice < 3; slice += 1) {
    const before = lines();
    await until('it stands still', () => stateOf(pid) === 'T');
    await until('it counts on', () => lines() > before);
  }
  await pause.resume();
  await until('it is free', () => stateOf(pid) !== 'T');
});

test.runIf(isLinux)('whoever held it is killed: it goes on by itself', async () => {
  const { pid, lines } = counter();
  await until('it counts', () => lines() > 3);
  const file = join(repositoryRoot, 'test/support/process-holder.mjs');
  const program = `require('node:child_process').spawn(process.execPath, [${JSON.stringify(file)}, '${pid}', '0', '0'],
    { stdio: ['pipe', 'ignore', 'ignore'], detached: true }); setInterval(() => {}, 1000)`;
  const owner = spawn(process.execPath, ['-e', program], { stdio: 'ignore' });
  children.push(owner);
  await until('it stands still', () => stateOf(pid) === 'T');
  owner.kill('SIGKILL');
  const before = lines();
  await until('it counts on', () => lines() > before + 3);
});
