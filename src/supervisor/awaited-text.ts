/**
 * Describes what a start waits for. Nodes that wait for the same thing are named together, so that the line stays
 * readable.
 */

/** The reason that a node gives while it has no PostgreSQL yet. */
const RECORD_AWAITED = 'PostgreSQL is awaited';

export interface Awaited {
  readonly name: string;
  readonly reason: string;
}

/** For example `node-1, node-2 (does not listen yet), node-3 (the node is founding, not serving)` */
export function awaitedText(awaited: readonly Awaited[]): string {
  const byReason = new Map<string, string[]>();
  for (const { name, reason } of awaited) byReason.set(reason, [...(byReason.get(reason) ?? []), name]);
  return [...byReason].map(([reason, names]) => `${names.join(', ')} (${reason})`).join(', ');
}

/** What users can do about it, if the database is their own; undefined if they can only wait. */
export function databaseAdvice(awaited: readonly Awaited[]): string | undefined {
  if (!awaited.some(({ reason }) => reason.includes(RECORD_AWAITED))) return undefined;
  return 'the PostgreSQL of DATABASE_URL is not usable yet: start it, or put the address right; without DATABASE_URL one is started here';
}

/**
 * When to print the line again: a new text after a while, an unchanged one at growing intervals, so that it stays in
 * sight.
 */
export class AwaitedPace {
  readonly #everyMs: number;
  #what = '';
  #saidAtMs: number;
  #pauseMs: number;

  /** `everyMs` is the minimum between two lines; the first one is due this long after `nowMs`. */
  constructor(everyMs: number, nowMs: number) {
    this.#everyMs = everyMs;
    this.#pauseMs = everyMs;
    this.#saidAtMs = nowMs;
  }

  /** Whether to print the text now; if so, it counts as printed. */
  isDue(what: string, nowMs: number): boolean {
    const isNew = what !== this.#what;
    if (nowMs - this.#saidAtMs < (isNew ? this.#everyMs : this.#pauseMs)) return false;
    this.#pauseMs = isNew ? this.#everyMs : this.#pauseMs * 2;
    this.#what = what;
    this.#saidAtMs = nowMs;
    return true;
  }
}
