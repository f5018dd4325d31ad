/** Wrapping lines for a terminal. */
import { expect, test } from 'vitest';
import { TERMINAL_COLUMNS, wrapped } from './wrapped.ts';

test('a text is broken between words, and stands under its beginning or where it is asked to', () => {
  const text = Array.from({ length: 30 }, (_, at) => `word${at}`).join(' ');
  const lines = wrapped('  note: ', text);
  expect(lines.length).toBe(3);
  expect(lines.every((line) => line.length <= TERMINAL_COLUMNS)).toBe(true);
  expect(lines[0]!.startsWith('  note: word0 ')).toBe(true);
  expect(lines[1]!.startsWith('        word')).toBe(true);
  expect(lines.map((line) => line.trim()).join(' ')).toBe(`note: ${text}`);
  expect(wrapped('- ', text, 4)[1]!.startsWith('    word')).toBe(true);
});

test('a word that is longer than a line stays whole, on a line of its own', () => {
  const long = 'x'.repeat(100);
  expect(wrapped('  ', `a ${long} b`)).toEqual(['  a', `  ${long}`, '  b']);
  expect(wrapped('  ', '')).toEqual(['  ']);
});
