/**
 * The trace that a message belongs to. It is at the end of the message, and only if a flag says so: a message without a
 * trace has no byte for it. A link of an earlier version carries none. (decision 19)
 */
import { SINCE } from '../core/membership/protocol-versions.ts';
import { isSpanId, isTraceId, isTraceState } from '../core/observability/trace-context.ts';
import type { TraceContext } from '../core/observability/trace-context.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/** The part of the trace that is written to this reader. */
export function toldTrace(out: Writer, trace: TraceContext | undefined): TraceContext | undefined {
  return trace !== undefined && out.protocol >= SINCE.traceContext ? trace : undefined;
}

export function writeTrace(out: Writer, { traceId, spanId, flags, state }: TraceContext): void {
  out.raw(Buffer.from(traceId, 'hex'));
  out.raw(Buffer.from(spanId, 'hex'));
  out.u8(flags);
  out.text(state);
}

export function readTrace(from: Reader): TraceContext {
  if (from.protocol < SINCE.traceContext) from.fail('a trace is of a later version');
  const traceId = hexOf(from.raw(TRACE_ID_BYTES));
  const spanId = hexOf(from.raw(SPAN_ID_BYTES));
  const trace = { traceId, spanId, flags: from.u8(), state: from.text() };
  if (!isTraceId(traceId) || !isSpanId(spanId) || !isTraceState(trace.state)) from.fail('a trace is none');
  return trace;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
