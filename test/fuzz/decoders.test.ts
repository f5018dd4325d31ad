/** Every decoder of bytes from outside under hostile input. `npm run test:long` gives each of them a million inputs. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeFrame } from '../../src/wire/message-codec.ts';
import { repositoryRoot } from '../support/root.ts';
import { messageDecoders, messageTypes, textDecoders } from './client-decoders.ts';
import { diskDecoders } from './disk-decoders.ts';
import { fuzz } from './fuzz.ts';
import type { FuzzedDecoder } from './fuzz.ts';
import { WIRE_DECODERS } from './wire-decoders.ts';

const RUNS = 10_000;
const DECODERS = [...WIRE_DECODERS, ...(await diskDecoders()), ...textDecoders(), ...messageDecoders()];

describe('10,000 hostile inputs: an answer each time, soon, and memory in proportion', () => {
  test.each(DECODERS.map((decoder) => [decoder.name, decoder] as const))('%s', (_name, decoder) => {
    const { fault, taken } = fuzz(decoder, 1, RUNS);
    expect(fault).toBe(null);
    // Otherwise nothing behind the first check was ever reached.
    expect(taken).toBeGreaterThan(RUNS / 500);
  });
});

describe('the list is whole', () => {
  /** Not fed from outside, or covered by others on this list. */
  const EXEMPT: Readonly<Record<string, string>> = {
    openKept: 'bytes that were opened before and have lain in memory since',
    readChoice: 'a part of the messages in a frame',
  };
  const decoding = exportedFunctions().filter(
    ({ file, name, parameters }) =>
      // Messages within a frame: each kind has samples, or `any-message.ts` does not compile.
      !parameters.startsWith('from: Reader') &&
      (isWireDecoder(file, name) || /^(decode|parse)[A-Z]/.test(name)),
  );

  test('each exported decoder is fuzzed, or stands among the exemptions with its reason', () => {
    expect(decoding.length).toBeGreaterThan(12);
    const covered = new Set(DECODERS.flatMap(({ covers }) => covers));
    const missing = decoding.filter(({ name }) => !covered.has(name) && EXEMPT[name] === undefined);
    expect(missing.map(({ file, name }) => `${file}: ${name}`)).toEqual([]);
  });

  test('what is said to be covered or exempt exists', () => {
    const names = new Set(exportedFunctions().map(({ name }) => name));
    const claimed = [...DECODERS.flatMap(({ covers }) => covers), ...Object.keys(EXEMPT)];
    expect(claimed.filter((name) => !names.has(name))).toEqual([]);
  });

  test('every message type of the services is among them', () => {
    expect(messageTypes().size).toBeGreaterThan(40);
    expect([...messageTypes().keys()]).toContain('causeway.v1.PipelineRequest');
    expect([...messageTypes().keys()]).toContain('causeway.v1.ExportPage');
  });
});

describe('a decoder that is broken is found', () => {
  const sample = WIRE_DECODERS[0]!.samples()[0]!;
  const broken = (decode: (bytes: Uint8Array) => unknown, more: Partial<FuzzedDecoder> = {}): string => {
    const decoder: FuzzedDecoder = { name: 'broken', covers: [], samples: () => [sample], decode, ...more };
    return fuzz(decoder, 1, 3_000).fault ?? 'nothing was found';
  };

  test('it reads beyond the end: thrown, with the seed, the run and the bytes', () => {
    const found = broken((bytes) => Buffer.from(bytes).readUInt32LE(8));
    expect(found).toMatch(/^broken, seed 1, run \d+: it threw RangeError/);
    expect(found).toMatch(/\d+ bytes: [0-9a-f]*$/);
  });

  test('it allocates what a length claims, also where it lets go of it at once', () => {
    const found = broken((bytes) => {
      if (bytes.length < 8) return null;
      const claimed = Buffer.from(bytes).readUInt32LE(4) % 100_000_000;
      return new Uint8Array(claimed).length > 0 ? null : 'something';
    });
    expect(found).toMatch(/it allocated \d+ bytes/);
  });

  test('it takes its time', () => {
    const clock = new Int32Array(new SharedArrayBuffer(4));
    const found = broken((bytes) => {
      if ((bytes[0] ?? 0) > 0x80) Atomics.wait(clock, 0, 0, 600);
      return null;
    });
    expect(found).toMatch(/it took \d+ ms/);
  });

  test('it takes a frame without looking at its checksum', () => {
    const unchecked = (bytes: Uint8Array): unknown => {
      const result = decodeFrame(bytes);
      return 'fault' in result && !result.fault.includes('damaged') ? null : bytes;
    };
    const faultOf = (bytes: Uint8Array): string => ('fault' in decodeFrame(bytes) ? 'a damaged frame' : '');
    expect(broken(unchecked, { faultOf })).toContain('it took what it must not: a damaged frame');
  });
});

interface Exported {
  readonly file: string;
  readonly name: string;
  readonly parameters: string;
}

function isWireDecoder(file: string, name: string): boolean {
  return file.startsWith('src/wire/') && /^(open|split|batchOf|read)/.test(name);
}

/** Found by their declarations in the source: functions, and classes by the name of their constructor. */
function exportedFunctions(): Exported[] {
  const found: Exported[] = [];
  for (const entry of readdirSync(join(repositoryRoot, 'src'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts') || entry.name.endsWith('.test.ts')) continue;
    const path = join(entry.parentPath, entry.name);
    const file = path.slice(repositoryRoot.length + 1);
    if (file.startsWith('src/gen/')) continue;
    const text = readFileSync(path, 'utf8');
    for (const [, name, parameters] of text.matchAll(
      /^export (?:async )?function\*? ?(\w+)(?:<[^(]*>)?\(\s*([^)]*)/gm,
    ))
      found.push({ file, name: name!, parameters: parameters! });
    for (const [, name] of text.matchAll(/^export class (\w+)/gm))
      found.push({ file, name: name!, parameters: '' });
  }
  return found;
}
