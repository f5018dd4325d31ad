/** The gRPC door: every service that clients, operators, probes and tools speak to, on one server. */
import type { Server } from '@grpc/grpc-js';
import type { Instruments } from '../../core/instruments.ts';
import type { NodeApi } from '../../node/api.ts';
import type { Tracing } from '../../ports/tracing.ts';
import { addAdminService } from './admin-service.ts';
import { addCacheService } from './cache-service.ts';
import { addExportService } from './export-service.ts';
import { addHealthService } from './health-service.ts';
import { addKeyValueService } from './key-value-service.ts';
import { takeDirectCalls } from './direct-calls.ts';
import { requestBytesMax } from './method.ts';
import { createOperations } from './operations.ts';
import { addReflectionService } from './reflection-service.ts';
import { traceCalls } from './traced-calls.ts';

export interface DoorOptions {
  readonly valueBytesMax: number;
  /** Left out: nothing is counted. */
  readonly instruments?: Instruments;
  /** Left out, or null: nothing is traced. */
  readonly tracing?: Tracing | null;
}

export interface Doors {
  /** To be called once the server is bound. False: calls come all the longer way. */
  onBound(): boolean;
  /** Ends the streams that would otherwise stay open while the server shuts down in order. */
  close(): void;
}

/** The server must have been made with `messageLimits(valueBytesMax)`, and not yet be bound. */
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
  return {
    onBound: () => takeDirectCalls(server, requestBytesMax(options.valueBytesMax)),
    close: () => {
      endExports();
      endWatches();
    },
  };
}
