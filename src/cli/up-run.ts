/**
 * `causeway up` while it runs: a whole cluster on this machine, its live status, and an orderly end at Ctrl-C. A second
 * Ctrl-C ends everything at once.
 */
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalCluster } from '../supervisor/local-cluster.ts';
import type { NodeView } from '../supervisor/node-probe.ts';
import { reasonOf } from '../base/reason-of.ts';
import { StartError } from '../supervisor/start-error.ts';
import { openScreen, type UpScreen } from './up-screen.ts';
import { commandOf } from './up-text.ts';

export interface UpOptions {
  /** Undefined: as many as the data directory holds, or three. */
  readonly nodes?: number;
  readonly dataDir: string;
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly redisPort: number;
  readonly postgresPort: number;
  readonly legacyPort: number;
  readonly json?: boolean;
  /** Like DATABASE_URL: a PostgreSQL that is already running, or 'none'. */
  readonly databaseUrl?: string | undefined;
  /** Like LEGACY_URL: a base URL, a template with `{key}`, or 'none'. */
  readonly legacyUrl?: string | undefined;
  readonly pgBin?: string | undefined;
  /** The path of causeway.js itself, from which the nodes are started. */
  readonly entry: string;
}

/**
 * Milliseconds within which a second signal counts as the first: `npm` passes on the Ctrl-C that the terminal has
 * already sent to the whole process group.
 */
const SAME_SIGNAL_MS = 1_000;
const LOOK_EVERY_MS = 1_000;
const EXIT_HALTED = 130;

/** Runs until stopped by a signal, or until it cannot start; returns the exit code. No process is left then. */
export async function runUp(options: UpOptions): Promise<number> {
  const command = commandOf(options.entry, process.cwd());
  const screen = openScreen(process.stdout, process.stderr, command, options.json === true);
  const stopping = new AbortController();
  const cluster = new LocalCluster({
    ...options,
    dataDir: resolve(options.dataDir),
    nodeCount: options.nodes,
    respPort: options.redisPort,
    databaseUrl: options.databaseUrl || undefined,
    legacyUrl: legacyTemplate(options.legacyUrl),
    pgBin: options.pgBin,
    report: (event) => screen.event(event),
  });
  const signals = listenForStop(stopping, () => {
    // Errors are reported by `stop`, which waits for the same children.
    cluster.halt().catch(() => undefined);
  });

  let code = 0;
  try {
    const fault = faultOfUrls(options);
    if (fault !== null) throw new StartError(fault);
    screen.ready(await cluster.start(stopping.signal));
    await watch(cluster, screen, stopping.signal);
  } catch (error) {
    if (!stopping.signal.aborted) {
      code = 1;
      screen.failed(error instanceof StartError ? error.message : messageOfFault(error));
    }
  }
  screen.stopping();
  try {
    await cluster.stop();
    if (code === 0) screen.stopped();
  } catch (error) {
    code = 1;
    screen.failed(reasonOf(error));
  }
  return signals.halted() ? EXIT_HALTED : code;
}

/** Looks at all nodes every second until asked to stop. */
async function watch(cluster: LocalCluster, screen: UpScreen, signal: AbortSignal): Promise<void> {
  let lookedAt = performance.now();
  while (!signal.aborted) {
    const views: readonly NodeView[] = await cluster.views();
    if (signal.aborted) return;
    const now = performance.now();
    screen.status(views, (now - lookedAt) / 1000);
    lookedAt = now;
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** The first signal asks for an orderly end, a later one for an end at once. */
function listenForStop(stopping: AbortController, halt: () => void): { halted: () => boolean } {
  let firstAt = 0;
  let halted = false;
  const onSignal = (): void => {
    const now = performance.now();
    if (!stopping.signal.aborted) {
      firstAt = now;
      stopping.abort();
    } else if (!halted && now - firstAt > SAME_SIGNAL_MS) {
      halted = true;
      halt();
    }
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  // A closed output (a closed terminal, `| head`) also leads to an orderly end.
  const onClosed = (): void => stopping.abort();
  process.stdout.on('error', onClosed);
  process.stderr.on('error', onClosed);
  return { halted: () => halted };
}

/** Appends the path of the legacy API to a base URL; a template and 'none' are taken as they are. */
export function legacyTemplate(given: string | undefined): string | undefined {
  if (given === undefined || given === '') return undefined;
  if (given === 'none' || given.includes('{')) return given;
  return `${given.replace(/\/+$/, '')}/legacy/data/{key}`;
}

/**
 * Checked before anything is started, so that the message names the variable that the user gave: a node would name its
 * setting, and be started three times.
 */
export function faultOfUrls({
  databaseUrl,
  legacyUrl,
}: Pick<UpOptions, 'databaseUrl' | 'legacyUrl'>): string | null {
  if (databaseUrl && databaseUrl !== 'none' && !/^postgres(ql)?:\/\/./.test(databaseUrl))
    return "DATABASE_URL must begin with postgres:// or postgresql://, or be 'none'";
  if (legacyUrl && legacyUrl !== 'none' && !/^https?:\/\/./.test(legacyUrl))
    return "LEGACY_URL must begin with http:// or https://, with {key} where the key belongs if it is more than a base URL, or be 'none'";
  return null;
}

/** For unforeseen errors the stack trace says where they occurred. */
function messageOfFault(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
