/**
 * Wraps messages to the width of the terminal, between words. In a pipe, a file or a log a line stays in one piece, so
 * that it can be searched for.
 */
import { TERMINAL_COLUMNS, wrapped } from '../base/wrapped.ts';
import type { Output } from './client-command.ts';

export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** The usual width if the terminal does not say; undefined if the output is not a terminal. */
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

/** Prints lines of text that contain no data. */
export function printLines(output: Output, lines: readonly string[]): void {
  fitted(output).write(lines.map((line) => `${line}\n`).join(''));
}

/** Continuation lines are indented to where the text of the line began. */
export function fittedText(text: string, columns: number): string {
  return text
    .split('\n')
    .flatMap((line) => {
      // Lines that are redrawn in place are cut by whoever draws them.
      if (line.length <= columns || line.startsWith('\r')) return [line];
      const [head = ''] = /^ *(- )?/.exec(line)!;
      return wrapped(head, line.slice(head.length), head.length, columns);
    })
    .join('\n');
}
