/** Numbers for people: few digits, always with their unit, with a constant width where they change. */

const GROUPED = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function grouped(value: number): string {
  return GROUPED.format(value);
}

/** 950, 12.3 k, 4.56 M. */
export function short(value: number): string {
  if (value < 10_000) return grouped(value);
  if (value < 999_500) return `${digits(value / 1e3)} k`;
  if (value < 999_500_000) return `${digits(value / 1e6)} M`;
  return `${digits(value / 1e9)} G`;
}

export function bytes(value: number): string {
  let unit = 0;
  let left = value;
  while (left >= 999.5 && unit < BYTE_UNITS.length - 1) {
    left /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? grouped(left) : digits(left)} ${BYTE_UNITS[unit]!}`;
}

/** For measurements: 0.42 ms, 12.3 ms, 1.20 s. */
export function milliseconds(value: number): string {
  if (value === 0) return '0 ms';
  if (value >= 999.5) return `${digits(value / 1_000)} s`;
  return `${value < 10 ? value.toFixed(value < 1 ? 2 : 1) : grouped(value)} ms`;
}

/** How long something has lasted or will last: 4 s, 3 min, 2 h 5 min. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 90) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} days`;
}

/** Shows 100 % only for everything, and 0 % only for nothing. */
export function percent(share: number): string {
  if (share <= 0) return '0 %';
  if (share >= 1) return '100 %';
  return `${Math.min(99, Math.max(1, Math.round(share * 100)))} %`;
}

/** Time of day, by this machine's clock. */
export function clock(at: number, hasSeconds = true): string {
  const seconds = hasSeconds ? ({ second: '2-digit' } as const) : {};
  return new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', ...seconds });
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** "a, b and c", with at most `most` of them. */
export function listed(words: readonly string[], most = 4): string {
  const shown = words.length > most ? [...words.slice(0, most), `${words.length - most} more`] : words;
  if (shown.length < 2) return shown.join('');
  return `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)!}`;
}

function digits(value: number): string {
  return value >= 99.95 ? grouped(value) : value.toFixed(value >= 9.995 ? 1 : 2);
}
