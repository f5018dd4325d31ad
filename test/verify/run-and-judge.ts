/** For tests: runs a scenario on a cluster of its own, records it, reads it back and judges it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { World } from '../../verify/world.ts';
import { ownWorld } from '../../verify/own-world.ts';
import { surroundingsFor, type NetworkChoice } from '../../verify/chaos/faults.ts';
import { judgeRun } from '../../verify/chaos/judge-run.ts';
import { reportText } from '../../verify/chaos/report-text.ts';
import { readRun, type Run } from '../../verify/chaos/run-file.ts';
import { runScenario } from '../../verify/chaos/run-scenario.ts';
import { readScenario, type Scenario } from '../../verify/chaos/scenario.ts';
import { summaryOf } from '../../verify/chaos/summary.ts';

export interface Judged {
  readonly run: Run;
  readonly faults: readonly string[];
  readonly text: string;
}

/** `entry` is the program. `laidOver` replaces members of the scenario. */
export async function runAndJudge(
  entry: string,
  name: string,
  seed: number,
  laidOver: Partial<Scenario> = {},
  /** Something done behind the rig's back; `over` is aborted when the run has ended. */
  meanwhile: (world: World, over: AbortSignal) => Promise<void> = () => Promise.resolve(),
  network: NetworkChoice = 'proxy',
): Promise<Judged> {
  const scenario = { ...readScenario(name), ...laidOver };
  const directory = mkdtempSync(join(tmpdir(), 'causeway-chaos-'));
  const file = join(directory, 'history.ndjson');
  try {
    const rig = { ...surroundingsFor(scenario.faults, network), seed };
    const world = await ownWorld({ entry, nodes: scenario.nodes, rig });
    try {
      const stopped = new AbortController().signal;
      const running = runScenario(world, { scenario, seed, file, stopped, tellProgress: () => undefined });
      const over = new AbortController();
      const run = running.finally(() => over.abort());
      await Promise.all([run, meanwhile(world, over.signal)]);
    } finally {
      await world.close();
    }
    const run = await readRun(file);
    const faults = judgeRun(run);
    return { run, faults, text: reportText(run, summaryOf(run), faults) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
