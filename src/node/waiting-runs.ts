/**
 * Operations to be retried at the next tick, because they found no node to turn to, or a key that was not ready. Each
 * has a deadline of its own, which bounds how often it is retried; admission bounds how many there are.
 */
export class WaitingRuns {
  private runs: (() => void)[] = [];

  get size(): number {
    return this.runs.length;
  }

  add(run: () => void): void {
    this.runs.push(run);
  }

  /** Runs what is waiting now; what a run adds waits for the next time. */
  run(): void {
    if (this.runs.length === 0) return;
    const { runs } = this;
    this.runs = [];
    for (const run of runs) run();
  }
}
