/**
 * Converts positions of a scan to and from the numbers that Redis clients use as cursors. What the number itself
 * contains is valid at every node and for ever: the slot, and either its beginning or how many parts of it were
 * returned. A position between two keys does not fit into the number and is kept in a small memory of this node. For a
 * cursor that was forgotten or that another node issued, the whole slot is returned at once, so that a scan makes
 * progress whichever node it asks next.
 */
import { crc32 } from 'node:zlib';
import { SLOT_COUNT } from '../../core/limits.ts';
import { RESP_REPLY_BYTES_MAX, RESP_SCAN_PLACES_MAX } from '../../core/clients/redis-limits.ts';
import { cursorOf, placeOf } from '../../core/clients/scan-place.ts';

/** A slot that does not fit into one reply is returned in parts; a hash of the key decides its part, permanently. */
const PARTS = 2 ** 15;
const PART_SHIFT = 32 - 15;
/**
 * Random numbers for positions, small enough to stay a safe integer together with the slot. Two nodes never share one
 * in practice.
 */
const NUMBERS = 2 ** 38;
/** Bytes around a key in a reply. */
const KEY_FRAME_BYTES = 16;

export type ScanFrom =
  /** Null for the beginning. */
  | { readonly kind: 'place'; readonly after: string | null }
  /** The rest of the slot, whatever COUNT says. */
  | { readonly kind: 'slot'; readonly slot: number; readonly partsTold: number };

export class ScanPlaces {
  private readonly places = new Map<number, string>();

  /** Never 0, which stands for the beginning and the end. */
  cursorFor(place: string): number {
    const known = placeOf(place);
    const slot = known?.slot ?? 0;
    if (known?.afterKey === '' && slot > 0) return slot;
    let cursor = 0;
    do cursor = slot + SLOT_COUNT * (PARTS + Math.floor(Math.random() * NUMBERS));
    while (this.places.has(cursor));
    this.places.set(cursor, place);
    if (this.places.size > RESP_SCAN_PLACES_MAX) {
      for (const oldest of this.places.keys()) {
        this.places.delete(oldest);
        break;
      }
    }
    return cursor;
  }

  placeFor(cursor: bigint): ScanFrom {
    if (cursor === 0n) return { kind: 'place', after: null };
    const known = this.places.get(Number(cursor));
    if (known !== undefined) return { kind: 'place', after: known };
    const slot = Number(cursor % BigInt(SLOT_COUNT));
    const number = cursor / BigInt(SLOT_COUNT);
    if (number === 0n) return { kind: 'place', after: cursorOf({ slot, afterKey: '' }) };
    return { kind: 'slot', slot, partsTold: number < PARTS ? Number(number) : 0 };
  }
}

/** Collects the keys of one slot for one reply: everything from a given part on, or as many parts as fit. */
export class SlotParts {
  private readonly slot: number;
  private readonly from: number;
  private until = PARTS;
  private readonly byPart = new Map<number, string[]>();
  private bytes = 0;

  constructor(slot: number, partsTold: number) {
    this.slot = slot;
    this.from = partsTold;
  }

  /** Returns false if a single part has more keys than a reply can hold. */
  add(key: string): boolean {
    const part = partOf(key);
    if (part < this.from || part >= this.until) return true;
    const keys = this.byPart.get(part);
    if (keys === undefined) this.byPart.set(part, [key]);
    else keys.push(key);
    this.bytes += bytesOf(key);
    while (this.bytes > RESP_REPLY_BYTES_MAX && this.until - this.from > 1) {
      this.until -= 1;
      for (const later of this.byPart.get(this.until) ?? []) this.bytes -= bytesOf(later);
      this.byPart.delete(this.until);
    }
    return this.bytes <= RESP_REPLY_BYTES_MAX;
  }

  get keys(): string[] {
    return [...this.byPart.values()].flat();
  }

  /** 0 if nothing follows. */
  get next(): number {
    if (this.until < PARTS) return this.slot + SLOT_COUNT * this.until;
    return (this.slot + 1) % SLOT_COUNT;
  }
}

function partOf(key: string): number {
  return crc32(key) >>> PART_SHIFT;
}

function bytesOf(key: string): number {
  return Buffer.byteLength(key) + KEY_FRAME_BYTES;
}
