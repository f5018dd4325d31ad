/** The trace of a message as a property test generates it. */
import fc from 'fast-check';

const hex = (digits: number): fc.Arbitrary<string> =>
  fc
    .uint8Array({ minLength: digits / 2, maxLength: digits / 2 })
    .filter((drawn) => drawn.some((byte) => byte !== 0))
    .map((drawn) => Buffer.from(drawn).toString('hex'));
/** Most messages carry none. */
export const trace = fc.option(
  fc.record({
    traceId: hex(32),
    spanId: hex(16),
    flags: fc.nat(255),
    state: fc.string({ unit: 'grapheme-ascii', maxLength: 80 }),
  }),
  { nil: undefined },
);
