/**
 * Wraps texts for a terminal of the usual width: lines are broken between words, and further lines are aligned with the
 * start of the text.
 */

export const TERMINAL_COLUMNS = 80;

/** `under`: columns before the following lines. A word longer than a line stays whole. */
export function wrapped(
  head: string,
  text: string,
  under = head.length,
  columns = TERMINAL_COLUMNS,
): string[] {
  const lines: string[] = [];
  let line = head;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = ' '.repeat(under) + word;
    } else line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
