/**
 * What of a trace goes with an operation, as W3C Trace Context says it in the headers `traceparent` and `tracestate`
 * (https://www.w3.org/TR/trace-context/). What is malformed counts as not sent: a trace never costs anybody an answer.
 */
import { TRACE_STATE_CHARACTERS_MAX } from './limits.ts';

export interface TraceContext {
  /** 32 hexadecimal digits in lower case, not all of them 0. */
  readonly traceId: string;
  /** 16 of them: the span that what is asked belongs to. */
  readonly spanId: string;
  /** One byte; its lowest bit says that the trace is recorded. */
  readonly flags: number;
  /** What the systems on the way say to themselves, as it came; '': nothing. */
  readonly state: string;
}

const SAMPLED = 1;
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const VERSION_LATEST = '00';
const VERSION_INVALID = 'ff';
const PRINTABLE = /^[\x20-\x7e]*$/;

/** Null where there is none, or none that can be understood. */
export function traceContextOf(traceparent: string, tracestate = ''): TraceContext | null {
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(traceparent.trim()) ?? [];
  if (traceId === undefined || spanId === undefined || version === VERSION_INVALID) return null;
  // Later versions may say more behind what we know; this one may not.
  if (version === VERSION_LATEST && more !== undefined) return null;
  if (!isTraceId(traceId) || !isSpanId(spanId)) return null;
  const state = isTraceState(tracestate) ? tracestate : '';
  return { traceId, spanId, flags: Number.parseInt(flags!, 16), state };
}

/** The header by which it is told. */
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

/** Longer ones, or what is no header's text, are left out whole: half of one would say something else. */
export function isTraceState(text: string): boolean {
  return text.length <= TRACE_STATE_CHARACTERS_MAX && PRINTABLE.test(text);
}
