/**
 * In which slots is something in flight at or below a floor? An owner that has raised its floor takes no new version
 * there, so that what is still under way comes to an end; until then it does not say that it is past the floor. (R22)
 */
import type { ChurningMap } from '../../base/churning-map.ts';
import type { SlotFloor } from '../floors.ts';
import { counterOf } from '../version.ts';
import type { KeyState } from './key-state.ts';

/** Those of the slots in which nothing at or below the floor is in flight. */
export function quietSlots(table: ChurningMap<string, KeyState>, floors: readonly SlotFloor[]): number[] {
  const quiet = new Map(floors.map(({ slot, counter }) => [slot, counter]));
  for (const state of table.values()) {
    const counter = quiet.get(state.slot);
    if (counter !== undefined && isUnderWay(state, counter)) quiet.delete(state.slot);
  }
  return [...quiet.keys()];
}

function isUnderWay({ held, valid, round, fetching }: KeyState, counter: number): boolean {
  // What PostgreSQL is asked for may be anything.
  if (fetching) return true;
  if (round !== null && counterOf(round.sealed.record.version) <= counter) return true;
  return !valid && held !== null && counterOf(held.record.version) <= counter;
}
