/** What answers of the legacy source mean: the table of statuses, and bodies that are and are not values. */
import { describe, expect, test } from 'vitest';
import { parseJsonPointer } from './json-slice.ts';
import { mapBody, meaningOfStatus } from './legacy-answer.ts';
import type { LegacyMapping, MappedBody } from './legacy-answer.ts';

const MAPPING: LegacyMapping = {
  valuePointer: parseJsonPointer('/value')!,
  echoPointer: parseJsonPointer('/key')!,
  valueBytesMax: 1000,
};
const WITHOUT_ECHO: LegacyMapping = { ...MAPPING, echoPointer: null };

function map(
  text: string | Uint8Array,
  mapping = WITHOUT_ECHO,
  contentType = 'application/json',
  framed = true,
): MappedBody {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return mapBody(mapping, 'k', { contentType, framed, bytes });
}

function valueOf(mapped: MappedBody): string {
  return mapped.kind === 'value' ? new TextDecoder().decode(mapped.value) : mapped.kind;
}

test('every status: only 200 and 203 may hold a value, only 404 and 410 mean absent', () => {
  const meant = new Map<string, number[]>();
  for (let status = 100; status <= 999; status++) {
    const meaning = meaningOfStatus(status);
    meant.set(meaning, [...(meant.get(meaning) ?? []), status]);
  }
  expect(meant.get('value')).toEqual([200, 203]);
  expect(meant.get('absent')).toEqual([404, 410]);
  expect(meant.get('denied')).toEqual([401, 403]);
  expect(meant.get('troubled')).toEqual([408, 425, 429, ...Array.from({ length: 100 }, (_, n) => 500 + n)]);
  expect(meant.get('unusable')).toContain(204);
  expect(meant.get('unusable')).toContain(302);
});

describe('a usable value', () => {
  test.each([
    ['"text"', 'text'],
    ['""', ''],
    ['"\\u00e9\\n\\ud83d\\ude00"', 'é\n\u{1f600}'],
    ['12345678901234567890', '12345678901234567890'],
    ['1.0', '1.0'],
    ['true', 'true'],
    ['false', 'false'],
    ['[ 1, 2.50 ]', '[ 1, 2.50 ]'],
    ['{ "a": "\\u0041" }', '{ "a": "\\u0041" }'],
  ])('%s: kept as %j', (json, expected) => {
    expect(valueOf(map(`{"value":${json}}`))).toBe(expected);
  });

  test.each([
    'application/json',
    'Application/JSON; Charset="UTF-8"',
    'application/hal+json;charset=utf-8',
    'text/json',
  ])('sent as %s: read', (contentType) =>
    expect(valueOf(map('{"value":"v"}', WITHOUT_ECHO, contentType))).toBe('v'),
  );

  test('after a byte order mark: read', () => {
    expect(valueOf(map('\ufeff{"value":"v"}'))).toBe('v');
  });

  test('with the key repeated, as text or number: read', () => {
    expect(valueOf(map('{"key":"k","value":"v"}', MAPPING))).toBe('v');
    const bytes = new TextEncoder().encode('{"key":1001,"value":"v"}');
    expect(mapBody(MAPPING, '1001', { contentType: 'application/json', framed: true, bytes }).kind).toBe(
      'value',
    );
  });
});

describe('the content type of a value', () => {
  const whole: LegacyMapping = { ...WITHOUT_ECHO, valuePointer: [] };
  const typeOf = (mapped: MappedBody): string | null =>
    mapped.kind === 'value' ? mapped.contentType : mapped.kind;

  test.each([
    ['{"a":1}', 'application/hal+json; charset=utf-8', 'application/hal+json; charset=utf-8'],
    ['17', 'application/json', 'application/json'],
    ['"text"', 'application/json', null],
    ['{"a":1}', `application/json; a="${'b'.repeat(300)}"`, null],
  ])('the whole document %s, sent as %s: %o', (body, sent, expected) => {
    expect(typeOf(map(body, whole, sent))).toBe(expected);
  });

  test.each([
    ['{"a":1}', 'application/json'],
    ['[1]', 'application/json'],
    ['17', null],
    ['true', null],
    ['"{}"', null],
  ])('a part of it, %s: %o, for what the source says is said of the document', (part, expected) => {
    expect(typeOf(map(`{"value":${part}}`, WITHOUT_ECHO, 'application/hal+json'))).toBe(expected);
  });
});

describe('no usable value', () => {
  test.each([
    ['{"value":null}', 'unmapped'],
    ['{}', 'unmapped'],
    ['{"value":1,"value":2}', 'unmapped'],
    ['{"value":"\\ud800"}', 'unmapped'],
    [`{"value":"${'x'.repeat(1001)}"}`, 'unmapped'],
    ['[]', 'unmapped'],
    ['', 'garbled'],
    ['<html>It works!</html>', 'garbled'],
    ['{"value":"v"', 'garbled'],
    ['{"value":"v"}{"value":"w"}', 'garbled'],
    ["{'value':'v'}", 'garbled'],
    ['{"value":NaN}', 'garbled'],
    ['{"value":01}', 'garbled'],
    ['{"value":"v",}', 'garbled'],
    ['{"value":"a\nb"}', 'garbled'],
    ['['.repeat(100_000), 'garbled'],
  ])('%#: %s', (text, kind) => {
    expect(map(text).kind).toBe(kind);
  });

  test.each([
    '',
    'text/html',
    'text/plain',
    'application/octet-stream',
    'application/json, text/html',
    'application/json; charset=iso-8859-1',
  ])('sent as %j: garbled', (contentType) =>
    expect(map('{"value":"v"}', WITHOUT_ECHO, contentType).kind).toBe('garbled'),
  );

  test('bytes that are no UTF-8: garbled', () => {
    expect(map(Uint8Array.of(0x22, 0xc3, 0x28, 0x22)).kind).toBe('garbled');
  });

  test.each([
    '{"value":"v"}',
    '{"key":"other","value":"v"}',
    '{"key":null,"value":"v"}',
    '{"key":["k"],"value":"v"}',
    '{"key":"k","key":"k","value":"v"}',
    '{"key":"K","value":"v"}',
  ])('about another key, or none: %s', (text) => expect(map(text, MAPPING).kind).toBe('mismatch'));

  test('a bare number whose end nobody told: may have been cut, so not used', () => {
    const whole: LegacyMapping = { ...WITHOUT_ECHO, valuePointer: [] };
    expect(map('12', whole, 'application/json', false).kind).toBe('garbled');
    expect(valueOf(map('12', whole))).toBe('12');
    expect(valueOf(map('{"a":12}', whole, 'application/json', false))).toBe('{"a":12}');
  });
});
