/**
 * Decodes requests of Redis clients from the bytes of a connection, however they are split: arrays of bulk strings, or
 * inline commands. Refusals use the exact words of Redis, because clients and people look for them. Bytes that were
 * handed out are never overwritten, so a value is a view of the received bytes and not a copy.
 */
import {
  RESP_ARGUMENTS_MAX,
  RESP_BULK_BYTES_MAX,
  RESP_INLINE_BYTES_MAX,
  RESP_REQUEST_BYTES_MAX,
  RESP_UNKNOWN_ARGUMENTS_MAX,
  RESP_UNKNOWN_BULK_BYTES_MAX,
} from '../../core/clients/redis-limits.ts';
import { Arguments } from './arguments.ts';
import { splitWords } from './inline-words.ts';

/**
 * 'request': `args` holds a complete request; 'incomplete': more bytes are needed; 'broken': the connection must be
 * closed, and `fault` says why.
 */
export type Decoded = 'request' | 'incomplete' | 'broken';

const CR = 13;
const LF = 10;
const STAR = 42;
const DOLLAR = 36;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;
/** No number in the protocol has more characters. */
const NUMBER_CHARS_MAX = 20;
const CAPACITY_MIN = 256;
/** Excess memory up to this size is not worth a copy. */
const SLACK_BYTES = 64 * 1024;
const NOTHING: Buffer = Buffer.alloc(0);

const INCOMPLETE = -1;
const INVALID = -2;
/** A negative number: as a count it means an empty request, as a length it is invalid. */
const NEGATIVE = -3;

export class RequestDecoder {
  readonly args = new Arguments();
  fault = '';
  /** Before authentication only small requests are accepted. */
  isTrusted = true;
  private buffer: Buffer = NOTHING;
  /** The memory after `end` belongs to this decoder and may be written to. */
  private isOwn = false;
  private begin = 0;
  private at = 0;
  private end = 0;
  /** Arguments of the present request that are still to come; 0 if no request has begun. */
  private left = 0;
  /** Length of the argument that is being read; -1 if its header is yet to come. */
  private bulk = -1;
  /** How many bytes of an unfinished line were searched for its end already. */
  private searched = 0;

  /** Bytes of memory held for requests that are not complete. */
  get keptBytes(): number {
    return this.buffer.length;
  }

  /** To be called once all complete requests are taken: frees memory beyond what the begun request needs. */
  trim(): void {
    const held = this.end - this.begin;
    if (held === 0) {
      this.args.clear();
      this.args.buffer = NOTHING;
      this.take(NOTHING, 0, 0, false);
    } else if (this.buffer.length > 2 * held + SLACK_BYTES) this.moveTo(2 * held);
  }

  /** The decoder takes over the chunk. All complete requests before it must have been taken. */
  push(chunk: Buffer): void {
    const held = this.end - this.begin;
    if (held === 0) {
      this.take(chunk, 0, chunk.length, false);
      return;
    }
    const needed = held + chunk.length;
    if (!this.isOwn || this.end + chunk.length > this.buffer.length) this.grow(needed);
    chunk.copy(this.buffer, this.end);
    this.end += chunk.length;
  }

  next(): Decoded {
    for (;;) {
      if (this.left > 0) return this.readArguments();
      this.args.clear();
      this.begin = this.at;
      if (this.at === this.end) return 'incomplete';
      if (this.buffer[this.at] !== STAR) {
        const decoded = this.readLine();
        if (decoded !== 'incomplete' || this.begin === this.at) return decoded;
        continue;
      }
      const count = this.readNumber();
      if (count === INCOMPLETE) return 'incomplete';
      const most = this.isTrusted ? RESP_ARGUMENTS_MAX : RESP_UNKNOWN_ARGUMENTS_MAX;
      if (count === INVALID || count > RESP_ARGUMENTS_MAX) return this.broken('invalid multibulk length');
      if (count > most) return this.broken('unauthenticated multibulk length');
      this.left = Math.max(0, count);
    }
  }

