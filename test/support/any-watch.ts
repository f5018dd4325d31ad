/** Messages about keys of which clients keep copies, as a property test generates them. */
import fc from 'fast-check';

const whole = fc.maxSafeNat();

export const WATCH_FIELDS = {
  watchAsk: fc.record({ askedAt: fc.nat(), all: fc.boolean() }),
  watchHeard: fc.record({ askedAt: fc.nat(), session: whole, epoch: whole, all: fc.boolean() }),
  watchTold: fc
    .record({
      what: fc.constantFrom('changed' as const, 'settled' as const),
      key: fc.string({ unit: 'binary', maxLength: 80 }),
      version: whole,
    })
    .map(({ version, ...told }) => ({ ...told, version: told.what === 'settled' ? version : 0 })),
  watchAllTold: fc.constant({}),
};
