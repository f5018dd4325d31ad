/**
 * Finds a command by the bytes of its name, in upper or lower case, without decoding them into a string: that would be
 * a tenth of the cost of a read.
 */
import type { Arguments } from './arguments.ts';
import type { Command } from './command.ts';

interface Entry {
  readonly name: Buffer;
  readonly command: Command;
}

const UPPER_A = 65;
const UPPER_Z = 90;
const CASE_BIT = 32;

export class CommandIndex {
  readonly commands: readonly Command[];
  private readonly places: (Entry | undefined)[];
  private readonly mask: number;
  private readonly lengthMax: number;
  private readonly byName = new Map<string, Command>();

  constructor(commands: readonly Command[]) {
    this.commands = commands;
    let size = 16;
    while (size < 4 * commands.length) size *= 2;
    this.mask = size - 1;
    this.places = Array.from({ length: size }, () => undefined);
    this.lengthMax = Math.max(...commands.map(({ name }) => name.length));
    for (const command of commands) this.add(command);
  }

  private add(command: Command): void {
    if (this.byName.has(command.name)) throw new Error(`two commands are named ${command.name}`);
    const name = Buffer.from(command.name);
    this.byName.set(command.name, command);
    let place = hashOf(name, 0, name.length) & this.mask;
    while (this.places[place] !== undefined) place = (place + 1) & this.mask;
    this.places[place] = { name, command };
  }

  /** The command that the first argument names. */
  find(args: Arguments): Command | undefined {
    const { buffer } = args;
    const start = args.starts[0]!;
    const end = args.ends[0]!;
    if (end - start > this.lengthMax) return undefined;
    let place = hashOf(buffer, start, end) & this.mask;
    for (;;) {
      const entry = this.places[place];
      if (entry === undefined) return undefined;
      if (isNamed(entry.name, buffer, start, end)) return entry.command;
      place = (place + 1) & this.mask;
    }
  }

  named(name: string): Command | undefined {
    return this.byName.get(name.toLowerCase());
  }
}

function hashOf(bytes: Buffer, start: number, end: number): number {
  let hash = end - start;
  for (let at = start; at < end; at += 1) hash = (Math.imul(hash, 31) + (bytes[at]! | CASE_BIT)) | 0;
  return hash ^ (hash >>> 15);
}

function isNamed(name: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let at = 0; at < name.length; at += 1) {
    const byte = bytes[start + at]!;
    const lower = byte >= UPPER_A && byte <= UPPER_Z ? byte | CASE_BIT : byte;
    if (lower !== name[at]) return false;
  }
  return true;
}
