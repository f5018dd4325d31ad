/** The spans of the flows of reads and writes: one while a node has the operation, one while another node has it. */
import type { ReadResult, StaleResult, WriteResult } from '../core/operation.ts';
import type { Span } from '../ports/tracing.ts';
import type { ReadRequest } from './get.ts';
import type { WriteRequest } from './put.ts';
import type { Serving } from './serving.ts';

export function writeSpan({ traces }: Serving, { operation, hops, trace }: WriteRequest): Span | null {
  if (trace === undefined || traces === null) return null;
  const attributes = { 'causeway.operation': operation.kind, 'causeway.hops': hops };
  return traces.begin('write', trace, { attributes });
}

export function readSpan({ traces }: Serving, { key, hops, trace }: ReadRequest): Span | null {
  if (trace === undefined || traces === null) return null;
  const span = traces.begin('read', trace, { attributes: { 'causeway.hops': hops } });
  if (span !== null) traces.reading(key, span);
  return span;
}

export function forwardSpan({ traces }: Serving, flow: Span | null, peer: string): Span | null {
  if (flow === null || traces === null) return null;
  return traces.begin('forward', flow.context, { attributes: { 'causeway.peer': peer } });
}

/** Undefined: it has not failed. */
export function errorOf(result: ReadResult | StaleResult | WriteResult | 'lost'): string | undefined {
  if (result === 'lost') return 'lost';
  return result.kind === 'failed' ? result.failure.code : undefined;
}
