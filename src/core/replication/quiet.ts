/**
 * Finds the slots in which something is in flight at or below a floor. An owner that has raised its floor takes no new
 * version there, so what is still under way comes to an end; until then it does not report that it has passed the
 * floor. (R22)
 */
import type { SlotFloor } from '../upkeep/floors.ts';
import type { SealedRecord } from '../record.ts';
import { counterOf } from '../version.ts';
import type { ReplicaContext } from './context.ts';
import type { KeyState } from './key-state.ts';

/**
 * The given slots in which nothing at or below the floor is in flight, and no unconditional version just above it: one
 * taken when the floor was lower may have the counter that the next conditional version gets, with a smaller node id.
 * (R5)
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
  // PostgreSQL may answer with any version.
  if (fetching) return true;
  const isBelow = ({ record }: SealedRecord, conditional: boolean): boolean =>
    counterOf(record.version) <= counter + (conditional ? 0 : above);
  if (round !== null && isBelow(round.sealed, round.conditional)) return true;
  return !valid && held !== null && isBelow(held, heldConditional);
}
