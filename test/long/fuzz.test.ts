/**
 * A million hostile inputs for every decoder, different ones each day: the number of the day is the seed, and a fault
 * reports it. The generated message decoders come from one library: together they get four million. See test/fuzz/.
 */
import { expect, test } from 'vitest';
import { messageDecoders, textDecoders } from '../fuzz/client-decoders.ts';
import { diskDecoders } from '../fuzz/disk-decoders.ts';
import { fuzz } from '../fuzz/fuzz.ts';
import type { FuzzedDecoder } from '../fuzz/fuzz.ts';
import { WIRE_DECODERS } from '../fuzz/wire-decoders.ts';

const RUNS = 1_000_000;
const RUNS_OF_MESSAGES = 100_000;
const SEED = Number(process.env['CAUSEWAY_FUZZ_SEED'] ?? Math.floor(Date.now() / 86_400_000));

const named = (decoders: readonly FuzzedDecoder[]): [string, FuzzedDecoder][] =>
  decoders.map((decoder) => [decoder.name, decoder]);

test.each(named([...WIRE_DECODERS, ...(await diskDecoders()), ...textDecoders()]))('%s', (_name, decoder) => {
  expect(fuzz(decoder, SEED, RUNS)).toMatchObject({ fault: null, runs: RUNS });
});

test.each(named(messageDecoders()))('%s', (_name, decoder) => {
  expect(fuzz(decoder, SEED, RUNS_OF_MESSAGES)).toMatchObject({ fault: null, runs: RUNS_OF_MESSAGES });
});