  private readArguments(): Decoded {
    const { args } = this;
    args.buffer = this.buffer;
    while (this.left > 0) {
      if (this.bulk < 0) {
        if (this.at === this.end) return 'incomplete';
        if (this.buffer[this.at] !== DOLLAR) return this.unexpected();
        const length = this.readNumber();
        if (length === INCOMPLETE) return 'incomplete';
        if (length < 0 || length > RESP_BULK_BYTES_MAX) return this.broken('invalid bulk length');
        if (!this.isTrusted && length > RESP_UNKNOWN_BULK_BYTES_MAX)
          return this.broken('unauthenticated bulk length');
        if (this.at - this.begin + length > RESP_REQUEST_BYTES_MAX) return this.broken('too big request');
        this.bulk = length;
      }
      const after = this.at + this.bulk;
      if (after + 2 > this.end) return 'incomplete';
      args.add(this.at, after);
      this.at = after + 2;
      this.bulk = -1;
      this.left -= 1;
    }
    this.begin = this.at;
    return 'request';
  }

  /** Parses the number after the type character at `at`, and moves `at` past the line once that is complete. */
  private readNumber(): number {
    const { buffer, end } = this;
    let place = this.at + 1;
    const isNegative = place < end && buffer[place] === MINUS;
    if (isNegative) place += 1;
    const first = place;
    let value = 0;
    for (; place < end; place += 1) {
      const byte = buffer[place]!;
      if (byte === CR) break;
      if (byte < ZERO || byte > NINE || place - first >= NUMBER_CHARS_MAX) return INVALID;
      value = value * 10 + byte - ZERO;
    }
    if (place + 1 >= end) return INCOMPLETE;
    const digits = place - first;
    const isPadded = buffer[first] === ZERO && (digits > 1 || isNegative);
    if (digits === 0 || isPadded || value > Number.MAX_SAFE_INTEGER) return INVALID;
    this.at = place + 2;
    return isNegative ? NEGATIVE : value;
  }

  /** Returns 'incomplete' with `at` moved on for an empty line. */
  private readLine(): Decoded {
    const from = this.at + this.searched;
    const found = this.buffer.subarray(from, this.end).indexOf(LF);
    // Redis would wait for the end of a line that never comes. Usually such bytes are TLS or another protocol.
    if (this.buffer.subarray(from, found < 0 ? this.end : from + found).includes(0))
      return this.broken('NUL in an inline request');
    const length = found < 0 ? this.end - this.at : from + found - this.at;
    if (length > RESP_INLINE_BYTES_MAX) return this.broken('too big inline request');
    if (found < 0) {
      this.searched = length;
      return 'incomplete';
    }
    this.searched = 0;
    const lineEnd = this.at + length;
    const hasCr = length > 0 && this.buffer[lineEnd - 1] === CR;
    const isWhole = splitWords(this.buffer.subarray(this.at, hasCr ? lineEnd - 1 : lineEnd), this.args);
    this.at = lineEnd + 1;
    if (!isWhole) return this.broken('unbalanced quotes in request');
    if (this.args.count === 0) return 'incomplete';
    this.begin = this.at;
    return 'request';
  }

  private unexpected(): Decoded {
    const byte = this.buffer[this.at]!;
    const shown = byte === CR || byte === LF ? ' ' : String.fromCharCode(byte);
    return this.broken(`expected '$', got '${shown}'`);
  }

  private broken(reason: string): Decoded {
    this.fault = `Protocol error: ${reason}`;
    return 'broken';
  }

  /** Grows in proportion to what was received, never to what was only announced. */
  private grow(needed: number): void {
    const whole = this.bulk < 0 ? 0 : this.at - this.begin + this.bulk + 2;
    const doubled = Math.max(CAPACITY_MIN, 2 * needed);
    const room = whole >= needed ? Math.min(doubled, whole) : doubled;
    this.moveTo(room);
  }

  private moveTo(room: number): void {
    const moved = Buffer.allocUnsafeSlow(room);
    this.buffer.copy(moved, 0, this.begin, this.end);
    this.moveArguments(-this.begin);
    this.args.buffer = moved;
    this.take(moved, this.at - this.begin, this.end - this.begin, true);
  }

  private take(buffer: Buffer, at: number, end: number, isOwn: boolean): void {
    this.buffer = buffer;
    this.begin = 0;
    this.at = at;
    this.end = end;
    this.isOwn = isOwn;
  }

  private moveArguments(by: number): void {
    const { starts, ends, count } = this.args;
    for (let each = 0; each < count; each += 1) {
      starts[each]! += by;
      ends[each]! += by;
    }
  }
}
