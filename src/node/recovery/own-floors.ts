/**
 * A node that makes slots whole from PostgreSQL continues from the floors there. Statements of the lost owners that
 * still hang must not raise these later, because the new owners would then be below them without knowing. So this node
 * takes a turn at each floor, leaving its value unchanged. (PROTOCOL R24, R28)
 */
import type { RecordError, RecordFloor, SystemOfRecord } from '../../ports/system-of-record.ts';

/** Attempts, in case something interferes. */
const ROUNDS_MAX = 4;

const DISTURBED: RecordError = {
  kind: 'unknown',
  fenced: false,
  message: 'the floors of slots change all the while',
};

/** Reports the counters in the order of the slots. Nothing sent before the answer can raise them any more. */
export function ownFloors(
  record: SystemOfRecord,
  life: number,
  slots: readonly number[],
  done: (error: RecordError | null, counters: readonly number[]) => void,
): void {
  const take = (before: readonly RecordFloor[], roundsLeft: number): void => {
    if (roundsLeft === 0) return done(DISTURBED, []);
    const turns = slots.map((slot, at) => ({ ...before[at]!, slot }));
    record.raiseFloors(life, turns, (raiseError) => {
      if (raiseError !== null) return done(raiseError, []);
      record.readFloors(slots, (error, after) => {
        if (error !== null) return done(error, []);
        const isOurs = after.every(
          ({ counter, turn }, at) => counter === before[at]!.counter && turn > before[at]!.turn,
        );
        if (!isOurs) return take(after, roundsLeft - 1);
        done(
          null,
          after.map(({ counter }) => counter),
        );
      });
    });
  };
  record.readFloors(slots, (error, before) => (error === null ? take(before, ROUNDS_MAX) : done(error, [])));
}
