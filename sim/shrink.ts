/**
 * Makes a failing run small: it ends earlier, with fewer faults and fewer clients, and the same kind of thing still
 * goes wrong. Leaving something out changes what comes after it, never what came before. So the end is cut off first,
 * then faults by halves and one by one, then clients. (After Zeller and Hildebrandt, "Simplifying and isolating
 * failure-inducing input", 2002)
 */
import type { RunCut, RunResult } from './run.ts';

export interface Shrunk {
  readonly cut: Required<RunCut>;
  readonly result: RunResult;
  readonly runCount: number;
}

/** The end is not narrowed down to less than this many milliseconds of load. */
const LOAD_MS_STEP = 25;

/** `run` repeats the seed with a cut; `mayGoOn` is asked before every run. */
export function shrink(
  failed: RunResult,
  run: (cut: RunCut) => RunResult,
  mayGoOn: (runCount: number) => boolean,
): Shrunk {
  return new Shrinking(failed, run, mayGoOn).shrink();
}

class Shrinking {
  private readonly run: (cut: RunCut) => RunResult;
  private readonly mayGoOn: (runCount: number) => boolean;
  private readonly kind: RunResult['violationKind'];
  private cut: Required<RunCut>;
  private result: RunResult;
  private runCount = 0;

  constructor(failed: RunResult, run: (cut: RunCut) => RunResult, mayGoOn: (runCount: number) => boolean) {
    this.run = run;
    this.mayGoOn = mayGoOn;
    this.kind = failed.violationKind;
    this.result = failed;
    this.cut = {
      faults: failed.struck,
      clients: Array.from({ length: failed.clientCount }, (_, client) => client),
      loadMs: Math.ceil(failed.loadMs),
    };
  }

  shrink(): Shrunk {
    this.shortenLoad();
    this.thinOut('faults');
    this.thinOut('clients');
    this.shortenLoad();
    return { cut: this.cut, result: this.result, runCount: this.runCount };
  }

  private shortenLoad(): void {
    let low = 0;
    while (this.cut.loadMs - low > LOAD_MS_STEP) {
      const middle = Math.round((low + this.cut.loadMs) / 2);
      if (!this.mayGoOn(this.runCount)) return;
      if (!this.accept({ ...this.cut, loadMs: middle })) low = middle;
    }
  }

  /** Tries to leave out the largest parts first. */
  private thinOut(what: 'faults' | 'clients'): void {
    for (let size = this.cut[what].length; size >= 1; size = Math.floor(size / 2)) {
      for (let from = 0; from < this.cut[what].length;) {
        if (!this.mayGoOn(this.runCount)) return;
        const rest = this.cut[what].filter((_, place) => place < from || place >= from + size);
        // Without any client nothing is asked of the cluster, and only its own activity remains.
        if (!this.accept({ ...this.cut, [what]: rest })) from += size;
      }
    }
  }

  private accept(cut: Required<RunCut>): boolean {
    this.runCount += 1;
    const result = this.run(cut);
    if (result.violationKind !== this.kind) return false;
    const struck = cut.faults.filter((fault) => result.struck.includes(fault));
    this.cut = { ...cut, faults: struck, loadMs: Math.min(cut.loadMs, Math.ceil(result.loadMs)) };
    this.result = result;
    return true;
  }
}
