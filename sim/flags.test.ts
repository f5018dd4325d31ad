/** The command line of the simulator: invalid input is refused, and the help fits a narrow terminal. */
import { expect, test } from 'vitest';
import { HELP, readFlags } from './flags.ts';
import { progressLine } from './progress.ts';
import { seedText } from './summary.ts';

test('flags that make sense together: taken as they are', () => {
  expect(readFlags(['--seeds', '20', '--nodes', '5', '--profile', 'steady'])).toMatchObject({
    seeds: '20',
    nodes: '5',
    profile: 'steady',
  });
  expect(readFlags(['--seed', '0', '--faults', 'none', '--clients', '0,3', '--trace']).trace).toBe(true);
  expect(readFlags(['--minutes', '0.5']).minutes).toBe('0.5');
});

const refused = [
  ['--seeds', '0'],
  ['--seeds', '1.5'],
  ['--seeds', ''],
  ['--nodes', '0'],
  ['--nodes', '33'],
  ['--seed', 'abc'],
  ['--minutes', '0'],
  ['--workers', '0'],
  ['--profile', 'nobody'],
  ['--trace'],
  ['--faults', '1'],
  ['--seed', '1', '--faults', 'x'],
  ['--seed', '1', '--seeds', '2'],
  ['--nonsense'],
];

test.each(refused.map((args) => [args]))('%s: refused', (args) => {
  expect(() => readFlags(args)).toThrow();
});

test('eighty columns hold every line that does not tell a violation', () => {
  const progress = progressLine({ done: 99_999, total: 99_999, failed: 99, rate: 400, secondsLeft: 3_600 });
  const told = seedText({
    seed: 99_999,
    violation: null,
    violationKind: null,
    operations: 99_999,
    succeeded: 99_999,
    clientCount: 99,
    struck: [],
    loadMs: 30_000,
    virtualMs: 99_000,
    eventCount: 9_999_999,
    traceHash: 0xffffffff,
    occurred: { kill: 3, replay: 12, undecided: 0 },
    cpuSeconds: 99,
  });
  expect(told).toContain('kill');
  expect(told).not.toContain('undecided');
  for (const line of [...HELP.split('\n'), progress, ...told.split('\n')])
    expect(line.length, line).toBeLessThanOrEqual(80);
});
