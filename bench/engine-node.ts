/**
 * A whole node that generates its own load: the same parts as in `src/main.ts`, and loops that call its API directly,
 * so that the figures do not include the doors or a client on the same cores.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Server } from '@grpc/grpc-js';
import xxhash from 'xxhash-wasm';
import { createGrpcTransport } from '../src/adapters/grpc/transport.ts';
import { openPostgresRecord } from '../src/adapters/postgres/postgres-record.ts';
import { systemClock } from '../src/adapters/system/clock.ts';
import { systemDiskSpace } from '../src/adapters/system/disk-space.ts';
import { systemProcessUse } from '../src/adapters/system/process-use.ts';
import { systemRandom } from '../src/adapters/system/random.ts';
import { openLog } from '../src/adapters/telemetry/log.ts';
import type { Log } from '../src/adapters/telemetry/log.ts';
import { loadConfig } from '../src/config/config.ts';
import type { Config } from '../src/config/config.ts';
import { DoorBook } from '../src/core/clients/door-book.ts';
import { Instruments } from '../src/core/observability/instruments.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import { listen, makeGrpcServer } from '../src/process/grpc-server.ts';
import { nodeSettings } from '../src/process/node-settings.ts';
import { migrationsDirectory } from '../src/process/package-files.ts';
import { NodeStore } from '../src/process/node-store.ts';
import { WAIT } from '../src/node/api.ts';
import type { NodeApi } from '../src/node/api.ts';
import { CausewayNode } from '../src/node/node.ts';
import { ProcessWatch } from '../src/servers/http/metrics/facts.ts';
import { exposition } from '../src/servers/http/metrics/metrics.ts';
import { watchParent } from '../src/supervisor/watch-parent.ts';
import { hotFor } from './hot-key.ts';
import type { HotOrder } from './hot-key.ts';
import { benchKey } from './keys.ts';
import { meteredRecord, meteredStorage, meteredTransport, newMeter } from './port-meters.ts';
import type { Meter } from './port-meters.ts';
import { putAsOrdered } from './put-load.ts';
import type { PutOrder } from './put-load.ts';

export type EngineOrder =
  | PutOrder
  /** Local reads, with nothing else in between. */
  | { readonly kind: 'get'; readonly keyCount: number; readonly forMs: number }
  | HotOrder
  /** Whether operations are counted and timed from now on; if so, metrics are also requested once a second. */
  | { readonly kind: 'instruments'; readonly isOn: boolean }
  /** Requests metrics this many times; the latencies of the answer are the times that it took. */
  | { readonly kind: 'scrape'; readonly times: number }
  | { readonly kind: 'memory' };

export interface EngineAnswer {
  readonly count: number;
  readonly failed: number;
  readonly ms: number;
  /** CPU milliseconds of this process. */
  readonly cpuMs: number;
  readonly latenciesMs: readonly number[];
  /** For `hot`: latencies of the readers of the hot key, and of puts of other keys. */
  readonly readsMs?: readonly number[];
  readonly putsMs?: readonly number[];
  readonly heapMb: number;
  readonly residentMb: number;
  /** The part that is pages of mapped files, mainly the store's tables, which the system can reclaim. */
  readonly mappedMb: number;
  /** Synced batches of the store and statements to PostgreSQL during the run. */
  readonly store: Meter;
  readonly record: Meter;
  /** Frames sent to the other nodes. */
  readonly frames: Meter;
  /** Turns of the event loop. */
  readonly turns: number;
}

/** Reads between two turns of the event loop, because the lease must be renewed in time. */
const READS_PER_TURN = 5_000;
const MEGABYTE = 1024 * 1024;
const SCRAPE_EVERY_MS = 1_000;
const instruments = new Instruments();
const processUse = systemProcessUse();
const processWatch = new ProcessWatch(() => processUse.memory());
const storeMeter = newMeter();
const recordMeter = newMeter();
const frameMeter = newMeter();

type Counted = Pick<EngineAnswer, 'count' | 'failed' | 'latenciesMs' | 'readsMs' | 'putsMs'>;

export async function runEngineNode(configFile: string): Promise<void> {
  watchParent(() => process.exit(0));
  const { config } = loadConfig({ file: configFile });
  const log = openLog({ level: config.log.level, node: config.node.name });
  const node = await openNode(config, log);
  setInterval(() => {
    if (instruments.isOn) void scrape(node, log);
  }, SCRAPE_EVERY_MS).unref();
  process.on('SIGTERM', () => node.stop(() => process.exit(0)));
  process.on('message', ({ id, order }: { id: number; order: EngineOrder }) => {
    void carryOut(node, log, order).then((answer) => process.send!({ id, ...answer }));
  });
  process.channel?.ref();
  createServer((_request, response) => {
    const { leaseHeld, phase } = node.status();
    response.writeHead(leaseHeld && phase === 'serving' ? 200 : 503).end();
  }).listen(config.http.port, config.http.host);
}

