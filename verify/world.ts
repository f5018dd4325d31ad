/**
 * The cluster under verification as the programs of this folder see it, whoever runs it: places to ask, a database to
 * look into, processes to kill. What is killed is started again by whoever watches over the cluster.
 */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { NodeStatus } from '../src/node/api.ts';
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
  /** Those that are members, or are to be; a cluster that was started for the run may change. */
  readonly nodes: readonly WorldNode[];
  readonly databaseUrl: string;
  /** null: this cluster has no legacy source that can be looked at. */
  readonly legacy: LegacyView | null;
  /** With kill -9, all at once; resolves when they are gone. `downMs`: how long they stay away, where that can be said. */
  kill(names: readonly string[], downMs?: number): Promise<void>;
  /** The same, and their data directories are removed before they start again. */
  killAndWipe(names: readonly string[]): Promise<void>;
  /** In order, with SIGTERM; resolves when they are gone. */
  stop(names: readonly string[]): Promise<void>;
  /** They stand still, or run in slices only, until they are let go; those that do not run are left out. */
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
  /** null: nodes are wired to each other directly. */
  readonly network: Wires | null;
  readonly postgres: TestServer;
  readonly legacy: LegacyServer | null;
  /** null: nodes share the machine's disk. */
  readonly disks: SmallDisks | null;
  /** null: nodes were started on the machine's clock. */
  readonly clocks: FakeClocks | null;
  /** One more member, that joins by way of another; answers its name. It is copied to from then on. */
  join(by: string): Promise<string>;
  /** A member leaves for good; resolves when its process has ended in order, and it is no node of the world any more. */
  leave(name: string): Promise<void>;
  processOf(name: string): ChildProcess | undefined;
  /** Processes that ended although nobody had asked them to. */
  readonly endings: readonly Ending[];
  logOf(name: string): string;
}

export interface Ending {
  readonly name: string;
  /** Exit code, or the signal's name. */
  readonly how: number | string;
}

export interface LegacyView {
  /** Keys that stand in the legacy API and nowhere else yet. */
  coldKeys(count: number): Promise<readonly { readonly key: string; readonly value: string }[]>;
  /** Calls for this key since the API was started. */
  callsOf(key: string): Promise<number>;
  /** From now on it answers nobody; null where this cannot be done here. */
  silence(): Promise<(() => Promise<void>) | null>;
}

/** As `causeway up` and the tests set it. */
const REPLICAS_MAX = 3;
const READY_TIMEOUT_MS = 120_000;
const AT_REST_TIMEOUT_MS = 30_000;
const POLL_MS = 25;
const HTTP_TIMEOUT_MS = 2_000;

/** How many nodes own each key. */
export function ownerCountOf({ nodes }: World): number {
  return Math.min(REPLICAS_MAX, nodes.length);
}

/** Waits until `met`, or fails at the deadline naming what was awaited. */
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

/** Every node is a complete owner of every slot that it is placed on, by its own word. */
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

/** null: it does not answer. */
export async function statusOf(node: WorldNode): Promise<NodeStatus | null> {
  const answer = await askHttp(node, '/status');
  return answer === null ? null : ((await answer.json()) as NodeStatus);
}

/** Where its HTTP door is: at the address of its other one. */
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

/** One statement, on a connection of its own. */
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
