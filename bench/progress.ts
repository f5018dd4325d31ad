/** A line on the terminal with the progress of a long part of a benchmark; the next line replaces it. */
import { TERMINAL_COLUMNS } from '../src/base/wrapped.ts';

export function tellDone(what: string, count: number): (done: number) => void {
  return (done) => tellLine(`${done.toLocaleString('en-US')} of ${count.toLocaleString('en-US')} ${what}`);
}

/** '' removes the line. */
export function tellLine(text: string): void {
  if (!process.stderr.isTTY) return;
  // Text that wraps to the next line would remain there.
  const shown = text === '' ? '' : `  ${text}`.slice(0, (process.stderr.columns || TERMINAL_COLUMNS) - 1);
  process.stderr.write(`\r\u001b[K${shown}`);
}

/** A step that takes seconds: on a terminal it replaces the previous line, elsewhere it is a line of its own. */
export function tellStep(text: string): void {
  if (process.stderr.isTTY) tellLine(text);
  else if (text !== '') process.stderr.write(`  ${text}\n`);
}
