/** What the table of commands says of each: how it is called, what it touches, how far it is Redis', and what runs. */
import { NONE } from '../../base/short-list.ts';
import type { Arguments } from './arguments.ts';
import type { Client } from './client.ts';
import type { Plan } from './plan.ts';

/** Replies within the call, or begins a reply that comes later. */
export type Handler = (client: Client, args: Arguments) => void;

/** What a command does to keys; a text: why it is none. */
export type Planner = (args: Arguments, client: Client) => Plan | string;

export type Group = 'string' | 'generic' | 'connection' | 'server' | 'cluster' | 'transactions' | 'pubsub';

/** Arity, flags, key places, group, since, summary. */
export type CommandFacts = readonly [
  arity: number,
  flags: string,
  keys: string,
  group: Group,
  since: string,
  summary: string,
];

/** Places of the keys among the arguments, as Redis counts them: `last` may be negative, from the end. */
export interface KeyPlaces {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

/** What runs, and what else is to be known of it. */
export interface CommandBody {
  /** Of a command that works on keys by itself: what EXEC can put together with others. */
  readonly plan?: Planner;
  /** Left out: what the plan says is done. */
  readonly run?: Handler;
  /** In what it differs from Redis; left out: in nothing. */
  readonly differs?: string;
  /** Begun when all before it are answered, and nothing is begun beside it. */
  readonly isAlone?: boolean;
  /** Done at once between MULTI and EXEC, too. */
  readonly isNeverQueued?: boolean;
}

export interface Command {
  /** In lower case; of a subcommand with its container: `client|id`. */
  readonly name: string;
  /** Arguments with the name; negative: at least so many. */
  readonly arity: number;
  /** Redis' words for what it does. */
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
  /** Takes microseconds: it looks at one key, or at none. */
  readonly isShort: boolean;
  readonly writes: boolean;
  /** Answers who has not said the password. */
  readonly isOpen: boolean;
  readonly subcommands: ReadonlyMap<string, Command> | null;
}

export function fitsArity(arity: number, count: number): boolean {
  return arity >= 0 ? count === arity : count >= -arity;
}

/** Of most commands: nothing is made to say so. */
const FIRST_ARGUMENT: readonly number[] = [1];

/** Places of the keys in a call with so many arguments, ascending. */
export function keyPlaces(command: Command, count: number): readonly number[] {
  if (command.keys === null) return NONE;
  const { first, last, step } = command.keys;
  const end = last < 0 ? count + last : last;
  if (first === 1 && end === 1 && count > 1) return FIRST_ARGUMENT;
  const places: number[] = [];
  for (let at = first; at <= end && at < count; at += step) places.push(at);
  return places;
}
