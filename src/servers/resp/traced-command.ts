/**
 * The span of a Redis command: always the first of a trace, for the protocol has no place for a context. It ends when
 * the command is answered; what it asks of the node belongs to it.
 */
import type { Span, Tracing } from '../../ports/tracing.ts';
import type { Arguments } from './arguments.ts';
import type { Client } from './client.ts';
import type { Command, Group, Handler } from './command.ts';

/** These ask nothing of single keys, */
const UNTRACED: ReadonlySet<Group> = new Set(['connection', 'server', 'cluster', 'pubsub']);
/** but for these, which ask about all of them. */
const OF_ALL_KEYS: ReadonlySet<string> = new Set(['dbsize', 'flushall', 'flushdb']);

/** `run`: what of the command runs. */
export function runTraced(
  tracing: Tracing,
  client: Client,
  command: Command,
  run: Handler,
  args: Arguments,
): void {
  const isTraced = !UNTRACED.has(command.group) || OF_ALL_KEYS.has(command.name);
  const span = isTraced ? spanOf(tracing, command) : null;
  const { queue } = client;
  const { last: before, out } = queue;
  const from = out.byteCount;
  tracing.within(span?.context, () => run(client, args));
  if (span === null) return;
  const { last } = queue;
  if (last === null || last === before || last.isEnded) return end(span, out.errorFrom(from));
  last.onReply = (reply, begun) => end(span, reply.errorFrom(begun));
}

/** For what a command asks later on: it belongs to what is asked now, too. */
export function keptTrace({ door }: Client): (run: () => void) => void {
  const { tracing } = door.settings;
  if (!tracing) return (run) => run();
  const { active } = tracing;
  return (run) => tracing.within(active, run);
}

/** What is asked within is part of no span: where one command asks for any number of it. */
export function untraced({ door }: Client, ask: () => void): void {
  const { tracing } = door.settings;
  if (tracing) tracing.within(undefined, ask);
  else ask();
}

/** As OpenTelemetry has it for Redis: an error's first word. */
function end(span: Span, error: string | undefined): void {
  if (error !== undefined) span.set('db.response.status_code', error);
  span.end(error);
}

function spanOf(tracing: Tracing, { name }: Command): Span | null {
  const title = name.toUpperCase();
  const attributes = { 'network.protocol.name': 'resp', 'db.operation.name': title };
  return tracing.begin('redis', null, { title, attributes });
}
