/**
 * Faults on real processes for minutes: five minutes of every kind drawn at random on five nodes, where requests
 * are forwarded, and the same with several at once. Judged for safety and final progress only.
 */
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram } from '../support/supervisor-program.ts';
import { runAndJudge } from '../verify/run-and-judge.ts';

let program: Awaited<ReturnType<typeof buildProgram>>;
beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
});
afterAll(() => program.remove());

test.each(['mixed', 'together', 'kills', 'disks', 'rolling-restart'])(
  '%s: nothing lost, nothing stale, and the cluster comes back',
  async (name) => {
    const { faults, text } = await runAndJudge(program.entry, name, randomInt(1_000_000));
    process.stderr.write(text);
    expect(faults).toEqual([]);
  },
);
