/**
 * The arguments of one command as offsets into the received bytes; strings and numbers are made only when a command
 * asks for them. The first argument is the command's name.
 */
import { isUtf8 } from 'node:buffer';
import { KEY_BYTES_MAX } from '../../core/limits.ts';

/** Signed 64-bit decimal as Redis accepts it: no spaces, no plus sign, no leading zeros. */
const INTEGER = /^(?:0|-?[1-9]\d{0,18})$/;
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const SAFE_DIGITS = 15;

/**
 * Cache of recent key strings, by a hash of their bytes. Comparing costs a fifth of decoding the string anew, and V8
 * keeps the hash of a string that it has seen before: together a quarter of what a read of a hot key costs here.
 */
const KNOWN: (string | undefined)[] = Array.from({ length: 4_096 }, () => undefined);
const KNOWN_LENGTH_MAX = 64;

function knownText(buffer: Buffer, start: number, end: number, hash: number): string {
  const place = (hash ^ (hash >>> 12)) & (KNOWN.length - 1);
  const known = KNOWN[place];
  if (known !== undefined && isText(known, buffer, start, end)) return known;
  const text = buffer.toString('latin1', start, end);
  KNOWN[place] = text;
  return text;
}

function isText(text: string, buffer: Buffer, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let at = start; at < end; at += 1) if (text.charCodeAt(at - start) !== buffer[at]) return false;
  return true;
}

export class Arguments {
  /** Bytes that were handed out are never overwritten, so values may be kept as views. */
  buffer: Buffer = Buffer.alloc(0);
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  count = 0;

  static of(...parts: readonly (string | Uint8Array)[]): Arguments {
    const made = new Arguments();
    const pieces = parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part));
    made.buffer = Buffer.concat(pieces);
    let at = 0;
    for (const piece of pieces) {
      made.add(at, at + piece.length);
      at += piece.length;
    }
    return made;
  }

  add(start: number, end: number): void {
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    this.count += 1;
  }

  clear(): void {
    this.count = 0;
  }

  /** A copy that stays valid when the next command is read. */
  kept(): Arguments {
    return Arguments.of(...Array.from({ length: this.count }, (_, at) => this.bytes(at)));
  }

  length(at: number): number {
    return this.ends[at]! - this.starts[at]!;
  }

  /** Total size of all arguments in bytes. */
  get byteCount(): number {
    let bytes = 0;
    for (let at = 0; at < this.count; at += 1) bytes += this.length(at);
    return bytes;
  }

  /** A view of the received bytes. */
  bytes(at: number): Buffer {
    return this.buffer.subarray(this.starts[at], this.ends[at]);
  }

  /** Decodes each byte as one character (Latin-1), so that the bytes can be echoed unchanged. */
  text(at: number): string {
    return this.buffer.toString('latin1', this.starts[at], this.ends[at]);
  }

  /** The argument as Redis prints it, namely as a C string that ends at the first NUL. */
  shown(at: number): string {
    return this.text(at).split('\0', 1)[0]!;
  }

  /** In upper case, for keywords of the protocol. */
  upper(at: number): string {
    return this.text(at).toUpperCase();
  }

  /** Undefined if the argument is not an integer that Redis would accept. */
  integer(at: number): bigint | undefined {
    if (this.length(at) > 20) return undefined;
    const text = this.text(at);
    if (!INTEGER.test(text)) return undefined;
    if (text.length <= SAFE_DIGITS) return BigInt(Number(text));
    const value = BigInt(text);
    return value > INT64_MAX || value < INT64_MIN ? undefined : value;
  }

  /**
   * The key at this position, or undefined if the bytes are not a valid key; `keyFaultAt` then says why. A single pass,
   * since this is on the hit path of every read.
   */
  key(at: number): string | undefined {
    const { buffer } = this;
    const start = this.starts[at]!;
    const end = this.ends[at]!;
    const length = end - start;
    if (length === 0 || length > KEY_BYTES_MAX) return undefined;
    let bits = 0;
    let hash = length;
    for (let place = start; place < end; place += 1) {
      const byte = buffer[place]!;
      if (byte === 0) return undefined;
      bits |= byte;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    if (bits < 0x80 && length <= KNOWN_LENGTH_MAX) return knownText(buffer, start, end, hash);
    if (bits < 0x80) return buffer.toString('latin1', start, end);
    return isUtf8(buffer.subarray(start, end)) ? buffer.toString('utf8', start, end) : undefined;
  }

  keyFaultAt(at: number): string {
    const length = this.length(at);
    if (length === 0) return 'the key is empty';
    if (length > KEY_BYTES_MAX) return `the key is longer than ${KEY_BYTES_MAX} bytes`;
    const hasNul = this.bytes(at).includes(0);
    return hasNul ? 'the key contains a NUL character' : 'the key is not UTF-8: keys are text here';
  }
}
