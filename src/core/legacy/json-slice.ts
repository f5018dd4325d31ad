/**
 * Finds where the value of a JSON Pointer (RFC 6901) stands in a JSON text, so that it can be taken exactly as written:
 * parsing and printing again would change `12345678901234567890` and `1.0`. The scanner validates the whole text
 * strictly by RFC 8259: it refuses what `JSON.parse` refuses, and also nesting that is too deep.
 */

/** Nesting depth of arrays and objects. The scanner recurses, and no honest answer comes near this depth. */
export const JSON_DEPTH_MAX = 64;
const POINTER_TOKENS_MAX = 32;

export type JsonPointer = readonly string[];

export type JsonPlace =
  /** `text.slice(start, end)` is the value. */
  | { readonly kind: 'found'; readonly start: number; readonly end: number }
  | { readonly kind: 'missing' }
  /** A name on the path occurs twice in its object: parsers differ on which one counts. */
  | { readonly kind: 'ambiguous' }
  | { readonly kind: 'invalid'; readonly reason: string };

/** Null if the text is not a JSON Pointer. */
export function parseJsonPointer(text: string): JsonPointer | null {
  if (text === '') return [];
  if (!text.startsWith('/') || /~(?![01])/.test(text)) return null;
  const tokens = text.slice(1).split('/');
  if (tokens.length > POINTER_TOKENS_MAX) return null;
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export function findJson(text: string, pointer: JsonPointer): JsonPlace {
  const scanner = new Scanner(text, pointer);
  scanner.skipSpace();
  if (!scanner.readValue(0, 0)) return { kind: 'invalid', reason: scanner.fault };
  scanner.skipSpace();
  if (scanner.at !== text.length) return { kind: 'invalid', reason: 'something follows the document' };
  if (scanner.ambiguous) return { kind: 'ambiguous' };
  if (scanner.start < 0) return { kind: 'missing' };
  return { kind: 'found', start: scanner.start, end: scanner.end };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Value of `matched` for a JSON value that does not lie on the path to the pointer's target. */
const OFF = -1;

class Scanner {
  at = 0;
  start = -1;
  end = -1;
  ambiguous = false;
  fault = '';
  private readonly text: string;
  private readonly pointer: JsonPointer;
  private readonly number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

  constructor(text: string, pointer: JsonPointer) {
    this.text = text;
    this.pointer = pointer;
  }

  /**
   * `matched`: how many tokens of the pointer led here. Returns false if the text is not JSON; `fault` then says why.
   */
  readValue(depth: number, matched: number): boolean {
    const isTarget = matched === this.pointer.length;
    const start = this.at;
    if (!this.readAny(depth, isTarget ? OFF : matched)) return false;
    if (isTarget) {
      this.start = start;
      this.end = this.at;
    }
    return true;
  }

  private readAny(depth: number, matched: number): boolean {
    const first = this.text[this.at];
    if (first === '{' || first === '[') {
      if (depth === JSON_DEPTH_MAX) return this.fail('nested too deep');
      return first === '{' ? this.readObject(depth + 1, matched) : this.readArray(depth + 1, matched);
    }
    if (first === '"') return this.readString();
    for (const word of ['true', 'false', 'null']) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return true;
      }
    }
    this.number.lastIndex = this.at;
    if (!this.number.test(this.text))
      return this.fail(first === undefined ? 'the document ends early' : 'not JSON');
    this.at = this.number.lastIndex;
    return true;
  }

  private readObject(depth: number, matched: number): boolean {
    this.at += 1;
    this.skipSpace();
    if (this.take('}')) return true;
    let met = false;
    for (;;) {
      const nameAt = this.at;
      if (this.text[nameAt] !== '"') return this.fail('a name is missing');
      if (!this.readString()) return false;
      let next = OFF;
      if (matched !== OFF && JSON.parse(this.text.slice(nameAt, this.at)) === this.pointer[matched]) {
        this.ambiguous ||= met;
        met = true;
        next = matched + 1;
      }
      this.skipSpace();
      if (!this.take(':')) return this.fail('a colon is missing');
      this.skipSpace();
      if (!this.readValue(depth, next)) return false;
      this.skipSpace();
      if (this.take('}')) return true;
      if (!this.take(',')) return this.fail('an object is not closed');
      this.skipSpace();
    }
  }

  private readArray(depth: number, matched: number): boolean {
    this.at += 1;
    this.skipSpace();
    if (this.take(']')) return true;
    for (let index = 0; ; index++) {
      const isNext = matched !== OFF && this.pointer[matched] === String(index);
      if (!this.readValue(depth, isNext ? matched + 1 : OFF)) return false;
      this.skipSpace();
      if (this.take(']')) return true;
      if (!this.take(',')) return this.fail('an array is not closed');
      this.skipSpace();
    }
  }

  private readString(): boolean {
    const text = this.text;
    for (let at = this.at + 1; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.at = at + 1;
        return true;
      }
      if (code < 0x20) return this.fail('a control character stands in a string');
      if (code !== BACKSLASH) continue;
      at += 1;
      const escape = text[at];
      if (escape === 'u') {
        if (!/^[0-9A-Fa-f]{4}$/.test(text.slice(at + 1, at + 5))) return this.fail('a broken escape');
        at += 4;
      } else if (escape === undefined || !'"\\/bfnrt'.includes(escape)) {
        return this.fail('a broken escape');
      }
    }
    return this.fail('the document ends early');
  }

  skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.at += 1;
    }
  }

  private take(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  private fail(reason: string): false {
    this.fault = reason;
    return false;
  }
}
