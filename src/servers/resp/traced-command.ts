/**
 * The span of a Redis command. It always starts a trace, because the protocol has no field for a context. It ends when
 * the command is answered, and everything that the command asks of the node belongs to it.
 */
import type { Span, Tracing } from '../../ports/tracing.ts';
import type { Arguments } from './arguments.ts';
import type { Client } from './client.ts';
import type { Command, Group, Handler } from './command.ts';

/** Groups whose commands do not access keys; they are not traced. */
const UNTRACED: ReadonlySet<Group> = new Set(['connection', 'server', 'cluster', 'pubsub']);
/** Commands of these groups that are traced all the same, because they concern all keys. */
const OF_ALL_KEYS: ReadonlySet<string> = new Set(['dbsize', 'flushall', 'flushdb']);

/** `run` is the handler to call. */
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

/** Captures the trace of the running command, for calls that it makes later. */
export function keptTrace({ door }: Client): (run: () => void) => void {
  const { tracing } = door.settings;
  if (!tracing) return (run) => run();
  const { active } = tracing;
  return (run) => tracing.within(active, run);
}

/** Calls made inside `ask` belong to no span; for a command that may make any number of them. */
export function untraced({ door }: Client, ask: () => void): void {
  const { tracing } = door.settings;
  if (tracing) tracing.within(undefined, ask);
  else ask();
}

/** By OpenTelemetry's conventions for Redis, the status code is the first word of the error. */
function end(span: Span, error: string | undefined): void {
  if (error !== undefined) span.set('db.response.status_code', error);
  span.end(error);
}

function spanOf(tracing: Tracing, { name }: Command): Span | null {
  const title = name.toUpperCase();
  const attributes = { 'network.protocol.name': 'resp', 'db.operation.name': title };
  return tracing.begin('redis', null, { title, attributes });
}
