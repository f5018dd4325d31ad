/** The progress bar of a node that copies slots, as wide as there is room. */
import { progressWords } from './progress.ts';
import { printable } from './table.ts';
import type { TopNode } from './top-model.ts';
import { barText, cut } from './top-text.ts';
import type { Palette } from './top-text.ts';

/** `node-4   copies ████░░░░  50 %  1,024 of 2,048 slots  11.8 MiB/s  8 s left` */
export function copyLine({ name, copy }: TopNode, columns: number, palette: Palette): string {
  const { done, total, bytesPerSecond, secondsLeft } = copy!;
  const share = total === 0 ? 1 : done / total;
  const [percent, ...others] = progressWords(done, total, bytesPerSecond, secondsLeft);
  const head = ` ${cut(printable(name), 8).padEnd(8)} copies `;
  const tail = ` ${[percent!.padStart(5), ...others].join('  ')}`;
  const width = Math.max(6, Math.min(40, columns - head.length - tail.length));
  return cut(`${head}${barText(share, width, palette.isUnicode)}${tail}`, columns);
}
