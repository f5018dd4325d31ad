/**
 * The cluster under verification as the three programs see it, whoever runs it: places to ask, a database to
 * look into, processes to kill. What is killed is started again by whoever watches over the cluster.
 */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { NodeStatus } from '../src/node/api.ts';

export interface WorldNode {
  readonly name: string;
  readonly address: string;
  readonly httpPort: number;
}

export interface World {
  readonly nodes: readonly WorldNode[];
  readonly databaseUrl: string;
  /** null: this cluster has no legacy source that can be looked at. */
  readonly legacy: LegacyView | null;
  /** With kill -9, all at once; resolves when they are gone. */
  kill(names: readonly string[]): Promise<void>;
  /** The same, and their data directories are removed before they start again. */
  killAndWipe(names: readonly string[]): Promise<void>;
  close(): Promise<void>;
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
export async function until(what: string, met: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await met())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await delay(POLL_MS);
  }
}

/** Every node is a complete owner of every slot that it is placed on, by its own word. */
export async function untilReady(world: World): Promise<void> {
  for (const { name, httpPort } of world.nodes) {
    await until(`${name} is ready`, () => isReady(httpPort), READY_TIMEOUT_MS);
  }
}

/** No node has an unfinished write any more. */
export async function untilAtRest(world: World): Promise<void> {
  for (const node of world.nodes) {
    const isAtRest = async (): Promise<boolean> => (await statusOf(node))?.keysInFlight === 0;
    await until(`${node.name} has finished every write`, isAtRest, AT_REST_TIMEOUT_MS);
  }
}

export async function isReady(httpPort: number): Promise<boolean> {
  return (await askHttp(httpPort, '/readyz'))?.status === 200;
}

/** null: it does not answer. */
export async function statusOf(node: WorldNode): Promise<NodeStatus | null> {
  const answer = await askHttp(node.httpPort, '/status');
  return answer === null ? null : ((await answer.json()) as NodeStatus);
}

async function askHttp(port: number, path: string): Promise<Response | null> {
  try {
    return await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(HTTP_TIMEOUT_MS) });
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
