/**
 * The single table of commands: the door runs on it, COMMAND reports it, and docs/REDIS.md is generated from it. Facts
 * and bodies are joined here by name, so that neither can exist without the other.
 */
import type { Arguments } from './arguments.ts';
import type { Client } from './client.ts';
import { fitsArity } from './command.ts';
import type { Command, CommandBody, CommandFacts, Handler, KeyPlaces } from './command.ts';
import { CommandIndex } from './command-index.ts';
import { CHANNEL_BODIES } from './commands/channels.ts';
import { CLIENT_BODIES } from './commands/clients.ts';
import { CLUSTER_BODIES } from './commands/cluster.ts';
import { commandBodies } from './commands/commands.ts';
import { CONNECTION_BODIES } from './commands/connection.ts';
import { EXPIRY_BODIES } from './commands/expiry.ts';
import { KEY_BODIES } from './commands/keys.ts';
import { KEYSPACE_BODIES } from './commands/keyspace.ts';
import { MOVE_BODIES } from './commands/moves.ts';
import { NUMBER_BODIES } from './commands/numbers.ts';
import { SERVER_BODIES } from './commands/server.ts';
import { STRING_BODIES } from './commands/strings.ts';
import { TRACKING_BODIES } from './commands/tracking.ts';
import { TRANSACTION_BODIES } from './commands/transactions.ts';
import { ABSENT_GROUPS } from './absent-commands.ts';
import { DATA_FACTS } from './facts-of-data.ts';
import { SERVICE_FACTS } from './facts-of-service.ts';
import { runPlan } from './run-plan.ts';

const FACTS: Readonly<Record<string, CommandFacts>> = { ...DATA_FACTS, ...SERVICE_FACTS };

const BODIES: Readonly<Record<string, CommandBody>> = {
  ...STRING_BODIES,
  ...NUMBER_BODIES,
  ...KEY_BODIES,
  ...EXPIRY_BODIES,
  ...MOVE_BODIES,
  ...KEYSPACE_BODIES,
  ...TRANSACTION_BODIES,
  ...CONNECTION_BODIES,
  ...CLIENT_BODIES,
  ...TRACKING_BODIES,
  ...CHANNEL_BODIES,
  ...SERVER_BODIES,
  ...commandBodies((): CommandIndex => COMMANDS),
  ...CLUSTER_BODIES,
};

export const COMMANDS = new CommandIndex(tableOf());

/** Why this door does not have the command, if it is a command of Redis. */
export function absenceOf(name: string): string | undefined {
  return ABSENT_GROUPS.find(({ names }) => names.includes(name))?.reason;
}

function tableOf(): Command[] {
  const subcommands = new Map<string, Map<string, Command>>();
  const commands: Command[] = [];
  for (const name of Object.keys(BODIES)) {
    const [container, sub] = name.split('|');
    if (sub === undefined) continue;
    const known = subcommands.get(container!) ?? new Map<string, Command>();
    subcommands.set(container!, known.set(sub, commandOf(name, null)));
  }
  for (const name of Object.keys(FACTS)) {
    if (BODIES[name] === undefined && !subcommands.has(name)) throw new Error(`${name} has no body`);
    if (!name.includes('|')) commands.push(commandOf(name, subcommands.get(name) ?? null));
  }
  return commands;
}

function commandOf(name: string, subcommands: ReadonlyMap<string, Command> | null): Command {
  const facts = FACTS[name];
  if (facts === undefined) throw new Error(`${name} has no facts`);
  const [arity, flagText, keyText, group, since, summary] = facts;
  const { plan = null, run, differs = '', isAlone = false, isNeverQueued = false } = BODIES[name] ?? {};
  const flags = flagText === '' ? [] : flagText.split(',');
  const keys = keysOf(keyText);
  const isShort = keys === null ? group === 'connection' && flags.includes('fast') : keys.first === keys.last;
  const made = { name, arity, flags, keys, group, since, summary, differs, plan, isShort };
  return {
    ...{ ...made, isAlone, isNeverQueued, subcommands },
    run: run ?? (plan === null ? containerOf(name, subcommands) : planned(plan)),
    writes: flags.includes('write'),
    isOpen: flags.includes('no_auth'),
  };
}

function keysOf(text: string): KeyPlaces | null {
  if (text === '-') return null;
  const [first, last, step] = text.split(' ').map(Number);
  return { first: first!, last: last!, step: step! };
}

function planned(plan: NonNullable<CommandBody['plan']>): Handler {
  return (client, args) => {
    const made = plan(args, client);
    if (typeof made === 'string') client.out.error(made);
    else runPlan(client, made);
  };
}

/** Handles a container command that is called without a subcommand. */
function containerOf(name: string, subcommands: ReadonlyMap<string, Command> | null): Handler {
  if (subcommands === null) throw new Error(`${name} has nothing to run`);
  return (client: Client, args: Arguments) => {
    if (!fitsArity(-2, args.count)) client.out.error(`ERR wrong number of arguments for '${name}' command`);
    else client.out.error(`ERR unknown subcommand. Try ${name.toUpperCase()} HELP.`);
  };
}
