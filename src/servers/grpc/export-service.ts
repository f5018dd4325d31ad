/**
 * causeway.v1.KeyValue/Export: all live records as a stream of pages. Each page is read from the node only when the
 * client has taken the previous one. A page that fails ends the stream; the client can resume after the last page it
 * has.
 */
import type { Server, ServerWritableStream } from '@grpc/grpc-js';
import { failure } from '../../core/errors.ts';
import type { Failure } from '../../core/errors.ts';
import { EXPORT_STREAMS_MAX } from '../../core/clients/grpc-limits.ts';
import { OPERATION_TIMEOUT_MS_DEFAULT, SCAN_PAGE_RECORDS_MAX } from '../../core/limits.ts';
import type { ScanResult } from '../../core/operation.ts';
import { causeway } from '../../gen/protocol.js';
import type { NodeApi } from '../../node/api.ts';
import { recordAnswer } from './answer.ts';
import { Malformed, failStream, serverStream } from './method.ts';
import { spanOfStream } from './traced-calls.ts';

const PATH = '/causeway.v1.KeyValue/Export';
const TOO_MANY_EXPORTS = `${EXPORT_STREAMS_MAX} exports are open at this node: wait for one to end, or ask another node`;

type Call = ServerWritableStream<causeway.v1.ExportRequest | Malformed, causeway.v1.ExportPageFields>;

/** Returns a function that ends the open streams. */
export function addExportService(server: Server, api: NodeApi): () => void {
  const { ExportRequest, ExportPage } = causeway.v1;
  const open = new Map<Call, (why: Failure) => void>();
  serverStream(server, PATH, ExportRequest, ExportPage, (call) => {
    const { request } = call;
    if (request instanceof Malformed) return failStream(call, request.failed);
    if (open.size >= EXPORT_STREAMS_MAX) return failStream(call, failure('overloaded', TOO_MANY_EXPORTS));
    const span = spanOfStream(server, PATH, call.metadata);
    let failed: Failure | null = null;
    const close = (): void => {
      if (open.delete(call)) span?.end(failed ?? (call.cancelled ? 'cancelled' : null));
    };
    for (const event of ['close', 'cancelled', 'error', 'finish']) call.once(event, close);
    const fail = (why: Failure): void => {
      failed = why;
      failStream(call, why);
    };
    open.set(call, fail);
    const isOpen = (): boolean => open.has(call);
    const within = span?.within ?? ((run: () => void) => run());
    sendPages({ api, call, isOpen, fail, within }, request.after === '' ? null : request.after);
  });
  return () => {
    for (const fail of open.values()) fail(failure('not_ready'));
  };
}

interface Export {
  readonly api: NodeApi;
  readonly call: Call;
  readonly isOpen: () => boolean;
  readonly fail: (why: Failure) => void;
  readonly within: (run: () => void) => void;
}

function sendPages(one: Export, after: string | null): void {
  const { api, call, isOpen, fail, within } = one;
  const onPage = (result: ScanResult): void => {
    if (!isOpen()) return;
    if (result.kind === 'failed') return fail(result.failure);
    const { next } = result;
    const isTaken = call.write(pageAnswer(result));
    if (next === null) call.end();
    else if (isTaken) sendPages(one, next);
    else call.once('drain', () => sendPages(one, next));
  };
  within(() => api.scan(after, SCAN_PAGE_RECORDS_MAX, OPERATION_TIMEOUT_MS_DEFAULT, onPage));
}

function pageAnswer(page: Extract<ScanResult, { kind: 'page' }>): causeway.v1.ExportPageFields {
  return {
    entries: page.records.map((record) => ({ key: record.key, record: recordAnswer(record) })),
    next: page.next ?? '',
    incomplete: page.incomplete,
  };
}
