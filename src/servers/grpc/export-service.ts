/**
 * causeway.v1.KeyValue/Export: all live records as a stream of pages, each asked of the node only when the client has
 * taken the one before. A page that fails ends the stream; its client goes on after the last page it has.
 */
import type { Server, ServerWritableStream } from '@grpc/grpc-js';
import { failure } from '../../core/errors.ts';
import {
  EXPORT_STREAMS_MAX,
  OPERATION_TIMEOUT_MS_DEFAULT,
  SCAN_PAGE_RECORDS_MAX,
} from '../../core/limits.ts';
import type { ScanResult } from '../../core/operation.ts';
import { causeway } from '../../gen/protocol.js';
import type { NodeApi } from '../../node/api.ts';
import { recordAnswer } from './answer.ts';
import { Malformed, failStream, serverStream } from './method.ts';

type Call = ServerWritableStream<causeway.v1.ExportRequest | Malformed, causeway.v1.ExportPageFields>;

/** Returns what ends the streams that are open. */
export function addExportService(server: Server, api: NodeApi): () => void {
  const { ExportRequest, ExportPage } = causeway.v1;
  const open = new Set<Call>();
  serverStream(server, '/causeway.v1.KeyValue/Export', ExportRequest, ExportPage, (call) => {
    const { request } = call;
    if (request instanceof Malformed) return failStream(call, request.failed);
    if (open.size >= EXPORT_STREAMS_MAX)
      return failStream(call, failure('overloaded', `${open.size} exports are open at this node`));
    open.add(call);
    for (const event of ['close', 'cancelled', 'error', 'finish']) call.once(event, () => open.delete(call));
    sendPages(api, call, request.after === '' ? null : request.after, () => open.has(call));
  });
  return () => {
    for (const call of open) failStream(call, failure('not_ready'));
  };
}

function sendPages(api: NodeApi, call: Call, after: string | null, isOpen: () => boolean): void {
  api.scan(after, SCAN_PAGE_RECORDS_MAX, OPERATION_TIMEOUT_MS_DEFAULT, (result) => {
    if (!isOpen()) return;
    if (result.kind === 'failed') return failStream(call, result.failure);
    const { next } = result;
    const isTaken = call.write(pageAnswer(result));
    if (next === null) call.end();
    else if (isTaken) sendPages(api, call, next, isOpen);
    else call.once('drain', () => sendPages(api, call, next, isOpen));
  });
}

function pageAnswer(page: Extract<ScanResult, { kind: 'page' }>): causeway.v1.ExportPageFields {
  return {
    entries: page.records.map((record) => ({ key: record.key, record: recordAnswer(record) })),
    next: page.next ?? '',
    incomplete: page.incomplete,
  };
}
