/**
 * Keys that the unanswered commands of one connection read and write, with a line for each key. Commands of a pipeline run at
 * the same time, but not those of one key of which one writes: they are done in their order, as their client expects. Writes
 * of one kind that stand next to one another in the line of a key are begun together.
 */
import { ChurningMap } from '../../base/churning-map.ts';
import { NONE, appended } from '../../base/short-list.ts';
import { MODIFY_BYTES_MAX, MODIFY_CHANGES_MAX } from '../../core/limits.ts';

/** Writes of the two kinds do not mix: one of the first asks nobody what stands, and is done where that cannot be told. */
export type JoinedKind = 'put' | 'modify';

/** What stands in line for the one key that it reads or writes. */
export interface InLine {
  readonly writes: boolean;
  /** Of the value that it brings. */
  readonly byteCount: number;
  /** With which writes that stand before or behind it it may be begun together; null: with none. */
  readonly joins: JoinedKind | null;
}

interface Line<Item> {
  readers: number;
  writers: number;
  waiting: readonly Item[];
  /** Among those that are looked at next. */
  isDue: boolean;
}

export class KeysInFlight<Item extends InLine> {
  /** Bytes that those in line bring. */
  waitingBytes = 0;
  private readonly lines = new ChurningMap<string, Line<Item>>();
  private readonly begin: (items: readonly Item[]) => void;
  private due: Line<Item>[] = [];
  private isAbandoned = false;

  /** `begin`: the key is free for these, which go together. It ends none of them within the call. */
  constructor(begin: (items: readonly Item[]) => void) {
    this.begin = begin;
  }

  /** Of one that is begun at once: nothing stands in its way. */
  add(key: string, writes: boolean): void {
    const line = this.lineOf(key);
    if (writes) line.writers += 1;
    else line.readers += 1;
  }

  /** Its turn comes with `beginDue`, where nothing stands in its way, or when what does has ended. */
  stand(key: string, item: Item): void {
    const line = this.lineOf(key);
    line.waiting = appended(line.waiting, item);
    this.waitingBytes += item.byteCount;
    if (line.isDue) return;
    line.isDue = true;
    this.due.push(line);
  }

  /** What has come in one piece stands in line by now: it is seen what goes together. */
  beginDue(): void {
    if (this.due.length === 0) return;
    const { due } = this;
    this.due = [];
    for (const line of due) {
      line.isDue = false;
      this.goOn(line);
    }
  }

  /** One that was begun has ended. */
  remove(key: string, writes: boolean): void {
    const line = this.lines.get(key)!;
    if (writes) line.writers -= 1;
    else line.readers -= 1;
    if (line.waiting.length > 0) this.goOn(line);
    else if (line.readers + line.writers === 0) this.lines.delete(key);
  }

  /** These were begun together and have done nothing: they are begun anew, before all others in their line. */
  standAgain(key: string, items: readonly Item[]): void {
    const line = this.lines.get(key)!;
    line.writers -= items.length;
    if (this.isAbandoned) return;
    line.waiting = [...items, ...line.waiting];
    for (const { byteCount } of items) this.waitingBytes += byteCount;
    this.goOn(line);
  }

  /** Nobody waits for an answer any more: nothing more is begun, however late after its client has written elsewhere. */
  abandon(): void {
    this.isAbandoned = true;
    this.waitingBytes = 0;
    for (const line of this.lines.values()) line.waiting = NONE;
  }

  /** Must one that reads, or writes, this key wait? */
  isTaken(key: string, writes: boolean): boolean {
    const line = this.lines.get(key);
    return line !== undefined && (line.writers + line.waiting.length > 0 || writes);
  }

  /** Of commands that are begun and not answered, or stand in line. */
  keys(): Iterable<string> {
    return this.lines.keys();
  }

  private lineOf(key: string): Line<Item> {
    let line = this.lines.get(key);
    if (line === undefined) {
      line = { readers: 0, writers: 0, waiting: NONE, isDue: false };
      this.lines.set(key, line);
    }
    return line;
  }

  private goOn(line: Line<Item>): void {
    while (line.waiting.length > 0 && line.writers === 0) {
      const { writes } = line.waiting[0]!;
      if (writes && line.readers > 0) return;
      const { waiting } = line;
      const count = countTogether(waiting);
      const items = count === waiting.length ? waiting : waiting.slice(0, count);
      line.waiting = count === waiting.length ? NONE : waiting.slice(count);
      for (const { byteCount } of items) this.waitingBytes -= byteCount;
      if (writes) line.writers = items.length;
      else line.readers += items.length;
      this.begin(items);
    }
  }
}

/** How many of the first may be begun as one. */
function countTogether(waiting: readonly InLine[]): number {
  let count = 1;
  const { joins } = waiting[0]!;
  let { byteCount } = waiting[0]!;
  if (joins === null) return count;
  for (; count < waiting.length && count < MODIFY_CHANGES_MAX; count += 1) {
    const next = waiting[count]!;
    byteCount += next.byteCount;
    if (next.joins !== joins || byteCount > MODIFY_BYTES_MAX) break;
  }
  return count;
}
