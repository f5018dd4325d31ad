/**
 * Hot records in memory, bounded in bytes. Their encodings lie back to back in slabs, and a table has their places, so
 * that a record costs its bytes and a place, and nothing for the garbage collector to visit. When there is no room the
 * oldest slab is dropped; its memory is not reused, because readers may still hold views of it. Of several keys with
 * the same hash only one is kept: writing or dropping one need not check which key is there, and a reader of another
 * key finds nothing and asks the disk.
 */
import type { KeyRecord, SealedRecord } from '../../core/record.ts';
import { isKeptOf, openKept, recordKept } from '../../wire/record-codec.ts';
import { HotPlaces } from './hot-places.ts';

const SLAB_BYTES_MAX = 256 * 1024;
const SLAB_BYTES_MIN = 512;
/** A place is the slab's number times this, plus the offset in the slab. */
const SLAB_SPAN = 4 * 1024 * 1024;
/** Before each record: its length, and the hash of its key. */
const HEAD_BYTES = 8;
const HASH_AT = 4;

interface Slab {
  readonly bytes: Buffer;
  readonly view: DataView;
  used: number;
}

export class HotCache {
  private readonly bytesMax: number;
  private readonly slabBytes: number;
  private readonly places = new HotPlaces();
  /** Oldest first; `slabFirst` is the number of the first, and the last one is being filled. */
  private slabs: Slab[] = [];
  private slabFirst = 0;
  private slabBytesTotal = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
    this.slabBytes = Math.max(SLAB_BYTES_MIN, Math.min(SLAB_BYTES_MAX, Math.floor(bytesMax / 16)));
  }

  /** Bytes that the cache occupies. */
  get byteCount(): number {
    return this.slabBytesTotal + this.places.byteCount;
  }

  get(key: string): SealedRecord | undefined {
    const index = this.find(key, hashOf(key));
    if (index < 0) return undefined;
    const place = this.places.placeAt(index);
    const { bytes, view } = this.slabOf(place);
    const offset = place % SLAB_SPAN;
    const from = offset + HEAD_BYTES;
    return openKept(bytes.subarray(from, from + view.getUint32(offset, true)), key);
  }

  /** Only the record, which is all that a read needs. */
  recordOf(key: string): KeyRecord | undefined {
    const index = this.find(key, hashOf(key));
    if (index < 0) return undefined;
    const place = this.places.placeAt(index);
    const { bytes, view } = this.slabOf(place);
    const offset = place % SLAB_SPAN;
    const from = offset + HEAD_BYTES;
    return recordKept(bytes, view, from, from + view.getUint32(offset, true), key);
  }

  keep(sealed: SealedRecord): void {
    const { key } = sealed.record;
    const size = HEAD_BYTES + sealed.bytes.length;
    if (size > this.bytesMax / 8 || size > SLAB_SPAN) return this.drop(key);
    let slab = this.slabs.at(-1);
    if (slab === undefined || slab.used + size > slab.bytes.length) slab = this.addSlab(size);
    const offset = slab.used;
    const hash = hashOf(key);
    slab.view.setUint32(offset, sealed.bytes.length, true);
    slab.view.setInt32(offset + HASH_AT, hash, true);
    slab.bytes.set(sealed.bytes, offset + HEAD_BYTES);
    slab.used = offset + size;
    const place = (this.slabFirst + this.slabs.length - 1) * SLAB_SPAN + offset;
    const index = this.places.withHash(hash);
    if (index < 0) this.places.add(hash, place);
    else this.places.replace(index, place);
    while (this.slabs.length > 0 && this.byteCount > this.bytesMax) this.dropOldest();
  }

  drop(key: string): void {
    const index = this.places.withHash(hashOf(key));
    if (index >= 0) this.places.remove(index);
  }

  clear(): void {
    this.places.clear();
    this.slabFirst += this.slabs.length;
    this.slabs = [];
    this.slabBytesTotal = 0;
  }

  /** The index of the key in the table; -1 if it is not kept. */
  private find(key: string, hash: number): number {
    const index = this.places.withHash(hash);
    if (index < 0) return -1;
    const place = this.places.placeAt(index);
    const { bytes, view } = this.slabOf(place);
    return isKeptOf(bytes, view, (place % SLAB_SPAN) + HEAD_BYTES, key) ? index : -1;
  }

  private slabOf(place: number): Slab {
    return this.slabs[Math.floor(place / SLAB_SPAN) - this.slabFirst]!;
  }

  /** A large record gets a slab of its own. */
  private addSlab(size: number): Slab {
    const byteCount = Math.max(this.slabBytes, size);
    while (this.slabs.length > 0 && this.byteCount + byteCount > this.bytesMax) this.dropOldest();
    const bytes = Buffer.allocUnsafeSlow(byteCount);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const slab = { bytes, view, used: 0 };
    this.slabs.push(slab);
    this.slabBytesTotal += byteCount;
    return slab;
  }

  /** Drops its records too, unless they were stored again elsewhere since. */
  private dropOldest(): void {
    const { bytes, view, used } = this.slabs[0]!;
    for (let offset = 0; offset < used; offset += HEAD_BYTES + view.getUint32(offset, true)) {
      const hash = view.getInt32(offset + HASH_AT, true);
      const index = this.places.indexOf(hash, this.slabFirst * SLAB_SPAN + offset);
      if (index >= 0) this.places.remove(index);
    }
    this.slabs.shift();
    this.slabFirst += 1;
    this.slabBytesTotal -= bytes.length;
    this.places.shrink();
  }
}

/** Every input bit affects every output bit: keys that differ in a number at their end are the usual case. */
function hashOf(key: string): number {
  let hash = key.length;
  for (let at = 0; at < key.length; at += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(at), 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
