/** COMMAND: the command table in the format of Redis. */
import { RESP_COMMANDS_ASKED_MAX } from '../../../core/clients/redis-limits.ts';
import { Arguments } from '../arguments.ts';
import type { Client } from '../client.ts';
import { fitsArity, keyPlaces } from '../command.ts';
import type { Command, CommandBody, Group } from '../command.ts';
import type { CommandIndex } from '../command-index.ts';
import { SYNTAX_ERROR } from '../error-replies.ts';
import { globOf } from '../glob.ts';
import type { ReplyWriter } from '../reply-writer.ts';
import { helpOf } from './help.ts';

function found(table: CommandIndex, text: string): Command | undefined {
  const [container, sub] = text.toLowerCase().split('|');
  const command = table.named(container ?? '');
  return sub === undefined ? command : command?.subcommands?.get(sub);
}

function tellInfo(out: ReplyWriter, command: Command | undefined): void {
  if (command === undefined) return out.nil();
  const { name, arity, flags, keys, subcommands } = command;
  out.array(10);
  out.bulkText(name);
  out.integer(arity);
  const told = keys === null ? [...flags] : flags;
  out.set(told.length);
  for (const flag of told) out.simple(flag);
  out.integer(keys?.first ?? 0);
  out.integer(keys?.last ?? 0);
  out.integer(keys?.step ?? 0);
  const categories = categoriesOf(command);
  out.set(categories.length);
  for (const category of categories) out.simple(category);
  out.set(0);
  tellKeys(out, command);
  if (subcommands === null) return out.set(0);
  out.array(subcommands.size);
  for (const sub of subcommands.values()) tellInfo(out, sub);
}

const OF_GROUPS: Readonly<Partial<Record<Group, string>>> = {
  string: '@string',
  generic: '@keyspace',
  connection: '@connection',
  transactions: '@transaction',
};
/** Those that Redis counts among others than their group says. */
const OTHER_CATEGORIES: Readonly<Record<string, readonly string[]>> = {
  ...{ keys: ['@keyspace', '@dangerous'], dbsize: ['@keyspace'], object: [], client: [] },
  ...{ flushall: ['@keyspace', '@dangerous'], flushdb: ['@keyspace', '@dangerous'], info: ['@dangerous'] },
  ...{ wait: ['@connection'], waitaof: ['@connection'], role: ['@admin', '@dangerous'] },
  ...{ command: ['@connection'], readonly: ['@connection'], readwrite: ['@connection'] },
  asking: ['@connection'],
};

function categoriesOf({ name, flags, group, writes }: Command): string[] {
  const [container] = name.split('|');
  const ofGroup = OF_GROUPS[group];
  const own = OTHER_CATEGORIES[name] ?? (container === 'command' ? ['@connection'] : undefined);
  const implied = [
    ...(writes ? ['@write'] : flags.includes('readonly') ? ['@read'] : []),
    ...(flags.includes('admin') ? ['@admin', '@dangerous'] : []),
    ...(flags.includes('pubsub') ? ['@pubsub'] : []),
    flags.includes('fast') ? '@fast' : '@slow',
  ];
  return [...(own ?? (ofGroup === undefined ? [] : [ofGroup])), ...implied];
}

function tellKeys(out: ReplyWriter, { keys, writes }: Command): void {
  if (keys === null) return out.set(0);
  out.set(1);
  out.map(3);
  out.bulkText('flags');
  out.set(1);
  out.simple(writes ? 'RW' : 'RO');
  out.bulkText('begin_search');
  out.map(2);
  out.bulkText('type');
  out.bulkText('index');
  out.bulkText('spec');
  out.map(1);
  out.bulkText('index');
  out.integer(keys.first);
  out.bulkText('find_keys');
  out.map(2);
  out.bulkText('type');
  out.bulkText('range');
  out.bulkText('spec');
  out.map(3);
  out.bulkText('lastkey');
  out.integer(keys.last < 0 ? keys.last : keys.last - keys.first);
  out.bulkText('keystep');
  out.integer(keys.step);
  out.bulkText('limit');
  out.integer(0);
}

