/** The command line as a shell and a terminal meet it: the built program, its pipes and its exit codes. */
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram } from './support/supervisor-program.ts';

let program: Awaited<ReturnType<typeof buildProgram>>;
beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
});
afterAll(() => program.remove());

test('nobody reads what it prints: it ends as a shell expects, without a word', async () => {
  const child = spawn(process.execPath, [program.entry, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let errors = '';
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect([code, errors]).toEqual([141, '']);
});
