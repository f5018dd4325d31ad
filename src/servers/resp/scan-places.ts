/**
 * Places of a scan as the numbers that Redis clients take for cursors. What lies in the number holds at every node and
 * for ever: the slot, and how many parts of it were told, or that it is to begin. A place between two keys does not fit:
 * it lies in a short memory of this node. Whoever comes with one that was forgotten, or that another node gave out, is
 * told the whole slot at once, so that a scan comes on whichever node it asks next.
 */
import { crc32 } from 'node:zlib';
import { SLOT_COUNT } from '../../core/limits.ts';
import { RESP_REPLY_BYTES_MAX, RESP_SCAN_PLACES_MAX } from '../../core/redis-limits.ts';
import { cursorOf, placeOf } from '../../core/scan-place.ts';

/** A slot that does not fit one reply is told in parts, by a hash of the keys: each has its part for ever. */
const PARTS = 2 ** 15;
const PART_SHIFT = 32 - 15;
/** Numbers of places stay safe integers with the slot. They are drawn: two nodes have none in common. */
const NUMBERS = 2 ** 38;
/** What stands around a key in a reply. */
const KEY_FRAME_BYTES = 16;

export type ScanFrom =
  /** null: the start. */
  | { readonly kind: 'place'; readonly after: string | null }
  /** What is left of the slot, whatever COUNT says. */
  | { readonly kind: 'slot'; readonly slot: number; readonly partsTold: number };

export class ScanPlaces {
  private readonly places = new Map<number, string>();

  /** Not 0, which is the start and the end. */
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

/** Keys of one slot for one reply: all from a part on, or those of as many parts as fit. */
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

  /** False: the keys of one part alone are more than a reply holds. */
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

  /** 0: there is nothing behind it. */
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
