/** What a process counts and times about itself: where it is stored, and how it is exposed. */
import { join } from 'node:path';
import { STORE_FOLDER } from '../adapters/leveldb/directory.ts';
import { folderSize } from '../adapters/system/folder-size.ts';
import { systemProcessUse } from '../adapters/system/process-use.ts';
import type { Log } from '../adapters/telemetry/log.ts';
import type { Config } from '../config/config.ts';
import { Instruments } from '../core/observability/instruments.ts';
import type { NodeApi } from '../node/api.ts';
import type { SlowLogSettings } from '../node/slow-log.ts';
import { ProcessWatch } from '../servers/http/metrics/facts.ts';
import type { DoorFacts } from '../servers/http/metrics/facts.ts';
import { countRequests, metricsRoutes } from '../servers/http/metrics/metrics.ts';
import type { Mount } from '../servers/http/server.ts';
import type { RespServer } from '../servers/resp/server.ts';

/** For one door: how many connections are open, and how many were rejected. */
interface DoorConnections {
  readonly count: number;
  readonly rejected: number;
}

export class Metering {
  readonly instruments: Instruments;
  readonly slowLog: SlowLogSettings;
  readonly processUse = systemProcessUse();
  /** Set once the door is open. */
  resp: RespServer | null = null;
  grpc: DoorConnections | null = null;
  grpcUntaken: { readonly total: number } | null = null;
  http: DoorConnections | null = null;
  private readonly log: Log;
  private readonly storeBytes: () => number | null;
  private readonly processWatch = new ProcessWatch(() => this.processUse.memory());

  constructor({ metrics, node, log: { slowMs, slowPerSecondMax } }: Config, log: Log) {
    this.storeBytes = folderSize(join(node.dataDir, STORE_FOLDER));
    this.instruments = new Instruments(metrics.enabled);
    this.slowLog = { thresholdMs: slowMs, linesPerSecondMax: slowPerSecondMax };
    this.log = log;
  }

  /** Must come before all other parts of the HTTP door. */
  mounts(api: NodeApi): Mount[] {
    const { instruments, log } = this;
    if (!instruments.isOn) return [];
    const routes = metricsRoutes(() => ({
      status: api.status(),
      instruments,
      events: log.events,
      counters: log.counters,
      doors: this.doors(),
      process: this.processWatch.facts(),
      storeBytes: this.storeBytes(),
    }));
    return [countRequests(instruments), routes];
  }

  private doors(): DoorFacts[] {
    const { instruments, resp, grpc, http } = this;
    const doors: DoorFacts[] = [
      {
        ...{ door: 'grpc', requests: instruments.grpcOperations, ...connectionsOf(grpc) },
        ...(this.grpcUntaken === null ? {} : { waitingBytes: this.grpcUntaken.total }),
      },
      { door: 'http', requests: instruments.httpRequests, ...connectionsOf(http) },
    ];
    if (resp === null) return doors;
    const { clients, counts, outputBytes } = resp.door;
    return [
      ...doors,
      {
        ...{ door: 'resp', requests: counts.commands, connections: clients.size, rejected: counts.rejected },
        ...{ receivedBytes: counts.inputBytes, sentBytes: counts.outputBytes, waitingBytes: outputBytes },
      },
    ];
  }
}

function connectionsOf(door: DoorConnections | null): Pick<DoorFacts, 'connections' | 'rejected'> {
  return door === null ? {} : { connections: door.count, rejected: door.rejected };
}
