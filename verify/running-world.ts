/**
 * The cluster that `causeway up` (`npm start`) runs on this machine, found through its data directory: the nodes'
 * settings, the file of its processes, and its lock.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'yaml';
import { isAlive } from '../src/supervisor/process-table.ts';
import { pidOf } from '../src/supervisor/process-file.ts';
import { pauseProcesses } from '../test/support/hold-process.ts';
import { until, sqlRows, statusOf } from './world.ts';
import type { LegacyView, World, WorldNode } from './world.ts';

/** The parts of node.yaml that are read. */
interface NodeFile {
  readonly node: { readonly name: string; readonly dataDir: string };
  readonly cluster: { readonly members: readonly { readonly name: string; readonly address: string }[] };
  readonly http: { readonly port: number };
  readonly postgres: 'none' | { readonly url: string };
  readonly legacy?: { readonly url: string };
}

const GONE_TIMEOUT_MS = 10_000;
const PID_TIMEOUT_MS = 30_000;
/** Milliseconds that a stopped supervisor gets to stand still before its children are killed. */
const SUPERVISOR_STILL_MS = 50;
const SAMPLE_LEGACY_URL = /^(http:\/\/127\.0\.0\.1:\d+\/legacy)\/data\/\{key\}$/;
const SAMPLE_KEYS = Array.from({ length: 1_000 }, (_, at) => `legacy:${String(at + 1).padStart(4, '0')}`);

/** Throws, with advice, if no cluster is running there. */
export function openRunningWorld(dataDir: string): World {
  const directory = resolve(dataDir);
  const files = readNodeFiles(directory);
  const { postgres, legacy } = files[0]!;
  if (postgres === 'none')
    throw new Error('this cluster has no PostgreSQL: there is nothing to verify against');
  const nodes: WorldNode[] = files.map(({ node, cluster, http }) => ({
    name: node.name,
    address: cluster.members.find(({ name }) => name === node.name)!.address,
    httpPort: http.port,
  }));
  for (const { name } of nodes) {
    if (pidOf(directory, name) === undefined) {
      throw new Error(`${name} of ${directory} does not run: start the cluster with npm start, or use --own`);
    }
  }
  const kill = (names: readonly string[]): Promise<void> => endNodes(directory, nodes, names, 'SIGKILL');
  const held = new HeldProcesses();
  const world: World = {
    nodes,
    databaseUrl: postgres.url,
    legacy: null,
    kill,
    async killAndWipe(names) {
      const resume = held.hold(supervisorPid(directory));
      try {
        await delay(SUPERVISOR_STILL_MS);
        await kill(names);
        for (const { node } of files) {
          if (names.includes(node.name)) rmSync(node.dataDir, { recursive: true, force: true });
        }
      } finally {
        resume();
      }
    },
    stop: (names) => endNodes(directory, nodes, names, 'SIGTERM'),
    pause: (names, slices) => pauseProcesses(names, (name) => pidOf(directory, name), slices),
    rig: null,
    close: async () => held.releaseAll(),
  };
  const base = SAMPLE_LEGACY_URL.exec(legacy?.url ?? '')?.[1];
  return base === undefined ? world : { ...world, legacy: sampleView(directory, base, world, held) };
}

function readNodeFiles(directory: string): NodeFile[] {
  const noted = join(directory, 'cluster.json');
  if (!existsSync(noted)) {
    throw new Error(`no cluster stands in ${directory}: start one with npm start, or use --own`);
  }
  const { nodes } = JSON.parse(readFileSync(noted, 'utf8')) as { nodes: number };
  return Array.from(
    { length: nodes },
    (_, at) => parse(readFileSync(join(directory, `node-${at + 1}`, 'node.yaml'), 'utf8')) as NodeFile,
  );
}

async function endNodes(
  directory: string,
  nodes: readonly WorldNode[],
  names: readonly string[],
  signal: 'SIGKILL' | 'SIGTERM',
): Promise<void> {
  const pids: number[] = [];
  // A node that has just ended by itself is awaited: a kill must hit a living process.
  for (const name of names) {
    const lives = async (): Promise<boolean> => pidOf(directory, name) !== undefined;
    await until(`${name} lives`, lives, PID_TIMEOUT_MS);
    pids.push(pidOf(directory, name)!);
  }
  for (const pid of pids) process.kill(pid, signal);
  const gone = async (): Promise<boolean> => {
    if (pids.every((pid) => !isAlive(pid))) return true;
    // For systems on which zombies cannot be told from living processes: a dead node does not answer.
    const killed = nodes.filter(({ name }) => names.includes(name));
    return (await Promise.all(killed.map(statusOf))).every((status) => status === null);
  };
  await until(`${names.join(', ')} ended`, gone, GONE_TIMEOUT_MS);
}

/** Processes that stand still for a while; whatever happens to this run, they continue afterwards. */
class HeldProcesses {
  readonly #pids = new Set<number>();

  /** Returns a function that lets it continue. */
  hold(pid: number): () => void {
    process.kill(pid, 'SIGSTOP');
    this.#pids.add(pid);
    return () => this.#release(pid);
  }

  releaseAll(): void {
    for (const pid of this.#pids) this.#release(pid);
  }

  #release(pid: number): void {
    if (!this.#pids.delete(pid)) return;
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // It was ended meanwhile.
    }
  }
}

/** It must start nothing while files are removed. */
function supervisorPid(directory: string): number {
  const pid = Number(readFileSync(join(directory, 'up.lock'), 'utf8').split(' ')[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1) throw new Error(`${directory}/up.lock names no process`);
  return pid;
}

/** The sample legacy API beside the nodes, as its own counters show it. */
function sampleView(directory: string, base: string, world: World, held: HeldProcesses): LegacyView {
  const given = new Set<string>();
  const calls = async (): Promise<Record<string, number>> => {
    const answer = await fetch(`${base}/stats`, { signal: AbortSignal.timeout(5_000) });
    return ((await answer.json()) as { keys: Record<string, number> }).keys;
  };
  return {
    async coldKeys(count) {
      const rows = await sqlRows(world, 'select key from causeway.record where key = any($1)', [SAMPLE_KEYS]);
      const [warm, called] = [new Set(rows.map(({ key }) => key)), await calls()];
      const isCold = (key: string): boolean => !warm.has(key) && called[key] === undefined && !given.has(key);
      const cold = SAMPLE_KEYS.filter(isCold).slice(0, count);
      if (cold.length < count) {
        throw new Error(
          'too few of the sample keys are still unread: start over with an empty data directory',
        );
      }
      for (const key of cold) given.add(key);
      return cold.map((key) => ({ key, value: key.replace('legacy:', 'Legacy record ') }));
    },
    callsOf: async (key) => (await calls())[key] ?? 0,
    async silence() {
      const pid = pidOf(directory, 'legacy');
      if (pid === undefined) return null;
      // Stopped, not ended: its supervisor would restart it at once.
      const resume = held.hold(pid);
      return async () => resume();
    },
  };
}