function tellDocs(out: ReplyWriter, command: Command): void {
  const { name, summary, since, group, subcommands } = command;
  out.bulkText(name);
  out.map(subcommands === null ? 3 : 4);
  for (const [field, text] of Object.entries({ summary, since, group })) {
    out.bulkText(field);
    out.bulkText(text);
  }
  if (subcommands === null) return;
  out.bulkText('subcommands');
  out.map(subcommands.size);
  for (const sub of subcommands.values()) tellDocs(out, sub);
}

function named(table: CommandIndex, args: Arguments): (Command | undefined)[] {
  if (args.count === 2) return [...table.commands];
  return Array.from({ length: args.count - 2 }, (_, at) => found(table, args.text(at + 2)));
}

function getKeys(table: CommandIndex, { out }: Client, args: Arguments): void {
  const call = Arguments.of(...Array.from({ length: args.count - 2 }, (_, at) => args.bytes(at + 2)));
  const top = table.find(call);
  const subcommands = top?.subcommands ?? null;
  const command = subcommands === null || call.count < 2 ? top : subcommands.get(call.text(1).toLowerCase());
  if (command === undefined) return out.error('ERR Invalid command specified');
  if (command.keys === null) return out.error('ERR The command has no key arguments');
  if (!fitsArity(command.arity, call.count)) {
    return out.error('ERR Invalid number of arguments specified for command');
  }
  const places = keyPlaces(command, call.count);
  out.array(places.length);
  for (const at of places) out.bulk(call.bytes(at));
}

function list(table: CommandIndex, { out }: Client, args: Arguments): void {
  let names = table.commands.flatMap(({ name, subcommands }) => [
    name,
    ...[...(subcommands?.values() ?? [])].map((sub) => sub.name),
  ]);
  if (args.count === 5 && args.upper(2) === 'FILTERBY') {
    const word = args.upper(3);
    const value = args.text(4).toLowerCase();
    if (word === 'PATTERN') {
      const glob = globOf(value);
      if (typeof glob === 'string') return out.error(glob);
      names = names.filter((name) => glob.matches(name));
    } else if (word === 'MODULE') names = [];
    else if (word === 'ACLCAT') {
      names = names.filter((name) => categoriesOf(found(table, name)!).includes(`@${value}`));
    } else return out.error(SYNTAX_ERROR);
  } else if (args.count !== 2) return out.error(SYNTAX_ERROR);
  out.array(names.length);
  for (const name of names) out.bulkText(name);
}

const TOO_MANY = `ERR at most ${RESP_COMMANDS_ASKED_MAX} commands`;
const HERE = 'The commands that are here.';
const AT_MOST = `At most ${RESP_COMMANDS_ASKED_MAX} names.`;

/** `table` is made from these bodies, so it is only called when one of them runs. */
export function commandBodies(table: () => CommandIndex): Readonly<Record<string, CommandBody>> {
  return {
    command: {
      run: ({ out }) => {
        const { commands } = table();
        out.array(commands.length);
        for (const command of commands) tellInfo(out, command);
      },
      differs: HERE,
    },
    'command|count': { run: ({ out }) => out.integer(table().commands.length), differs: HERE },
    'command|info': {
      run: ({ out }, args) => {
        if (args.count - 2 > RESP_COMMANDS_ASKED_MAX) return out.error(TOO_MANY);
        const commands = named(table(), args);
        out.array(commands.length);
        for (const command of commands) tellInfo(out, command);
      },
      differs: `${HERE} Of how a key is used is told whether it is written. ${AT_MOST}`,
    },
    'command|docs': {
      run: ({ out }, args) => {
        if (args.count - 2 > RESP_COMMANDS_ASKED_MAX) return out.error(TOO_MANY);
        const commands = named(table(), args).filter((command) => command !== undefined);
        out.map(commands.length);
        for (const command of commands) tellDocs(out, command);
      },
      differs: `${HERE} With summary, version and group. ${AT_MOST}`,
    },
    'command|getkeys': { run: (client, args) => getKeys(table(), client, args) },
    'command|list': { run: (client, args) => list(table(), client, args), differs: HERE },
    'command|help': helpOf('COMMAND', [
      '(no subcommand)',
      'COUNT',
      'DOCS [<name> ...]',
      'GETKEYS <call>',
      'INFO [<name> ...]',
      'LIST',
    ]),
  };
}
