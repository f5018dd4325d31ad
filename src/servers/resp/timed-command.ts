/**
 * How long commands take, from their begin at this door to their reply: for SLOWLOG and LATENCY. What is answered at once
 * from memory is not timed, for looking at a clock would cost more than a tenth of it; what waits for a disk, a peer or
 * PostgreSQL is, and whatever looks at more than one key.
 */
import type { Arguments } from './arguments.ts';
import type { Client } from './client.ts';
import type { Command, Handler } from './command.ts';
import { KeptCall } from './slow-commands.ts';
import { runTraced } from './traced-command.ts';

/** `run`: what of the command runs. */
export function runTimed(client: Client, command: Command, run: Handler, args: Arguments): void {
  const { queue } = client;
  const { tracing } = client.door.settings;
  const before = queue.last;
  const begunAt = command.isShort ? 0 : performance.now();
  if (tracing) runTraced(tracing, client, command, run, args);
  else run(client, args);
  const { last } = queue;
  if (last === null || last === before || last.isEnded) {
    if (begunAt !== 0) ended(client, command, new KeptCall(args), performance.now() - begunAt);
    return;
  }
  const from = begunAt === 0 ? performance.now() : begunAt;
  const call = new KeptCall(args);
  const { release } = last;
  last.release = () => {
    release?.();
    ended(client, command, call, performance.now() - from);
  };
}

function ended(client: Client, command: Command, call: KeptCall, ms: number): void {
  const { slowCommands, latency } = client.door;
  latency.timed(command.name, ms);
  latency.add(command.flags.includes('fast') ? 'fast-command' : 'command', ms);
  const micros = Math.round(ms * 1_000);
  const { thresholdMicros } = slowCommands;
  if (thresholdMicros < 0 || micros < thresholdMicros) return;
  slowCommands.add(client, call.shown(command), micros);
}
