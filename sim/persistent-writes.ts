/**
 * Writes with an operation id, by clients that must know the outcome: repeated at changing nodes until it is known, now
 * and then at two nodes at once, and once more when it was known already. (PROTOCOL R33)
 */
import type { Prng } from '../src/base/prng.ts';
import type { HistoryOutcome } from './checkers/history.ts';
import { OncePerId, drawId } from './checkers/once-per-id.ts';
import type { WriteCall } from './checkers/once-per-id.ts';
import type { SimCluster, SimNode } from './cluster.ts';
import type { Scheduler } from './scheduler.ts';

/** One attempt; `done` is called once. */
type Ask = (sim: SimNode, id: Uint8Array, done: (outcome: HistoryOutcome) => void) => void;

export interface PersistentWritesParts {
  readonly scheduler: Scheduler;
  readonly cluster: SimCluster;
  readonly prng: Prng;
  readonly isStopped: () => boolean;
}

const ATTEMPTS_MAX = 8;
const PAUSE_MS_MAX = 200;
const TWICE_SHARE = 0.1;
const AFTERWARDS_SHARE = 0.2;

export class PersistentWrites {
  readonly once = new OncePerId<Ask>();
  private readonly parts: PersistentWritesParts;

  constructor(parts: PersistentWritesParts) {
    this.parts = parts;
  }

  begin(sim: SimNode, key: string, call: WriteCall, ask: Ask, end: (outcome: HistoryOutcome) => void): void {
    const { prng, scheduler } = this.parts;
    const id = drawId(scheduler.time, prng);
    let inDoubt = false;
    let attemptsLeft = ATTEMPTS_MAX;
    let ended = false;
    const settle = (outcome: HistoryOutcome): void => {
      ended = true;
      if (outcome.kind === 'done') this.once.sawDone(key, call, id, outcome, ask);
      end(outcome);
      if (outcome.kind === 'done' && prng.chance(AFTERWARDS_SHARE))
        ask(this.someNode(), id, (told) => this.once.sawRepeated(id, told));
    };
    const attempt = (at: SimNode): void => {
      attemptsLeft -= 1;
      ask(at, id, (outcome) => {
        // Begun before the outcome was known. It may have been judged before the other attempt took effect, and an
        // attempt that changes nothing is not remembered.
        if (ended) return outcome.kind === 'done' ? this.once.sawRepeated(id, outcome) : undefined;
        if (outcome.kind === 'indefinite') inDoubt = true;
        // While another attempt is open, only an effect is certain.
        if (outcome.kind === 'done' || !inDoubt) return settle(outcome);
        if (attemptsLeft <= 0 || this.parts.isStopped()) return settle({ kind: 'indefinite' });
        this.once.repeatCount += 1;
        scheduler.after(prng.between(0, PAUSE_MS_MAX), () => (ended ? undefined : attempt(this.someNode())));
      });
    };
    const isTwice = prng.chance(TWICE_SHARE);
    inDoubt = isTwice;
    attempt(sim);
    if (isTwice) attempt(this.someNode());
  }

  /** Repeats everything that was done, once more, at any node. */
  repeatAll(countMax: number): void {
    for (const { id, ask } of this.once.sample(this.parts.prng, countMax))
      ask(this.someNode(), id, (outcome) => this.once.sawRepeated(id, outcome));
  }

  private someNode(): SimNode {
    const { cluster, prng } = this.parts;
    const alive = cluster.nodes.filter((sim) => sim.node !== null);
    return prng.pick(alive.length === 0 ? cluster.nodes : alive);
  }
}
