/**
 * One node as a process: the only place where settings, adapters, the node and its doors meet. Everything opened is
 * closed in reverse order, both after a failed start and at a stop.
 */
import { join } from 'node:path';
import xxhash from 'xxhash-wasm';
import { LINK_PATH } from './adapters/grpc/peer-link.ts';
import { createGrpcTransport } from './adapters/grpc/transport.ts';
import { openLegacySource } from './adapters/legacy-http/source.ts';
import type { PostgresRecord } from './adapters/postgres/postgres-record.ts';
import { systemClock } from './adapters/system/clock.ts';
import { STORE_FILE, STORE_FOLDER } from './adapters/leveldb/directory.ts';
import { systemDiskSpace } from './adapters/system/disk-space.ts';
import { systemRandom } from './adapters/system/random.ts';
import { openLog } from './adapters/telemetry/log.ts';
import type { Log } from './adapters/telemetry/log.ts';
import { reasonOf } from './base/reason-of.ts';
import type { Config } from './config/config.ts';
import { readSecret, readSecretFile } from './config/secrets.ts';
import { DoorBook } from './core/clients/door-book.ts';
import type { EventName } from './core/observability/events.ts';
import type { SecretReference } from './core/legacy/legacy-config.ts';
import { serverOf } from './core/system-of-record/record-standing.ts';
import { topologyOnDisk } from './node/membership/disk.ts';
import type { NodeParts } from './node/node-parts.ts';
import type { CausewayNode } from './node/node.ts';
import { openNode as openOnStore } from './node/open-node.ts';
import type { Replace } from './node/open-node.ts';
import { NodeTraces } from './node/tracing/node-traces.ts';
import type { LegacySource } from './ports/legacy-source.ts';
import type { Tracing } from './ports/tracing.ts';
import { listen, makeGrpcServer, shutDown } from './process/grpc-server.ts';
import { openHttp } from './process/http-door.ts';
import { LateApi } from './process/late-api.ts';
import { Metering } from './process/metering.ts';
import { dialAddresses, legacySettings, nodeSettings, toldDoors } from './process/node-settings.ts';
import { NodeStore } from './process/node-store.ts';
import { RecordStart, makeRecord, recordStatus } from './process/record-start.ts';
import { RefusalWatch } from './process/refusal-watch.ts';
import { openResp } from './process/resp-door.ts';
import { openNodeTraces } from './process/trace-export.ts';
import { createDoors } from './servers/grpc/doors.ts';
import { untakenOf } from './servers/grpc/untaken.ts';
import { decodeTopology, encodeTopology } from './wire/topology-codec.ts';

export interface RunningNode {
  /** Stops gracefully: finishes what is under way, tells the others, closes everything. */
  stop(): Promise<void>;
  /** Resolves when the cluster has gone on without this node for good. */
  readonly left: Promise<void>;
  /**
   * Resolves with the reason if the node has never been a member, and the members refuse it because of its settings.
   */
  readonly refused: Promise<string>;
}

const EXIT_FATAL = 1;

/** How the secrets that settings refer to are read. */
const SECRETS = {
  read: (reference: SecretReference) => readSecret(reference, process.env),
  readAgain: readSecretFile,
};

/** One for each part that is open, to be called in reverse order. */
type Closers = (() => Promise<void>)[];

/**
 * Resolves when the node takes part. Rejects with a one-line message if only a person can help, or if `stopAsked` is
 * aborted meanwhile; nothing is left open then.
 */
export async function startNode(config: Config, stopAsked?: AbortSignal): Promise<RunningNode> {
  const log = logOf(config);
  endOnFault(log);
  log.event('info', 'node.start', { dataDir: config.node.dataDir });
  const closers: Closers = [];
  let stopping: Promise<void> | undefined;
  let onLeft = (): void => undefined;
  const left = new Promise<void>((resolve) => (onLeft = resolve));
  let onRefused = (_reason: string): void => undefined;
  const refused = new Promise<string>((resolve) => (onRefused = resolve));
  try {
    const refuse = (reason: string): void => {
      log.event('error', 'node.start_failed', { reason });
      onRefused(reason);
    };
    const ends = { onLeft: () => onLeft(), onRefused: refuse };
    await openAll(config, log, closers, ends, stopAsked);
  } catch (error) {
    if (stopAsked?.aborted !== true) log.event('error', 'node.start_failed', { reason: reasonOf(error) });
    await closeAll(closers, log);
    throw error;
  }
  return { stop: () => (stopping ??= closeAll(closers, log)), left, refused };
}

/** For a process that ends before there is anything to start. */
export function tellStartFailed(config: Config, reason: string): void {
  const log = logOf(config);
  log.event('error', 'node.start_failed', { reason });
  log.flush();
}

function logOf({ log: { level, keys }, node: { name } }: Config): Log {
  return openLog({ level, keys, node: name });
}

