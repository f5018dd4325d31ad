/** Requests of Redis clients: whole, split at every byte, and wrong in every way that Redis has an error for. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  RESP_ARGUMENTS_MAX,
  RESP_BULK_BYTES_MAX,
  RESP_INLINE_BYTES_MAX,
  RESP_REQUEST_BYTES_MAX,
} from '../../core/clients/redis-limits.ts';
import { Arguments } from './arguments.ts';
import { RequestDecoder } from './request-decoder.ts';

interface Seen {
  readonly requests: string[][];
  /** '' if nothing was wrong. */
  readonly fault: string;
}

/** Decodes chunks as a socket delivers them, each in memory of its own. */
function decode(chunks: readonly Buffer[], isTrusted = true): Seen {
  const decoder = new RequestDecoder();
  decoder.isTrusted = isTrusted;
  const requests: string[][] = [];
  for (const chunk of chunks) {
    decoder.push(Buffer.from(chunk));
    for (;;) {
      const decoded = decoder.next();
      if (decoded === 'incomplete') break;
      if (decoded === 'broken') return { requests, fault: decoder.fault };
      const { args } = decoder;
      requests.push(Array.from({ length: args.count }, (_, at) => args.text(at)));
    }
  }
  return { requests, fault: '' };
}

const whole = (text: string, isTrusted = true): Seen => decode([Buffer.from(text, 'latin1')], isTrusted);
const faultOf = (text: string): string => whole(text).fault;

function encode(args: readonly Buffer[]): Buffer {
  const parts = args.flatMap((arg) => [Buffer.from(`$${arg.length}\r\n`), arg, Buffer.from('\r\n')]);
  return Buffer.concat([Buffer.from(`*${args.length}\r\n`), ...parts]);
}

describe('requests that are whole', () => {
  test('an array of bulk strings, an empty one and binary ones: its arguments', () => {
    expect(whole('*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n\r\n\0\xff\r\n').requests).toEqual([
      ['SET', '', '\r\n\0\xff'],
    ]);
  });

  test('a line of words, with quotes and escapes as Redis knows them: its words', () => {
    const line = `SET  "a b\\x41\\n" 'it\\'s' \ttail\r\nPING\n`;
    expect(whole(line).requests).toEqual([['SET', 'a bA\n', "it's", 'tail'], ['PING']]);
  });

  test('empty lines, empty and null arrays between requests: no requests', () => {
    expect(whole('\r\n\n*0\r\n*-1\r\n   \r\nPING\r\n').requests).toEqual([['PING']]);
  });

  test('values that were handed out stay as they are while further chunks come', () => {
    const decoder = new RequestDecoder();
    const first = encode([Buffer.from('SET'), Buffer.from('k'), Buffer.from('value-one')]);
    const stream = Buffer.concat([first, first.subarray(0, 10)]);
    const values: Buffer[] = [];
    for (const part of [stream.subarray(0, 20), stream.subarray(20), first.subarray(10), first, first]) {
      decoder.push(Buffer.from(part));
      while (decoder.next() === 'request') values.push(decoder.args.bytes(2));
    }
    expect(values.map(String)).toEqual(Array.from({ length: 4 }, () => 'value-one'));
  });
});

test('keys as texts: each is what its bytes say, however many were seen before', () => {
  const keys = Array.from({ length: 20_000 }, (_, at) => `key:${(at * 7_919) % 20_011}`);
  for (const key of [...keys, ...keys, 'ä', 'a'.repeat(65), 'a'.repeat(1024)]) {
    expect(Arguments.of('GET', key).key(1)).toBe(key);
  }
});

