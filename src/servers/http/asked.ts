/** The node's callback API as promises, for routes that wait for several answers in a row. */
import { failure } from '../../core/errors.ts';
import type {
  ReadResult,
  ScanResult,
  StaleResult,
  WriteOperation,
  WriteResult,
} from '../../core/operation.ts';
import { WAIT } from '../../node/api.ts';
import type { NodeApi } from '../../node/api.ts';
import type { ClusterAnswer, ClusterOrder } from '../../node/cluster-orders.ts';

export function read(
  api: NodeApi,
  key: string,
  timeoutMs: number,
  allowStale: boolean,
): ReadResult | Promise<ReadResult | StaleResult> {
  const record = api.tryGet(key);
  if (record === undefined) return { kind: 'absent' };
  if (record !== WAIT) return { kind: 'value', record };
  if (timeoutMs <= 0) return { kind: 'failed', failure: failure('read_timeout') };
  return new Promise((resolve) => {
    if (allowStale) api.getStale(key, timeoutMs, resolve);
    else api.get(key, timeoutMs, resolve);
  });
}

export function write(
  api: NodeApi,
  operation: WriteOperation,
  timeoutMs: number,
): WriteResult | Promise<WriteResult> {
  if (timeoutMs <= 0) return { kind: 'failed', failure: failure('deadline_before_start') };
  return new Promise((resolve) => api.write(operation, timeoutMs, resolve));
}

export function scan(
  api: NodeApi,
  after: string | null,
  limit: number,
  timeoutMs: number,
): ScanResult | Promise<ScanResult> {
  if (timeoutMs <= 0) return { kind: 'failed', failure: failure('read_timeout') };
  return new Promise((resolve) => api.scan(after, limit, timeoutMs, resolve));
}

export function operate(api: NodeApi, order: ClusterOrder, timeoutMs: number): Promise<ClusterAnswer> {
  return new Promise((resolve) => api.operate(order, Math.max(1, timeoutMs), resolve));
}
