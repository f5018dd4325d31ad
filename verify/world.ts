/**
 * The cluster under verification as the programs of this folder see it, whoever runs it: addresses to ask, a database
 * to query, processes to kill. Whoever supervises the cluster restarts what is killed.
 */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { NodeStatus } from '../src/node/status.ts';
import type { LegacyServer } from '../test/support/legacy-server.ts';
import type { TestServer } from '../test/support/postgres.ts';
import type { FakeClocks } from './chaos/fake-clocks.ts';
import type { Slices } from '../test/support/hold-process.ts';
import type { SmallDisks } from './chaos/small-disks.ts';
import type { Wires } from './chaos/wires.ts';

export interface WorldNode {
  readonly name: string;
  readonly address: string;
  readonly httpPort: number;
}

export interface World {
  /** Those that are members, or will be; the nodes of a cluster that was started for the run may change. */
  readonly nodes: readonly WorldNode[];
  readonly databaseUrl: string;
  /** Null if this cluster has no legacy source that can be observed. */
  readonly legacy: LegacyView | null;
  /**
   * Kills all at once with kill -9; resolves when they are gone. `downMs`: how long they stay away, if that can be
   * chosen.
   */
  kill(names: readonly string[], downMs?: number): Promise<void>;
  /** The same; their data directories are removed before they start again. */
  killAndWipe(names: readonly string[]): Promise<void>;
  /** Stops them gracefully with SIGTERM; resolves when they are gone. */
  stop(names: readonly string[]): Promise<void>;
  /** They stand still, or run in slices only, until they are released; those that are not running are left out. */
  pause(names: readonly string[], slices?: Slices): Promise<Pause>;
  /** What only a cluster that was started for the run has. */
  readonly rig: Rig | null;
  close(): Promise<void>;
}

export interface Pause {
  readonly names: readonly string[];
  readonly resume: () => Promise<void>;
}

/** Everything around the nodes that can be made to fail. */
export interface Rig {
  /** Null if nodes are connected to each other directly. */
  readonly network: Wires | null;
  readonly postgres: TestServer;
  readonly legacy: LegacyServer | null;
  /** Null if nodes share the machine's disk. */
  readonly disks: SmallDisks | null;
  /** Null if nodes were started on the machine's clock. */
  readonly clocks: FakeClocks | null;
  /** Adds a member that joins through another; returns its name. Slots are copied to it from then on. */
  join(by: string): Promise<string>;
  /**
   * A member leaves for good; resolves when its process has ended gracefully. Afterwards it is no longer a node of the
   * world.
   */
  leave(name: string): Promise<void>;
  processOf(name: string): ChildProcess | undefined;
  /** Processes that ended unexpectedly. */
  readonly endings: readonly Ending[];
  logOf(name: string): string;
}

export interface Ending {
  readonly name: string;
  /** Exit code, or the signal's name. */
  readonly how: number | string;
}

export interface LegacyView {
  /** Keys that exist in the legacy API and nowhere else yet. */
  coldKeys(count: number): Promise<readonly { readonly key: string; readonly value: string }[]>;
  /** Calls for this key since the API was started. */
  callsOf(key: string): Promise<number>;
  /** From now on it answers nobody; null if that is not possible here. */
  silence(): Promise<(() => Promise<void>) | null>;
}

/** As set by `causeway up` and the tests. */
const REPLICAS_MAX = 3;
const READY_TIMEOUT_MS = 120_000;
const AT_REST_TIMEOUT_MS = 30_000;
const POLL_MS = 25;
const HTTP_TIMEOUT_MS = 2_000;

/** How many nodes own each key. */
export function ownerCountOf({ nodes }: World): number {
  return Math.min(REPLICAS_MAX, nodes.length);
}

/** Waits until `met` returns true; fails at the deadline, naming what was awaited. */
export async function until(
  what: string,
  met: () => Promise<boolean>,
  timeoutMs: number,
  everyMs = POLL_MS,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await met())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await delay(everyMs);
  }
}

/** Every node reports that it is a complete owner of every slot placed on it. */
export async function untilReady(world: World, timeoutMs = READY_TIMEOUT_MS): Promise<void> {
  for (const node of world.nodes) await until(`${node.name} is ready`, () => isReady(node), timeoutMs);
}

/** No node has an unfinished write any more. */
export async function untilAtRest(world: World): Promise<void> {
  for (const node of world.nodes) {
    const isAtRest = async (): Promise<boolean> => (await statusOf(node))?.keysInFlight === 0;
    await until(`${node.name} has finished every write`, isAtRest, AT_REST_TIMEOUT_MS);
  }
}

export async function isReady(node: WorldNode): Promise<boolean> {
  return (await askHttp(node, '/readyz'))?.status === 200;
}

/** Null if it does not answer. */
export async function statusOf(node: WorldNode): Promise<NodeStatus | null> {
  const answer = await askHttp(node, '/status');
  return answer === null ? null : ((await answer.json()) as NodeStatus);
}

/** The address of its HTTP door: on the same host as its other door. */
function httpOf({ address, httpPort }: WorldNode): string {
  return `http://${address.slice(0, address.lastIndexOf(':'))}:${httpPort}`;
}

async function askHttp(node: WorldNode, path: string): Promise<Response | null> {
  try {
    return await fetch(`${httpOf(node)}${path}`, { signal: AbortSignal.timeout(HTTP_TIMEOUT_MS) });
  } catch {
    return null;
  }
}

/** Runs one statement on a connection of its own. */
export async function sqlRows(world: World, text: string, values: unknown[]): Promise<SqlRow[]> {
  const client = new pg.Client({ connectionString: world.databaseUrl, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<SqlRow>(text, values)).rows;
  } finally {
    await client.end();
  }
}

export type SqlRow = Record<string, unknown>;
