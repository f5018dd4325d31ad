/** Which span each step of a write belongs to, when only the replication rules know which write it is. */
import { expect, test } from 'vitest';
import { TraceBook } from '../../../test/support/recording-tracing.ts';
import { TRACE_OPEN_MS_MAX } from '../../core/limits.ts';
import type { Invalidate, PeerMessage } from '../../core/message.ts';
import type { ReplicaEffects } from '../../core/replication/context.ts';
import type { WriteTicket } from '../../core/replication/key-state.ts';
import type { TraceContext } from '../../core/observability/trace-context.ts';
import type { Clock } from '../../ports/clock.ts';
import { NodeTraces } from './node-traces.ts';

const KEY = 'k';
const PEER = 2;
const client = (digit: string): TraceContext => {
  return { traceId: digit.repeat(32), spanId: digit.repeat(16), flags: 1, state: '' };
};
const invalidate = (round: number): Invalidate =>
  ({ kind: 'invalidate', round, sealed: { record: { key: KEY } } }) as Invalidate;

test('a round with the number of one that was never answered: asked under a span of its own write, and the earlier one has ended', () => {
  const book = new TraceBook(() => 0);
  const traces = new NodeTraces(book.of('a'), { now: () => 0 } as Clock);
  const sent: Invalidate[] = [];
  const inner = { send: (_id: number, message: PeerMessage) => sent.push(message as Invalidate) };
  const effects = traces.effects(
    inner as unknown as ReplicaEffects,
    () => 1,
    () => 'b',
  );
  for (const digit of ['a', 'b']) {
    const ticket = { operation: { key: KEY }, begun: true } as WriteTicket;
    traces.coordinates(ticket, traces.begin('write', client(digit))!);
    effects.send(PEER, invalidate(1));
    // Not answered, so asked once more.
    effects.send(PEER, invalidate(1));
    traces.hasCoordinated(ticket);
  }
  expect(sent.map(({ trace }) => trace!.traceId[0]).join('')).toBe('aabb');
  expect(sent[1]!.trace).toBe(sent[0]!.trace);
  expect(sent[3]!.trace).toBe(sent[2]!.trace);
  const asked = book.spans.filter(({ what }) => what === 'acknowledge');
  expect(asked.map(({ error }) => error)).toEqual(['unanswered', undefined]);
  expect(book.open.filter(({ what }) => what === 'acknowledge')).toEqual([asked[1]]);
});

test('a node that stops while it waits for an acknowledgement: the wait is told as one in vain, before the process is gone', () => {
  const book = new TraceBook(() => 0);
  const traces = new NodeTraces(book.of('a'), { now: () => 0 } as Clock);
  const inner = { send: () => undefined } as unknown as ReplicaEffects;
  const effects = traces.effects(
    inner,
    () => 1,
    () => 'b',
  );
  const ticket = { operation: { key: KEY }, begun: true } as WriteTicket;
  const span = traces.begin('write', client('a'))!;
  traces.coordinates(ticket, span);
  effects.send(PEER, invalidate(1));
  traces.tick(TRACE_OPEN_MS_MAX - 1);
  expect(book.open).toHaveLength(2);
  traces.stop();
  expect(book.open).toMatchObject([{ what: 'write' }]);
  expect(book.spans.at(-1)).toMatchObject({ what: 'acknowledge', error: 'unanswered' });
});
