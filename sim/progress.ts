/** One line that is updated in place on a terminal, or repeated now and then elsewhere. Standard error only. */
const TERMINAL_MS = 200;
const ELSEWHERE_MS = 10_000;

export interface Progress {
  readonly done: number;
  /** Null if the run lasts until its time is over. */
  readonly total: number | null;
  readonly failed: number;
  readonly rate: number;
  readonly secondsLeft: number | null;
}

/** Returns a function that ends it. */
export function showProgress(look: () => Progress): () => void {
  const isTerminal = process.stderr.isTTY;
  const show = (): void => {
    const line = progressLine(look());
    const width = (process.stderr.columns ?? 80) - 1;
    process.stderr.write(isTerminal ? `\r${line.slice(0, width).padEnd(width)}` : `${line}\n`);
  };
  const timer = setInterval(show, isTerminal ? TERMINAL_MS : ELSEWHERE_MS);
  return () => {
    clearInterval(timer);
    clearLine();
  };
}

/** To be called before something else is written to standard error. */
export function clearLine(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
}

export function progressLine({ done, total, failed, rate, secondsLeft }: Progress): string {
  const share = total === null ? `${done} seeds` : `${done}/${total} seeds`;
  const left = secondsLeft === null ? '' : `, ${Math.ceil(secondsLeft)} s left`;
  return `${share}, ${failed} failed, ${Math.round(rate)} simulated s per core second${left}`;
}
