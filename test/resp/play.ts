/**
 * Plays a sequence to a server on connections of its own, and returns each step's reply in the form of the fixtures. A
 * reply that is invalid or missing is reported as such, and what comes after it is not sent.
 */
import { RespConnection } from './connection.ts';
import { frameText } from './frame.ts';
import type { Frame } from './frame.ts';
import { ruled, walked } from './rules.ts';
import type { Sequence, Step } from './sequence.ts';
import { replyBytes, replyText } from './text.ts';

const CLOSED = '<closed>';
/** Pages of one walk of SCAN; more means that it never ends. */
const PAGES_MAX = 1_000;
/** A command that answers once for each of its words. */
const ANSWERS_EACH = /^p?(un)?subscribe$/i;

export function commandBytes(args: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) parts.push(Buffer.from(`$${arg.length}\r\n`), arg, Buffer.from('\r\n'));
  return Buffer.concat(parts);
}

/** Whether its commands can be sent in one write: a single connection, and no step depends on an earlier reply. */
export function canPipeline({ steps }: Sequence): boolean {
  return steps.every(({ kind, connection }) => connection === 1 && (kind === 'command' || kind === 'silent'));
}

/** `pipelined`: all commands at once, if possible; otherwise one after the other, as a person would. */
export async function play(port: number, sequence: Sequence, pipelined = false): Promise<string[]> {
  const connections = new Map<number, RespConnection>();
  const replies: string[] = [];
  const isPipeline = pipelined && canPipeline(sequence);
  try {
    if (isPipeline) {
      const connection = await connectionOf(connections, port, 1);
      connection.send(Buffer.concat(sequence.steps.map(({ args }) => commandBytes(args))));
    }
    for (const step of sequence.steps) {
      const connection = await connectionOf(connections, port, step.connection);
      replies.push(await playStep(connection, step, isPipeline));
    }
  } catch (error) {
    replies.push(`<${error instanceof Error ? error.message : String(error)}>`);
  } finally {
    for (const connection of connections.values()) connection.close();
  }
  return replies;
}

async function connectionOf(
  connections: Map<number, RespConnection>,
  port: number,
  number: number,
): Promise<RespConnection> {
  const known = connections.get(number);
  if (known !== undefined) return known;
  const opened = await RespConnection.open(port);
  connections.set(number, opened);
  return opened;
}

async function playStep(connection: RespConnection, step: Step, isSent: boolean): Promise<string> {
  switch (step.kind) {
    case 'raw':
      connection.send(step.args[0]!);
      return rawReply(connection, step.reply);
    case 'scan':
      return walk(connection, step.args);
    case 'push':
      return told([], await connection.push());
    case 'silent':
      if (!isSent) connection.send(commandBytes(step.args));
      return '';
    case 'command':
      if (!isSent) connection.send(commandBytes(step.args));
      return commandReply(connection, step.args);
  }
}

async function commandReply(connection: RespConnection, args: readonly Buffer[]): Promise<string> {
  const eachOf = ANSWERS_EACH.test(args[0]!.toString());
  const first = await connection.reply(eachOf);
  const replies = [told(args, first)];
  const isError = first !== 'closed' && first.kind === 'line';
  for (let left = eachOf && !isError ? args.length - 2 : 0; left > 0; left -= 1) {
    replies.push(told(args, await connection.reply(true)));
  }
  return replies.join('\\n');
}

function told(args: readonly Buffer[], reply: Frame | 'closed'): string {
  return reply === 'closed' ? CLOSED : ruled(args, reply, Date.now());
}

async function rawReply(connection: RespConnection, expected: string | undefined): Promise<string> {
  const known = expected?.endsWith(CLOSED) === true ? 'closed' : expected;
  const { bytes, closed } = await connection.raw(
    known === undefined || known === 'closed' ? known : rawLength(known),
  );
  return `${bytes.length === 0 ? '' : replyText(bytes)}${closed ? CLOSED : ''}`;
}

function rawLength(expected: string): number {
  return expected === '' ? 0 : replyBytes(expected).length;
}

async function walk(connection: RespConnection, args: readonly Buffer[]): Promise<string> {
  const keys: string[] = [];
  let cursor = '0';
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const command = [Buffer.from('SCAN'), Buffer.from(cursor), ...args];
    connection.send(commandBytes(command));
    const reply = await connection.reply(false);
    if (reply === 'closed' || reply.kind !== 'list' || reply.items?.length !== 2) return told(command, reply);
    const [next, page] = reply.items;
    if (page!.kind !== 'list' || page!.items === null) return told(command, reply);
    keys.push(...page!.items.map((key) => frameText(key) ?? '<no key>'));
    cursor = frameText(next) ?? '';
    if (cursor === '0') return walked(keys);
  }
  throw new Error(`a walk of more than ${PAGES_MAX} pages`);
}
