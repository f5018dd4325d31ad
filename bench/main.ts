/**
 * `npm run bench`: starts what it needs, measures each part against the targets of the design, prints a table and
 * writes `bench/results/<date>.json`. The figures apply to this machine at this moment; only ratios taken within one
 * run can be compared. The exit code is 1 if a target was missed.
 */
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { guardCommand } from '../src/cli/guard.ts';
import { nodeCommand } from '../src/cli/node.ts';
import { runBareNode } from './bare-node.ts';
import { runEngineNode } from './engine-node.ts';
import { enginePart } from './engine-part.ts';
import { failoverPart } from './failover-part.ts';
import { grpcPart } from './grpc-part.ts';
import { healingPart } from './healing-part.ts';
import { hotPart } from './hot-part.ts';
import { memoryPart } from './memory-part.ts';
import { movingPart } from './moving-part.ts';
import { observabilityPart } from './observability-part.ts';
import { peersPart } from './peers-part.ts';
import { WORKLOADS } from './peers/comparison.ts';
import { CONTENDERS } from './peers/contender.ts';
import { runGenerator } from './peers/load/generator.ts';
import { pipelinePart } from './pipeline-part.ts';
import { headLines, isMet, machineFacts, measureLines, writeResults } from './report.ts';
import type { Measure } from './report.ts';
import { steadyPart } from './steady-part.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

const PARTS: Readonly<Record<string, (world: World) => Promise<Measure[]>>> = {
  engine: enginePart,
  hot: hotPart,
  grpc: grpcPart,
  pipeline: pipelinePart,
  failover: failoverPart,
  memory: memoryPart,
  steady: steadyPart,
  moving: movingPart,
  healing: healingPart,
  observability: observabilityPart,
  peers: peersPart,
};

interface BenchOptions {
  readonly only?: readonly string[];
  readonly quick?: boolean;
  readonly keys?: number;
  readonly json?: boolean;
  readonly profile?: string;
  readonly label: string;
  readonly workloads?: readonly string[];
  readonly systems?: readonly string[];
  readonly rounds?: number;
  readonly save: boolean;
}

const program = new Command('bench');
program
  .description('measures this build on this machine')
  .addOption(new Option('--only <part...>', 'just these parts').choices(Object.keys(PARTS)))
  .option('--quick', 'short runs: to see that all is well, not to compare')
  .option('--keys <count>', 'keys that moving and healing begin with (1,000,000; quick: 20,000)', keyCount)
  .option('--json', 'print the results as JSON instead of a table')
  .option('--profile <directory>', 'have every node write a profile of its processor time')
  .option('--label <text>', 'stands in the results: what is different about this build', '')
  .addOption(new Option('--workloads <workload...>', 'peers: just these').choices(WORKLOADS))
  .addOption(new Option('--systems <system...>', 'peers: Causeway and just these').choices(CONTENDERS))
  .option('--rounds <count>', 'peers: how often each workload is run on each system', wholeNumber)
  .option('--no-save', 'do not write bench/results')
  .action(async (options: BenchOptions) => {
    process.exitCode = (await runParts(options)) ? 0 : 1;
  });

// The processes that the benchmark starts are this program again, with one of these commands.
guardCommand(program);
nodeCommand(program, {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  exit: (code) => {
    process.exitCode = code;
  },
});
program
  .command('engine-node', { hidden: true })
  .requiredOption('--config <file>')
  .action((options: { config: string }) => runEngineNode(options.config));
program
  .command('bare-node', { hidden: true })
  .argument('<port>')
  .action((port: string) => runBareNode(Number(port)));
program.command('load-generator', { hidden: true }).action(() => runGenerator());

await program.parseAsync();

/** Returns whether every target was met. */
async function runParts(options: BenchOptions): Promise<boolean> {
  const facts = machineFacts();
  const quick = options.quick === true;
  const { label } = options;
  const tell = (text: string): void => {
    if (options.json !== true) process.stdout.write(`${text}\n`);
  };
  tell(headLines(facts));
  const profileDirectory = options.profile === undefined ? undefined : resolve(options.profile);
  const at = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  const base = resolve('bench/results', at);
  const reportBase = options.save ? base : undefined;
  const { keys, workloads, systems, rounds } = options;
  const peers = { workloads, systems, rounds };
  const world = await openWorld({ quick, keys, profileDirectory, reportBase, label, peers, tell });
  const measures: Measure[] = [];
  try {
    for (const name of options.only ?? Object.keys(PARTS)) {
      tell(`\n${name}`);
      for (const measure of await PARTS[name]!(world)) {
        measures.push(measure);
        for (const line of measureLines(measure)) tell(line);
      }
    }
  } finally {
    await world.close();
  }
  if (options.json === true)
    process.stdout.write(`${JSON.stringify({ label, facts, quick, measures }, null, 2)}\n`);
  if (options.save) tell(`\n${writeResults(base, { at, label, facts, quick, measures })}`);
  return measures.every(isMet);
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('a number from 1 to 999 is meant');
  return Number(text);
}

function keyCount(text: string): number {
  if (!/^[1-9]\d{2,7}$/.test(text))
    throw new InvalidArgumentError('a number from 100 to 99,999,999 is meant');
  return Number(text);
}
