/**
 * The command line of the rig: runs a scenario, judges a recorded run again, lists the scenarios. Progress goes to
 * stderr, the report to stdout. Exit code: 0 every promise held; 1 one did not, or the run did not do what it was for;
 * 2 it could not be run, or was stopped.
 */
import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { reasonOf } from '../../src/base/reason-of.ts';
import { openOwnWorld } from '../own-world.ts';
import { openRunningWorld } from '../running-world.ts';
import type { World } from '../world.ts';
import { NETWORKS, surroundingsFor, type NetworkChoice } from './faults.ts';
import { judgeRun } from './judge-run.ts';
import { ProgressLine } from './progress-line.ts';
import { reportHtml } from './report-html.ts';
import { reportText } from './report-text.ts';
import { readRun } from './run-file.ts';
import { runScenario } from './run-scenario.ts';
import { readScenario, scenarioNames, type Scenario } from './scenario.ts';
import { summaryOf } from './summary.ts';

const EXIT_FAILED = 1;
const EXIT_NOT_RUN = 2;
const SCENARIO_DEFAULT = 'mixed';
const OUT_DEFAULT = '.chaos';
const HISTORY = 'history.ndjson';
const SEED_MAX = 2 ** 32 - 1;

const HELP = `npm run chaos -- [SCENARIO] [options]     run a scenario (default ${SCENARIO_DEFAULT})
npm run chaos -- judge FILE [--json]      judge a recorded run again
npm run chaos -- list                     the scenarios that there are

A scenario is a name or the path of a YAML file. What happened is recorded in a directory below ${OUT_DEFAULT}:
${HISTORY}, report.html, report.txt, and the nodes' logs where it failed.

  --seed NUMBER           which faults strike whom and when (default: drawn, and told)
  --seconds COUNT         how long faults strike, instead of the scenario's time
  --nodes COUNT           nodes of the cluster, instead of the scenario's
  --keys COUNT            keys that are written before anything else, instead of the scenario's
  --network KIND          namespaces: packets are cut; proxy: connections are; auto (default): the first where
                          this machine and every fault of the scenario can do with it
  --nodes-from DIRECTORY  the running cluster of this data directory; only processes can be struck there
  --own                   a cluster of its own after all, where --nodes-from stands before
  --out DIRECTORY         where to record (default ${OUT_DEFAULT})
  --json                  print the report as one line of JSON

Exit code: 0 every promise held; 1 one was broken, or the run did not do what it was for; 2 it could not be run.
`;

export async function runCommand(words: readonly string[]): Promise<number> {
  try {
    const options = readOptions(words);
    if (options.help) return tell(HELP);
    const [first = SCENARIO_DEFAULT, file] = options.words;
    if (first === 'list') return tell(listText());
    if (first === 'judge') {
      if (file === undefined) throw new Error('which file is to be judged?');
      return await judgeFile(file, options.json);
    }
    if (file !== undefined) throw new Error(`one scenario at a time: ${options.words.join(' ')}`);
    return await runOne(readScenario(first), options);
  } catch (error) {
    process.stderr.write(`chaos: ${reasonOf(error)}\n`);
    return EXIT_NOT_RUN;
  }
}

interface Options {
  readonly words: readonly string[];
  readonly help: boolean;
  readonly json: boolean;
  readonly seed: number;
  readonly seconds: number | null;
  readonly nodes: number | null;
  readonly keys: number | null;
  readonly network: NetworkChoice;
  /** Null: starts a cluster of its own. */
  readonly nodesFrom: string | null;
  readonly out: string;
}

