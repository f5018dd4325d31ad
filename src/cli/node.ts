/** `causeway node`: runs one node until it is told to stop. A second signal ends it at once. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { reasonOf } from '../base/reason-of.ts';
import type { ClusterFacts } from '../client/index.ts';
import type { Config } from '../config/config.ts';
import type { JoinWish } from '../config/join.ts';
import type { RunningNode } from '../main.ts';
import { watchParent } from '../supervisor/watch-parent.ts';
import { EXIT_DEFINITE, EXIT_OK, EXIT_USAGE } from './client-command.ts';
import type { CommandIo } from './client-command.ts';
import { SilentMember, hasJoined, keepCluster, learnCluster, whatDiffers, whyNotJoin } from './node-join.ts';
import type { JoinedCluster } from './node-join.ts';
import { nodeLeaveCommand } from './node-leave.ts';
import { openWaitingDoor } from './node-waiting.ts';
import type { WaitingDoor } from './node-waiting.ts';
import { addSettingsOptions, flagsOf } from './settings-options.ts';
import type { SettingsOptions } from './settings-options.ts';

export type StartNode = (config: Config, stopAsked: AbortSignal) => Promise<RunningNode>;

/** What the command needs from the process in which it runs. */
export interface NodeProcess {
  /** Loads the code of a node only when one is to run. */
  load(): Promise<{
    startNode: StartNode;
    /** Puts the reason into the log of a node that is not started at all. */
    tellStartFailed: (config: Config, reason: string) => void;
  }>;
  watchParent(onGone: () => void): void;
}

const EXIT_HALTED = 130;
/** Milliseconds between two attempts to reach a cluster that nobody tells of yet. */
const ASK_AGAIN_MS = 1_000;
const TELL_EVERY_TRIES = 10;

const REAL_PROCESS: NodeProcess = { load: () => import('../main.ts'), watchParent };

export function nodeCommand(program: Command, io: CommandIo, around: NodeProcess = REAL_PROCESS): void {
  const command = program.command('node');
  nodeLeaveCommand(command, io);
  addSettingsOptions(command.description('run one node')).action(async (options: SettingsOptions) => {
    const stopAsked = listenForStop(around);
    const { loadConfig, joinOf, ConfigError } = await import('../config/config.ts');
    const sources = { file: options.config, env: process.env, flags: flagsOf(options) };
    try {
      const join = joinOf(sources);
      const joined = await learn(io, join, stopAsked);
      if (joined === null) return;
      const { config: given, warnings } = loadConfig({ ...sources, told: joined?.told });
      const config = joined === undefined ? joiningNone(given) : given;
      for (const warning of warnings) io.stderr.write(`warning: ${warning}\n`);
      const isFounder = join?.isFounder === true;
      await run({ io, config, cluster: joined?.facts, isFounder, around, stopAsked });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      io.stderr.write(`${error.message}\n`);
      io.exit(EXIT_USAGE);
    }
  });
}

/** Aborts at the first signal, or when the supervisor that started this process is gone. */
function listenForStop(around: NodeProcess): AbortSignal {
  const stopping = new AbortController();
  around.watchParent(() => stopping.abort());
  const onSignal = (): void => {
    if (stopping.signal.aborted) process.exit(EXIT_HALTED);
    stopping.abort();
  };
  // A closed terminal must not cost what a crash costs; nothing is reloaded, since settings are read at the start only.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  // If the reader of its output goes away, the node must not end.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  return stopping.signal;
}

/**
 * Undefined if this node joins no cluster; null if it was stopped before anybody answered. A founder goes on without an
 * answer, because there may be no cluster yet; any other node asks until it has one. The member at that address may be
 * restarting, and whatever started this process would only start it again.
 */
async function learn(
  io: CommandIo,
  join: JoinWish | undefined,
  stopAsked: AbortSignal,
): Promise<JoinedCluster | undefined | null> {
  if (join === undefined) return undefined;
  let reason = '';
  let door: WaitingDoor | null = null;
  try {
    for (let tries = 0; ; tries += 1) {
      try {
        return await learnCluster(join.address, join.isFounder ? null : join.dataDir);
      } catch (error) {
        if (join.isFounder) return undefined;
        if (!(error instanceof SilentMember)) throw error;
        reason = error.message;
        if (stopAsked.aborted) {
          io.exit(EXIT_OK);
          return null;
        }
        if (tries % TELL_EVERY_TRIES === 0) io.stderr.write(`waiting: ${reason}\n`);
      }
      door ??= await answeringProbes(join, () => `it waits for the cluster: ${reason}`);
      await delay(ASK_AGAIN_MS, undefined, { signal: stopAsked }).catch(() => undefined);
    }
  } finally {
    await door?.close();
  }
}

/** Null if probes are not answered (yet). If the port is taken, the node's own door will report it. */
async function answeringProbes({ probes }: JoinWish, reason: () => string): Promise<WaitingDoor | null> {
  return probes === null ? null : openWaitingDoor(probes, reason).catch(() => null);
}

/** A founder to whom nobody has told of a cluster is there to found one. */
function joiningNone(config: Config): Config {
  const { join: _join, replace: _replace, ...node } = config.node;
  return { ...config, node };
}

interface Run {
  readonly io: CommandIo;
  readonly config: Config;
  /** The cluster that the node is to join; undefined if it joins none. */
  readonly cluster: ClusterFacts | undefined;
  readonly isFounder: boolean;
  readonly around: NodeProcess;
  readonly stopAsked: AbortSignal;
}

async function run({ io, config, cluster, isFounder, around, stopAsked }: Run): Promise<void> {
  stopAsked.addEventListener('abort', () => {
    setTimeout(() => process.exit(EXIT_DEFINITE), config.shutdown.graceMs).unref();
  });
  const { name, dataDir, replace } = config.node;
  const isKnown = isFounder || hasJoined(dataDir);
  const obstacle =
    cluster &&
    (whyNotJoin(cluster, name, replace, isKnown) ??
      (isKnown ? undefined : whatDiffers(cluster, await mustAgree(config), name)));
  const { startNode, tellStartFailed } = await around.load();
  if (obstacle !== undefined) {
    tellStartFailed(config, `it cannot join: ${obstacle}`);
    io.stderr.write(`the node cannot join: ${obstacle}\n`);
    return io.exit(EXIT_DEFINITE);
  }
  let node: RunningNode;
  try {
    node = await startNode(config, stopAsked);
  } catch (error) {
    if (stopAsked.aborted) return io.exit(EXIT_OK);
    io.stderr.write(`the node could not start: ${reasonOf(error)}\n`);
    return io.exit(EXIT_DEFINITE);
  }
  if (cluster !== undefined && !isFounder) keepCluster(dataDir, cluster);
  const end = await Promise.race([
    aborted(stopAsked).then(() => 'stopped' as const),
    node.left.then(() => 'left' as const),
    node.refused,
  ]);
  if (end === 'left') io.stderr.write(`${name} has left the cluster\n`);
  else if (end !== 'stopped') io.stderr.write(`${name} cannot take part: ${end}\n`);
  await node.stop();
  io.exit(end === 'left' || end === 'stopped' ? EXIT_OK : EXIT_DEFINITE);
}

async function mustAgree(config: Config): Promise<Readonly<Record<string, string>>> {
  const { settingsThatMustAgree } = await import('../config/config.ts');
  return settingsThatMustAgree(config);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
