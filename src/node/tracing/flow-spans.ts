/** The spans of one traced read or write at a node: the operation's own, and one while another node handles it. */
import type { CountResult, ReadResult, ScanResult, StaleResult, WriteResult } from '../../core/operation.ts';
import type { WriteTicket } from '../../core/replication/key-state.ts';
import type { TraceContext } from '../../core/observability/trace-context.ts';
import type { Span } from '../../ports/tracing.ts';
import type { ReadRequest } from '../get.ts';
import type { NodeTraces } from './node-traces.ts';
import type { WriteRequest } from '../put.ts';
import type { ScanRequest } from '../scan.ts';
import type { Serving } from '../serving.ts';

class FlowSpans {
  protected readonly traces: NodeTraces;
  protected readonly own: Span;
  private asking: Span | null = null;

  constructor(traces: NodeTraces, own: Span) {
    this.traces = traces;
    this.own = own;
  }

  get context(): TraceContext {
    return this.own.context;
  }

  /** The operation is forwarded to another node. Returns the context to send along. */
  handOver(peer: string): TraceContext | undefined {
    const attributes = { 'causeway.peer': peer };
    this.asking = this.traces.begin('forward', this.context, { attributes });
    return this.asking?.context;
  }

  /** The other node has answered, or is not waited for any more. Undefined if it has not failed. */
  handedBack(error: string | undefined): void {
    this.asking?.end(error);
    this.asking = null;
  }

  end(error: string | undefined): void {
    this.handedBack(error);
    this.own.end(error);
  }
}

export class WriteSpans extends FlowSpans {
  private ticket: WriteTicket | null = null;

  coordinates(ticket: WriteTicket): void {
    this.ticket = ticket;
    this.traces.coordinates(ticket, this.own);
  }

  hasCoordinated(): void {
    if (this.ticket !== null) this.traces.hasCoordinated(this.ticket);
    this.ticket = null;
  }

  override end(error: string | undefined): void {
    this.hasCoordinated();
    super.end(error);
  }
}

export class ReadSpans extends FlowSpans {
  private readonly key: string;

  constructor(traces: NodeTraces, own: Span, key: string) {
    super(traces, own);
    this.key = key;
    traces.reading(key, own);
  }

  override end(error: string | undefined): void {
    this.traces.hasRead(this.key, this.own);
    super.end(error);
  }
}

/** The spans of one page, including those of requests to other nodes for it. */
class ScanSpans extends FlowSpans {
  ended(result: ScanResult): void {
    if (result.kind === 'page') this.own.set('causeway.page.records', result.records.length);
    this.end(errorOf(result));
  }
}

/** The spans of a count, in which every first owner is asked at once. */
class CountSpans {
  private readonly traces: NodeTraces;
  private readonly own: Span;
  /** By request number. */
  private readonly asked = new Map<number, Span>();

  constructor(traces: NodeTraces, own: Span) {
    this.traces = traces;
    this.own = own;
  }

  asks(request: number, peer: string): void {
    const attributes = { 'causeway.peer': peer };
    const span = this.traces.begin('forward', this.own.context, { attributes });
    if (span !== null) this.asked.set(request, span);
  }

  /** A node has answered; `unanswered` if it is not waited for any more. */
  told(request: number, error: string | undefined): void {
    this.asked.get(request)?.end(error);
    this.asked.delete(request);
  }

  ended(result: CountResult): void {
    this.own.end(errorOf(result));
  }
}

/** Null if the operation is not traced. */
export function scanSpans({ traces }: Serving, { hops, trace }: ScanRequest): ScanSpans | null {
  if (trace === undefined || traces === null) return null;
  const own = traces.begin('scan', trace, { attributes: { 'causeway.hops': hops } });
  return own === null ? null : new ScanSpans(traces, own);
}

export function countSpans({ traces }: Serving, trace: TraceContext | undefined): CountSpans | null {
  if (trace === undefined || traces === null) return null;
  const own = traces.begin('count', trace);
  return own === null ? null : new CountSpans(traces, own);
}

/** Null if the operation is not traced. */
export function writeSpans({ traces }: Serving, { operation, hops, trace }: WriteRequest): WriteSpans | null {
  if (trace === undefined || traces === null) return null;
  const attributes = { 'causeway.operation': operation.kind, 'causeway.hops': hops };
  const own = traces.begin('write', trace, { attributes });
  return own === null ? null : new WriteSpans(traces, own);
}

export function readSpans({ traces }: Serving, { key, hops, trace }: ReadRequest): ReadSpans | null {
  if (trace === undefined || traces === null) return null;
  const own = traces.begin('read', trace, { attributes: { 'causeway.hops': hops } });
  return own === null ? null : new ReadSpans(traces, own, key);
}

/** Undefined if the operation has not failed. */
export function errorOf(
  result: ReadResult | StaleResult | WriteResult | ScanResult | CountResult | 'lost',
): string | undefined {
  if (result === 'lost') return 'lost';
  return result.kind === 'failed' ? result.failure.code : undefined;
}
