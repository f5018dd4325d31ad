/** All lists, with the random sequences: what is recorded, family by family. */
import type { Sequence } from '../sequence.ts';
import { randomSequence } from '../random.ts';
import { cluster } from './cluster.ts';
import { connection } from './connection.ts';
import { expiry } from './expiry.ts';
import { keys } from './keys.ts';
import { numbers } from './numbers.ts';
import { protocol } from './protocol.ts';
import { server } from './server.ts';
import { strings } from './strings.ts';
import { subsequences } from './subsequences.ts';
import { transactions } from './transactions.ts';

const RANDOM_SEQUENCES = 120;
const RANDOM_LENGTH = 16;

export const FAMILIES: Readonly<Record<string, () => readonly Sequence[]>> = {
  strings: () => strings().sequences,
  numbers: () => numbers().sequences,
  subsequences: () => subsequences().sequences,
  keys: () => keys().sequences,
  expiry: () => expiry().sequences,
  transactions: () => transactions().sequences,
  connection: () => connection().sequences,
  server: () => server().sequences,
  cluster: () => cluster().sequences,
  protocol: () => protocol().sequences,
  random: () =>
    Array.from({ length: RANDOM_SEQUENCES }, (_, seed) => randomSequence(seed + 1, RANDOM_LENGTH)),
};
