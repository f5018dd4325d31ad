/**
 * Hot records in memory, bounded in bytes. Their encodings lie one behind the other in slabs, and a table says where:
 * so a record costs its bytes and a number instead of half a dozen objects, which the collector would visit again and
 * again. The oldest slab goes when there is no room; its memory is not used again, for readers may still hold views
 * of it.
 */
import type { KeyRecord, SealedRecord } from '../core/record.ts';
import { openKept, recordKept } from '../wire/record-codec.ts';

const SLAB_BYTES_MAX = 256 * 1024;
const SLAB_BYTES_MIN = 4 * 1024;
/** A place is the slab's number times this, and the offset in it: an integer that needs no object of its own. */
const SLAB_SPAN = 4 * 1024 * 1024;
/** Bytes that the table costs for a record beside its encoding: an entry, the key as text, its name in the slab's list. */
const ENTRY_BYTES = 120;
const LENGTH_BYTES = 4;
/** What was kept of the key is not what stands: a write of it is in flight. */
const GONE = -1;

interface Slab {
  readonly bytes: Buffer;
  readonly view: DataView;
  used: number;
  /** Of all that was written into it, also of what was written anew elsewhere since. */
  readonly keys: string[];
}

export class HotCache {
  private readonly bytesMax: number;
  private readonly slabBytes: number;
  private readonly places = new Map<string, number>();
  private readonly slabs: (Slab | undefined)[] = [];
  /** Numbers of the slabs in use, the oldest first; the last one is being filled. */
  private order: number[] = [];
  private slabBytesTotal = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
    this.slabBytes = Math.max(SLAB_BYTES_MIN, Math.min(SLAB_BYTES_MAX, bytesMax >> 4));
  }

  /** Bytes that it takes by its own account. */
  get byteCount(): number {
    return this.slabBytesTotal + this.places.size * ENTRY_BYTES;
  }

  get(key: string): SealedRecord | undefined {
    const place = this.places.get(key);
    if (place === undefined || place < 0) return undefined;
    const offset = place % SLAB_SPAN;
    const { bytes, view } = this.slabs[(place - offset) / SLAB_SPAN]!;
    const from = offset + LENGTH_BYTES;
    return openKept(bytes.subarray(from, from + view.getUint32(offset, true)), key);
  }

  /** The record alone: what a read is answered with. */
  recordOf(key: string): KeyRecord | undefined {
    const place = this.places.get(key);
    if (place === undefined || place < 0) return undefined;
    const offset = place % SLAB_SPAN;
    const { bytes, view } = this.slabs[(place - offset) / SLAB_SPAN]!;
    const from = offset + LENGTH_BYTES;
    return recordKept(bytes, view, from, from + view.getUint32(offset, true), key);
  }

  keep(sealed: SealedRecord): void {
    const { key } = sealed.record;
    const size = LENGTH_BYTES + sealed.bytes.length;
    const isTooLarge = size + ENTRY_BYTES > this.bytesMax / 8 || size > SLAB_SPAN;
    if (isTooLarge || this.slabBytes > this.bytesMax) return this.drop(key);
    let number = this.order.at(-1);
    let slab = number === undefined ? undefined : this.slabs[number]!;
    if (number === undefined || slab === undefined || slab.used + size > slab.bytes.length) {
      number = this.addSlab(size);
      slab = this.slabs[number]!;
    }
    const offset = slab.used;
    slab.view.setUint32(offset, sealed.bytes.length, true);
    slab.bytes.set(sealed.bytes, offset + LENGTH_BYTES);
    slab.used = offset + size;
    slab.keys.push(key);
    this.places.set(key, number * SLAB_SPAN + offset);
    while (this.byteCount > this.bytesMax) this.dropOldest();
  }

  /** A write of the key begins: nothing is found until it is kept anew. Cheaper than to drop it and to add it again. */
  outdate(key: string): void {
    if (this.places.has(key)) this.places.set(key, GONE);
  }

  drop(key: string): void {
    this.places.delete(key);
  }

  clear(): void {
    this.places.clear();
    this.slabs.length = 0;
    this.order = [];
    this.slabBytesTotal = 0;
  }

  /** A large record has a slab of its own. */
  private addSlab(size: number): number {
    const byteCount = Math.max(this.slabBytes, size);
    while (this.order.length > 0 && this.byteCount + byteCount > this.bytesMax) this.dropOldest();
    let number = this.slabs.indexOf(undefined);
    if (number < 0) number = this.slabs.length;
    const bytes = Buffer.allocUnsafeSlow(byteCount);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.slabs[number] = { bytes, view, used: 0, keys: [] };
    this.order.push(number);
    this.slabBytesTotal += byteCount;
    return number;
  }

  private dropOldest(): void {
    const number = this.order.shift()!;
    const slab = this.slabs[number]!;
    this.slabs[number] = undefined;
    this.slabBytesTotal -= slab.bytes.length;
    const from = number * SLAB_SPAN;
    for (const key of slab.keys) {
      const place = this.places.get(key);
      const isHere = place !== undefined && place >= from && place < from + SLAB_SPAN;
      if (isHere || place === GONE) this.places.delete(key);
    }
  }
}
