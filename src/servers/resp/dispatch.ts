/**
 * From a request to the command that answers it: does the command exist, may this client call it, must it be queued for
 * EXEC, and must it wait for earlier commands of the same client.
 */
import { RESP_IN_LINE_BYTES_MAX, RESP_UNANSWERED_MAX } from '../../core/clients/redis-limits.ts';
import type { Arguments } from './arguments.ts';
import { refusalWhileSubscribed } from './channels.ts';
import type { Client } from './client.ts';
import { fitsArity, keyPlaces } from './command.ts';
import type { Command, Handler } from './command.ts';
import { absenceOf, COMMANDS } from './command-table.ts';
import { ReplyWriter } from './reply-writer.ts';
import { runBehind } from './run-plan.ts';
import { runTimed } from './timed-command.ts';
import { abort, collect } from './transaction.ts';

const SHOWN_BYTES_MAX = 128;

/**
 * A web page can make a browser send lines of its choice here, as the body of an HTTP request. The words that begin
 * such a request or name its host close the connection, so that nothing after them is taken for a command.
 */
const OF_A_BROWSER = /^(post|host:)$/i;

/** Returns false if the command must wait until something before it is answered; call again then. */
export function execute(client: Client, args: Arguments): boolean {
  // The barring command before it may change what this one means.
  if (client.queue.isBarred) return false;
  const isBegun = client.replyMode === 'on' ? begin(client, args) : beginUnanswered(client, args);
  if (isBegun && client.tracking !== null) forgetCaching(client, args);
  return isBegun;
}

/** CLIENT CACHING applies to the next command or transaction; other CLIENT commands do not count. */
function forgetCaching({ tracking, transaction }: Client, args: Arguments): void {
  if (tracking!.isCachingGiven && transaction === null && args.upper(0) !== 'CLIENT')
    tracking!.isCachingGiven = false;
}

function begin(client: Client, args: Arguments): boolean {
  const { queue } = client;
  const command = commandOf(args);
  client.door.turns.spend(typeof command !== 'string' && command.isShort);
  if (typeof command === 'string') {
    if (OF_A_BROWSER.test(args.text(0))) client.line.closeInOrder();
    else refuse(client, null, command);
    return true;
  }
  const refusal = refusalOf(client, command, args);
  if (refusal !== undefined) {
    if (command.name === 'exec') abort(client, refusal);
    else refuse(client, command, refusal);
    return true;
  }
  if (client.transaction !== null && !command.isNeverQueued) {
    collect(client, client.transaction, command, args);
    return true;
  }
  const turn = queue.unanswered === 0 ? 'now' : turnOf(client, command, args);
  if (turn === 'later') return false;
  client.lastCommand = command.name;
  client.door.counts.commands += 1;
  if (client.tracking !== null) client.door.tracking.remember(client, command, args);
  runTimed(client, command, turn === 'now' ? command.run : standInLine(command), args);
  return true;
}

/** For a command whose plan has a single step: waits in line for its key. */
function standInLine({ plan }: Command): Handler {
  return (client, args) => {
    const made = plan!(args, client);
    if (typeof made === 'string') client.out.error(made);
    else runBehind(client, made);
  };
}

/** An error while commands are being queued makes EXEC refuse all of them. */
function refuse(client: Client, command: Command | null, text: string): void {
  if (client.transaction !== null) client.transaction.fault();
  client.door.commandCounts.refused(command, text);
  client.out.error(text);
}

/** Returns the command, or the text of the error if its name is wrong. */
function commandOf(args: Arguments): Command | string {
  const command = COMMANDS.find(args);
  if (command === undefined) return unknown(args);
  if (command.subcommands === null || args.count < 2) return command;
  const sub = args.text(1).toLowerCase();
  const found = command.subcommands.get(sub);
  if (found !== undefined) return found;
  const absent = absentText(`${command.name}|${sub}`);
  if (absent !== undefined) return absent;
  const shown = shownText(args, 1);
  return `ERR unknown subcommand '${shown}'. Try ${command.name.toUpperCase()} HELP.`;
}

function refusalOf(client: Client, command: Command, args: Arguments): string | undefined {
  if (!fitsArity(command.arity, args.count)) {
    return `ERR wrong number of arguments for '${command.name}' command`;
  }
  if (!client.isTrusted && !command.isOpen) return 'NOAUTH Authentication required.';
  if (client.channels.size > 0 && client.queue.protocol === 2) return refusalWhileSubscribed(command.name);
  return undefined;
}

/** The error for a command that Redis has and this door has not. */
function absentText(name: string): string | undefined {
  const reason = absenceOf(name);
  return reason === undefined ? undefined : `ERR command '${name}' is not supported: ${reason}`;
}

function unknown(args: Arguments): string {
  const absent = absentText(args.text(0).toLowerCase());
  if (absent !== undefined) return absent;
  let shown = '';
  for (let at = 1; at < args.count && shown.length < SHOWN_BYTES_MAX; at += 1) {
    shown += `'${args.shown(at).slice(0, SHOWN_BYTES_MAX - shown.length)}' `;
  }
  return `ERR unknown command '${shownText(args, 0)}', with args beginning with: ${shown}`;
}

function shownText(args: Arguments, at: number): string {
  return args.shown(at).slice(0, SHOWN_BYTES_MAX);
}

/** 'in line' means that the command begins now and waits behind earlier commands on its key. */
function turnOf(client: Client, command: Command, args: Arguments): 'now' | 'in line' | 'later' {
  const { queue, inFlight, api, door } = client;
  if (command.isAlone || queue.unanswered >= RESP_UNANSWERED_MAX) return 'later';
  if (queue.isFull) return 'later';
  if (command.writes && api.isFull()) return 'later';
  const places = keyPlaces(command, args.count);
  let isFree = true;
  for (let each = 0; each < places.length && isFree; each += 1) {
    const key = args.key(places[each]!);
    isFree = key === undefined || !inFlight.isTaken(key, command.writes);
  }
  if (isFree) return 'now';
  // With client-side caching, a read is recorded when it begins, which must be after the change that it waits for.
  if (places.length > 1 || command.plan === null || client.tracking !== null) return 'later';
  return inFlight.waitingBytes >= RESP_IN_LINE_BYTES_MAX || door.isInputFull() ? 'later' : 'in line';
}

/** For CLIENT REPLY OFF and SKIP. */
function beginUnanswered(client: Client, args: Arguments): boolean {
  const { queue } = client;
  const { out } = queue;
  const wasSkipping = client.replyMode === 'skipping';
  if (wasSkipping) client.replyMode = 'skipped';
  const thrownAway = new ReplyWriter(out.protocol);
  queue.out = thrownAway;
  queue.aloud = out;
  queue.isMute = true;
  const isBegun = begin(client, args);
  queue.isMute = false;
  queue.aloud = null;
  if (queue.out === thrownAway) {
    out.protocol = thrownAway.protocol;
    queue.out = out;
  }
  if (!isBegun) {
    if (wasSkipping) client.replyMode = 'skipping';
    return false;
  }
  // CLIENT REPLY ON is itself answered.
  if (client.replyMode === 'on') out.append(thrownAway);
  else if (client.replyMode === 'skipped') client.replyMode = 'on';
  return true;
}
