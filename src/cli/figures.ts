/** Formats numbers for people, in few columns. */

export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** At most six characters: 0, 9.5, 12,345, 123k, 1.2M. */
export function countText(value: number): string {
  if (value >= 10_000_000) return `${Math.round(value / 1e6)}M`;
  if (value >= 1_000_000) return `${(value / 1e6).toFixed(1)}M`;
  if (value >= 100_000) return `${Math.round(value / 1e3)}k`;
  if (value > 0 && value < 10 && !Number.isInteger(value)) return value.toFixed(1);
  return grouped(Math.round(value));
}

/** At most five characters: 0.12, 1.2, 12, 1.2s, 2m, 3h. */
export function msText(ms: number): string {
  if (ms >= 3_600_000) return `${Math.floor(ms / 3_600_000)}h`;
  if (ms >= 60_000) return `${Math.floor(ms / 60_000)}m`;
  if (ms >= 10_000) return `${Math.round(ms / 1_000)}s`;
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)}s`;
  if (ms >= 10 || ms === 0) return String(Math.round(ms));
  return ms >= 1 ? ms.toFixed(1) : ms.toFixed(2);
}

/** Nobody cares about a lag below a millisecond. */
export function lagText(ms: number): string {
  return ms < 1_000 ? String(Math.round(ms)) : msText(ms);
}

/** Like `lagText`, with the unit. */
export function lagWithUnit(ms: number): string {
  const text = lagText(ms);
  return /\d$/.test(text) ? `${text} ms` : text;
}

/** In powers of 1,024, like the settings that they are compared with. */
export function bytesText(bytes: number): string {
  if (bytes >= 10 * 2 ** 30) return `${Math.round(bytes / 2 ** 30)} GiB`;
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

export function rateText(bytesPerSecond: number): string {
  if (bytesPerSecond >= 2 ** 20) return `${(bytesPerSecond / 2 ** 20).toFixed(1)} MiB/s`;
  return `${Math.ceil(bytesPerSecond / 2 ** 10)} KiB/s`;
}
