/**
 * A position in the order in which all records of the cluster are listed: by slot, then by the bytes of the key. Its
 * text form is the cursor from which an export resumes; it stays usable whatever is written or deleted meanwhile.
 */
import { keyFault } from './check-key.ts';
import { SLOT_COUNT } from '../limits.ts';

export interface ScanPlace {
  readonly slot: number;
  /** Everything up to this key was listed; '' if nothing of the slot was. */
  readonly afterKey: string;
}

export const SCAN_START: ScanPlace = { slot: 0, afterKey: '' };

export function cursorOf(place: ScanPlace): string {
  return place.slot.toString(16).padStart(4, '0') + place.afterKey;
}

/** Undefined if the text is not a cursor. */
export function placeOf(cursor: string): ScanPlace | undefined {
  const match = /^([0-9a-f]{4})(.*)$/s.exec(cursor);
  if (match === null) return undefined;
  const slot = parseInt(match[1]!, 16);
  const afterKey = match[2]!;
  if (slot >= SLOT_COUNT || (afterKey !== '' && keyFault(afterKey) !== undefined)) return undefined;
  return { slot, afterKey };
}
