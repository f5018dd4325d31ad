/**
 * Feeds a decoder with hostile bytes, and checks what every decoder must fulfil: it returns and does not throw, in
 * time, and uses memory in proportion to its input, whatever lengths and counts the bytes claim.
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
  /** Undefined or null means refused. Throwing is a fault. */
  readonly decode: (bytes: Uint8Array) => unknown;
  /** What is wrong with an accepted result; empty if nothing is. */
  readonly faultOf?: (result: never) => string;
  /** Bytes of memory allowed per byte of input, in addition to `bytesFixed`. */
  readonly bytesPerByte?: number;
  readonly bytesFixed?: number;
}

export interface FuzzReport {
  readonly runs: number;
  /** How many inputs the decoder accepted: a fuzzer none of whose inputs pass only tests the first check. */
  readonly taken: number;
  /** Null, or the first fault with what is needed to reproduce it. */
  readonly fault: string | null;
}

const BYTES_PER_BYTE = 64;
const BYTES_FIXED = 64 * 1024;
/** Milliseconds. Far above what any of these inputs needs, far below what a person would call a hang. */
const MS_MAX = 500;
/** How often in a row too much must be measured: collections and compilations disturb single measurements. */
const LOOKS = 4;
const SHOWN_BYTES = 300;
/** Inputs between two measurements of the heap. */
const BATCH = 16;

export function fuzz(decoder: FuzzedDecoder, seed: number, runs: number): FuzzReport {
  const prng = new Prng(seed);
  const { reseal, tokens } = decoder;
  const source = { samples: decoder.samples(), reseal, tokens };
  for (const sample of source.samples) {
    const fault = faultOfOne(decoder, sample);
    if (fault !== null) return { runs: 0, taken: 0, fault: `a valid sample of ${decoder.name}: ${fault}` };
  }
  let taken = 0;
  for (let run = 0; run < runs; run += BATCH) {
    const inputs = Array.from({ length: Math.min(BATCH, runs - run) }, () => drawInput(prng, source));
    const seen = seeAll(decoder, inputs);
    taken += seen.taken;
    if (!seen.isOdd) continue;
    for (const [index, input] of inputs.entries()) {
      const fault = faultOfOne(decoder, input);
      if (fault === null) continue;
      const hex = Buffer.from(input.subarray(0, SHOWN_BYTES)).toString('hex');
      const what = `${decoder.name}, seed ${seed}, run ${run + index}: ${fault}`;
      return { runs: run + index + 1, taken, fault: `${what}\n${input.length} bytes: ${hex}` };
    }
  }
  return { runs, taken, fault: null };
}

/** Measures many inputs at once; each is measured by itself only if something is odd. */
function seeAll(decoder: FuzzedDecoder, inputs: readonly Uint8Array[]): { taken: number; isOdd: boolean } {
  let allowed = 0;
  for (const input of inputs) allowed += allowedFor(decoder, input);
  // The exceptions in great numbers are the protobuf library's own refusals, whose stack traces are not needed.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const look = beginLook();
  const results: unknown[] = [];
  try {
    for (const input of inputs) results.push(decoder.decode(input));
  } catch {
    return { taken: 0, isOdd: true };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  const { allocated, tookMs } = look();
  const taken = results.filter((result) => result !== undefined && result !== null);
  const unsound = taken.some((result) => (decoder.faultOf?.(result as never) ?? '') !== '');
  return { taken: taken.length, isOdd: unsound || allocated > allowed || tookMs > MS_MAX };
}

function faultOfOne(decoder: FuzzedDecoder, input: Uint8Array): string | null {
  const allowed = allowedFor(decoder, input);
  let fault: string | null = null;
  for (let count = 0; count < LOOKS; count += 1) {
    const look = beginLook();
    let result: unknown;
    try {
      result = decoder.decode(input);
    } catch (error) {
      return `it threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    }
    const { allocated, tookMs } = look();
    const unsound = result === undefined || result === null ? '' : (decoder.faultOf?.(result as never) ?? '');
    if (unsound !== '') return `it took what it must not: ${unsound}`;
    if (tookMs > MS_MAX) fault = `it took ${Math.round(tookMs)} ms`;
    else if (allocated > allowed) fault = `it allocated ${allocated} bytes, ${allowed} are allowed`;
    else return null;
  }
  return fault;
}

function allowedFor({ bytesPerByte, bytesFixed }: FuzzedDecoder, input: Uint8Array): number {
  return (bytesPerByte ?? BYTES_PER_BYTE) * input.length + (bytesFixed ?? BYTES_FIXED);
}

/** Measures the bytes allocated on and off the heap from now on, including those freed at once, and the time. */
function beginLook(): () => { allocated: number; tookMs: number } {
  const before = getHeapStatistics();
  const begun = performance.now();
  return () => {
    const tookMs = performance.now() - begun;
    const after = getHeapStatistics();
    const heap = Math.max(0, after.used_heap_size - before.used_heap_size);
    return { allocated: heap + Math.max(0, after.external_memory - before.external_memory), tookMs };
  };
}
