/** Commands about the connection itself: greeting, password, protocol, end. */
import { timingSafeEqual, createHash } from 'node:crypto';
import { REDIS_VERSION } from '../redis-version.ts';
import type { Arguments } from '../arguments.ts';
import type { Client } from '../client.ts';
import type { CommandBody } from '../command.ts';
import { noDatabase } from './parsing.ts';
import { NAME_LENGTH, nameFault } from './client-name.ts';

const WRONG = 'WRONGPASS invalid username-password pair or user is disabled.';
const USER = 'default';

function ping({ out, channels }: Client, args: Arguments): void {
  if (args.count > 2) out.error("ERR wrong number of arguments for 'ping' command");
  else if (channels.size > 0 && out.protocol === 2) {
    out.array(2);
    out.bulkText('pong');
    out.bulk(args.count === 2 ? args.bytes(1) : Buffer.alloc(0));
  } else if (args.count === 2) out.bulk(args.bytes(1));
  else out.simple('PONG');
}

/** Constant time, whatever is wrong with the password. */
function isPassword(given: Buffer, password: string): boolean {
  const digest = (bytes: Buffer | string): Buffer => createHash('sha256').update(bytes).digest();
  return timingSafeEqual(digest(given), digest(password));
}

/** Returns undefined if the password is right, otherwise the error. */
function authenticate(client: Client, user: string, given: Buffer): string | undefined {
  const { password } = client.door;
  // If no password is set, the single user may log in with any.
  const isRight = user === USER && (password === null || isPassword(given, password));
  if (!isRight) return WRONG;
  client.isTrusted = true;
  return undefined;
}

function auth(client: Client, args: Arguments): void {
  const { out, door } = client;
  if (args.count > 3) return out.error('ERR syntax error');
  if (args.count === 2 && door.password === null) {
    return out.error(
      'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
    );
  }
  const user = args.count === 3 ? args.text(1) : USER;
  const problem = authenticate(client, user, args.bytes(args.count - 1));
  if (problem === undefined) out.ok();
  else out.error(problem);
}

function hello(client: Client, args: Arguments): void {
  const { queue } = client;
  let protocol = queue.protocol;
  if (args.count > 1) {
    const given = args.integer(1);
    if (given === undefined) return queue.out.error('ERR Protocol version is not an integer or out of range');
    if (given !== 2n && given !== 3n) return queue.out.error('NOPROTO unsupported protocol version');
    protocol = given === 3n ? 3 : 2;
  }
  for (let at = 2; at < args.count; at += 1) {
    const word = args.upper(at);
    const left = args.count - at - 1;
    if (word === 'AUTH' && left >= 2) {
      const problem = authenticate(client, args.text(at + 1), args.bytes(at + 2));
      if (problem !== undefined) return queue.out.error(problem);
      at += 2;
    } else if (word === 'SETNAME' && left >= 1) {
      const name = args.text(at + 1);
      const fault = nameFault(name, 'Client names');
      if (fault !== undefined) return queue.out.error(fault);
      // The name is set even if a later option is wrong.
      client.name = name;
      at += 1;
    } else return queue.out.error(`ERR Syntax error in HELLO option '${args.shown(at)}'`);
  }
  if (!client.isTrusted) {
    return queue.out.error(
      'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    );
  }
  queue.protocol = protocol;
  greet(client, protocol);
}

function greet({ out, id }: Client, protocol: number): void {
  out.map(7);
  out.bulkText('server');
  out.bulkText('redis');
  out.bulkText('version');
  out.bulkText(REDIS_VERSION);
  out.bulkText('proto');
  out.integer(protocol);
  out.bulkText('id');
  out.integer(id);
  out.bulkText('mode');
  out.bulkText('cluster');
  out.bulkText('role');
  out.bulkText('master');
  out.bulkText('modules');
  out.array(0);
}

function select({ out }: Client, args: Arguments): void {
  const database = args.integer(1);
  if (database === undefined) out.error('ERR value is not an integer or out of range');
  else if (database === 0n) out.ok();
  else out.error(noDatabase(database, 'SELECT is'));
}

function quit({ out, line }: Client): void {
  out.ok();
  line.closeInOrder();
}

function reset(client: Client): void {
  client.transaction = null;
  client.watched.clear();
  client.door.tracking.turnOff(client);
  client.channels.clear();
  client.name = '';
  // A pending SKIP stays in force.
  if (client.replyMode === 'off') client.replyMode = 'on';
  client.isTrusted = client.door.password === null;
  client.queue.protocol = 2;
  client.out.simple('RESET');
}

export const CONNECTION_BODIES: Readonly<Record<string, CommandBody>> = {
  ping: { run: ping },
  echo: { run: ({ out }, args) => out.bulk(args.bytes(1)) },
  auth: { run: auth, differs: 'One user, `default`.' },
  hello: { run: hello, differs: NAME_LENGTH },
  select: { run: select, differs: 'Database 0 only.' },
  quit: { run: quit, isNeverQueued: true },
  reset: { run: reset, isNeverQueued: true },
};
