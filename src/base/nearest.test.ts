/** Which name a misspelt one was meant to be. */
import { expect, test } from 'vitest';
import { nearest } from './nearest.ts';

const NAMES = ['grpc.port', 'grpc.host', 'http.port', 'log.level'];

test.each([
  ['grpc.prot', 'grpc.port'],
  ['grpc.prt', 'grpc.port'],
  ['grpc.ports', 'grpc.port'],
  ['htp.port', 'http.port'],
  ['loglevel', 'log.level'],
  ['grpc.port', 'grpc.port'],
  ['port', undefined],
  ['', undefined],
  ['something.else', undefined],
])('%s: %s', (word, name) => expect(nearest(word, NAMES)).toBe(name));

test('of two that are equally near the first, and the nearer one wherever it stands', () => {
  expect(nearest('xy.port', ['xa.port', 'xb.port'])).toBe('xa.port');
  expect(nearest('abc', ['axx', 'abx'])).toBe('abx');
});