async function openAll(
  config: Config,
  log: Log,
  closers: Closers,
  ends: Ends,
  stopAsked?: AbortSignal,
): Promise<void> {
  const traces = await openNodeTraces(config, log);
  if (traces !== null) closers.push(() => traces.close());
  const store = await NodeStore.open(config, log);
  closers.push(() => store.close());
  const record = config.postgres === null ? null : makeRecord(config, config.postgres, log);
  const metering = new Metering(config, log);
  const late = new LateApi(config.node.name, () => recordStatus(record));
  // Passed to peers from the first message on: the Redis door opens a moment after this node begins to speak.
  const doors = new DoorBook(config.node.name, toldDoors(config));
  closers.push(await openHttp(config, late, metering, log, traces));
  if (record !== null) {
    // Read before the first connection: nothing must be read from another database, or done to it. (R30)
    const topology = topologyOnDisk(store.storage, { encode: encodeTopology, decode: decodeTopology });
    const server = topology === null ? undefined : serverOf(topology);
    if (server !== undefined) record.choose(server);
    const start = new RecordStart(record, log, {
      isMember: () => topology !== null || late.status().epoch > 0,
      onRefused: (reason) => endNow(log, 'node.start_failed', reason),
    });
    closers.push(() => start.close());
    await start.tried(stopAsked);
  }
  const legacySource =
    config.legacy === null
      ? null
      : openLegacySource(legacySettings(config.legacy, config.limits.valueBytesMax), log, SECRETS);
  if (legacySource !== null) closers.push(() => closed(legacySource));
  stopAsked?.throwIfAborted();
  const around = { store, record, legacySource, late, metering, tracing: traces, doors, ...ends };
  await openNode(config, log, closers, around);
  log.event('info', 'node.listening', { grpc: config.grpc.port, http: config.http.port });
}

interface Ends {
  readonly onLeft: () => void;
  readonly onRefused: (reason: string) => void;
}

interface Surroundings extends Ends {
  readonly store: NodeStore;
  readonly record: PostgresRecord | null;
  readonly legacySource: LegacySource | null;
  readonly late: LateApi;
  readonly metering: Metering;
  readonly tracing: Tracing | null;
  readonly doors: DoorBook;
}

async function openNode(config: Config, log: Log, closers: Closers, around: Surroundings): Promise<void> {
  const random = systemRandom();
  const server = makeGrpcServer(config.limits.valueBytesMax);
  closers.push(() => shutDown(server));
  const { h32 } = await xxhash();
  const { instruments, slowLog, processUse } = around.metering;
  const clock = systemClock();
  const { tracing } = around;
  const links = createGrpcTransport({ server, random, dialAt: dialAddresses(config) });
  const refusals = new RefusalWatch(clock, () => around.late.status().epoch > 0, around.onRefused);
  closers.push(() => refusals.close());
  const nodeTraces = tracing === null ? null : new NodeTraces(tracing, clock);
  closers.push(async () => nodeTraces?.stop());
  const parts: NodeParts = {
    ...nodeSettings(config),
    clock,
    random,
    telemetry: log,
    instruments,
    slowLog,
    processUse,
    storage: around.store.storage,
    setAside: around.store.setAside,
    raiseDisk: (protocol) => around.store.raise(protocol),
    diskSpace: systemDiskSpace(join(config.node.dataDir, STORE_FOLDER), STORE_FILE),
    transport: refusals.watch(links),
    refusals: () => refusals.list(),
    systemOfRecord: around.record,
    legacySource: around.legacySource,
    traces: nodeTraces,
    doors: around.doors,
    hash32: (text) => h32(text),
    onFatal: (reason) => endNow(log, 'node.fatal', reason),
    onLeft: around.onLeft,
  };
  const node = await openOnStoreOrBlank(parts, around.store);
  const doors = createDoors(server, node, {
    valueBytesMax: config.limits.valueBytesMax,
    instruments,
    tracing,
    memberPath: LINK_PATH,
  });
  around.metering.grpc = doors.connections;
  around.metering.grpcUntaken = untakenOf(server);
  await listen(server, config.grpc.host, config.grpc.port);
  // Listeners for connections must run before the one that takes links.
  links.onBound();
  doors.onBound();
  around.late.become(node);
  node.start();
  closers.push(() => {
    doors.close();
    return new Promise((resolve) => node.stop(resolve));
  });
  const resp = await openResp(config, node, tracing);
  around.metering.resp = resp;
  if (resp !== null) closers.push(() => resp.close());
}

/** On the store as it is or, if it is damaged, on a blank one in its place. */
function openOnStoreOrBlank(parts: NodeParts, store: NodeStore): Promise<CausewayNode> {
  const replace: Replace = (reason, done) => {
    store.replace(reason).then(
      () => done({ storage: store.storage, setAside: store.setAside }),
      (error: unknown) => done(reasonOf(error)),
    );
  };
  return new Promise((resolve, reject) => {
    openOnStore(parts, replace, (node, problem) => {
      if (node === null) reject(new Error(problem));
      else resolve(node);
    });
  });
}

function closed(one: { close(done: () => void): void }): Promise<void> {
  return new Promise((resolve) => one.close(resolve));
}

async function closeAll(closers: Closers, log: Log): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
  log.event('info', 'node.stopped');
  log.flush();
}

/** Whoever started the process restarts it; it comes back as a new incarnation. (R11) */
function endNow(log: Log, name: EventName, reason: string): void {
  log.event('error', name, { reason });
  log.flush();
  process.exit(EXIT_FATAL);
}

/** After a programmer's error, the state in memory must not be trusted with a single further request. */
function endOnFault(log: Log): void {
  const onFault = (error: unknown): void =>
    endNow(log, 'node.fault', error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.on('uncaughtException', onFault);
  process.on('unhandledRejection', onFault);
}
