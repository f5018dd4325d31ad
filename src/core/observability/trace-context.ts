/**
 * The part of a trace that travels with an operation, as in the W3C Trace Context headers `traceparent` and
 * `tracestate` (https://www.w3.org/TR/trace-context/). Malformed headers count as absent: tracing must never cost
 * anybody an answer.
 */
import { TRACE_STATE_CHARACTERS_MAX } from '../limits.ts';

export interface TraceContext {
  /** 32 lower-case hexadecimal digits, not all of them 0. */
  readonly traceId: string;
  /** 16 such digits: the span to which the request belongs. */
  readonly spanId: string;
  /** One byte; its lowest bit says that the trace is sampled. */
  readonly flags: number;
  /** The `tracestate` of the systems on the way, unchanged; '' if there is none. */
  readonly state: string;
}

const SAMPLED = 1;
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const VERSION_LATEST = '00';
const VERSION_INVALID = 'ff';
const PRINTABLE = /^[\x20-\x7e]*$/;

/** Null if there is no context, or it cannot be understood. */
export function traceContextOf(traceparent: string, tracestate = ''): TraceContext | null {
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(traceparent.trim()) ?? [];
  if (traceId === undefined || spanId === undefined || version === VERSION_INVALID) return null;
  // Later versions may add fields after those known here; this version may not.
  if (version === VERSION_LATEST && more !== undefined) return null;
  if (!isTraceId(traceId) || !isSpanId(spanId)) return null;
  const state = isTraceState(tracestate) ? tracestate : '';
  return { traceId, spanId, flags: Number.parseInt(flags!, 16), state };
}

/** The `traceparent` header of the context. */
export function traceparentOf({ traceId, spanId, flags }: TraceContext): string {
  return `${VERSION_LATEST}-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`;
}

export function isSampled({ flags }: TraceContext): boolean {
  return (flags & SAMPLED) !== 0;
}

export function isTraceId(text: string): boolean {
  return text.length === NO_TRACE.length && text !== NO_TRACE;
}

export function isSpanId(text: string): boolean {
  return text.length === NO_SPAN.length && text !== NO_SPAN;
}

/**
 * A longer state, or one that is not valid header text, is dropped as a whole: half of it would mean something else.
 */
export function isTraceState(text: string): boolean {
  return text.length <= TRACE_STATE_CHARACTERS_MAX && PRINTABLE.test(text);
}
