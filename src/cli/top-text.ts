/** Small pieces of a screen: styles that add no width, bars and trends. */

/** Each style wraps a text that already has its final width. */
export interface Palette {
  readonly bold: Style;
  readonly dim: Style;
  readonly good: Style;
  readonly bad: Style;
  readonly warn: Style;
  readonly chosen: Style;
  /** Whether bars and trends may use characters outside ASCII. */
  readonly isUnicode: boolean;
}

type Style = (text: string) => string;

const plain: Style = (text) => text;
export const PLAIN: Palette = {
  ...{ bold: plain, dim: plain, good: plain, bad: plain, warn: plain, chosen: plain, isUnicode: true },
};

const STEPS = [...' \u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588'];
const STEPS_ASCII = [...' .:-=+*#@'];

/** The newest value comes last; the highest value gets the full height. */
export function trendText(values: readonly number[], width: number, isUnicode: boolean): string {
  const steps = isUnicode ? STEPS : STEPS_ASCII;
  const shown = values.slice(-width);
  const top = Math.max(...shown, 0);
  const marks = shown.map((value) => {
    if (value <= 0) return steps[0]!;
    return steps[Math.max(1, Math.round((value / top) * (steps.length - 1)))]!;
  });
  return marks.join('').padStart(width);
}

export function barText(share: number, width: number, isUnicode: boolean): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  const [full, empty] = isUnicode ? (['\u2588', '\u2591'] as const) : (['#', '-'] as const);
  return full.repeat(filled) + empty.repeat(width - filled);
}

export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}\u2026`;
}
