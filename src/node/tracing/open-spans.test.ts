/** Spans that may never be ended: bounded in number and in age. */
import { expect, test } from 'vitest';
import { TraceBook } from '../../../test/support/recording-tracing.ts';
import { TRACE_OPEN_MS_MAX, TRACE_OPEN_SPANS_MAX } from '../../core/limits.ts';
import type { Span } from '../../ports/tracing.ts';
import { OpenSpans } from './open-spans.ts';

const book = new TraceBook(() => 0);
const tracing = book.of('a');
const span = (): Span => tracing.begin('store', null)!;
const recordOf = ({ context }: Span) => book.spans.find((each) => each.context === context)!;

test('several spans wait for the same key: all are taken at once, and nothing is left', () => {
  const open = new OpenSpans<string>();
  const [one, other] = [span(), span()];
  open.add('k', one, 0);
  open.add('k', other, 1);
  expect(open.take('k')).toEqual([one, other]);
  expect(open.take('k')).toEqual([]);
  expect(open.size).toBe(0);
});

test('one is as old as any may get: ended as unanswered when the next one comes, younger ones stay', () => {
  const open = new OpenSpans<string>();
  const [old, young] = [span(), span()];
  open.add('old', old, 0);
  open.add('young', young, 10);
  open.add('new', span(), TRACE_OPEN_MS_MAX);
  expect(recordOf(old)).toMatchObject({ endedAt: 0, error: 'unanswered' });
  expect(recordOf(young).endedAt).toBe(null);
  expect(open.take('old')).toEqual([]);
});

test('nothing follows it: ended as unanswered all the same when its time is over, and everything when nobody waits any more', () => {
  const open = new OpenSpans<string>();
  const [old, young] = [span(), span()];
  open.add('old', old, 0);
  open.add('young', young, 10);
  open.endOld(TRACE_OPEN_MS_MAX - 1);
  expect(recordOf(old).endedAt).toBe(null);
  open.endOld(TRACE_OPEN_MS_MAX);
  expect([recordOf(old).error, recordOf(young).endedAt]).toEqual(['unanswered', null]);
  open.endOld(Infinity);
  expect(recordOf(young).error).toBe('unanswered');
  expect(open.size).toBe(0);
});

test('more than may be open: the oldest are ended, of those for one thing the newest', () => {
  const open = new OpenSpans<number>();
  const spans = Array.from({ length: TRACE_OPEN_SPANS_MAX + 10 }, span);
  for (const [at, each] of spans.entries()) open.add(at, each, 0);
  expect(open.size).toBe(TRACE_OPEN_SPANS_MAX);
  expect(spans.map((each) => recordOf(each).error).filter((error) => error === 'unanswered')).toHaveLength(
    10,
  );
  expect(recordOf(spans[9]!).error).toBe('unanswered');
  const many = Array.from({ length: TRACE_OPEN_SPANS_MAX + 1 }, span);
  for (const each of many) open.add(-1, each, 0);
  expect(recordOf(many.at(-1)!).error).toBe('unanswered');
  expect(open.take(-1)).toHaveLength(TRACE_OPEN_SPANS_MAX);
});
