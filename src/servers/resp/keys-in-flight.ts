/**
 * Keys that the unanswered commands of one connection read and write, with a line of waiting commands for each key.
 * Commands of a pipeline run at the same time, but commands on the same key, of which one writes, run in their order,
 * as their client expects. Writes of one kind that stand next to one another in the line of a key are begun together.
 */
import { ChurningMap } from '../../base/churning-map.ts';
import { NONE, appended } from '../../base/short-list.ts';
import { MODIFY_BYTES_MAX, MODIFY_CHANGES_MAX } from '../../core/limits.ts';

/**
 * Writes of the two kinds are not combined: a `put` does not ask for the value that stands, and is done even where
 * that value cannot be told.
 */
export type JoinedKind = 'put' | 'modify';

/** A command that stands in line for the one key that it reads or writes. */
export interface InLine {
  readonly writes: boolean;
  /** Bytes of the value that the command brings. */
  readonly byteCount: number;
  /** The kind of neighbouring writes in the line with which the command may be begun together; null: none. */
  readonly joins: JoinedKind | null;
}

interface Line<Item> {
  readers: number;
  writers: number;
  waiting: readonly Item[];
  /** Whether `beginDue` will look at this line next. */
  isDue: boolean;
}

export class KeysInFlight<Item extends InLine> {
  /** Bytes that all commands in line bring. */
  waitingBytes = 0;
  private readonly lines = new ChurningMap<string, Line<Item>>();
  private readonly begin: (items: readonly Item[]) => void;
  private due: Line<Item>[] = [];
  private isAbandoned = false;

  /** `begin` is called when the key is free for these commands together. It ends none of them within the call. */
  constructor(begin: (items: readonly Item[]) => void) {
    this.begin = begin;
  }

  /** Counts a command that is begun at once, because nothing stands in its way. */
  add(key: string, writes: boolean): void {
    const line = this.lineOf(key);
    if (writes) line.writers += 1;
    else line.readers += 1;
  }

  /** Puts a command in line. `beginDue` begins it if nothing stands in its way; otherwise it begins when nothing does. */
  stand(key: string, item: Item): void {
    const line = this.lineOf(key);
    line.waiting = appended(line.waiting, item);
    this.waitingBytes += item.byteCount;
    if (line.isDue) return;
    line.isDue = true;
    this.due.push(line);
  }

  /** Called when all commands that came in one piece are in line, so that those which go together can be told. */
  beginDue(): void {
    if (this.due.length === 0) return;
    const { due } = this;
    this.due = [];
    for (const line of due) {
      line.isDue = false;
      this.goOn(line);
    }
  }

  /** A command that was begun has ended. */
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

  /**
   * Nobody waits for an answer any more, so no further command is begun: it could take effect long after its client
   * has written elsewhere.
   */
  abandon(): void {
    this.isAbandoned = true;
    this.waitingBytes = 0;
    for (const line of this.lines.values()) line.waiting = NONE;
  }

  /** Whether a command that reads, or writes, this key must wait. */
  isTaken(key: string, writes: boolean): boolean {
    const line = this.lines.get(key);
    return line !== undefined && (line.writers + line.waiting.length > 0 || writes);
  }

  /** Keys of the commands that were begun and are not answered, or that stand in line. */
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

/** How many of the first commands in line may be begun as one. */
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
