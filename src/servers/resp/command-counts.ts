/**
 * Statistics for INFO: how often each command was called, rejected and failed, how long it took, and how often each
 * error prefix was sent. Commands that are answered at once from memory are sampled, because reading the clock for
 * every call would cost more than a tenth of it.
 */
import type { Command } from './command.ts';

/** Every how many short calls one is timed; a power of two. */
const TIMED_EACH = 64;

export interface CommandCount {
  calls: number;
  /** Total microseconds; for short commands extrapolated from the sampled calls. */
  micros: number;
  /** Not run: wrong number of arguments, or not allowed. */
  rejected: number;
  /** Answered with an error. */
  failed: number;
}

export class CommandCounts {
  private readonly byCommand = new Map<Command, CommandCount>();
  private readonly byWord = new Map<string, number>();
  private shortCalls = 0;

  /** The commands that were called, sorted by name. */
  counts(): (readonly [name: string, count: CommandCount])[] {
    return [...this.byCommand].map(([{ name }, count]) => [name, count] as const).sort(byFirst);
  }

  /** The first words of errors, each with how often it was sent. */
  errors(): (readonly [word: string, count: number])[] {
    return [...this.byWord].sort(byFirst);
  }

  errorCount(): number {
    let sum = 0;
    for (const count of this.byWord.values()) sum += count;
    return sum;
  }

  of(command: Command): CommandCount {
    const known = this.byCommand.get(command);
    if (known !== undefined) return known;
    const count = { calls: 0, micros: 0, rejected: 0, failed: 0 };
    this.byCommand.set(command, count);
    return count;
  }

  /** Whether this call of a short command is one to be timed. */
  isTimed(): boolean {
    this.shortCalls = (this.shortCalls + 1) % TIMED_EACH;
    return this.shortCalls === 0;
  }

  /** Adds a sampled call, chosen by `isTimed`, that was answered at once. */
  timed(count: CommandCount, micros: number): void {
    count.micros += micros * TIMED_EACH;
  }

  refused(command: Command | null, text: string): void {
    if (command !== null) this.of(command).rejected += 1;
    this.told(/^[A-Z]+/.exec(text)?.[0] ?? 'ERR');
  }

  failed(count: CommandCount, word: string): void {
    count.failed += 1;
    this.told(word);
  }

  /** Resets the statistics, for CONFIG RESETSTAT. */
  forget(): void {
    this.byCommand.clear();
    this.byWord.clear();
  }

  private told(word: string): void {
    this.byWord.set(word, (this.byWord.get(word) ?? 0) + 1);
  }
}

function byFirst([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
