/**
 * Reads bytes from outside, little endian, without trusting them: a length beyond the end, a number out of range, or
 * bytes that are not UTF-8 set `fault`. From then on every read returns an empty value, so that a decoder reads
 * straight through and checks once at the end; loops check `ok` on each iteration. No memory is ever allocated for a
 * length that is only claimed.
 */
import { isUtf8 } from 'node:buffer';
import { PROTOCOL_MAX } from '../core/membership/protocol-versions.ts';
import { EMPTY_VALUE } from '../core/record.ts';

/** Up to this many bytes a loop over ASCII is faster than a call into the runtime's decoder. */
const ASCII_LOOP_LENGTH_MAX = 24;

/**
 * The memory last read from: frames usually lie side by side in a few blocks, and creating a view for each would cost
 * more than reading it.
 */
let memory: ArrayBufferLike = new ArrayBuffer(0);
let memoryView: DataView = new DataView(memory);

function viewOf(wanted: ArrayBufferLike): DataView {
  if (wanted !== memory) {
    memory = wanted;
    memoryView = new DataView(wanted);
  }
  return memoryView;
}

export class Reader {
  /** What is wrong; '' if nothing. */
  fault = '';
  /** The version in which the bytes were written. (protocol-versions.ts) */
  protocol = PROTOCOL_MAX;
  private readonly bytes: Buffer;
  /** A view of the whole memory block; the bytes begin at `base`. */
  private readonly view: DataView;
  private readonly base: number;
  private offset = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.view = viewOf(bytes.buffer);
    this.base = bytes.byteOffset;
  }

  get ok(): boolean {
    return this.fault === '';
  }

  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  /** Only the first fault is kept; later ones are consequences of it. */
  fail(fault: string): void {
    if (this.fault === '') this.fault = fault;
    this.offset = this.bytes.length;
  }

  u8(): number {
    const start = this.take(1);
    return start < 0 ? 0 : this.bytes[start]!;
  }

  bool(): boolean {
    const value = this.u8();
    if (value > 1) this.fail('a flag is neither 0 nor 1');
    return value === 1;
  }

  u16(): number {
    const start = this.take(2);
    return start < 0 ? 0 : this.view.getUint16(this.base + start, true);
  }

  u32(): number {
    const start = this.take(4);
    return start < 0 ? 0 : this.view.getUint32(this.base + start, true);
  }

  whole(): number {
    const start = this.take(8);
    if (start < 0) return 0;
    const value = this.view.getFloat64(this.base + start, true);
    if (Number.isSafeInteger(value) && value >= 0) return value;
    this.fail('a number is not whole or out of range');
    return 0;
  }

  real(): number {
    const start = this.take(8);
    if (start < 0) return 0;
    const value = this.view.getFloat64(this.base + start, true);
    if (Number.isFinite(value)) return value;
    this.fail('a number is not finite');
    return 0;
  }

  i64(): bigint {
    const start = this.take(8);
    return start < 0 ? 0n : this.view.getBigInt64(this.base + start, true);
  }

  text(): string {
    const byteCount = this.u16();
    const start = this.take(byteCount);
    if (start < 0) return '';
    const end = start + byteCount;
    if (byteCount <= ASCII_LOOP_LENGTH_MAX) {
      const bytes = this.bytes;
      let index = start;
      while (index < end && bytes[index]! < 0x80) index++;
      if (index === end) return bytes.toString('latin1', start, end);
    }
    const part = this.bytes.subarray(start, end);
    if (isUtf8(part)) return part.toString('utf8');
    this.fail('a text is not UTF-8');
    return '';
  }

  /** A view into the bytes being read, which must not be reused while it is held. */
  blob(): Uint8Array {
    return this.raw(this.u32());
  }

  raw(byteCount: number): Uint8Array {
    const start = this.take(byteCount);
    return start < 0 ? EMPTY_VALUE : this.bytes.subarray(start, start + byteCount);
  }

  private take(byteCount: number): number {
    const start = this.offset;
    if (byteCount > this.bytes.length - start) {
      this.fail('ends within a field');
      return -1;
    }
    this.offset = start + byteCount;
    return start;
  }
}
