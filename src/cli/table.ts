/** Tables for people: columns as narrow as their contents, and no wider than the terminal. */
import { cut } from './top-text.ts';

const GAP = '  ';

/** `columnsMax` is the width of the terminal. Without one there is no terminal, and no value is cut. */
export function tableLines(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  columnsMax = Infinity,
): string[] {
  const all = [headings, ...rows].map((row) => row.map(printable));
  const widths = headings.map((_heading, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
  return all.map((row) => {
    const cells = row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at]!)));
    return cut(cells.join(GAP), columnsMax);
  });
}

/** Text from elsewhere must not move the cursor. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, '?');
}
