/** The W3C Trace Context headers: what is understood, and what counts as absent. */
import { expect, test } from 'vitest';
import { TRACE_STATE_CHARACTERS_MAX } from '../limits.ts';
import { isSampled, traceContextOf, traceparentOf } from './trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const SENT = `00-${TRACE}-${SPAN}-01`;

test('a context as it is sent: understood whole', () => {
  const context = traceContextOf(SENT, 'vendor=1,other=2')!;
  expect(context).toEqual({ traceId: TRACE, spanId: SPAN, flags: 1, state: 'vendor=1,other=2' });
  expect(isSampled(context)).toBe(true);
  expect(traceparentOf(context)).toBe(SENT);
});

test('one that is not recorded: understood, and not recorded', () => {
  const context = traceContextOf(`00-${TRACE}-${SPAN}-00`)!;
  expect(isSampled(context)).toBe(false);
  expect(context.state).toBe('');
});

test('a later version with additional fields: the known part is understood', () => {
  expect(traceContextOf(`cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`)?.traceId).toBe(TRACE);
});

test.each([
  ['nothing', ''],
  ['words', 'yes'],
  ['this version with more behind', `${SENT}-more`],
  ['a later version with more that is not set off', `cc-${TRACE}-${SPAN}-01.more`],
  ['the version that is none', `ff-${TRACE}-${SPAN}-01`],
  ['capitals', SENT.toUpperCase()],
  ['a trace that is all zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['a span that is all zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['too few digits', `00-${TRACE.slice(1)}-${SPAN}-01`],
  ['no flags', `00-${TRACE}-${SPAN}`],
])('%s: counts as not sent', (_name, header) => {
  expect(traceContextOf(header)).toBe(null);
});

test.each([
  ['longer than it may be', 'a'.repeat(TRACE_STATE_CHARACTERS_MAX + 1)],
  ['no text of a header', 'vendor=\u0007'],
])('a state that is %s: left out, the context stays', (_name, state) => {
  expect(traceContextOf(SENT, state)).toMatchObject({ traceId: TRACE, state: '' });
});
