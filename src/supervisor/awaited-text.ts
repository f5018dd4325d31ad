/** What a start waits for, in words: those that wait for the same are named together, so that a line can be read. */

/** As a node says it that has no PostgreSQL yet. */
const RECORD_AWAITED = 'PostgreSQL is awaited';

export interface Awaited {
  readonly name: string;
  readonly reason: string;
}

/** `node-1, node-2 (does not listen yet), node-3 (the node is founding, not serving)` */
export function awaitedText(awaited: readonly Awaited[]): string {
  const byReason = new Map<string, string[]>();
  for (const { name, reason } of awaited) byReason.set(reason, [...(byReason.get(reason) ?? []), name]);
  return [...byReason].map(([reason, names]) => `${names.join(', ')} (${reason})`).join(', ');
}

/** What people can do about it, where the database is theirs; undefined: nothing but wait. */
export function databaseAdvice(awaited: readonly Awaited[]): string | undefined {
  if (!awaited.some(({ reason }) => reason.includes(RECORD_AWAITED))) return undefined;
  return 'the PostgreSQL of DATABASE_URL is not usable yet: start it, or put the address right; without DATABASE_URL one is started here';
}

/** When it is said again: what is new after a while, what is the same as before ever less often, so that it stays in sight. */
export class AwaitedPace {
  readonly #everyMs: number;
  #what = '';
  #saidAtMs: number;
  #pauseMs: number;

  /** `everyMs`: between two words at least. Nothing was said until `nowMs`. */
  constructor(everyMs: number, nowMs: number) {
    this.#everyMs = everyMs;
    this.#pauseMs = everyMs;
    this.#saidAtMs = nowMs;
  }

  /** Whether it is to be said now, as it then is. */
  isDue(what: string, nowMs: number): boolean {
    const isNew = what !== this.#what;
    if (nowMs - this.#saidAtMs < (isNew ? this.#everyMs : this.#pauseMs)) return false;
    this.#pauseMs = isNew ? this.#everyMs : this.#pauseMs * 2;
    this.#what = what;
    this.#saidAtMs = nowMs;
    return true;
  }
}
