/**
 * A short run of the fault rig on real processes: nodes die and freeze, wires are cut in one or both directions,
 * PostgreSQL crashes and its replies vanish, the legacy API lies. Checks only safety and final progress; and the rig
 * must fail when a promise is broken before its eyes.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sqlRows } from '../../verify/world.ts';
import { buildProgram } from '../support/supervisor-program.ts';
import { runAndJudge } from '../verify/run-and-judge.ts';

let program: Awaited<ReturnType<typeof buildProgram>>;
beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
});
afterAll(() => program.remove());

/** A run of half a minute, twice as long on a busy machine, and the checks afterwards. */
const TIMEOUT_MS = 240_000;

test(
  'faults of processes, wires, PostgreSQL and legacy: nothing lost, nothing stale, and the cluster comes back',
  async () => {
    const { faults, text } = await runAndJudge(program.entry, 'smoke', randomInt(1_000_000));
    process.stderr.write(text);
    expect(faults).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  'rows vanish behind its back, and a fault finds nobody to strike: both are told',
  async () => {
    const { faults } = await runAndJudge(
      program.entry,
      'legacy',
      1,
      {
        seconds: 4,
        faults: [
          // Of three nodes each is next to every other, so there is nothing to cut.
          { fault: 'cut', shape: 'ring', direction: 'both', by: 'silence', lastsMs: 300 },
          { fault: 'pause', nodes: 1, lastsMs: 100 },
        ],
        expect: { operationsMin: 100, endings: false },
      },
      async (world, over) => {
        await delay(3_000);
        // Repeated until the end, because an epoch may restore all rows that PostgreSQL lacks.
        while (!over.aborted) {
          await sqlRows(
            world,
            `set causeway.unwatched = 'on'; delete from causeway.record where key like '%:once:%'`,
            [],
          );
          await delay(50);
        }
      },
    );
    expect(faults).toContainEqual(expect.stringMatching(/^cut ring was asked for and never struck/));
    expect(faults).toContainEqual(expect.stringMatching(/:once:.* was acknowledged, PostgreSQL holds 0/));
    expect(faults.filter((fault) => !/:once:|cut ring/.test(fault))).toEqual([]);
  },
  TIMEOUT_MS,
);
