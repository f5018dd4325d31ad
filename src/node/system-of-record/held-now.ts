/**
 * What a complete owner holds of a key at this moment; used when PostgreSQL refuses a version below a floor. (PROTOCOL
 * R24)
 */
import type { HeldNow } from '../../core/system-of-record/record-floors.ts';
import { isInFlight } from '../../core/replication/key-state.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { SystemOfRecord } from '../../ports/system-of-record.ts';
import type { RecordShelf } from '../store/record-shelf.ts';

/**
 * Null if there is nothing that could be told. Whoever waits on a record at rest does not put it in flight: for a disk
 * that has gone back, it is looked at first. (`floor-check.ts`)
 */
export function heldNow(
  replica: Replica | null,
  shelf: RecordShelf,
  slot: number,
  key: string,
): HeldNow | null {
  if (replica?.view.row(slot).owns !== true) return null;
  const state = replica.stateOf(key);
  const held = state === undefined ? shelf.load(key, slot) : state.held;
  if (held === undefined || held === null || held === 'damaged') return null;
  return { version: held.record.version, inFlight: state !== undefined && isInFlight(state) };
}

/** Lets a test break the rule: every row claims that its writer knows the floor. */
export function passingFloors(record: SystemOfRecord): SystemOfRecord {
  const passing = Object.create(record) as SystemOfRecord;
  passing.commit = (life, rows, done) =>
    record.commit(
      life,
      rows.map((row) => ({ ...row, pastFloor: 2 ** 40 })),
      done,
    );
  return passing;
}
