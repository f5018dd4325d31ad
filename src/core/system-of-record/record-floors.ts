/**
 * Keeps deleted keys from coming back in PostgreSQL once rows of deletions are removed there. PostgreSQL keeps a floor
 * per slot, raised before any row is removed: a row at or below the floor is written only if its writer knew the floor
 * when it sent the row. A statement that has been delayed for hours carries the low floor of its time, and is refused.
 * A writer that knows the floor has it from PostgreSQL and has held the record since; later versions are above the
 * floor, so a deletion that follows raises the floor again. (PROTOCOL R24, decision 13)
 */
import { NODE_ID_COUNT, counterOf, makeVersion } from '../version.ts';

/** A floor as PostgreSQL keeps it: the highest version that is not above the floor. */
export function versionOfFloor(counter: number): number {
  return makeVersion(counter, NODE_ID_COUNT - 1);
}

/**
 * True if PostgreSQL refuses the row. `pastFloor`: the highest floor of the slot that the writer knew when it sent the
 * row.
 */
export function isKeptOut(version: number, floor: number, pastFloor = 0): boolean {
  return counterOf(version) <= floor && pastFloor < floor;
}

/**
 * True if, under this floor, a deletion is equivalent to no record at all: both read as absent, and whatever follows is
 * above.
 */
export function isAsGoodAsAbsent(
  { version, tombstone }: { readonly version: number; readonly tombstone: boolean },
  floor: number,
): boolean {
  return tombstone && counterOf(version) <= floor;
}

/**
 * True for a value at or below the floor of its slot; a floor of 0 means that there is none. Nothing new begins there,
 * so such a value in PostgreSQL alone, or on one disk alone, may date from before a forgotten deletion.
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

/**
 * - knowing: send the row again, with the floor that PostgreSQL told.
 * - again: send it again unchanged.
 * - drop: nobody waits for it any more.
 */
export type KeptOutVerdict = 'knowing' | 'again' | 'drop';

/** `own`: the floor on this owner's disk. `told`: the floor because of which PostgreSQL refused the version. */
export interface FloorsKnown {
  readonly own: number;
  readonly told: number;
}

/** `leaseHeld`: at the moment of the judgement, which is after PostgreSQL has told its floor. */
export interface OwnerKnows extends FloorsKnown {
  readonly leaseHeld: boolean;
}

/**
 * True if records at rest at this owner may be written past PostgreSQL's floor. All owners have a floor before
 * PostgreSQL does, so a disk with a lower floor has gone back in time, and what it holds may have been deleted since.
 */
export function knowsFloor({ own, told }: FloorsKnown): boolean {
  return own >= told;
}

/**
 * Judges a version that PostgreSQL refused as at or below the floor it told. A version that an owner still holds has
 * not been deleted, with two exceptions, in which it waits. Without a lease the others may have gone on without this
 * node, deleted the key, and forgotten that: before it has a lease again, it will have heard of it. And if the owner's
 * disk is behind, that must be examined first. If something else, or nothing, is at rest in its place, the version is a
 * leftover. If something else is in flight in its place, a row will be written above it. `held`: null if this node is
 * not a complete owner, or holds nothing.
 */
export function judgeKeptOut(version: number, held: HeldNow | null, knows: OwnerKnows): KeptOutVerdict {
  if (held === null) return 'drop';
  if (held.version !== version) return held.inFlight ? 'again' : 'drop';
  return knows.leaseHeld && (held.inFlight || knowsFloor(knows)) ? 'knowing' : 'again';
}
