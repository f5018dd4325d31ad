/** Texts for a terminal of the usual width: lines are broken between words, and what follows stands under where the text began. */

export const TERMINAL_COLUMNS = 80;

/** `under`: columns before the lines that follow. A word that is longer than a line stays whole. */
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
