/** Columns for people: as narrow as their contents, and never wider than a terminal of 80 columns. */

const WIDTH_MAX = 80;
const GAP = '  ';

export function tableLines(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [headings, ...rows].map((row) => row.map(printable));
  const widths = headings.map((_heading, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
  return all.map((row) => {
    const cells = row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at]!)));
    const line = cells.join(GAP);
    return line.length > WIDTH_MAX ? `${line.slice(0, WIDTH_MAX - 1)}…` : line;
  });
}

/** What comes from elsewhere must not move the cursor. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, '?');
}
