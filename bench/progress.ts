/** A line at the terminal that says how far a long part of a benchmark has come; the next one takes its place. */
import { TERMINAL_COLUMNS } from '../src/base/wrapped.ts';

export function tellDone(what: string, count: number): (done: number) => void {
  return (done) => tellLine(`${done.toLocaleString('en-US')} of ${count.toLocaleString('en-US')} ${what}`);
}

/** '': nothing stands there any more. */
export function tellLine(text: string): void {
  if (!process.stderr.isTTY) return;
  // What went on in the next line would stay there.
  const shown = text === '' ? '' : `  ${text}`.slice(0, (process.stderr.columns || TERMINAL_COLUMNS) - 1);
  process.stderr.write(`\r\u001b[K${shown}`);
}

/** A step of work that takes seconds: at the terminal it takes the place of the one before, elsewhere it is a line of its own. */
export function tellStep(text: string): void {
  if (process.stderr.isTTY) tellLine(text);
  else if (text !== '') process.stderr.write(`  ${text}\n`);
}
