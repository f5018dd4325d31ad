/** Replies in both protocols, byte by byte, and in the order of their commands. */
import { describe, expect, test } from 'vitest';
import { ReplyQueue } from './reply-queue.ts';
import { ReplyWriter } from './reply-writer.ts';
import type { Protocol } from './reply-writer.ts';

function written(protocol: Protocol, write: (out: ReplyWriter) => void): string {
  const out = new ReplyWriter(protocol);
  write(out);
  return Buffer.concat(out.taken()).toString('latin1');
}

const BOTH: readonly (readonly [string, (out: ReplyWriter) => void, string, string])[] = [
  ['nil', (out) => out.nil(), '$-1\r\n', '_\r\n'],
  ['no array', (out) => out.nilArray(), '*-1\r\n', '_\r\n'],
  ['a map', (out) => out.map(2), '*4\r\n', '%2\r\n'],
  ['a set', (out) => out.set(2), '*2\r\n', '~2\r\n'],
  ['a text', (out) => out.verbatim('ab'), '$2\r\nab\r\n', '=6\r\ntxt:ab\r\n'],
  ['ok', (out) => out.ok(), '+OK\r\n', '+OK\r\n'],
  ['an error over two lines', (out) => out.error('ERR a\r\nb'), '-ERR a  b\r\n', '-ERR a  b\r\n'],
  [
    'an error with characters that are no bytes, one of which would end the line',
    (out) => out.error('ERR node’s Ċ ä'),
    '-ERR node?s ? \xe4\r\n',
    '-ERR node?s ? \xe4\r\n',
  ],
  ['an empty value', (out) => out.bulk(Buffer.alloc(0)), '$0\r\n\r\n', '$0\r\n\r\n'],
  [
    'a large number',
    (out) => out.integer(2n ** 63n - 1n),
    ':9223372036854775807\r\n',
    ':9223372036854775807\r\n',
  ],
  ['a negative number', (out) => out.integer(-2), ':-2\r\n', ':-2\r\n'],
];

describe('a reply', () => {
  test.each(BOTH)('%s: as each protocol has it', (_name, write, second, third) => {
    expect(written(2, write)).toBe(second);
    expect(written(3, write)).toBe(third);
  });

  test('numbers of any length in its headers', () => {
    for (const value of [0, 9, 10, 99, 100, 999, 1_000, 65_535, 2_147_483_647]) {
      expect(written(2, (out) => out.integer(value))).toBe(`:${value}\r\n`);
    }
  });

  test('large values between small replies: all bytes, in order', () => {
    const large = Buffer.alloc(100_000, 'x');
    const text = written(2, (out) => {
      out.ok();
      out.bulk(large);
      out.integer(1);
      out.bulk(large);
    });
    expect(text).toBe(`+OK\r\n$100000\r\n${String(large)}\r\n:1\r\n$100000\r\n${String(large)}\r\n`);
  });
});

describe('the order of replies', () => {
  const texts = (queue: ReplyQueue): string => Buffer.concat(queue.ready.taken()).toString('latin1');

  test('answers that come in any order go out in the order of the commands', () => {
    const queue = new ReplyQueue(() => undefined);
    queue.out.integer(0);
    const first = queue.begin();
    queue.out.integer(2);
    const second = queue.begin();
    const third = queue.begin();
    queue.out.integer(5);
    expect(texts(queue)).toBe(':0\r\n');
    third.end((out) => out.integer(4));
    second.end((out) => out.integer(3));
    expect(texts(queue)).toBe('');
    expect(queue.unanswered).toBe(3);
    expect(queue.heldBytes).toBe(4 * 4);
    first.end((out) => out.integer(1));
    expect(texts(queue)).toBe(':1\r\n:2\r\n:3\r\n:4\r\n:5\r\n');
    expect(queue.unanswered).toBe(0);
    expect(queue.heldBytes).toBe(0);
    queue.out.integer(6);
    expect(texts(queue)).toBe(':6\r\n');
  });

  test('each is said in the protocol that was in force at its command', () => {
    const queue = new ReplyQueue(() => undefined);
    const first = queue.begin();
    queue.protocol = 3;
    const second = queue.begin();
    second.end((out) => out.nil());
    first.end((out) => out.nil());
    queue.out.nil();
    expect(texts(queue)).toBe('$-1\r\n_\r\n_\r\n');
  });

  test('what is not to be answered: nothing, and the others as ever', () => {
    const queue = new ReplyQueue(() => undefined);
    queue.isMute = true;
    const mute = queue.begin();
    queue.isMute = false;
    const heard = queue.begin();
    heard.end((out) => out.integer(2));
    mute.end((out) => out.integer(1));
    expect(texts(queue)).toBe(':2\r\n');
  });
});
