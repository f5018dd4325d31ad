/** The gRPC door: all services for clients, operators, probes and tools, on one server. */
import type { Server } from '@grpc/grpc-js';
import { failure } from '../../core/errors.ts';
import { GRPC_LOOK_MS } from '../../core/clients/grpc-limits.ts';
import type { Instruments } from '../../core/observability/instruments.ts';
import type { NodeApi } from '../../node/api.ts';
import type { Tracing } from '../../ports/tracing.ts';
import { addAdminService } from './admin-service.ts';
import { Arrivals } from './arrivals.ts';
import { addCacheService } from './cache-service.ts';
import { Connections } from './connections.ts';
import { addExportService } from './export-service.ts';
import { addHealthService } from './health-service.ts';
import { addKeyValueService } from './key-value-service.ts';
import { takeDirectCalls } from './direct-calls.ts';
import { requestBytesMax, statusOf } from './method.ts';
import { createOperations } from './operations.ts';
import { addReflectionService } from './reflection-service.ts';
import { traceCalls } from './traced-calls.ts';

export interface DoorOptions {
  readonly valueBytesMax: number;
  /** If omitted, nothing is counted. */
  readonly instruments?: Instruments;
  /** If omitted or null, nothing is traced. */
  readonly tracing?: Tracing | null;
  /** The method that members call to open a link on the same port; if omitted, no members connect here. */
  readonly memberPath?: string;
  /** Default: GRPC_CONNECTIONS_MAX. */
  readonly connectionsMax?: number;
}

export interface Doors {
  readonly arrivals: Arrivals;
  readonly connections: Connections;
  /** To be called once the server is bound. False means that unary calls take the longer way through grpc-js. */
  onBound(): boolean;
  /** Ends the streams that would otherwise stay open during a graceful shutdown. */
  close(): void;
}

/** The server must have been created with `messageLimits(valueBytesMax)` and must not be bound yet. */
export function createDoors(server: Server, api: NodeApi, options: DoorOptions): Doors {
  if (options.tracing) traceCalls(server, options.tracing);
  const operations = createOperations(api, options.valueBytesMax, options.instruments);
  addCacheService(server, operations);
  addKeyValueService(server, operations);
  const endExports = addExportService(server, api);
  addAdminService(server, api);
  addReflectionService(server);
  const endWatches = addHealthService(server, api, [
    'cache.CacheService',
    'causeway.v1.KeyValue',
    'causeway.v1.Admin',
  ]);
  const bytesMax = requestBytesMax(options.valueBytesMax);
  const why = `the request has more than ${bytesMax} bytes, where a value may have ${options.valueBytesMax}`;
  const tooLarge = failure('invalid_argument', why);
  const arrivals = new Arrivals();
  const connections = new Connections({ ...options, statusOf });
  let looking: NodeJS.Timeout | undefined;
  return {
    arrivals,
    connections,
    onBound: () => {
      looking = setInterval(() => {
        arrivals.look();
        connections.look();
      }, GRPC_LOOK_MS).unref();
      return takeDirectCalls(server, {
        ...{ arrivals, connections, requestBytesMax: bytesMax, statusOf, tooLarge },
      });
    },
    close: () => {
      clearInterval(looking);
      endExports();
      endWatches();
    },
  };
}
