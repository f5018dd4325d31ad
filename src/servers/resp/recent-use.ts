/** Recent traffic of the door and peak memory use, sampled once a second for INFO. */

/** The period in seconds over which rates are computed. */
const LOOKS_KEPT = 4;

interface Counts {
  readonly commands: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
}

interface Look extends Counts {
  /** Milliseconds on a monotonic clock. */
  readonly at: number;
}

export class RecentUse {
  memoryPeakBytes = 0;
  private looks: Look[] = [];

  look(at: number, { commands, inputBytes, outputBytes }: Counts): void {
    this.looks = [...this.looks.slice(-LOOKS_KEPT), { at, commands, inputBytes, outputBytes }];
    this.memoryBytes();
  }

  /** Memory in use now: what the runtime has allocated for this process, including values in memory. */
  memoryBytes(): number {
    const { heapUsed, external } = process.memoryUsage();
    this.memoryPeakBytes = Math.max(this.memoryPeakBytes, heapUsed + external);
    return heapUsed + external;
  }

  perSecond(): Counts {
    const first = this.looks[0];
    const last = this.looks.at(-1);
    if (first === undefined || last === undefined || last.at <= first.at) return { ...NOTHING };
    // If a count is lower than before, it was reset in the meantime.
    const rate = (kind: keyof Counts): number =>
      Math.max(0, ((last[kind] - first[kind]) * 1_000) / (last.at - first.at));
    return {
      commands: rate('commands'),
      inputBytes: rate('inputBytes'),
      outputBytes: rate('outputBytes'),
    };
  }
}

const NOTHING: Counts = { commands: 0, inputBytes: 0, outputBytes: 0 };
