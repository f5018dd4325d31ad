/**
 * Inline commands, as a person types them: words between spaces, with single or double quotes and the escapes that
 * Redis allows in them.
 */
import type { Arguments } from './arguments.ts';

const DOUBLE = 34;
const SINGLE = 39;
const BACKSLASH = 92;
const ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, b: 8, a: 7 };

/** Returns false if quotes are not balanced. The words are written to a buffer of their own. */
export function splitWords(line: Buffer, into: Arguments): boolean {
  const end = line.length;
  const words = Buffer.allocUnsafe(end);
  into.buffer = words;
  let at = 0;
  let used = 0;
  for (;;) {
    while (at < end && isSpace(line[at]!)) at += 1;
    if (at >= end) return true;
    const start = used;
    while (at < end && !endsWord(line[at]!)) {
      const byte = line[at]!;
      at += 1;
      if (byte !== DOUBLE && byte !== SINGLE) {
        words[used++] = byte;
        continue;
      }
      const quoted =
        byte === DOUBLE ? doubleQuoted(line, at, end, words, used) : singleQuoted(line, at, end, words, used);
      if (quoted === undefined) return false;
      ({ at, used } = quoted);
      // A closing quote must end the word.
      if (at < end && !isSpace(line[at]!)) return false;
      break;
    }
    into.add(start, used);
  }
}

interface Quoted {
  readonly at: number;
  readonly used: number;
}

function doubleQuoted(
  line: Buffer,
  from: number,
  end: number,
  words: Buffer,
  start: number,
): Quoted | undefined {
  let used = start;
  for (let at = from; at < end; at += 1) {
    const byte = line[at]!;
    if (byte === DOUBLE) return { at: at + 1, used };
    if (byte !== BACKSLASH || at + 1 >= end) {
      words[used++] = byte;
      continue;
    }
    const hex = /^\\x([0-9a-fA-F]{2})$/.exec(line.toString('latin1', at, at + 4));
    if (hex !== null) {
      words[used++] = parseInt(hex[1]!, 16);
      at += 3;
      continue;
    }
    at += 1;
    words[used++] = ESCAPES[String.fromCharCode(line[at]!)] ?? line[at]!;
  }
  return undefined;
}

function singleQuoted(
  line: Buffer,
  from: number,
  end: number,
  words: Buffer,
  start: number,
): Quoted | undefined {
  let used = start;
  for (let at = from; at < end; at += 1) {
    const byte = line[at]!;
    if (byte === SINGLE) return { at: at + 1, used };
    if (byte === BACKSLASH && at + 1 < end && line[at + 1] === SINGLE) at += 1;
    words[used++] = line[at]!;
  }
  return undefined;
}

function isSpace(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}

/** Vertical tab and form feed are skipped between words, but are part of a word when inside one. */
function endsWord(byte: number): boolean {
  return isSpace(byte) && byte !== 11 && byte !== 12;
}
