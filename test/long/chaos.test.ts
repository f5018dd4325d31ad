/**
 * Faults on real processes for minutes: five minutes of random faults of every kind on five nodes, where requests are
 * forwarded, and the same with several at once. Checks only safety and final progress.
 */
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Namespaces } from '../../verify/chaos/namespaces.ts';
import { SmallDisks } from '../../verify/chaos/small-disks.ts';
import { readScenario } from '../../verify/chaos/scenario.ts';
import { buildProgram } from '../support/supervisor-program.ts';
import { runAndJudge } from '../verify/run-and-judge.ts';
import { SCENARIOS_LONG } from '../verify/scenarios-run.ts';

let program: Awaited<ReturnType<typeof buildProgram>>;
beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
});
afterAll(() => program.remove());

const whyNoDisks = SmallDisks.whyNot();
test.skipIf(whyNoDisks !== null)(
  `disks fill up${whyNoDisks === null ? '' : ` (not here: ${whyNoDisks})`}: no process ends, and no request fails where one node can be done without`,
  async () => {
    const one = await runAndJudge(program.entry, 'filling-disks', randomInt(1_000_000), {
      seconds: 25,
      faults: [{ fault: 'disk-fills', nodes: 1, lastsMs: [3_000, 5_000] }],
      load: { ...readScenario('filling-disks').load, conditions: false, retries: true },
      expect: { operationsMin: 2_000, failuresMax: 0, endings: false },
    });
    const all = await runAndJudge(program.entry, 'filling-disks', randomInt(1_000_000));
    process.stderr.write(one.text + all.text);
    expect([...one.faults, ...all.faults]).toEqual([]);
  },
);

const whyNoNamespaces = Namespaces.whyNot();
test.skipIf(whyNoNamespaces !== null)(
  `partitions${whyNoNamespaces === null ? '' : ` (not here: ${whyNoNamespaces})`}: packets vanish between members, and nothing is lost or stale`,
  async () => {
    const { run, faults, text } = await runAndJudge(
      ...([program.entry, 'partitions', randomInt(1_000_000), {}, undefined, 'auto'] as const),
    );
    process.stderr.write(text);
    expect(faults).toEqual([]);
    expect(run.head.wires).toContain('packets');
  },
);

test('scale: three become five and three again, and nobody who retries notices', async () => {
  const { faults, text } = await runAndJudge(program.entry, 'scale', randomInt(1_000_000));
  process.stderr.write(text);
  expect(faults).toEqual([]);
});

test.each(SCENARIOS_LONG)('%s: nothing lost, nothing stale, and the cluster comes back', async (name) => {
  const { faults, text } = await runAndJudge(program.entry, name, randomInt(1_000_000));
  process.stderr.write(text);
  expect(faults).toEqual([]);
});
