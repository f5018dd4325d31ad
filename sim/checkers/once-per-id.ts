/**
 * Once per operation id: an operation that was answered as done under an id gets the same answer whenever it is
 * repeated. That it also took effect only once is shown by the history, in which it appears once. (PROTOCOL R33)
 */
import type { Prng } from '../../src/base/prng.ts';
import { OPERATION_ID_BYTES } from '../../src/core/limits.ts';
import type { HistoryCall, HistoryOutcome } from './history.ts';

export type WriteCall = Exclude<HistoryCall, { readonly kind: 'get' }>;

interface Done<Ask> {
  readonly key: string;
  readonly call: WriteCall;
  readonly id: Uint8Array;
  readonly outcome: HistoryOutcome;
  /** Sends it again. */
  readonly ask: Ask;
}

const WALL_START = 1_700_000_000_000;

export class OncePerId<Ask> {
  violation: string | null = null;
  /** How many attempts there were after the first, and how many answers were compared. */
  repeatCount = 0;
  comparedCount = 0;
  private readonly done = new Map<string, Done<Ask>>();

  /** The first answer under this id. */
  sawDone(key: string, call: WriteCall, id: Uint8Array, outcome: HistoryOutcome, ask: Ask): void {
    this.done.set(textOf(id), { key, call, id, outcome, ask });
  }

  /** A further answer; failures do not count as one. */
  sawRepeated(id: Uint8Array, outcome: HistoryOutcome): void {
    const first = this.done.get(textOf(id));
    if (first === undefined) return;
    if (outcome.kind === 'indefinite' || outcome.kind === 'definiteFailure') return;
    this.comparedCount += 1;
    const told = describe(outcome);
    const before = describe(first.outcome);
    if (told === before) return;
    this.violation ??= `${first.call.kind} of ${first.key} under one operation id: first ${before}, then ${told}`;
  }

  /**
   * These versions were lost for good, as they may be: an operation that is repeated may be found done under another
   * version, or not done.
   */
  forgive(key: string, above: number): void {
    for (const [id, done] of this.done) {
      const { outcome } = done;
      if (done.key === key && outcome.kind === 'done' && (outcome.version ?? 0) > above) this.done.delete(id);
    }
  }

  sample(prng: Prng, countMax: number): Done<Ask>[] {
    const all = [...this.done.values()];
    const from = all.length <= countMax ? 0 : prng.below(all.length - countMax);
    return all.slice(from, from + countMax);
  }
}

/** An id as a client makes one: the time, then random bits. */
export function drawId(timeMs: number, prng: Prng): Uint8Array {
  const id = Buffer.alloc(OPERATION_ID_BYTES);
  id.writeUIntBE(WALL_START + Math.floor(timeMs), 0, 6);
  for (let at = 6; at < OPERATION_ID_BYTES; at += 1) id[at] = prng.below(256);
  return id;
}

function textOf(id: Uint8Array): string {
  return Buffer.from(id).toString('hex');
}

function describe(outcome: HistoryOutcome): string {
  if (outcome.kind !== 'done') return outcome.kind;
  return `done with version ${outcome.version} and number ${outcome.number ?? 'none'}`;
}
