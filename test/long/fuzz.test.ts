/**
 * A million hostile inputs for every decoder, other ones each time: the seed is the day's, and a fault names it. Some
 * seconds each; see test/fuzz/.
 */
import { expect, test } from 'vitest';
import { clientDecoders } from '../fuzz/client-decoders.ts';
import { diskDecoders } from '../fuzz/disk-decoders.ts';
import { fuzz } from '../fuzz/fuzz.ts';
import { WIRE_DECODERS } from '../fuzz/wire-decoders.ts';

const RUNS = 1_000_000;
const SEED = Number(process.env['CAUSEWAY_FUZZ_SEED'] ?? Math.floor(Date.now() / 86_400_000));
const DECODERS = [...WIRE_DECODERS, ...(await diskDecoders()), ...clientDecoders()];

test.each(DECODERS.map((decoder) => [decoder.name, decoder] as const))('%s', (_name, decoder) => {
  expect(fuzz(decoder, SEED, RUNS)).toMatchObject({ fault: null, runs: RUNS });
});
