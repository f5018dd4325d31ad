/** What the door writes, parsed by an independent decoder: random replies of both protocols, cut anywhere. */
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import { ReplyWriter } from '../../src/servers/resp/reply-writer.ts';

interface Decoder {
  write(chunk: Buffer): void;
}
interface Listeners {
  onReply(reply: unknown): void;
  onErrorReply(error: Error): void;
  onPush(push: unknown[]): void;
  getTypeMapping(): object;
}
const { Decoder } = createRequire(import.meta.url)('@redis/client/dist/lib/RESP/decoder.js') as {
  Decoder: new (listeners: Listeners) => Decoder;
};

const REPLIES = 3_000;
/** By the first byte of a reply: maps as lists of keys and values, as in RESP2. */
const MAPPING = { ['%'.charCodeAt(0)]: Array, ['~'.charCodeAt(0)]: Array };

/** Writes a reply, and returns what a client should see. */
function draw(prng: Prng, out: ReplyWriter, depth: number): unknown {
  const kind = prng.below(depth > 3 ? 6 : 10);
  const text = 'x'.repeat(prng.pick([0, 1, 2, 9, 10, 99, 1_000, 70_000]));
  switch (kind) {
    case 0:
      return (out.ok(), 'OK');
    case 1:
      return (out.bulk(Buffer.from(`\r\n${text}\0`)), `\r\n${text}\0`);
    case 2:
      return (out.bulkText(text), text);
    case 3: {
      const number = prng.below(2 ** 31) - 2 ** 30;
      return (out.integer(number), number);
    }
    case 4:
      return (out.nil(), null);
    case 5:
      return (out.simple(text.slice(0, 50)), text.slice(0, 50));
    case 6:
      return (out.nilArray(), null);
    default: {
      const count = prng.below(4);
      const isMap = kind === 8;
      if (isMap) out.map(count);
      else if (kind === 9) out.set(count);
      else out.array(count);
      return Array.from({ length: isMap ? count * 2 : count }, () => draw(prng, out, depth + 1));
    }
  }
}

test.each([2, 3] as const)(
  'RESP%i: another decoder reads what was written, in pieces of any size',
  (protocol) => {
    const seed = Date.now() % 1_000_000;
    const prng = new Prng(seed);
    const out = new ReplyWriter(protocol);
    const expected: unknown[] = [];
    const seen: unknown[] = [];
    for (let at = 0; at < REPLIES; at += 1) {
      if (prng.below(20) === 0) {
        out.error(`ERR number ${at}`);
        expected.push(`ERR number ${at}`);
      } else expected.push(draw(prng, out, 0));
    }
    const bytes = Buffer.concat(out.taken());
    const decoder = new Decoder({
      onReply: (reply) => seen.push(reply),
      onErrorReply: (error) => seen.push(error.message),
      onPush: (push) => seen.push(push),
      getTypeMapping: () => MAPPING,
    });
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + 1 + prng.below(prng.pick([2, 30, 5_000, 200_000])));
      decoder.write(bytes.subarray(at, end));
      at = end;
    }
    expect(seen.length, `seed ${seed}`).toBe(expected.length);
    for (const [at, reply] of expected.entries())
      expect(seen[at], `seed ${seed}, reply ${at}`).toEqual(reply);
  },
);
