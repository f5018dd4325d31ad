/** Decoders of what clients send and receive, and of the legacy source's answers. */
import { Prng } from '../../src/base/prng.ts';
import { findJson, parseJsonPointer } from '../../src/core/legacy/json-slice.ts';
import { mapBody } from '../../src/core/legacy/legacy-answer.ts';
import { parseSecretReference } from '../../src/core/legacy/legacy-config.ts';
import { placeOf } from '../../src/core/clients/scan-place.ts';
import { buildLegacyUrl, compileLegacyUrl } from '../../src/core/legacy/legacy-url.ts';
import { parseRetryAfter } from '../../src/adapters/legacy-http/judge.ts';
import { RequestDecoder } from '../../src/servers/resp/request-decoder.ts';
import * as protocol from '../../src/gen/protocol.js';
import type { MessageType } from '../../src/gen/protocol.js';
import type { FuzzedDecoder } from './fuzz.ts';

const utf8 = (text: string): Uint8Array => Buffer.from(text);
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
const JSON_TOKENS = [
  '{"value":',
  '[',
  ']',
  '{',
  '}',
  ',',
  ':',
  '"',
  '\\u',
  '\\',
  '1e',
  '-',
  '0',
  'tru',
  '['.repeat(5_000),
];
const URL_TOKENS = [
  '{key}',
  '{+key}',
  '..',
  '%2F',
  '%',
  '/',
  '//',
  '?k=',
  '#',
  '@',
  '\\',
  '\0',
  '[::1]',
  'http://',
];

const DOCUMENTS = [
  '{"key":"user:1","value":"Dr. Heisenberg"}',
  '{"a":[{"value":12345678901234567890},{"value":null}],"value":{"x":"\\u00e4\\n"}}',
  '[[1,2.5e3],{"value":"\\ud83d\\ude00"}]',
  ' "text" ',
];

/** Messages made without knowledge of their fields: all wire types with small field numbers, nested. */
function protobufSamples(): Uint8Array[] {
  const prng = new Prng(3);
  const message = (depth: number): number[] => {
    const bytes: number[] = [];
    for (let left = prng.below(5); left >= 0; left -= 1) {
      const field = (1 + prng.below(10)) << 3;
      const kind = prng.below(4);
      if (kind === 0) bytes.push(field, prng.below(128));
      else if (kind === 1) bytes.push(field | 1, ...Array.from({ length: 8 }, () => prng.below(256)));
      else if (kind === 2 && depth > 0) {
        const inner = message(depth - 1).slice(0, 100);
        bytes.push(field | 2, inner.length, ...inner);
      } else bytes.push(field | 2, 3, 0x61, 0x62, 0x63);
    }
    return bytes;
  };
  return Array.from({ length: 120 }, () => Uint8Array.from(message(3)));
}

/** Every message type of every package, found in the generated code, so that none can be left out. */
export function messageTypes(): Map<string, MessageType<unknown, never>> {
  const found = new Map<string, MessageType<unknown, never>>();
  const look = (path: string, value: unknown): void => {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return;
    if (typeof (value as { decode?: unknown }).decode === 'function')
      found.set(path, value as MessageType<unknown, never>);
    for (const [name, inner] of Object.entries(value))
      if (/^[A-Za-z]/.test(name)) look(`${path}.${name}`, inner);
  };
  for (const [name, value] of Object.entries(protocol)) if (name !== 'default') look(name, value);
  return found;
}

export function messageDecoders(): FuzzedDecoder[] {
  const samples = protobufSamples();
  return [...messageTypes()].map(([name, type]) => ({
    name: `messages ${name}`,
    covers: [],
    samples: () => samples,
    // As the doors do: an exception of the library means that the bytes are not such a message.
    decode: (bytes) => {
      try {
        return type.decode(bytes);
      } catch (error) {
        if (error instanceof Error && !/call stack|heap/.test(error.message)) return null;
        throw error;
      }
    },
    bytesPerByte: 256,
  }));
}

const mapping = { valuePointer: ['value'], echoPointer: ['key'], valueBytesMax: 1024 };

