/** CLIENT: facts about the connections of this node, and what can be done with them. */
import type { Arguments } from '../arguments.ts';
import type { Client, ReplyMode } from '../client.ts';
import type { CommandBody } from '../command.ts';
import { subcommandError, SYNTAX_ERROR } from '../error-replies.ts';
import { NAME_LENGTH, nameFault } from './client-name.ts';
import { helpOf } from './help.ts';

const USER = 'default';

/** In the format of Redis; fields that are not known here are empty. */
function lineOf(client: Client): string {
  const { line, queue, tracking } = client;
  const fields: [string, string | number][] = [
    ['id', client.id],
    ['addr', line.address],
    ['laddr', line.localAddress],
    ['fd', 0],
    ['name', client.name],
    ['age', ageOf(client)],
    ['idle', Math.floor(line.idleMs() / 1000)],
    ['flags', flagsOf(client)],
    ['db', 0],
    ['sub', client.channels.size],
    ...['psub', 'ssub'].map((name): [string, number] => [name, 0]),
    ['multi', client.transaction?.count ?? -1],
    ['watch', client.watched.size],
    ...['qbuf', 'qbuf-free', 'argv-mem', 'multi-mem', 'rbs', 'rbp', 'obl'].map((name): [string, number] => [
      name,
      0,
    ]),
    ['oll', queue.unanswered],
    ['omem', queue.heldBytes],
    ['tot-mem', queue.heldBytes],
    ['events', 'r'],
    ['cmd', client.lastCommand === '' ? 'NULL' : client.lastCommand],
    ['user', USER],
    ['redir', tracking?.options.redirect ?? -1],
    ['resp', queue.protocol],
    ['lib-name', client.libraryName],
    ['lib-ver', client.libraryVersion],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(' ');
}

/** Seconds. */
function ageOf({ line }: Client): number {
  return Math.floor((Date.now() - line.openedAt) / 1000);
}

function flagsOf({ transaction, tracking, channels }: Client): string {
  const flags = [
    channels.size > 0 ? 'P' : '',
    transaction === null ? '' : 'x',
    tracking === null ? '' : 't',
    tracking?.isBroken === true ? 'R' : '',
    tracking?.options.isBroadcast === true ? 'B' : '',
  ].join('');
  return flags === '' ? 'N' : flags;
}

function isOfType({ channels }: Client, type: string): boolean {
  return type === (channels.size > 0 ? 'pubsub' : 'normal');
}

function list(client: Client, args: Arguments): void {
  const { out, door } = client;
  let shown = [...door.clients.values()];
  const option = args.count > 2 ? args.upper(2) : '';
  if (option === 'TYPE' && args.count === 4) {
    const type = args.text(3).toLowerCase();
    if (!TYPES.includes(type)) return out.error(`ERR Unknown client type '${args.shown(3)}'`);
    shown = shown.filter((each) => isOfType(each, type));
  } else if (option === 'ID' && args.count > 3) {
    const ids = new Set<number>();
    for (let at = 3; at < args.count; at += 1) {
      const id = args.integer(at);
      if (id === undefined) return out.error('ERR Invalid client ID');
      ids.add(Number(id));
    }
    shown = shown.filter(({ id }) => ids.has(id));
  } else if (args.count > 2) return out.error(SYNTAX_ERROR);
  out.verbatim(shown.map((each) => `${lineOf(each)}\n`).join(''));
}

const TYPES: readonly string[] = ['normal', 'master', 'replica', 'slave', 'pubsub'];

interface Filter {
  readonly matches: (client: Client) => boolean;
  readonly skipsMe: boolean;
}

function kill(client: Client, args: Arguments): void {
  const { out, door } = client;
  if (args.count === 3) {
    const address = args.text(2);
    const found = [...door.clients.values()].find(({ line }) => line.address === address);
    if (found === undefined) return out.error('ERR No such client');
    out.ok();
    return end(client, found);
  }
  const filter = filterOf(args);
  if (typeof filter === 'string') return out.error(filter);
  const found = [...door.clients.values()].filter(
    (each) => filter.matches(each) && !(filter.skipsMe && each === client),
  );
  out.integer(found.length);
  for (const each of found) end(client, each);
}

/** A client that kills itself still gets its reply. */
function end(client: Client, killed: Client): void {
  if (killed === client) killed.line.closeInOrder();
  else killed.line.cut();
}

function filterOf(args: Arguments): Filter | string {
  const tests: ((client: Client) => boolean)[] = [];
  let skipsMe = true;
  for (let at = 2; at < args.count; at += 2) {
    if (at + 1 === args.count) return SYNTAX_ERROR;
    const text = args.text(at + 1);
    const number = args.integer(at + 1);
    switch (args.upper(at)) {
      case 'ID':
        if (number === undefined || number < 1n) return 'ERR client-id should be greater than 0';
        tests.push(({ id }) => BigInt(id) === number);
        break;
      case 'ADDR':
        tests.push(({ line }) => line.address === text);
        break;
      case 'LADDR':
        tests.push(({ line }) => line.localAddress === text);
        break;
      case 'TYPE':
        if (!TYPES.includes(text.toLowerCase())) return `ERR Unknown client type '${args.shown(at + 1)}'`;
        tests.push((client) => isOfType(client, text.toLowerCase()));
        break;
      case 'USER':
        if (text !== USER) return `ERR No such user '${args.shown(at + 1)}'`;
        tests.push(() => true);
        break;
      case 'MAXAGE':
        if (number === undefined) return 'ERR maxage is not an integer or out of range';
        if (number < 1n) return 'ERR maxage should be greater than 0';
        tests.push((client) => BigInt(ageOf(client)) >= number);
        break;
      case 'SKIPME':
        if (!/^(yes|no)$/i.test(text)) return SYNTAX_ERROR;
        skipsMe = text.toLowerCase() === 'yes';
        break;
      default:
        return SYNTAX_ERROR;
    }
  }
  return { matches: (client) => tests.every((test) => test(client)), skipsMe };
}

function setName(client: Client, args: Arguments): void {
  const name = args.text(2);
  const fault = nameFault(name, 'Client names');
  if (fault !== undefined) return client.out.error(fault);
  client.name = name;
  client.out.ok();
}

function setInfo(client: Client, args: Arguments): void {
  const value = args.text(3);
  const what = args.upper(2);
  if (what !== 'LIB-NAME' && what !== 'LIB-VER') {
    return client.out.error(`ERR Unrecognized option '${args.shown(2)}'`);
  }
  const fault = nameFault(value, what.toLowerCase());
  if (fault !== undefined) return client.out.error(fault);
  if (what === 'LIB-NAME') client.libraryName = value;
  else client.libraryVersion = value;
  client.out.ok();
}

function reply(client: Client, args: Arguments): void {
  const modes: Readonly<Record<string, ReplyMode>> = { ON: 'on', OFF: 'off', SKIP: 'skipping' };
  const mode = modes[args.upper(2)];
  if (mode === undefined) return client.out.error(SYNTAX_ERROR);
  // OFF stays in force, even if a SKIP follows.
  if (mode !== 'skipping' || client.replyMode !== 'off') client.replyMode = mode;
  if (mode === 'on') client.out.ok();
}

function onOrOff({ out }: Client, args: Arguments): void {
  if (/^(on|off)$/i.test(args.text(2))) out.ok();
  else out.error(SYNTAX_ERROR);
}

function unblock({ out }: Client, args: Arguments): void {
  if (args.count > 4) return out.error(subcommandError('CLIENT', args.text(1)));
  const how = args.count === 4 ? args.upper(3) : 'TIMEOUT';
  if (how !== 'TIMEOUT' && how !== 'ERROR') {
    return out.error('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR');
  }
  if (args.integer(2) === undefined) return out.error('ERR value is not an integer or out of range');
  out.integer(0);
}

function getName({ out, name }: Client): void {
  if (name === '') out.nil();
  else out.bulkText(name, 'latin1');
}

const NOTHING_KEPT = 'Taken, without effect.';

export const CLIENT_BODIES: Readonly<Record<string, CommandBody>> = {
  'client|id': { run: ({ out, id }) => out.integer(id) },
  'client|getname': { run: getName },
  'client|setname': { run: setName, differs: NAME_LENGTH },
  'client|setinfo': { run: setInfo, differs: NAME_LENGTH },
  'client|info': {
    run: (client) => client.out.verbatim(`${lineOf(client)}\n`),
    differs: 'Sizes of buffers are not told.',
  },
  'client|list': { run: list, differs: 'Of the node that is asked; sizes of buffers are not told.' },
  'client|kill': { run: kill, differs: 'Of the node that is asked.' },
  'client|no-evict': { run: onOrOff, differs: NOTHING_KEPT },
  'client|no-touch': { run: onOrOff, differs: NOTHING_KEPT },
  'client|reply': { run: reply },
  'client|unblock': { run: unblock, differs: 'Always 0: nothing blocks.' },
  'client|help': helpOf('CLIENT', [
    'CACHING (YES|NO)',
    'GETREDIR',
    'GETNAME',
    'ID',
    'INFO',
    'KILL <option>',
    'LIST [options]',
    'REPLY (ON|OFF|SKIP)',
    'SETNAME <name>',
    'TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]',
    'TRACKINGINFO',
  ]),
};
