/** One result of `causeway doctor`. */

/**
 * fault: a node would not start, or would not keep its promises. warning: it would be slow, or run into trouble later.
 * note: good to know.
 */
export type Level = 'ok' | 'note' | 'warning' | 'fault';

export interface Finding {
  readonly level: Level;
  readonly text: string;
  /** What to do about it; omitted if there is nothing to do. */
  readonly change?: string;
}

export function ok(text: string): Finding {
  return { level: 'ok', text };
}

export function note(text: string, change?: string): Finding {
  return change === undefined ? { level: 'note', text } : { level: 'note', text, change };
}

export function warning(text: string, change: string): Finding {
  return { level: 'warning', text, change };
}

export function fault(text: string, change: string): Finding {
  return { level: 'fault', text, change };
}

export function millisecondsText(ms: number): string {
  return ms >= 100 ? `${Math.round(ms)} ms` : `${ms.toFixed(ms >= 10 ? 1 : 2)} ms`;
}