const TEXT_DECODERS: readonly FuzzedDecoder[] = [
  {
    name: 'a value in a JSON text',
    covers: ['findJson'],
    samples: () => DOCUMENTS.map(utf8),
    tokens: JSON_TOKENS.map(utf8),
    decode: (bytes) => {
      const text = textOf(bytes);
      const place = findJson(text, ['value']);
      return place.kind === 'invalid' ? null : text;
    },
    // What the runtime's own parser refuses must not be accepted.
    faultOf: (text: string) => {
      try {
        JSON.parse(text);
        return '';
      } catch (error) {
        return String(error);
      }
    },
  },
  {
    name: 'JSON Pointers',
    covers: ['parseJsonPointer'],
    samples: () => ['', '/value', '/a~1b/0/c~0', '/'].map(utf8),
    tokens: ['/', '~', '~0', '~2'].map(utf8),
    decode: (bytes) => parseJsonPointer(textOf(bytes)),
  },
  {
    name: 'answers of the legacy source',
    covers: ['mapBody'],
    samples: () => DOCUMENTS.map(utf8),
    tokens: JSON_TOKENS.map(utf8),
    decode: (bytes) => {
      const body = { contentType: 'application/json', framed: true, bytes };
      const mapped = mapBody(mapping, 'user:1', body);
      return mapped.kind === 'value' ? mapped : null;
    },
  },
  {
    name: 'times to ask again',
    covers: ['parseRetryAfter'],
    samples: () => ['120', 'Wed, 21 Oct 2026 07:28:00 GMT', ''].map(utf8),
    decode: (bytes) => parseRetryAfter(textOf(bytes), 0),
    faultOf: (ms: number) => (ms >= 0 ? '' : String(ms)),
  },
  {
    name: 'places of an export',
    covers: ['placeOf'],
    samples: () => ['0000', '3fffuser:1', '01a2ü'].map(utf8),
    decode: (bytes) => placeOf(textOf(bytes)),
  },
  {
    name: 'keys in a URL of the legacy source',
    covers: ['compileLegacyUrl', 'buildLegacyUrl'],
    samples: () =>
      ['user:1', 'a/b', '../x', 'http://old:8001/data/{key}', 'http://old/{+key}?k={key}'].map(utf8),
    tokens: URL_TOKENS.map(utf8),
    decode: (bytes) => {
      const text = textOf(bytes);
      const own = compileLegacyUrl(text);
      if (own.kind === 'template') buildLegacyUrl(own.template, 'a/b');
      const fixed = compileLegacyUrl('http://old:8001/data/{key}');
      const built = fixed.kind === 'template' ? buildLegacyUrl(fixed.template, text) : null;
      return built?.kind === 'url' ? built.url : null;
    },
    faultOf: (url: string) => (new URL(url).pathname.startsWith('/data/') ? '' : url),
    bytesPerByte: 256,
  },
  {
    name: 'references to secrets',
    covers: ['parseSecretReference'],
    samples: () => ['env:TOKEN', 'Bearer env:TOKEN', 'file:/run/secret'].map(utf8),
    tokens: ['env:', 'file:', 'Bearer '].map(utf8),
    decode: (bytes) => parseSecretReference(textOf(bytes)),
  },
];

/** Requests of Redis clients, whole and as they arrive, one after the other. */
const REQUESTS: FuzzedDecoder = {
  name: 'requests of Redis clients',
  covers: [],
  samples: () =>
    [
      '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n*1\r\n$4\r\nPING\r\n',
      'SET "a b" \'c\' \\x\r\nGET k\n\r\n*0\r\n',
      '*2\r\n$4\r\nECHO\r\n$0\r\n\r\n',
    ].map(utf8),
  tokens: ['*', '$', '\r\n', '*1\r\n$', '-1', '65536', '"', '\\x4', '999999999', '*1000000\r\n'].map(utf8),
  decode: (bytes) => {
    const decoder = new RequestDecoder();
    const half = bytes.length >> 1;
    let requests = 0;
    for (const part of [bytes.subarray(0, half), bytes.subarray(half)]) {
      decoder.push(Buffer.from(part));
      for (;;) {
        const decoded = decoder.next();
        if (decoded === 'broken') return decoder.fault === '' ? undefined : null;
        if (decoded === 'incomplete') break;
        requests += 1;
        for (let at = 0; at < decoder.args.count; at += 1)
          if (decoder.args.bytes(at).length > bytes.length) return 0;
      }
    }
    return requests > 0 ? requests : null;
  },
  faultOf: (requests: number) => (requests > 0 ? '' : 'an argument that is longer than what was sent'),
  bytesPerByte: 256,
};

export function textDecoders(): readonly FuzzedDecoder[] {
  return [...TEXT_DECODERS, REQUESTS];
}
