/**
 * Encodes replies in both versions of the protocol; types that RESP2 lacks are replaced by those that Redis uses there.
 * Many replies are written into one buffer, one after the other, and sent in one piece.
 */

export type Protocol = 2 | 3;

const CR = 13;
const LF = 10;
const ZERO = 48;
const CAPACITY_MIN = 512;
/** Values of at least this many bytes are sent from where they lie in memory; for smaller ones a copy is cheaper. */
export const APART_BYTES_MIN = 64 * 1024;
const NOTHING: Buffer = Buffer.alloc(0);
const OK = Buffer.from('+OK\r\n');
const NULL_BULK = Buffer.from('$-1\r\n');
const NULL_ARRAY = Buffer.from('*-1\r\n');
const NULL_3 = Buffer.from('_\r\n');

const codeOf = (character: string): number => character.charCodeAt(0);
const BULK = codeOf('$');
const ARRAY = codeOf('*');
const MAP = codeOf('%');
const SET = codeOf('~');
const PUSH = codeOf('>');
const INTEGER = codeOf(':');
const ERROR = codeOf('-');
const ERROR_WORD_BYTES_MAX = 32;

export class ReplyWriter {
  protocol: Protocol;
  private buffer: Buffer = NOTHING;
  private length = 0;
  /** Pieces written before the current buffer, which are sent as they are. */
  private pieces: Uint8Array[] = [];
  private pieceBytes = 0;

  constructor(protocol: Protocol) {
    this.protocol = protocol;
  }

  get byteCount(): number {
    return this.pieceBytes + this.length;
  }

  /** If the reply that begins at byte `byteCount` is an error: its first word, by which clients distinguish errors. */
  errorFrom(byteCount: number): string | undefined {
    const at = byteCount - this.pieceBytes;
    if (at < 0 || at >= this.length || this.buffer[at] !== ERROR) return undefined;
    const text = this.buffer.toString('latin1', at + 1, Math.min(this.length, at + 1 + ERROR_WORD_BYTES_MAX));
    return /^[A-Z]+/.exec(text)?.[0];
  }

  /** Writes into this memory from now on; nothing must have been written yet. */
  lend(scratch: Buffer): void {
    this.buffer = scratch;
  }

  /** Returns the bytes written, in order, and resets the writer without memory of its own. */
  taken(): Uint8Array[] {
    const { pieces } = this;
    if (this.length > 0) pieces.push(this.buffer.subarray(0, this.length));
    this.forget();
    return pieces;
  }

  /** The written bytes if they are a single piece; undefined if there are none, or more than one piece. */
  takenWhole(): Buffer | undefined {
    if (this.pieces.length > 0 || this.length === 0) return undefined;
    const whole = this.buffer.subarray(0, this.length);
    this.forget();
    return whole;
  }

  forget(): void {
    this.buffer = NOTHING;
    this.length = 0;
    if (this.pieces.length > 0) this.pieces = [];
    this.pieceBytes = 0;
  }

  append(other: ReplyWriter): void {
    for (const piece of other.taken()) this.raw(piece);
  }

  ok(): void {
    this.raw(OK);
  }

  simple(text: string): void {
    this.line('+', text);
  }

  /**
   * `text` without the leading minus. Line breaks at its end are left out, others become spaces; characters beyond Latin-1 become
   * question marks.
   */
  error(text: string): void {
    const line = text.replace(/[\r\n]+$/, '').replace(/[\r\n]/g, ' ');
    this.line('-', line.replace(/[\u0100-\uffff]/g, '?'));
  }

  integer(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0 && value <= 0x7fffffff) this.header(INTEGER, value);
    else this.line(':', String(value));
  }

  bulk(value: Uint8Array): void {
    const { length } = value;
    this.header(BULK, length);
    if (length >= APART_BYTES_MIN) this.apart(value);
    else {
      this.room(length + 2);
      this.buffer.set(value, this.length);
      this.length += length;
    }
    this.end();
  }

  bulkText(text: string, encoding: BufferEncoding = 'utf8'): void {
    this.bulk(Buffer.from(text, encoding));
  }

  nil(): void {
    this.raw(this.protocol === 3 ? NULL_3 : NULL_BULK);
  }

  nilArray(): void {
    this.raw(this.protocol === 3 ? NULL_3 : NULL_ARRAY);
  }

  array(count: number): void {
    this.header(ARRAY, count);
  }

  /** `count` key-value pairs follow. */
  map(count: number): void {
    if (this.protocol === 3) this.header(MAP, count);
    else this.header(ARRAY, 2 * count);
  }

  set(count: number): void {
    this.header(this.protocol === 3 ? SET : ARRAY, count);
  }

  push(count: number): void {
    this.header(this.protocol === 3 ? PUSH : ARRAY, count);
  }

  boolean(value: boolean): void {
    if (this.protocol === 3) this.line('#', value ? 't' : 'f');
    else this.integer(value ? 1 : 0);
  }

  verbatim(text: string): void {
    if (this.protocol !== 3) return this.bulkText(text);
    const bytes = Buffer.from(text);
    this.line('=', String(bytes.length + 4));
    this.raw(Buffer.from('txt:'));
    this.raw(bytes);
    this.end();
  }

  raw(bytes: Uint8Array): void {
    const { length } = bytes;
    if (length >= APART_BYTES_MIN) return this.apart(bytes);
    this.room(length);
    this.buffer.set(bytes, this.length);
    this.length += length;
  }

  private apart(bytes: Uint8Array): void {
    if (this.length > 0) this.pieces.push(this.buffer.subarray(0, this.length));
    this.pieces.push(bytes);
    this.pieceBytes += this.length + bytes.length;
    this.buffer = this.buffer.subarray(this.length);
    this.length = 0;
  }

  private line(type: string, text: string): void {
    // Latin-1, one byte per character, like the arguments that may be quoted in it.
    this.room(text.length + 3);
    this.buffer[this.length] = type.charCodeAt(0);
    this.length += 1 + this.buffer.write(text, this.length + 1, 'latin1');
    this.end();
  }

  /** `value` must be from 0 to 2^31 - 1. */
  private header(type: number, value: number): void {
    this.room(16);
    const { buffer } = this;
    let at = this.length;
    buffer[at++] = type;
    if (value < 10) buffer[at++] = ZERO + value;
    else {
      let digits = 2;
      for (let rest = (value / 100) | 0; rest > 0; rest = (rest / 10) | 0) digits += 1;
      let rest = value;
      for (let place = at + digits - 1; place >= at; place -= 1) {
        const tenth = (rest / 10) | 0;
        buffer[place] = ZERO + rest - tenth * 10;
        rest = tenth;
      }
      at += digits;
    }
    buffer[at++] = CR;
    buffer[at++] = LF;
    this.length = at;
  }

  private end(): void {
    this.room(2);
    this.buffer[this.length] = CR;
    this.buffer[this.length + 1] = LF;
    this.length += 2;
  }

  private room(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(
      Math.max(CAPACITY_MIN, 2 * this.buffer.length, 2 * (this.length + bytes)),
    );
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }
}
