/**
 * How often each command was called, refused and failed, how long it took, and the errors that clients were told, by their
 * first word: for INFO. What is answered at once from memory is timed once in so many calls, for looking at a clock each time
 * would cost more than a tenth of it.
 */
import type { Command } from './command.ts';

/** A power of two. */
const TIMED_EACH = 64;

export interface CommandCount {
  calls: number;
  /** Of those that are answered at once by what every so-manieth took. */
  micros: number;
  /** Not run: called in a wrong way, or not allowed. */
  rejected: number;
  /** Answered with an error. */
  failed: number;
}

export class CommandCounts {
  private readonly byCommand = new Map<Command, CommandCount>();
  private readonly byWord = new Map<string, number>();
  private shortCalls = 0;

  /** Of those that were called, by name. */
  counts(): (readonly [name: string, count: CommandCount])[] {
    return [...this.byCommand].map(([{ name }, count]) => [name, count] as const).sort(byFirst);
  }

  /** First words of errors, each with how often it was told. */
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

  /** Is this call of a short command one of those that are timed? */
  isTimed(): boolean {
    this.shortCalls = (this.shortCalls + 1) % TIMED_EACH;
    return this.shortCalls === 0;
  }

  /** A call that `isTimed` chose, and that was answered at once. */
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

  /** As CONFIG RESETSTAT wants it. */
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
