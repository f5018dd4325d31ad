/**
 * One node as a process: the only place where settings, adapters, the node and its doors meet. What is opened
 * is closed again in the reverse order, after a failed start as after a stop.
 */
import xxhash from 'xxhash-wasm';
import { createGrpcTransport } from './adapters/grpc/transport.ts';
import { openLegacySource } from './adapters/legacy-http/source.ts';
import type { PostgresRecord } from './adapters/postgres/postgres-record.ts';
import { systemClock } from './adapters/system/clock.ts';
import { systemRandom } from './adapters/system/random.ts';
import { openLog } from './adapters/telemetry/log.ts';
import type { Log } from './adapters/telemetry/log.ts';
import type { Config } from './config.ts';
import { listen, makeGrpcServer, shutDown, whyNotBound } from './main-grpc.ts';
import { LateApi } from './main-late-api.ts';
import { RecordStart, makeRecord, recordStatus } from './main-record.ts';
import { dialAddresses, legacySettings, nodeSettings } from './main-settings.ts';
import { openStore } from './main-store.ts';
import { CausewayNode } from './node/node.ts';
import type { NodeParts } from './node/node-parts.ts';
import type { LegacySource } from './ports/legacy-source.ts';
import type { Storage } from './ports/storage.ts';
import { createDoors } from './servers/grpc/doors.ts';
import { openHttpServer } from './servers/http/server.ts';

export interface RunningNode {
  /** In order: what is under way is finished, the others are told, everything is closed. */
  stop(): Promise<void>;
  /** Resolves when the cluster goes on without this node for good. */
  readonly left: Promise<void>;
}

const EXIT_FATAL = 1;

/** What is open, to be closed in the reverse order. */
type Open = (() => Promise<void>)[];

/**
 * Resolves when the node takes part. Rejects with one line for the operator where only a person can help, and
 * when `stopAsked` is aborted meanwhile; nothing is left open then.
 */
export async function startNode(config: Config, stopAsked?: AbortSignal): Promise<RunningNode> {
  const log = openLog({ level: config.log.level, node: config.node.name });
  endOnFault(log);
  log.event('info', 'node.start', { dataDir: config.node.dataDir });
  const open: Open = [];
  let stopping: Promise<void> | undefined;
  let onLeft = (): void => undefined;
  const left = new Promise<void>((resolve) => (onLeft = resolve));
  try {
    await openAll(config, log, open, () => onLeft(), stopAsked);
  } catch (error) {
    if (stopAsked?.aborted !== true) log.event('error', 'node.start_failed', { reason: reasonOf(error) });
    await closeAll(open, log);
    throw error;
  }
  return { stop: () => (stopping ??= closeAll(open, log)), left };
}

async function openAll(
  config: Config,
  log: Log,
  open: Open,
  onLeft: () => void,
  stopAsked?: AbortSignal,
): Promise<void> {
  const store = await openStore(config, log);
  open.push(store.release);
  const disk = onceClosed(store.storage);
  open.push(disk.close);
  const record = config.postgres === null ? null : makeRecord(config, config.postgres, log);
  const late = new LateApi(config.node.name, () => recordStatus(record));
  open.push(await openProbes(config, late));
  if (record !== null) {
    const start = new RecordStart(record, log, {
      isMember: () => late.status().epoch > 0,
      onRefused: (reason) => endNow(log, 'node.start_failed', reason),
    });
    open.push(() => start.close());
    await start.tried(stopAsked);
  }
  const legacySource = config.legacy === null ? null : openLegacySource(legacySettings(config.legacy), log);
  if (legacySource !== null) open.push(() => closed(legacySource));
  stopAsked?.throwIfAborted();
  await openNode(config, log, open, { disk, record, legacySource, late, onLeft });
  log.event('info', 'node.listening', { grpc: config.grpc.port, http: config.http.port });
}

interface Surroundings {
  readonly disk: ReturnType<typeof onceClosed>;
  readonly record: PostgresRecord | null;
  readonly legacySource: LegacySource | null;
  readonly late: LateApi;
  readonly onLeft: () => void;
}

async function openNode(config: Config, log: Log, open: Open, around: Surroundings): Promise<void> {
  const random = systemRandom();
  const server = makeGrpcServer(config.limits.valueBytesMax);
  open.push(() => shutDown(server));
  const { h32 } = await xxhash();
  const node = await opened({
    ...nodeSettings(config),
    clock: systemClock(),
    random,
    telemetry: log,
    storage: around.disk.storage,
    transport: createGrpcTransport({ server, random, dialAt: dialAddresses(config) }),
    systemOfRecord: around.record,
    legacySource: around.legacySource,
    hash32: (text) => h32(text),
    onFatal: (reason) => endNow(log, 'node.fatal', reason),
    onLeft: around.onLeft,
  });
  const doors = createDoors(server, node, { valueBytesMax: config.limits.valueBytesMax });
  await listen(server, config.grpc.host, config.grpc.port);
  around.late.become(node);
  node.start();
  open.push(() => {
    doors.close();
    return new Promise((resolve) => node.stop(resolve));
  });
}

function opened(parts: NodeParts): Promise<CausewayNode> {
  return new Promise((resolve, reject) => {
    CausewayNode.open(parts, (node, problem) => {
      if (node === null) reject(new Error(problem));
      else resolve(node);
    });
  });
}

/** The node closes its store itself; a start that failed before there was a node must do it. */
function onceClosed(inner: Storage): { storage: Storage; close: () => Promise<void> } {
  let isClosed = false;
  const storage: Storage = {
    get: (key) => inner.get(key),
    write: (keys, values, done) => inner.write(keys, values, done),
    scan: (from, to, entryCountMax, byteCountMax, done) =>
      inner.scan(from, to, entryCountMax, byteCountMax, done),
    close: (done) => {
      isClosed = true;
      inner.close(done);
    },
  };
  return { storage, close: async () => (isClosed ? undefined : closed(storage)) };
}

function closed(one: { close(done: () => void): void }): Promise<void> {
  return new Promise((resolve) => one.close(resolve));
}

async function openProbes(config: Config, late: LateApi): Promise<() => Promise<void>> {
  const { host, port } = config.http;
  try {
    const server = await openHttpServer(late, host, port);
    return () => server.close();
  } catch (error) {
    throw new Error(whyNotBound('http', `${host}:${port}`, reasonOf(error)), { cause: error });
  }
}

async function closeAll(open: Open, log: Log): Promise<void> {
  for (const close of open.splice(0).reverse()) await close();
  log.event('info', 'node.stopped');
  log.flush();
}

/** Whoever started the process starts it again; it comes back as a new incarnation. (R11) */
function endNow(log: Log, name: string, reason: string): void {
  log.event('error', name, { reason });
  log.flush();
  process.exit(EXIT_FATAL);
}

/** A programmer's error: what it left in memory is not to be trusted with a single further request. */
function endOnFault(log: Log): void {
  const onFault = (error: unknown): void =>
    endNow(log, 'node.fault', error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.on('uncaughtException', onFault);
  process.on('unhandledRejection', onFault);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
