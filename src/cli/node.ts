/** `causeway node`: runs one node until it is told to stop. A second signal ends it at once. */
import type { Command } from 'commander';
import type { ClusterFacts } from '../client/index.ts';
import type { Config } from '../config.ts';
import { watchParent } from '../supervisor/watch-parent.ts';
import { EXIT_DEFINITE, EXIT_OK, EXIT_USAGE, UsageError } from './client-command.ts';
import type { CommandIo } from './client-command.ts';
import { hasJoined, keepCluster, learnCluster, whyNotJoin } from './node-join.ts';
import type { JoinedCluster } from './node-join.ts';
import { nodeLeaveCommand } from './node-leave.ts';

export interface StartedNode {
  stop(): Promise<void>;
  /** Resolves when the cluster goes on without it for good. */
  readonly left: Promise<void>;
}

export type StartNode = (config: Config, stopAsked: AbortSignal) => Promise<StartedNode>;

/** What the command needs of the process that it runs in. */
export interface NodeProcess {
  /** Brings the code of a node only when one is to run. */
  load(): Promise<{ startNode: StartNode }>;
  watchParent(onGone: () => void): void;
}

interface NodeOptions {
  readonly config?: string;
  readonly name?: string;
  readonly dataDir?: string;
  readonly set: readonly string[];
  readonly join?: string;
  readonly replace?: string;
}

const EXIT_HALTED = 130;

const REAL_PROCESS: NodeProcess = { load: () => import('../main.ts'), watchParent };

export function nodeCommand(program: Command, io: CommandIo, around: NodeProcess = REAL_PROCESS): void {
  const command = program.command('node');
  nodeLeaveCommand(command, io);
  command
    .description('run one node')
    .option('--config <file>', 'settings in YAML or JSON')
    .option('--name <name>', 'which of the members this node is (node.name)')
    .option('--data-dir <path>', 'where its store lies (node.dataDir)')
    .option(
      '--join <address>',
      'become a member of the cluster that a node at host:port belongs to (node.join)',
    )
    .option('--replace <name>', 'with --join: take the place of a member that is lost (node.replace)')
    .option('--set <path=value>', 'any setting, such as grpc.port=50052; repeatable', collect, [])
    .addHelpText(
      'after',
      '\nSettings are also read from CAUSEWAY_..., DATABASE_URL and LEGACY_URL: docs/CONFIGURATION.md',
    )
    .action(async (options: NodeOptions) => {
      const stopAsked = listenForStop(around);
      const { loadConfig, joinOf, ConfigError } = await import('../config.ts');
      const sources = { file: options.config, env: process.env, flags: flagsOf(options) };
      try {
        const joined = await learn(io, joinOf(sources));
        if (joined === null) return;
        const { config, warnings } = loadConfig({ ...sources, told: joined?.told });
        for (const warning of warnings) io.stderr.write(`warning: ${warning}\n`);
        await run(io, config, joined?.facts, around, stopAsked);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        io.stderr.write(`${error.message}\n`);
        io.exit(EXIT_USAGE);
      }
    });
}

/** Aborts at the first signal, and when the supervisor that started this process has gone. */
function listenForStop(around: NodeProcess): AbortSignal {
  const stopping = new AbortController();
  around.watchParent(() => stopping.abort());
  const onSignal = (): void => {
    if (stopping.signal.aborted) process.exit(EXIT_HALTED);
    stopping.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  return stopping.signal;
}

/** Undefined: this node joins no cluster. Null: it was to, and nobody tells of it. */
async function learn(
  io: CommandIo,
  join: { address: string; dataDir: string } | undefined,
): Promise<JoinedCluster | undefined | null> {
  if (join === undefined) return undefined;
  try {
    return await learnCluster(join.address, join.dataDir);
  } catch (error) {
    io.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    io.exit(EXIT_DEFINITE);
    return null;
  }
}

async function run(
  io: CommandIo,
  config: Config,
  joined: ClusterFacts | undefined,
  around: NodeProcess,
  stopAsked: AbortSignal,
): Promise<void> {
  stopAsked.addEventListener('abort', () => {
    setTimeout(() => process.exit(EXIT_DEFINITE), config.shutdown.graceMs).unref();
  });
  const { name, dataDir, replace } = config.node;
  const obstacle = joined && whyNotJoin(joined, name, replace, hasJoined(dataDir));
  if (obstacle !== undefined) {
    io.stderr.write(`the node cannot join: ${obstacle}\n`);
    return io.exit(EXIT_DEFINITE);
  }
  const { startNode } = await around.load();
  let node: StartedNode;
  try {
    node = await startNode(config, stopAsked);
  } catch (error) {
    if (stopAsked.aborted) return io.exit(EXIT_OK);
    io.stderr.write(`the node could not start: ${error instanceof Error ? error.message : String(error)}\n`);
    return io.exit(EXIT_DEFINITE);
  }
  if (joined !== undefined) keepCluster(dataDir, joined);
  const end = await Promise.race([
    aborted(stopAsked).then(() => 'stopped' as const),
    node.left.then(() => 'left' as const),
  ]);
  if (end === 'left') io.stderr.write(`${name} has left the cluster\n`);
  await node.stop();
  io.exit(EXIT_OK);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function flagsOf(options: NodeOptions): Record<string, string> {
  const flags: Record<string, string> = {};
  for (const setting of options.set) {
    const equals = setting.indexOf('=');
    if (equals < 1) throw new UsageError(`--set ${setting.slice(0, 40)}: must be path=value`);
    flags[setting.slice(0, equals)] = setting.slice(equals + 1);
  }
  if (options.name !== undefined) flags['node.name'] = options.name;
  if (options.dataDir !== undefined) flags['node.dataDir'] = options.dataDir;
  if (options.join !== undefined) flags['node.join'] = options.join;
  if (options.replace !== undefined) flags['node.replace'] = options.replace;
  return flags;
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
