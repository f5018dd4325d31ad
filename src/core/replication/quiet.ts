/**
 * In which slots is something in flight at or below a floor? An owner that has raised its floor takes no new version
 * there, so that what is still under way comes to an end; until then it does not say that it is past the floor. (R22)
 */
import type { SlotFloor } from '../floors.ts';
import type { SealedRecord } from '../record.ts';
import { counterOf } from '../version.ts';
import type { ReplicaContext } from './context.ts';
import type { KeyState } from './key-state.ts';

/**
 * Those of the slots in which nothing at or below the floor is in flight, nor a plain version just above it: one that was taken
 * when the floor was lower may have the counter that the next conditional one gets, and a smaller node. (R5)
 */
export function quietSlots({ table, mutations }: ReplicaContext, floors: readonly SlotFloor[]): number[] {
  const above = mutations.raiseBesidePlain === true ? 0 : 1;
  const quiet = new Map(floors.map(({ slot, counter }) => [slot, counter]));
  for (const state of table.values()) {
    const counter = quiet.get(state.slot);
    if (counter !== undefined && isUnderWay(state, counter, above)) quiet.delete(state.slot);
  }
  return [...quiet.keys()];
}

function isUnderWay(
  { held, heldConditional, valid, round, fetching }: KeyState,
  counter: number,
  above: number,
): boolean {
  // What PostgreSQL is asked for may be anything.
  if (fetching) return true;
  const isBelow = ({ record }: SealedRecord, conditional: boolean): boolean =>
    counterOf(record.version) <= counter + (conditional ? 0 : above);
  if (round !== null && isBelow(round.sealed, round.conditional)) return true;
  return !valid && held !== null && isBelow(held, heldConditional);
}
