/**
 * What the package exports (docs/CLIENT.md): `connect({ nodes: ['127.0.0.1:50051'] })`. Any node answers for every key.
 * Every failure is a CausewayError that says whether the call may be repeated. For throughput use `pipeline`.
 */
import { CausewayClient } from './causeway-client.ts';
import type { ConnectOptions } from './options.ts';

export { CausewayClient };
export { CausewayError } from './causeway-error.ts';
export { ClusterClient } from './cluster-client.ts';
export { Pipeline } from './pipeline.ts';
export { newOperationId } from './repeat.ts';

export type { ClientErrorCode } from './causeway-error.ts';
export type { CompareResult, Entry, Expected, Found, ReadEntry, Value } from './entry.ts';
export type {
  CallOptions,
  ConnectOptions,
  ExportedPage,
  Inspected,
  Outcome,
  ReadOptions,
  ScannedEntry,
  ScanOptions,
  SetEntry,
  SetOptions,
  TraceHeaders,
  WriteOptions,
} from './options.ts';
export type { PipelineOptions, PipelineSetOptions } from './pipeline.ts';
export type {
  AdoptRecordOrder,
  ClusterFacts,
  ClusterLoss,
  ClusterQuorum,
  MovePlan,
  PlannedChange,
  RecordServerFacts,
  RecordServerIdentity,
  ScrubRate,
} from './cluster-facts.ts';

/**
 * Creates a client for a cluster, given the addresses of some or all nodes. It connects at the first call, reconnects
 * after a connection is lost, and keeps the process alive until it is closed.
 *
 * @example
 * const client = connect({ nodes: ['127.0.0.1:50051', '127.0.0.1:50052', '127.0.0.1:50053'] });
 * await client.set('greeting', 'hello', { ttlMs: 60_000 });
 * await client.getText('greeting'); // 'hello'
 * client.close();
 *
 * @throws TypeError if an address is not host:port or a time limit is not valid.
 */
export function connect(options: ConnectOptions): CausewayClient {
  return new CausewayClient(options);
}
