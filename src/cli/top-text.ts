/** Small pieces of a screen: styles that cost no width, numbers in few cells, bars and trends. */

/** Each wraps a text that has its final width already. */
export interface Palette {
  readonly bold: Style;
  readonly dim: Style;
  readonly good: Style;
  readonly bad: Style;
  readonly warn: Style;
  readonly chosen: Style;
  /** Bars and trends in characters that ASCII lacks. */
  readonly isUnicode: boolean;
}

type Style = (text: string) => string;

const plain: Style = (text) => text;
export const PLAIN: Palette = {
  ...{ bold: plain, dim: plain, good: plain, bad: plain, warn: plain, chosen: plain, isUnicode: true },
};

const STEPS = [...' \u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588'];
const STEPS_ASCII = [...' .:-=+*#@'];

/** The newest value stands last; the highest reaches the top. */
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

/** At most six cells: 0, 9.5, 12,345, 123k, 1.2M. */
export function countText(value: number): string {
  if (value >= 10_000_000) return `${Math.round(value / 1e6)}M`;
  if (value >= 1_000_000) return `${(value / 1e6).toFixed(1)}M`;
  if (value >= 100_000) return `${Math.round(value / 1e3)}k`;
  if (value > 0 && value < 10 && !Number.isInteger(value)) return value.toFixed(1);
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** At most five cells: 0.12, 1.2, 12, 1.2s, 2m, 3h. */
export function msText(ms: number): string {
  if (ms >= 3_600_000) return `${Math.floor(ms / 3_600_000)}h`;
  if (ms >= 60_000) return `${Math.floor(ms / 60_000)}m`;
  if (ms >= 10_000) return `${Math.round(ms / 1_000)}s`;
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)}s`;
  if (ms >= 10 || ms === 0) return String(Math.round(ms));
  return ms >= 1 ? ms.toFixed(1) : ms.toFixed(2);
}

/** Below a millisecond nobody looks at a lag. */
export function lagText(ms: number): string {
  return ms < 1_000 ? String(Math.round(ms)) : msText(ms);
}

export function bytesText(bytes: number): string {
  if (bytes >= 10 * 2 ** 30) return `${Math.round(bytes / 2 ** 30)} GB`;
  return `${Math.round(bytes / 2 ** 20)} MB`;
}

export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}\u2026`;
}
