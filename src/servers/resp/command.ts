/**
 * What the command table says about each command: how it is called, which keys it touches, how it differs from Redis,
 * and its handler.
 */
import { NONE } from '../../base/short-list.ts';
import type { Arguments } from './arguments.ts';
import type { Client } from './client.ts';
import type { Plan } from './plan.ts';

/** Either replies before it returns, or reserves a place for a later reply. */
export type Handler = (client: Client, args: Arguments) => void;

/** Returns what the command does to keys, or the text of an error. */
export type Planner = (args: Arguments, client: Client) => Plan | string;

export type Group = 'string' | 'generic' | 'connection' | 'server' | 'cluster' | 'transactions' | 'pubsub';

/** Arity, flags, key positions, group, since, summary. */
export type CommandFacts = readonly [
  arity: number,
  flags: string,
  keys: string,
  group: Group,
  since: string,
  summary: string,
];

/** Positions of the keys among the arguments, as Redis counts them. A negative `last` counts from the end. */
export interface KeyPlaces {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

/** The implementation of a command. */
export interface CommandBody {
  /** For commands that only work on keys; EXEC can combine these with others. */
  readonly plan?: Planner;
  /** Default: carries out the plan. */
  readonly run?: Handler;
  /** How the command differs from Redis; omitted if it does not. */
  readonly differs?: string;
  /** Begins only when everything before it is answered, and nothing else begins beside it. */
  readonly isAlone?: boolean;
  /** Runs at once even between MULTI and EXEC. */
  readonly isNeverQueued?: boolean;
}

export interface Command {
  /** In lower case; a subcommand includes its container: `client|id`. */
  readonly name: string;
  /** Number of arguments including the name; negative for a minimum. */
  readonly arity: number;
  /** The flags that Redis uses. */
  readonly flags: readonly string[];
  readonly keys: KeyPlaces | null;
  readonly group: Group;
  readonly since: string;
  readonly summary: string;
  readonly differs: string;
  readonly plan: Planner | null;
  readonly run: Handler;
  readonly isAlone: boolean;
  readonly isNeverQueued: boolean;
  /** Takes microseconds: it touches at most one key. */
  readonly isShort: boolean;
  readonly writes: boolean;
  /** Allowed before authentication. */
  readonly isOpen: boolean;
  readonly subcommands: ReadonlyMap<string, Command> | null;
}

export function fitsArity(arity: number, count: number): boolean {
  return arity >= 0 ? count === arity : count >= -arity;
}

/** The key positions of most commands, shared so that none are allocated. */
const FIRST_ARGUMENT: readonly number[] = [1];

/** Positions of the keys in a call with `count` arguments, ascending. */
export function keyPlaces(command: Command, count: number): readonly number[] {
  if (command.keys === null) return NONE;
  const { first, last, step } = command.keys;
  const end = last < 0 ? count + last : last;
  if (first === 1 && end === 1 && count > 1) return FIRST_ARGUMENT;
  const places: number[] = [];
  for (let at = first; at <= end && at < count; at += step) places.push(at);
  return places;
}