async function openNode(config: Config, log: Log): Promise<CausewayNode> {
  const store = await NodeStore.open(config, log);
  const record = openPostgresRecord({
    connectionString: config.postgres!.url,
    migrationsDirectory: migrationsDirectory(),
    slotOf,
    telemetry: log,
  });
  await record.start();
  const server: Server = makeGrpcServer(config.limits.valueBytesMax);
  const random = systemRandom();
  const { h32 } = await xxhash();
  const links = createGrpcTransport({ server, random });
  const node = await new Promise<CausewayNode>((resolve, reject) => {
    CausewayNode.open(
      {
        ...nodeSettings(config),
        doors: new DoorBook(config.node.name),
        clock: systemClock(),
        diskSpace: systemDiskSpace(config.node.dataDir),
        random,
        telemetry: log,
        instruments,
        slowLog: { thresholdMs: config.log.slowMs, linesPerSecondMax: config.log.slowPerSecondMax },
        storage: meteredStorage(store.storage, storeMeter),
        setAside: store.setAside,
        raiseDisk: (protocol) => store.raise(protocol),
        transport: meteredTransport(links, frameMeter),
        systemOfRecord: meteredRecord(record, recordMeter),
        legacySource: null,
        hash32: (text) => h32(text),
        copyBytesPerSecondMax: 0,
        scrub: { recordsPerSecondMax: 0, bytesPerSecondMax: 0, pauseMs: 0 },
        onLeft: () => undefined,
        onFatal: (reason) => {
          log.event('error', 'node.fatal', { reason });
          log.flush();
          process.exit(1);
        },
      },
      (opened, problem) => (opened === null ? reject(new Error(problem?.message)) : resolve(opened)),
    );
  });
  await listen(server, config.grpc.host, config.grpc.port);
  links.onBound();
  node.start();
  return node;
}

async function carryOut(api: NodeApi, log: Log, order: EngineOrder): Promise<EngineAnswer> {
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  Object.assign(storeMeter, newMeter());
  Object.assign(recordMeter, newMeter());
  Object.assign(frameMeter, newMeter());
  const turnsBefore = turnsNow();
  let counted: Counted = { count: 0, failed: 0, latenciesMs: [] };
  if (order.kind === 'put' || order.kind === 'putSteadily' || order.kind === 'load')
    counted = await putAsOrdered(api, order);
  else if (order.kind === 'hot') counted = await hotFor(api, order);
  else if (order.kind === 'get') counted = await getFor(api, order);
  else if (order.kind === 'instruments') instruments.isOn = order.isOn;
  else if (order.kind === 'scrape') counted = await scrapes(api, log, order.times);
  else collectGarbage();
  const cpu = process.cpuUsage(cpuBefore);
  const { heapUsed, rss } = process.memoryUsage();
  return {
    ...counted,
    ms: performance.now() - startedAt,
    cpuMs: (cpu.user + cpu.system) / 1000,
    heapMb: heapUsed / MEGABYTE,
    residentMb: rss / MEGABYTE,
    mappedMb: mappedBytes() / MEGABYTE,
    store: { ...storeMeter },
    record: { ...recordMeter },
    frames: { ...frameMeter },
    turns: turnsNow() - turnsBefore,
  };
}

function turnsNow(): number {
  return performance.nodeTiming.uvMetricsInfo.loopCount;
}

async function scrapes(api: NodeApi, log: Log, times: number): Promise<Counted> {
  const latenciesMs: number[] = [];
  for (let count = 0; count < times; count += 1) {
    const askedAt = performance.now();
    await scrape(api, log);
    latenciesMs.push(performance.now() - askedAt);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { count: times, failed: 0, latenciesMs };
}

async function scrape(api: NodeApi, { events, counters }: Log): Promise<void> {
  const status = api.status();
  const facts = { doors: [], process: processWatch.facts(), storeBytes: null };
  await exposition({ status, instruments, events, counters, ...facts });
}

async function getFor(api: NodeApi, order: Extract<EngineOrder, { kind: 'get' }>): Promise<Counted> {
  const keys = Array.from({ length: order.keyCount }, (_, index) => benchKey(index));
  const endAt = performance.now() + order.forMs;
  let count = 0;
  let failed = 0;
  let at = 0;
  while (performance.now() < endAt) {
    for (let read = 0; read < READS_PER_TURN; read += 1) {
      const record = api.tryGet(keys[at]!);
      if (record === WAIT || record === undefined) failed += 1;
      else count += 1;
      // A step that is coprime to the count visits every key, and no two neighbours in a row.
      at = (at + 7919) % keys.length;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { count, failed, latenciesMs: [] };
}

/** 0 if the system does not provide it. */
function mappedBytes(): number {
  if (process.platform !== 'linux') return 0;
  const found = /^RssFile:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return found === null ? 0 : Number(found[1]) * 1024;
}

/** What remains is what the node really holds, without garbage. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
}
