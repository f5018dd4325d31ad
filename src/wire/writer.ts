/**
 * Writes bytes, little endian, into one buffer that grows by doubling and is reused. Everything passed in comes from
 * this process, so a number or text that does not fit its field is a programmer's error and crashes; bytes from outside
 * are checked in `reader.ts` instead.
 */
import { assert } from '../base/assert.ts';
import { PROTOCOL_MAX } from '../core/membership/protocol-versions.ts';
import { checksumOf } from './checksum.ts';

/** A buffer that grew beyond this for one big frame is not kept for the next. */
const KEEP_BYTES_MAX = 1024 * 1024;
const TEXT_BYTES_MAX = 0xffff;
/** Up to this many characters a loop over ASCII is faster than a call into the runtime's encoder. */
export const ASCII_LOOP_LENGTH_MAX = 64;

export class Writer {
  /** Bytes written so far. */
  length = 0;
  /** The version that the reader speaks. (protocol-versions.ts) */
  protocol = PROTOCOL_MAX;
  private readonly initialBytes: number;
  private bytes: Buffer;
  private view: DataView;

  constructor(initialBytes = 4096) {
    this.initialBytes = initialBytes;
    this.bytes = Buffer.allocUnsafeSlow(initialBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Forgets what was written. */
  reset(): void {
    this.length = 0;
    if (this.bytes.length <= KEEP_BYTES_MAX) return;
    this.bytes = Buffer.allocUnsafeSlow(this.initialBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Checksum of what was written from `from` on. */
  checksum(from: number): number {
    return checksumOf(this.bytes, from, this.length);
  }

  /** A copy of exactly what was written. */
  copy(): Uint8Array {
    const copy = Buffer.allocUnsafe(this.length);
    // Not `bytes.copy`, which creates such a view too, and takes longer to get there.
    copy.set(new Uint8Array(this.view.buffer, 0, this.length));
    return copy;
  }

  u8(value: number): void {
    assert(value >>> 0 === value && value <= 0xff, 'a byte is 0..255');
    const start = this.take(1);
    this.view.setUint8(start, value);
  }

  bool(value: boolean): void {
    const start = this.take(1);
    this.view.setUint8(start, value ? 1 : 0);
  }

  u16(value: number): void {
    assert(value >>> 0 === value && value <= 0xffff, 'a 16-bit number is 0..65535');
    const start = this.take(2);
    this.view.setUint16(start, value, true);
  }

  u32(value: number): void {
    assert(value >>> 0 === value, 'a 32-bit number is 0..4294967295');
    const start = this.take(4);
    this.view.setUint32(start, value, true);
  }

  /** Overwrites a field whose value is known only at the end. */
  u32At(offset: number, value: number): void {
    this.view.setUint32(offset, value >>> 0, true);
  }

  /** A whole number from 0 to 2^53 - 1: versions, rounds, incarnations, epochs. */
  whole(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, 'a whole number is 0..2^53-1');
    const start = this.take(8);
    this.view.setFloat64(start, value, true);
  }

  /** Any finite number. */
  real(value: number): void {
    assert(Number.isFinite(value), 'a number on the wire is finite');
    const start = this.take(8);
    this.view.setFloat64(start, value, true);
  }

  i64(value: bigint): void {
    assert(BigInt.asIntN(64, value) === value, 'a big integer has 64 bits with its sign');
    const start = this.take(8);
    this.view.setBigInt64(start, value, true);
  }

  /** At most 65,535 bytes of UTF-8, preceded by their length. */
  text(value: string): void {
    const length = value.length;
    if (length <= ASCII_LOOP_LENGTH_MAX && this.shortAscii(value, length)) return;
    const byteCount = Buffer.byteLength(value);
    assert(byteCount <= TEXT_BYTES_MAX, 'a text on the wire has at most 65,535 bytes');
    this.u16(byteCount);
    const start = this.take(byteCount);
    this.bytes.write(value, start, 'utf8');
  }

  /** The bytes as they are, preceded by their length. */
  blob(value: Uint8Array): void {
    this.u32(value.length);
    this.raw(value);
  }

  raw(value: Uint8Array): void {
    const start = this.take(value.length);
    this.bytes.set(value, start);
  }

  private shortAscii(value: string, length: number): boolean {
    const start = this.take(2 + length);
    const bytes = this.bytes;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) {
        this.length = start;
        return false;
      }
      bytes[start + 2 + index] = code;
    }
    this.view.setUint16(start, length, true);
    return true;
  }

  /** Makes room and returns where it begins. May replace `bytes` and `view`: read them again afterwards. */
  private take(byteCount: number): number {
    const start = this.length;
    const end = start + byteCount;
    if (end > this.bytes.length) this.grow(end);
    this.length = end;
    return start;
  }

  private grow(byteCountMin: number): void {
    let size = this.bytes.length;
    while (size < byteCountMin) size *= 2;
    const grown = Buffer.allocUnsafeSlow(size);
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}
