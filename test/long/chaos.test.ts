/**
 * A minute of `npm run verify:chaos` on three nodes, and once on five, where requests are forwarded: nodes die by
 * kill -9 one after the other under load, one of them while another is still learning.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runChaos } from '../../verify/chaos-run.ts';
import { ownWorld } from '../../verify/own-world.ts';
import { buildProgram } from '../support/supervisor-program.ts';

let program: Awaited<ReturnType<typeof buildProgram>>;
beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
});
afterAll(() => program.remove());

test.each([3, 5])(
  '%i nodes, killed one after the other under load: nothing lost, nothing stale',
  async (nodes) => {
    const world = await ownWorld({ entry: program.entry, nodes });
    try {
      const report = await runChaos(world, {
        seconds: 60,
        tell: (line) => process.stderr.write(`${line}\n`),
      });
      process.stderr.write(`${report.told.join('\n')}\n`);
      expect(report.faults).toEqual([]);
      expect(report.verdict).toBe('passed');
      expect(report.figures['kills']).toBeGreaterThanOrEqual(8);
      expect(report.figures['forwarded']).toBe(nodes > 3);
    } finally {
      await world.close();
    }
  },
);
