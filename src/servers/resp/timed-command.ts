/**
 * Measures commands from their start at this door to their reply, for SLOWLOG and LATENCY. Commands that are answered
 * at once from memory are not timed, because reading the clock would cost more than a tenth of them. Commands that wait
 * for a disk, a peer or PostgreSQL are timed, and so are those that touch more than one key.
 */
import type { Arguments } from './arguments.ts';
import type { Client } from './client.ts';
import type { Command, Handler } from './command.ts';
import type { CommandCount } from './command-counts.ts';
import { KeptCall } from './slow-commands.ts';
import { runTraced } from './traced-command.ts';

/** `run` is the handler to call. */
export function runTimed(client: Client, command: Command, run: Handler, args: Arguments): void {
  const { queue, door } = client;
  const { tracing } = door.settings;
  const { commandCounts } = door;
  const { last: before, out } = queue;
  const from = out.byteCount;
  const count = commandCounts.of(command);
  count.calls += 1;
  const isSample = command.isShort && commandCounts.isTimed();
  const begunAt = command.isShort && !isSample ? 0 : performance.now();
  if (tracing) runTraced(tracing, client, command, run, args);
  else run(client, args);
  const { last } = queue;
  if (last === null || last === before || last.isEnded) {
    const error = out.errorFrom(from);
    if (error !== undefined) commandCounts.failed(count, error);
    if (isSample) commandCounts.timed(count, (performance.now() - begunAt) * 1_000);
    else if (begunAt !== 0) ended(client, command, count, new KeptCall(args), performance.now() - begunAt);
    return;
  }
  const since = begunAt === 0 ? performance.now() : begunAt;
  const call = new KeptCall(args);
  const { onReply } = last;
  last.onReply = (reply, replyFrom) => {
    onReply?.(reply, replyFrom);
    const error = reply.errorFrom(replyFrom);
    if (error !== undefined) commandCounts.failed(count, error);
    ended(client, command, count, call, performance.now() - since);
  };
}

function ended(client: Client, command: Command, count: CommandCount, call: KeptCall, ms: number): void {
  const { slowCommands, latency } = client.door;
  count.micros += ms * 1_000;
  latency.timed(command.name, ms);
  latency.add(command.flags.includes('fast') ? 'fast-command' : 'command', ms);
  const micros = Math.round(ms * 1_000);
  const { thresholdMicros } = slowCommands;
  if (thresholdMicros < 0 || micros < thresholdMicros) return;
  slowCommands.add(client, call.shown(command), micros);
}
