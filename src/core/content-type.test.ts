/** What counts as a content type, and what is refused with the name of the limit. */
import { expect, test } from 'vitest';
import { contentTypeFault } from './clients/check-key.ts';
import { keepsContentTypes } from './kept-types.ts';
import { CONTENT_TYPE_BYTES_MAX } from './limits.ts';
import type { Topology } from './membership/topology.ts';

test.each([
  'text/plain',
  'text/html; charset=utf-8',
  'application/vnd.api+json',
  'multipart/mixed;boundary="a \\" b"',
  'text/plain ; a=b;c=d',
  'text/plain;',
  `a/${'b'.repeat(CONTENT_TYPE_BYTES_MAX - 2)}`,
])('%s: is one', (type) => {
  expect(contentTypeFault(type)).toBeUndefined();
});

test.each([
  '',
  'html',
  'text/',
  '/plain',
  'text/plain; charset',
  'text/plain; charset = utf-8',
  'text/plain charset=utf-8',
  'text/plain; a="b',
  'text/plain\r\nSet-Cookie: a=b',
  'text/pl\u00e4in',
  'text/plain;a="\u00e4"',
  `a/${'b'.repeat(CONTENT_TYPE_BYTES_MAX - 1)}`,
  // Would take ages if spaces could belong either to what precedes or to what follows them.
  `a/b${'  ;'.repeat(80)}!`,
  `a/b${' ; c=d '.repeat(30)}!`,
])('%j: is none, and the limit is named', (type) => {
  expect(contentTypeFault(type)).toContain(`at most ${CONTENT_TYPE_BYTES_MAX} bytes`);
});

test('none at all is the type of a value that has none', () => {
  expect([contentTypeFault(null), contentTypeFault(undefined)]).toEqual([undefined, undefined]);
});

test('kept from the version on that all must understand, and not by a topology that names none', () => {
  const topology = (protocol?: number): Topology => ({ protocol }) as Topology;
  const kept = [undefined, 5, 6].map((protocol) => keepsContentTypes(topology(protocol), {}));
  expect(kept).toEqual([false, false, true]);
});
