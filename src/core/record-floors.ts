/**
 * What keeps the dead from coming back in PostgreSQL once rows of deletions are removed there. It keeps a floor per slot,
 * raised before any row goes: what arrives from at or below it is written only for a writer that knew the floor when it
 * sent it. A statement may hang on its way for hours; it tells a floor that was low when it was sent, and is refused.
 * Whoever knows the floor has it from PostgreSQL and holds the record since: everything later is above the floor, so that
 * a deletion that comes after it raises the floor once more. (PROTOCOL R24, decision 13)
 */
import { NODE_ID_COUNT, counterOf, makeVersion } from './version.ts';

/** As PostgreSQL keeps a floor: the highest version that is not above it. */
export function versionOfFloor(counter: number): number {
  return makeVersion(counter, NODE_ID_COUNT - 1);
}

/** `pastFloor`: the highest floor of the slot that the writer knew when it sent the row. */
export function isKeptOut(version: number, floor: number, pastFloor = 0): boolean {
  return counterOf(version) <= floor && pastFloor < floor;
}

/** May a deletion and nothing at all stand for each other under this floor? Both are absent, and what follows is above. */
export function isAsGoodAsAbsent(
  { version, tombstone }: { readonly version: number; readonly tombstone: boolean },
  floor: number,
): boolean {
  return tombstone && counterOf(version) <= floor;
}

/**
 * A value at or below the floor of its slot; 0: it has none. Nothing new begins there: one that stands in PostgreSQL alone, or
 * on one disk alone, may be from before a deletion that is forgotten.
 */
export function isValueBelow(
  { version, tombstone }: { readonly version: number; readonly tombstone: boolean },
  floor: number,
): boolean {
  return !tombstone && counterOf(version) <= floor;
}

/** What an owner holds of the key at this moment. */
export interface HeldNow {
  readonly version: number;
  readonly inFlight: boolean;
}

/** knowing: send it again, with the floor that PostgreSQL told. again: as it was. drop: nobody waits for it any more. */
export type KeptOutVerdict = 'knowing' | 'again' | 'drop';

/** `own`: the floor that this owner has on its disk; `told`: the one by which PostgreSQL kept the version out. */
export interface FloorsKnown {
  readonly own: number;
  readonly told: number;
}

/**
 * May what is at rest at this owner be brought back past PostgreSQL's floor? All owners have a floor before PostgreSQL has it:
 * a disk that has a lower one has gone back, and what it holds may have been deleted since.
 */
export function knowsFloor({ own, told }: FloorsKnown): boolean {
  return own >= told;
}

/**
 * PostgreSQL refused a version as at or below the floor that it told. One that an owner still holds is not what was
 * deleted, unless its disk is behind: then it waits until that has been looked into. One in whose place something is at
 * rest, or nothing, is a leftover; above one that is in flight a row will stand. `held`: null where this node is no complete
 * owner, or holds nothing.
 */
export function judgeKeptOut(version: number, held: HeldNow | null, floors: FloorsKnown): KeptOutVerdict {
  if (held === null) return 'drop';
  if (held.version === version) return held.inFlight || knowsFloor(floors) ? 'knowing' : 'again';
  return held.inFlight ? 'again' : 'drop';
}