function readOptions(words: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      seed: { type: 'string' },
      seconds: { type: 'string' },
      nodes: { type: 'string' },
      keys: { type: 'string' },
      network: { type: 'string', default: 'auto' },
      'nodes-from': { type: 'string' },
      own: { type: 'boolean', default: false },
      out: { type: 'string', default: OUT_DEFAULT },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const number = (
    name: 'seed' | 'seconds' | 'nodes' | 'keys',
    least: number,
    most: number,
  ): number | null => {
    const text = values[name];
    if (text === undefined) return null;
    const given = Number(text);
    if (!/^\d+$/.test(text) || given < least || given > most) {
      throw new Error(`--${name} must be a whole number from ${least} to ${most}`);
    }
    return given;
  };
  const network = NETWORKS.find((one) => one === values.network);
  if (network === undefined) throw new Error(`--network must be one of ${NETWORKS.join(', ')}`);
  return {
    network,
    words: positionals,
    help: values.help,
    json: values.json,
    seed: number('seed', 0, SEED_MAX) ?? randomInt(1_000_000),
    seconds: number('seconds', 1, 86_400),
    nodes: number('nodes', 1, 9),
    keys: number('keys', 0, 99_999_999),
    nodesFrom: values.own ? null : (values['nodes-from'] ?? null),
    out: values.out,
  };
}

async function runOne(read: Scenario, options: Options): Promise<number> {
  const scenario = {
    ...read,
    seconds: options.seconds ?? read.seconds,
    nodes: options.nodes ?? read.nodes,
    load: { ...read.load, bulkKeys: options.keys ?? read.load.bulkKeys },
  };
  const directory = resolve(
    options.out,
    `${new Date().toISOString().replaceAll(/[:.]/g, '-')}-${scenario.name}`,
  );
  mkdirSync(directory, { recursive: true });
  const file = join(directory, HISTORY);
  const progress = new ProgressLine(process.stderr);
  progress.note(`chaos ${scenario.name}, seed ${options.seed}, recorded in ${directory}`);
  const stopping = new AbortController();
  // A user who asks twice does not want to wait: the nodes end with this process.
  const stop = (): void => (stopping.signal.aborted ? process.exit(EXIT_NOT_RUN) : stopping.abort());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  let world: World | null = null;
  try {
    world = await openWorld(scenario, options);
    if (stopping.signal.aborted) return EXIT_NOT_RUN;
    const tellProgress = (line: string): void => progress.show(line);
    await runScenario(world, { scenario, seed: options.seed, file, stopped: stopping.signal, tellProgress });
    progress.clear();
    if (stopping.signal.aborted) {
      progress.note('stopped');
      return EXIT_NOT_RUN;
    }
    const code = await judgeFile(file, options.json);
    if (code !== 0) keepLogs(world, directory);
    return code;
  } finally {
    progress.clear();
    await world?.close();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, stop);
  }
}

async function openWorld(scenario: Scenario, { nodesFrom, seed, network }: Options): Promise<World> {
  if (nodesFrom !== null) return openRunningWorld(nodesFrom);
  return openOwnWorld(scenario.nodes, { ...surroundingsFor(scenario.faults, network), seed });
}

/** The page and the text are written beside the file. */
async function judgeFile(file: string, json: boolean): Promise<number> {
  const run = await readRun(file);
  const faults = judgeRun(run);
  const summary = summaryOf(run);
  const text = reportText(run, summary, faults);
  const directory = resolve(file, '..');
  writeFileSync(join(directory, 'report.txt'), text);
  writeFileSync(join(directory, 'report.html'), reportHtml(run, summary, faults));
  if (json) {
    const { buckets: _buckets, ...figures } = summary;
    const verdict = faults.length === 0 ? 'passed' : 'failed';
    tell(`${JSON.stringify({ ...run.head, ...figures, verdict, broken: faults })}\n`);
  } else {
    tell(`${text}${join(directory, 'report.html')}\n`);
  }
  return faults.length === 0 ? 0 : EXIT_FAILED;
}

function keepLogs({ nodes, rig }: World, directory: string): void {
  if (rig === null) return;
  for (const { name } of nodes) writeFileSync(join(directory, `${name}.log`), rig.logOf(name));
}

function listText(): string {
  const lines = scenarioNames().map((name) => `  ${name.padEnd(20)} ${readScenario(name).about}`);
  return `${lines.join('\n')}\n`;
}

function tell(text: string): number {
  process.stdout.write(text);
  return 0;
}
