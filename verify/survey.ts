/**
 * A cluster at rest, examined from all sides: what each node answers to a read, what each node's own store holds (Admin
 * Inspect neither forwards nor repairs), and what PostgreSQL has.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type CausewayClient, type Inspected, type Pipeline } from '../src/client/index.ts';
import { EMPTY_VALUE, ORIGIN_NAMES, type KeyRecord, type Origin } from '../src/core/record.ts';
import type { HistoryOutcome } from '../sim/checkers/history.ts';
import { seen } from './call.ts';
import { sqlRows, type SqlRow, type World, type WorldNode } from './world.ts';

export interface Survey {
  readonly reads: readonly {
    readonly node: string;
    readonly key: string;
    readonly outcome: HistoryOutcome;
  }[];
  readonly stores: readonly StoreView[];
  readonly rows: ReadonlyMap<string, Row>;
}

export interface StoreView {
  readonly node: string;
  readonly byKey: ReadonlyMap<string, Held>;
}

export interface Held {
  readonly owner: boolean;
  readonly valid: boolean;
  /** Its operation id is not reported and is null. */
  readonly record: KeyRecord | undefined;
}

export interface Row {
  readonly version: number;
  readonly checksum: number;
  readonly operationId: Uint8Array | null;
}

const INSPECT_PARALLEL = 48;
const TIMEOUT_MS = 20_000;
const ATTEMPTS_MAX = 5;
/** A legacy API that failed for long is asked again after a minute at most (`openMsMax` of the breaker). */
const READ_PATIENCE_MS = 90_000;
const READ_REST_MS = 1_000;

export async function surveyOf(world: World, prefix: string, keys: readonly string[]): Promise<Survey> {
  const reads: Survey['reads'][number][] = [];
  for (const node of world.nodes) {
    const outcomes = await readAll(node, keys);
    outcomes.forEach((outcome, at) => reads.push({ node: node.name, key: keys[at]!, outcome }));
  }
  const stores: StoreView[] = [];
  for (const node of world.nodes) stores.push({ node: node.name, byKey: await inspectAll(node, keys) });
  return { reads, stores, rows: await rowsOf(world, prefix) };
}

async function readAll(node: WorldNode, keys: readonly string[]): Promise<HistoryOutcome[]> {
  const client = connect({ nodes: [node.address] });
  try {
    const pipeline = await client.pipeline({ timeoutMs: TIMEOUT_MS });
    const outcomes: Promise<HistoryOutcome>[] = [];
    for (const key of keys) {
      await pipeline.room();
      outcomes.push(readPatiently(pipeline, key));
    }
    const read = await Promise.all(outcomes);
    await pipeline.close();
    return read;
  } finally {
    client.close();
  }
}

async function readPatiently(pipeline: Pipeline, key: string): Promise<HistoryOutcome> {
  const deadline = performance.now() + READ_PATIENCE_MS;
  for (;;) {
    try {
      return seen(await pipeline.getWithMeta(key));
    } catch {
      if (performance.now() > deadline) return { kind: 'definiteFailure' };
      await delay(READ_REST_MS);
      await pipeline.room();
    }
  }
}

async function inspectAll(node: WorldNode, keys: readonly string[]): Promise<Map<string, Held>> {
  const client = connect({ nodes: [node.address] });
  const found = new Map<string, Held>();
  const left = [...keys];
  const work = async (): Promise<void> => {
    for (let key = left.pop(); key !== undefined; key = left.pop()) {
      found.set(key, heldOf(key, await inspectPatiently(client, node, key)));
    }
  };
  try {
    await Promise.all(Array.from({ length: INSPECT_PARALLEL }, work));
  } finally {
    client.close();
  }
  return found;
}

async function inspectPatiently(client: CausewayClient, node: WorldNode, key: string): Promise<Inspected> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await client.inspect(node.address, key, { timeoutMs: TIMEOUT_MS });
    } catch (error) {
      if (attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

function heldOf(key: string, { owner, valid, tombstone, entry }: Inspected): Held {
  if (entry === undefined) return { owner, valid, record: undefined };
  const record: KeyRecord = {
    key,
    version: entry.version,
    origin: ORIGIN_NAMES.indexOf(entry.origin) as Origin,
    tombstone,
    value: tombstone ? EMPTY_VALUE : entry.value,
    createdAt: entry.createdAtMs,
    updatedAt: entry.updatedAtMs,
    expiresAt: entry.expiresAtMs,
    operationId: null,
    contentType: entry.contentType ?? null,
  };
  return { owner, valid, record };
}

async function rowsOf(world: World, prefix: string): Promise<Map<string, Row>> {
  const text = 'select key, version, checksum, operation_id from causeway.record where starts_with(key, $1)';
  const rows = await sqlRows(world, text, [prefix]);
  return new Map(rows.map((row) => [row['key'] as string, rowOf(row)]));
}

/** The database's client returns 64-bit numbers as strings. */
function rowOf(row: SqlRow): Row {
  return {
    version: Number(row['version']),
    checksum: Number(row['checksum']),
    operationId: (row['operation_id'] as Uint8Array | null) ?? null,
  };
}
