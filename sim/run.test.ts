/** The simulation itself: it is repeatable, every profile passes, and what it injects is counted. */
import { expect, test } from 'vitest';
import { PROFILES } from './profiles.ts';
import { runSeed } from './run.ts';
import type { RunOptions } from './run.ts';

test('a seed is run twice: every line of its trace is the same', () => {
  for (const seed of [11, 12, 13]) {
    const lines: string[][] = [[], []];
    const [first, second] = lines.map((into) => runSeed(seed, { onTrace: (line) => into.push(line) }));
    expect(lines[0]!.length).toBeGreaterThan(100);
    expect(lines[1]).toEqual(lines[0]);
    expect(second).toEqual(first);
  }
});

test('another seed: another trace', () => {
  expect(runSeed(21).traceHash).not.toBe(runSeed(22).traceHash);
});

const lives: Record<string, RunOptions> = { 'five nodes': { nodeCount: 5 } };
for (const [name, profile] of Object.entries(PROFILES))
  if (name !== 'steady') lives[`the profile ${name}`] = { profile };

for (const [name, options] of Object.entries(lives)) {
  test(`${name}: seeds pass and come to rest, with operations that succeeded among faults`, () => {
    for (const seed of [31]) {
      const result = runSeed(seed, options);
      expect(result.violation, `seed ${seed}`).toBeNull();
      expect(result.succeeded).toBeGreaterThan(20);
      expect(result.occurred.get('epoch')).toBeGreaterThan(0);
    }
  });
}
