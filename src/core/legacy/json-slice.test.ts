/** Finding a value in a JSON text: the examples of RFC 6901, and agreement with `JSON.parse` on any text. */
import { expect, test } from 'vitest';
import fc from 'fast-check';
import { findJson, JSON_DEPTH_MAX, parseJsonPointer } from './json-slice.ts';

function slice(text: string, pointer: string): string {
  const place = findJson(text, parseJsonPointer(pointer)!);
  return place.kind === 'found' ? text.slice(place.start, place.end) : place.kind;
}

test('the examples of RFC 6901: each pointer finds its value', () => {
  const text =
    '{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\\\j":5,"k\\"l":6," ":7,"m~n":8}';
  const expected = { '/foo/0': '"bar"', '/': '0', '/a~1b': '1', '/c%d': '2', '/e^f': '3', '/g|h': '4' };
  for (const [pointer, value] of Object.entries(expected)) expect(slice(text, pointer)).toBe(value);
  expect(slice(text, '')).toBe(text);
  expect(slice(text, '/foo')).toBe('["bar","baz"]');
  expect(slice(text, '/i\\j')).toBe('5');
  expect(slice(text, '/k"l')).toBe('6');
  expect(slice(text, '/ ')).toBe('7');
  expect(slice(text, '/m~0n')).toBe('8');
});

test('what numbers and spaces were written as: kept', () => {
  const text = ' { "v" : 12345678901234567890.10e+0 , "o" : { "a" : [ 1 , -0.0 ] } } ';
  expect(slice(text, '/v')).toBe('12345678901234567890.10e+0');
  expect(slice(text, '/o')).toBe('{ "a" : [ 1 , -0.0 ] }');
  expect(slice(text, '/o/a/1')).toBe('-0.0');
});

test('no such place: missing', () => {
  for (const pointer of ['/x', '/v/0', '/a/2', '/a/-', '/a/00', '/a/+1', '/v/v']) {
    expect(slice('{"v":"s","a":[1,2]}', pointer), pointer).toBe('missing');
  }
});

test('a name on the way twice: ambiguous; beside the way: no matter', () => {
  expect(slice('{"v":1,"v":2}', '/v')).toBe('ambiguous');
  expect(slice('{"a":{"v":1},"a":{}}', '/a/v')).toBe('ambiguous');
  expect(slice('{"v":1,"\\u0076":2}', '/v')).toBe('ambiguous');
  expect(slice('{"x":1,"x":2,"v":{"x":1,"x":1}}', '/v')).toBe('{"x":1,"x":1}');
});

test('names written with escapes: found', () => {
  expect(slice('{"\\u0076\\u0061l":1}', '/val')).toBe('1');
});

test('no JSON Pointer: null', () => {
  for (const text of ['value', '/a~', '/a~2', `/${'a/'.repeat(40)}`])
    expect(parseJsonPointer(text), text).toBeNull();
});

test('nesting without end: refused without exhausting the stack', () => {
  const nest = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  expect(slice(nest(JSON_DEPTH_MAX), '')).toBe(nest(JSON_DEPTH_MAX));
  expect(slice(nest(JSON_DEPTH_MAX + 1), '')).toBe('invalid');
  expect(slice('['.repeat(1_000_000), '')).toBe('invalid');
  expect(slice('{"a":'.repeat(1_000_000), '')).toBe('invalid');
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('any document, whole or damaged: accepted exactly where JSON.parse accepts it', () => {
  const pieces = [
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '0',
    '-',
    '.',
    'e',
    'null',
    ' ',
    '\u00a0',
    '\n',
    '\u0001',
    '\\u12',
  ];
  const damage = fc.record({ at: fc.nat(200), cut: fc.nat(3), insert: fc.constantFrom('', ...pieces) });
  const property = fc.property(
    fc.json({ maxDepth: 4 }),
    fc.array(damage, { maxLength: 2 }),
    (json, damages) => {
      let text = json;
      for (const { at, cut, insert } of damages) {
        const place = at % (text.length + 1);
        text = text.slice(0, place) + insert + text.slice(place + cut);
      }
      expect(slice(text, '') !== 'invalid', text).toBe(isJson(text));
    },
  );
  fc.assert(property, { numRuns: 5_000, seed: 7 });
});

test('any value at any place: its slice parses to the value', () => {
  const property = fc.property(
    fc.jsonValue({ maxDepth: 3 }),
    fc.string(),
    fc.nat(3),
    (value, name, index) => {
      const list = [0, 1, 2, 3] as unknown[];
      list[index] = value;
      const text = JSON.stringify({ a: 1, [name]: list, [`${name}x`]: null }, null, 1);
      const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}/${index}`;
      expect(JSON.parse(slice(text, pointer))).toEqual(JSON.parse(JSON.stringify(value)));
    },
  );
  fc.assert(property, { numRuns: 1_000, seed: 8 });
});
