/**
 * Spans that wait for something which may never come: an acknowledgement of a member that is gone, a statement that is
 * not sent any more. Bounded in number and in age: the oldest are ended as unanswered.
 */
import { TRACE_OPEN_MS_MAX, TRACE_OPEN_SPANS_MAX } from '../core/limits.ts';
import type { Span } from '../ports/tracing.ts';

interface Open {
  readonly spans: Span[];
  /** Monotonic milliseconds. */
  readonly since: number;
}

/** What a span fails with that was waited for in vain. */
export const UNANSWERED = 'unanswered';
const NONE: readonly Span[] = [];

export class OpenSpans<Key> {
  /** In the order of `since`. */
  private readonly open = new Map<Key, Open>();

  get size(): number {
    return this.open.size;
  }

  /** Several may wait for the same. */
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

  /** They wait no longer: whoever takes them ends them. */
  take(key: Key): readonly Span[] {
    const { open } = this;
    if (open.size === 0) return NONE;
    const found = open.get(key);
    if (found === undefined) return NONE;
    open.delete(key);
    return found.spans;
  }

  /** Those that have waited for too long, and the oldest where there are more than so many. */
  endOld(now: number, countMax = TRACE_OPEN_SPANS_MAX): void {
    for (const [key, { spans, since }] of this.open) {
      if (this.open.size <= countMax && now - since < TRACE_OPEN_MS_MAX) return;
      this.open.delete(key);
      for (const span of spans) span.end(UNANSWERED);
    }
  }
}
