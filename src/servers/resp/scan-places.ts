/**
 * Places of a scan as the numbers that Redis clients take for cursors. The place lies in a short memory of this node,
 * and its slot in the number: whoever comes with a number that was forgotten, or that another node gave out, goes on
 * from the beginning of the slot, and may be told of some keys twice, as SCAN may.
 */
import { RESP_SCAN_PLACES_MAX, SLOT_COUNT } from '../../core/limits.ts';
import { cursorOf, placeOf } from '../../core/scan-place.ts';

/** Numbers stay safe integers, and begin elsewhere at each start of a process. */
const SERIALS = 2 ** 32;

export class ScanPlaces {
  private readonly places = new Map<number, string>();
  private serial = 1 + Math.floor(Math.random() * SERIALS);

  /** Not 0, which is the start and the end. */
  cursorFor(place: string): number {
    const known = placeOf(place);
    const serial = this.serial;
    this.serial += 1;
    const cursor = serial * SLOT_COUNT + (known?.slot ?? 0);
    this.places.set(cursor, place);
    if (this.places.size > RESP_SCAN_PLACES_MAX) {
      for (const oldest of this.places.keys()) {
        this.places.delete(oldest);
        break;
      }
    }
    return cursor;
  }

  /** Null: the start. */
  placeFor(cursor: bigint): string | null {
    if (cursor === 0n) return null;
    const slot = Number(cursor % BigInt(SLOT_COUNT));
    return this.places.get(Number(cursor)) ?? cursorOf({ slot, afterKey: '' });
  }
}