describe('what is split', () => {
  const argument = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
  const requests = fc.array(fc.array(argument, { minLength: 1, maxLength: 5 }), {
    minLength: 1,
    maxLength: 4,
  });

  test('at any places: the same requests as in one piece', () => {
    fc.assert(
      fc.property(requests, fc.array(fc.nat(200), { maxLength: 8 }), (given, cuts) => {
        const bytes = Buffer.concat(given.map(encode));
        const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
        const chunks = [0, ...places].map((from, at) => bytes.subarray(from, places[at] ?? bytes.length));
        const expected = given.map((args) => args.map((arg) => arg.toString('latin1')));
        expect(decode(chunks)).toEqual({ requests: expected, fault: '' });
      }),
      { numRuns: 300 },
    );
  });

  test('at every byte, and each byte by itself: the same', () => {
    const bytes = Buffer.from('*2\r\n$3\r\nGET\r\n$3\r\nkey\r\nSET "a b" \'c\'\r\n*1\r\n$4\r\nPING\r\n');
    const expected = decode([bytes]);
    expect(expected.requests).toEqual([['GET', 'key'], ['SET', 'a b', 'c'], ['PING']]);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      expect(decode([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(expected);
    }
    expect(decode(Array.from(bytes, (byte) => Buffer.from([byte])))).toEqual(expected);
  });

  test('a large value in small pieces: memory and time in proportion to it', () => {
    const bytes = encode([Buffer.from('SET'), Buffer.from('k'), Buffer.alloc(1024 * 1024, 7)]);
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += 512) chunks.push(bytes.subarray(at, at + 512));
    const begun = performance.now();
    expect(decode(chunks).requests).toHaveLength(1);
    expect(performance.now() - begun).toBeLessThan(2_000);
  });
});

describe('what is kept', () => {
  const drain = (decoder: RequestDecoder): number => {
    let count = 0;
    while (decoder.next() === 'request') count += 1;
    decoder.trim();
    return count;
  };

  test('a large request that is done: none of its memory', () => {
    const decoder = new RequestDecoder();
    const bytes = encode([Buffer.from('SET'), Buffer.from('k'), Buffer.alloc(1024 * 1024, 7)]);
    for (let at = 0; at < bytes.length; at += 65_536) {
      decoder.push(bytes.subarray(at, at + 65_536));
      expect(drain(decoder)).toBe(at + 65_536 < bytes.length ? 0 : 1);
    }
    expect(decoder.keptBytes).toBe(0);
    expect(decoder.args.buffer.length).toBe(0);
  });

  test('the beginning of the next one behind it: little more than that, and it is whole in the end', () => {
    const decoder = new RequestDecoder();
    const large = encode([Buffer.from('SET'), Buffer.from('k'), Buffer.alloc(1024 * 1024, 7)]);
    const bytes = Buffer.concat([large, encode([Buffer.from('GET'), Buffer.from('key')])]);
    const cut = bytes.length - 6;
    decoder.push(bytes.subarray(0, 1_000));
    expect(drain(decoder)).toBe(0);
    decoder.push(bytes.subarray(1_000, cut));
    expect(drain(decoder)).toBe(1);
    expect(decoder.keptBytes).toBeLessThan(1_000);
    decoder.push(bytes.subarray(cut));
    expect(decoder.next()).toBe('request');
    expect([decoder.args.text(0), decoder.args.text(1)]).toEqual(['GET', 'key']);
  });
});

describe('what is wrong', () => {
  test.each([
    ['*x\r\n', 'invalid multibulk length'],
    ['*01\r\n', 'invalid multibulk length'],
    [`*${RESP_ARGUMENTS_MAX + 1}\r\n`, 'invalid multibulk length'],
    [`*${'9'.repeat(30)}\r\n`, 'invalid multibulk length'],
    ['*1\r\n+3\r\n', "expected '$', got '+'"],
    ['*1\r\n\r\n', "expected '$', got ' '"],
    ['*1\r\n$-1\r\n', 'invalid bulk length'],
    ['*1\r\n$x\r\n', 'invalid bulk length'],
    [`*1\r\n$${RESP_BULK_BYTES_MAX + 1}\r\n`, 'invalid bulk length'],
    ['SET "a\r\n', 'unbalanced quotes in request'],
    ["SET 'a'b\r\n", 'unbalanced quotes in request'],
    ['ECHO a\0b\r\n', 'NUL in an inline request'],
    ['\x16\x03\x01\0', 'NUL in an inline request'],
    ['a'.repeat(RESP_INLINE_BYTES_MAX + 1), 'too big inline request'],
    [`${'a'.repeat(RESP_INLINE_BYTES_MAX + 1)}\r\n`, 'too big inline request'],
  ])('%j: in the words of Redis', (text, words) => {
    expect(faultOf(text)).toBe(`Protocol error: ${words}`);
  });

  test('more bytes in one request than there may be: refused before they come', () => {
    const count = RESP_REQUEST_BYTES_MAX / RESP_BULK_BYTES_MAX;
    const bulk = Buffer.from(`$${RESP_BULK_BYTES_MAX}\r\n${'a'.repeat(RESP_BULK_BYTES_MAX)}\r\n`);
    const head = Buffer.from(`*${count}\r\n`);
    expect(decode([head, ...Array.from({ length: count }, () => bulk)]).fault).toBe(
      'Protocol error: too big request',
    );
  });

  test('whoever has not said the password may ask for little', () => {
    expect(whole('*11\r\n', false).fault).toBe('Protocol error: unauthenticated multibulk length');
    expect(whole('*1\r\n$16385\r\n', false).fault).toBe('Protocol error: unauthenticated bulk length');
    expect(whole('*1\r\n$4\r\nPING\r\n', false).requests).toEqual([['PING']]);
  });

  test('requests before the fault are there', () => {
    expect(whole('PING\r\n*1\r\n:1\r\n')).toEqual({
      requests: [['PING']],
      fault: "Protocol error: expected '$', got ':'",
    });
  });
});
