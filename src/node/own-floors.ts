/**
 * Whoever makes slots whole from PostgreSQL goes on from the floors that stand there, and nothing that their lost owners
 * have sent, and that hangs, may raise them later: the new owners would be below, and know nothing of it. So it has a turn at
 * each of them, which leaves them as they are. (PROTOCOL R24, R28)
 */
import type { RecordError, RecordFloor, SystemOfRecord } from '../ports/system-of-record.ts';

/** Times that something may come in between. */
const ROUNDS_MAX = 4;

const DISTURBED: RecordError = {
  kind: 'unknown',
  fenced: false,
  message: 'the floors of slots change all the while',
};

/** The counters, in the order of the slots; nothing that was sent before the answer raises them any more. */
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
