/**
 * What the programs for legacy and persistence share: their options, progress on stderr, the report on stdout, and the
 * exit code: 0 all promises held, 1 one did not (or a fault could not be injected), 2 it could not be run.
 */
import { parseArgs } from 'node:util';
import { reasonOf } from '../src/base/reason-of.ts';
import { openOwnWorld } from './own-world.ts';
import { openRunningWorld } from './running-world.ts';
import type { World } from './world.ts';

export interface Report {
  readonly verdict: 'passed' | 'failed';
  /** Broken promises and faults that were not injected, in words; empty if passed. */
  readonly faults: readonly string[];
  /** What was done and seen, in words. */
  readonly told: readonly string[];
  /** For programs. */
  readonly figures: Readonly<Record<string, unknown>>;
}

export interface RunOptions {
  readonly seconds: number;
  readonly tell: (line: string) => void;
}

const EXIT_FAILED = 1;
const EXIT_NOT_RUN = 2;
const FAULTS_SHOWN_MAX = 20;

export async function runProgram(
  name: string,
  description: string,
  run: (world: World, options: RunOptions) => Promise<Report>,
): Promise<void> {
  try {
    const options = readOptions();
    if (options.help) return void process.stdout.write(helpText(name, description));
    const report = await runOn(options, run);
    process.stdout.write(
      options.json ? `${JSON.stringify(withoutWords(report))}\n` : reportText(name, report),
    );
    process.exitCode = report.verdict === 'passed' ? 0 : EXIT_FAILED;
  } catch (error) {
    process.stderr.write(`verify:${name}: ${reasonOf(error)}\n`);
    process.exitCode = EXIT_NOT_RUN;
  }
}

interface Options {
  readonly help: boolean;
  readonly json: boolean;
  readonly own: boolean;
  readonly dataDir: string;
  readonly nodes: number;
  readonly seconds: number;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      own: { type: 'boolean', default: false },
      'nodes-from': { type: 'string', default: '.causeway' },
      nodes: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '60' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    help: values.help,
    json: values.json,
    own: values.own,
    dataDir: values['nodes-from'],
    nodes: wholeNumber('--nodes', values.nodes, 1, 9),
    seconds: wholeNumber('--seconds', values.seconds, 1, 86_400),
  };
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < least || number > most) {
    throw new Error(`${name} must be a whole number from ${least} to ${most}`);
  }
  return number;
}

async function runOn(
  options: Options,
  run: (world: World, options: RunOptions) => Promise<Report>,
): Promise<Report> {
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  if (options.own) tell(`starting a cluster of ${options.nodes} nodes`);
  const world = options.own ? await openOwnWorld(options.nodes) : openRunningWorld(options.dataDir);
  let asked = false;
  const leave = (): void => {
    if (asked) return;
    asked = true;
    tell('stopping');
    void world.close().finally(() => process.exit(EXIT_NOT_RUN));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, leave);
  try {
    return await run(world, { seconds: options.seconds, tell });
  } finally {
    if (!asked) await world.close();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, leave);
  }
}

function withoutWords({ verdict, faults, figures }: Report): object {
  return { verdict, faults, ...figures };
}

function reportText(name: string, { verdict, faults, told }: Report): string {
  const shown = faults.slice(0, FAULTS_SHOWN_MAX).map((fault) => `  FAULT ${fault}`);
  if (faults.length > FAULTS_SHOWN_MAX) shown.push(`  and ${faults.length - FAULTS_SHOWN_MAX} more`);
  return [...told.map((line) => `  ${line}`), ...shown, `verify:${name} ${verdict}`, ''].join('\n');
}

function helpText(name: string, description: string): string {
  return `npm run verify:${name} -- [options]

${description}

  --nodes-from DIRECTORY  the running cluster's data directory (default .causeway, as npm start makes it)
  --own                   start a cluster for this run instead
  --nodes COUNT           nodes of a cluster of its own (default 3)
  --seconds COUNT         how long faults are injected under load (default 60)
  --json                  print the report as one line of JSON

Exit code: 0 every promise held; 1 one was broken, or a fault was not injected; 2 it could not be run.
`;
}
