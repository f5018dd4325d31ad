/** Columns for people: as narrow as their contents, and never wider than their terminal. */
import { cut } from './top-text.ts';

const GAP = '  ';

/** `columnsMax`: of the terminal; left out, there is none, and whoever reads it gets every value whole. */
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

/** What comes from elsewhere must not move the cursor. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, '?');
}
