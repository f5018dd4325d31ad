/**
 * Wraps a node's disk, PostgreSQL and legacy source with spans for what is done there on behalf of traced operations.
 * One batch or fetch serves many operations: it is a trace of its own, linked to the operations it was done for, and
 * they to it.
 */
import { TRACE_LINKS_MAX } from '../../core/limits.ts';
import type { TraceContext } from '../../core/observability/trace-context.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LegacySource } from '../../ports/legacy-source.ts';
import type { Storage } from '../../ports/storage.ts';
import type { SystemOfRecord } from '../../ports/system-of-record.ts';
import type { Span, Tracing } from '../../ports/tracing.ts';
import type { OpenSpans } from './open-spans.ts';

const TABLE = 'causeway.record';

/** A span ends when the batch with its record is on disk. */
export function tracedStorage(inner: Storage, storing: OpenSpans<string>): Pick<Storage, 'get' | 'write'> {
  return {
    get: (key) => inner.get(key),
    write: (keys, values, done) => {
      if (storing.size === 0) return inner.write(keys, values, done);
      const spans = keys.flatMap((key) => storing.take(key));
      inner.write(keys, values, (error) => {
        for (const span of spans) {
          span.set('causeway.batch.size', keys.length);
          span.end(error === null ? undefined : error.kind);
        }
        done(error);
      });
    },
  };
}

/** Spans that wait for PostgreSQL are linked to the statement that commits their records, and end with it. */
export function tracedWrites(
  inner: SystemOfRecord,
  tracing: Tracing,
  recording: OpenSpans<string>,
  now: () => number,
): Pick<SystemOfRecord, 'commit'> {
  return {
    commit: (life, rows, done) => {
      if (recording.size === 0) return inner.commit(life, rows, done);
      const taken = rows.map(({ record }) => ({ key: record.key, spans: recording.take(record.key) }));
      const spans = taken.flatMap((each) => each.spans);
      const statement = statementOf(tracing, 'commit', 'INSERT', rows.length, spans);
      inner.commit(life, rows, (error, results) => {
        statement?.end(error?.kind);
        // The records are sent again until the outcome is known, so their spans keep waiting.
        for (const { key, spans: waiting } of taken)
          for (const span of waiting) {
            if (error === null) span.end();
            else recording.add(key, span, now());
          }
        done(error, results);
      });
    },
  };
}

export function tracedReads(
  inner: SystemOfRecord,
  tracing: Tracing,
  reads: ReadonlyMap<string, ReadonlySet<Span>>,
): Pick<SystemOfRecord, 'read'> {
  return {
    read: (keys, done) => {
      if (reads.size === 0) return inner.read(keys, done);
      const spans = keys.flatMap((key) => [...(reads.get(key) ?? [])]);
      const statement = statementOf(tracing, 'select', 'SELECT', keys.length, spans);
      inner.read(keys, (error, rows) => {
        statement?.end(error?.kind);
        done(error, rows);
      });
    },
  };
}

function statementOf(
  tracing: Tracing,
  name: 'commit' | 'select',
  verb: string,
  rowCount: number,
  spans: readonly Span[],
): Span | null {
  if (spans.length === 0) return null;
  const attributes = {
    'db.system.name': 'postgresql',
    'db.operation.name': verb,
    'db.collection.name': TABLE,
    'db.operation.batch.size': rowCount,
  };
  const statement = tracing.begin(name, null, { links: contextsOf(spans), attributes });
  if (statement !== null) for (const span of spans) span.link(statement.context);
  return statement;
}

/**
 * A fetch is linked to every traced read that waits for it, whenever that read came. If such a read waits when the
 * source is asked, the fetch's span is created then and sent along; otherwise it is created when the answer arrives,
 * with the fetch's start time. `fill` records what is done with a value as part of the fetch.
 */
export function tracedLegacy(
  inner: LegacySource,
  tracing: Tracing,
  clock: Clock,
  reads: ReadonlyMap<string, ReadonlySet<Span>>,
  fill: (key: string, cause: TraceContext, tell: () => void) => void,
): LegacySource {
  return {
    health: () => inner.health(),
    close: (done) => inner.close(done),
    fetch: (key, timeoutMs, done) => {
      const startedAt = clock.wallNow();
      const linked = new Set<Span>();
      let own: Span | null = null;
      const begin = (): Span | null => {
        const waiting = [...(reads.get(key) ?? [])].filter((span) => !linked.has(span));
        if (own === null && waiting.length > 0) own = fetchSpan(tracing, startedAt, waiting);
        else for (const span of waiting) own?.link(span.context);
        for (const span of waiting) {
          linked.add(span);
          if (own !== null) span.link(own.context);
        }
        return own;
      };
      inner.fetch(
        key,
        timeoutMs,
        (outcome) => {
          // For a key that cannot be addressed, the source was not asked.
          const fetched = outcome.kind === 'unaddressable' ? null : begin();
          if (fetched === null) return done(outcome);
          fetched.set('causeway.outcome', outcome.kind);
          fetched.end(outcome.kind === 'unavailable' ? 'source_unavailable' : undefined);
          fill(key, fetched.context, () => done(outcome));
        },
        () => begin()?.context,
      );
    },
  };
}

function fetchSpan(tracing: Tracing, startedAt: number, waiting: readonly Span[]): Span | null {
  const attributes = { 'http.request.method': 'GET' };
  return tracing.begin('legacy', null, { links: contextsOf(waiting), attributes, startedAt });
}

function contextsOf(spans: Iterable<Span>): TraceContext[] {
  const contexts: TraceContext[] = [];
  for (const { context } of spans) {
    if (contexts.length >= TRACE_LINKS_MAX) break;
    contexts.push(context);
  }
  return contexts;
}
