/**
 * The latest slow commands, for SLOWLOG, with no more of their arguments than Redis would keep, and without secrets.
 */
import { RESP_SLOW_COMMANDS_DEFAULT } from '../../core/clients/redis-limits.ts';
import type { Arguments } from './arguments.ts';
import type { Client } from './client.ts';
import type { Command } from './command.ts';

/** As in Redis: the maximum number of arguments in an entry, and of bytes of each. */
const ARGUMENTS_SHOWN_MAX = 32;
const ARGUMENT_BYTES_SHOWN_MAX = 128;
const REDACTED = Buffer.from('(redacted)');

export interface SlowCommand {
  readonly id: number;
  /** Seconds since 1970. */
  readonly at: number;
  readonly micros: number;
  readonly args: readonly Buffer[];
  readonly address: string;
  readonly name: string;
}

export class SlowCommands {
  /** Commands that take at least this many microseconds are kept; negative keeps none. */
  thresholdMicros: number;
  lengthMax = RESP_SLOW_COMMANDS_DEFAULT;
  private nextId = 0;
  /** Oldest first. */
  private kept: SlowCommand[] = [];

  constructor(thresholdMicros: number) {
    this.thresholdMicros = thresholdMicros;
  }

  get length(): number {
    return this.kept.length;
  }

  add(client: Client, args: readonly Buffer[], micros: number): void {
    const { line, name } = client;
    const at = Math.floor(Date.now() / 1_000);
    this.kept.push({ id: this.nextId, at, micros, args, address: line.address, name });
    this.nextId += 1;
    this.trim();
  }

  /** Latest first. */
  latest(count: number): SlowCommand[] {
    return count === 0 ? [] : this.kept.slice(-count).reverse();
  }

  trim(): void {
    if (this.kept.length > this.lengthMax) this.kept.splice(0, this.kept.length - this.lengthMax);
  }

  clear(): void {
    this.kept = [];
  }
}

/**
 * Keeps a call's arguments until it is over, in case they are needed. Received bytes are never overwritten, so it keeps
 * offsets and copies nothing.
 */
export class KeptCall {
  private readonly buffer: Buffer;
  private readonly starts: readonly number[];
  private readonly ends: readonly number[];
  private readonly count: number;

  constructor({ buffer, starts, ends, count }: Arguments) {
    const shown = Math.min(count, ARGUMENTS_SHOWN_MAX);
    this.buffer = buffer;
    this.starts = starts.slice(0, shown);
    this.ends = ends.slice(0, shown);
    this.count = count;
  }

  /** The arguments, clipped as in Redis, in memory of their own. */
  shown(command: Command): Buffer[] {
    const { starts, ends, buffer, count } = this;
    const left = count - starts.length;
    const shown = starts.map((start, at) => {
      if (left > 0 && at === starts.length - 1) return Buffer.from(`... (${left + 1} more arguments)`);
      return isSecret(command, at) ? REDACTED : clipped(buffer, start, ends[at]!);
    });
    return shown;
  }
}

function clipped(buffer: Buffer, start: number, end: number): Buffer {
  const over = end - start - ARGUMENT_BYTES_SHOWN_MAX;
  if (over <= 0) return Buffer.from(buffer.subarray(start, end));
  const tail = Buffer.from(`... (${over} more bytes)`);
  return Buffer.concat([buffer.subarray(start, start + ARGUMENT_BYTES_SHOWN_MAX), tail]);
}

/** Commands that contain a password are not shown; of what EXEC runs, only the name is. */
function isSecret({ name }: Command, at: number): boolean {
  if (name === 'config|set') return at > 2;
  return at > 0 && (name === 'auth' || name === 'hello');
}
