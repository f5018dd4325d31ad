/**
 * Prose for whoever sits before a terminal: no line is wider than it, and none breaks within a word. In a pipe, a file or a log
 * a line stays one line, so that it can be looked for.
 */
import { TERMINAL_COLUMNS, wrapped } from '../base/wrapped.ts';
import type { Output } from './client-command.ts';

export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Of a terminal that does not say, the usual; undefined: no terminal. */
export function columnsOf(output: object): number | undefined {
  const { isTTY, columns } = output as Screen;
  return isTTY === true ? columns || TERMINAL_COLUMNS : undefined;
}

/** For messages, never for data. */
export function fitted(output: Output): Output & Screen {
  if (columnsOf(output) === undefined) return output;
  return {
    isTTY: true,
    get columns() {
      return columnsOf(output)!;
    },
    write: (text) => output.write(typeof text === 'string' ? fittedText(text, columnsOf(output)!) : text),
  };
}

/** Lines of text among which there is no data. */
export function printLines(output: Output, lines: readonly string[]): void {
  fitted(output).write(lines.map((line) => `${line}\n`).join(''));
}

/** What follows a line that was broken stands under where its text began. */
export function fittedText(text: string, columns: number): string {
  return text
    .split('\n')
    .flatMap((line) => {
      // What is shown in place is cut by who shows it.
      if (line.length <= columns || line.startsWith('\r')) return [line];
      const [head = ''] = /^ *(- )?/.exec(line)!;
      return wrapped(head, line.slice(head.length), head.length, columns);
    })
    .join('\n');
}
