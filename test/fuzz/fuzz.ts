/**
 * Feeds a decoder with hostile bytes and holds it to what every decoder owes: it answers and does not throw, in time,
 * and takes memory in proportion to what it was given, whatever lengths and counts the bytes claim.
 */
import { getHeapStatistics } from 'node:v8';
import { Prng } from '../../src/base/prng.ts';
import { drawInput } from './inputs.ts';
import type { InputSource } from './inputs.ts';

export interface FuzzedDecoder extends Omit<InputSource, 'samples'> {
  readonly name: string;
  /** The exported functions that this reaches. */
  readonly covers: readonly string[];
  readonly samples: () => readonly Uint8Array[];
  /** Undefined or null: refused. Throwing is a fault. */
  readonly decode: (bytes: Uint8Array) => unknown;
  /** What is wrong with a result that was taken; empty where nothing is. */
  readonly faultOf?: (result: never) => string;
  /** Bytes of memory allowed for each byte of input; and `bytesFixed` in any case. */
  readonly bytesPerByte?: number;
  readonly bytesFixed?: number;
}

export interface FuzzReport {
  readonly runs: number;
  /** Inputs that the decoder took for good: a fuzzer none of whose inputs pass sees only the first check. */
  readonly taken: number;
  /** Null, or the first fault with what is needed to see it again. */
  readonly fault: string | null;
}

const BYTES_PER_BYTE = 64;
const BYTES_FIXED = 64 * 1024;
/** Milliseconds. Far above what any of these inputs needs, far below what a person would call a hang. */
const MS_MAX = 500;
/** Times that too much must be seen in a row: collections and compilations disturb single looks. */
const LOOKS = 4;
const SHOWN_BYTES = 300;

export function fuzz(decoder: FuzzedDecoder, seed: number, runs: number): FuzzReport {
  const prng = new Prng(seed);
  const { reseal, tokens } = decoder;
  const source = { samples: decoder.samples(), reseal, tokens };
  let taken = 0;
  for (const sample of source.samples) {
    const fault = faultWith(decoder, sample, () => (taken += 1));
    if (fault !== null) return { runs: 0, taken, fault: `a valid sample of ${decoder.name}: ${fault}` };
  }
  taken = 0;
  for (let run = 0; run < runs; run += 1) {
    const input = drawInput(prng, source);
    const fault = faultWith(decoder, input, () => (taken += 1));
    if (fault === null) continue;
    const hex = Buffer.from(input.subarray(0, SHOWN_BYTES)).toString('hex');
    const what = `${decoder.name}, seed ${seed}, run ${run}: ${fault}`;
    return { runs: run + 1, taken, fault: `${what}\n${input.length} bytes: ${hex}` };
  }
  return { runs, taken, fault: null };
}

function faultWith(decoder: FuzzedDecoder, input: Uint8Array, onTaken: () => void): string | null {
  const allowed =
    (decoder.bytesPerByte ?? BYTES_PER_BYTE) * input.length + (decoder.bytesFixed ?? BYTES_FIXED);
  let fault: string | null = null;
  for (let look = 0; look < LOOKS; look += 1) {
    const before = getHeapStatistics();
    const begun = performance.now();
    let result: unknown;
    try {
      result = decoder.decode(input);
    } catch (error) {
      return `it threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    }
    const took = performance.now() - begun;
    const after = getHeapStatistics();
    const heap = Math.max(0, after.used_heap_size - before.used_heap_size);
    const allocated = heap + Math.max(0, after.external_memory - before.external_memory);
    if (look === 0 && result !== undefined && result !== null) {
      onTaken();
      const unsound = decoder.faultOf?.(result as never) ?? '';
      if (unsound !== '') return `it took what it must not: ${unsound}`;
    }
    if (allocated > allowed) fault = `it allocated ${allocated} bytes, ${allowed} are allowed`;
    else if (took > MS_MAX) fault = `it took ${Math.round(took)} ms`;
    else return null;
  }
  return fault;
}
