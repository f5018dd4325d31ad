/**
 * Spans that wait for something that may never come: an acknowledgement of a member that is gone, a statement that is
 * no longer sent. Bounded in number and age: the oldest are ended as unanswered.
 */
import { TRACE_OPEN_MS_MAX, TRACE_OPEN_SPANS_MAX } from '../../core/limits.ts';
import type { Span } from '../../ports/tracing.ts';

interface Open {
  readonly spans: Span[];
  /** Monotonic milliseconds. */
  readonly since: number;
}

/** The error of a span that waited in vain. */
export const UNANSWERED = 'unanswered';
const NONE: readonly Span[] = [];

export class OpenSpans<Key> {
  /** In the order of `since`. */
  private readonly open = new Map<Key, Open>();

  get size(): number {
    return this.open.size;
  }

  /** Several spans may wait for the same key. */
  add(key: Key, span: Span, now: number): void {
    this.endOld(now, TRACE_OPEN_SPANS_MAX - 1);
    const present = this.open.get(key);
    if (present === undefined) this.open.set(key, { spans: [span], since: now });
    else if (present.spans.length < TRACE_OPEN_SPANS_MAX) present.spans.push(span);
    else span.end(UNANSWERED);
  }

  of(key: Key): readonly Span[] {
    return this.open.get(key)?.spans ?? NONE;
  }

  /** Removes the spans that wait for the key; the caller ends them. */
  take(key: Key): readonly Span[] {
    const { open } = this;
    if (open.size === 0) return NONE;
    const found = open.get(key);
    if (found === undefined) return NONE;
    open.delete(key);
    return found.spans;
  }

  /** Ends spans that have waited too long, and the oldest if there are more than `countMax`. */
  endOld(now: number, countMax = TRACE_OPEN_SPANS_MAX): void {
    for (const [key, { spans, since }] of this.open) {
      if (this.open.size <= countMax && now - since < TRACE_OPEN_MS_MAX) return;
      this.open.delete(key);
      for (const span of spans) span.end(UNANSWERED);
    }
  }
}
