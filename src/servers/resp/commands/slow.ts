/** SLOWLOG and LATENCY: which commands were slow at this node, and how long commands take. */
import type { Arguments } from '../arguments.ts';
import type { Client } from '../client.ts';
import type { CommandBody } from '../command.ts';
import { subcommandError } from '../error-replies.ts';
import { helpOf } from './help.ts';

/** As in Redis: number of entries that SLOWLOG GET returns without a count. */
const SLOW_SHOWN_DEFAULT = 10;

function slowlogGet({ out, door }: Client, args: Arguments): void {
  if (args.count > 3) {
    return out.error(subcommandError('SLOWLOG', args.text(1)));
  }
  const count = args.count === 3 ? args.integer(2) : BigInt(SLOW_SHOWN_DEFAULT);
  if (count === undefined || count < -1n) return out.error('ERR count should be greater than or equal to -1');
  const { slowCommands } = door;
  const shown = count === -1n || count > slowCommands.length ? slowCommands.length : Number(count);
  const entries = slowCommands.latest(shown);
  out.array(entries.length);
  for (const entry of entries) {
    out.array(6);
    out.integer(entry.id);
    out.integer(entry.at);
    out.integer(entry.micros);
    out.array(entry.args.length);
    for (const each of entry.args) out.bulk(each);
    out.bulkText(entry.address);
    out.bulkText(entry.name);
  }
}

function slowlogReset({ out, door }: Client): void {
  door.slowCommands.clear();
  out.ok();
}

function latest({ out, door }: Client): void {
  const { latency } = door;
  const names = latency.names();
  out.array(names.length);
  for (const name of names) {
    const { at, ms } = latency.samplesOf(name).at(-1)!;
    out.array(4);
    out.bulkText(name);
    out.integer(at);
    out.integer(ms);
    out.integer(latency.highestOf(name));
  }
}

function history({ out, door }: Client, args: Arguments): void {
  const samples = door.latency.samplesOf(args.text(2).toLowerCase());
  out.array(samples.length);
  for (const { at, ms } of samples) {
    out.array(2);
    out.integer(at);
    out.integer(ms);
  }
}

function reset({ out, door }: Client, args: Arguments): void {
  const { latency } = door;
  const given = Array.from({ length: args.count - 2 }, (_, at) => args.text(at + 2).toLowerCase());
  const names: readonly string[] = given.length === 0 ? latency.names() : given;
  out.integer(names.filter((name) => latency.forget(name)).length);
}

/** For each command, how many calls took up to how many microseconds. */
function histogram({ out, door }: Client, args: Arguments): void {
  const { latency } = door;
  const given = Array.from({ length: args.count - 2 }, (_, at) => args.text(at + 2).toLowerCase());
  const timed = latency.timedNames();
  // A container command stands for all of its subcommands.
  const isMeant = (name: string): boolean => given.includes(name) || given.includes(name.split('|')[0]!);
  const names = given.length === 0 ? timed : timed.filter(isMeant);
  out.map(names.length);
  for (const name of names) {
    const steps = latency.stepsOf(name);
    out.bulkText(name);
    out.map(2);
    out.bulkText('calls');
    out.integer(latency.callsOf(name));
    out.bulkText('histogram_usec');
    out.map(steps.length);
    for (const { micros, count } of steps) {
      out.integer(micros);
      out.integer(count);
    }
  }
}

function doctor({ out, door }: Client): void {
  const { latency } = door;
  const names = latency.names();
  if (latency.thresholdMs === 0 && names.length === 0) {
    return out.verbatim(
      'Nothing is watched: CONFIG SET latency-monitor-threshold <milliseconds> says from which time on a command is.\n',
    );
  }
  if (names.length === 0) {
    return out.verbatim(`No command has taken ${latency.thresholdMs} ms or longer since that is watched.\n`);
  }
  const lines = names.map((name) => {
    const samples = latency.samplesOf(name);
    const mean = samples.reduce((sum, { ms }) => sum + ms, 0) / samples.length;
    const seconds = samples.length === 1 ? '1 second' : `${samples.length} seconds`;
    return `${name}: in ${seconds}, ${Math.round(mean)} ms on average of the slowest of each, ${latency.highestOf(name)} ms at most.\n`;
  });
  out.verbatim(
    `${lines.join('')}SLOWLOG GET tells which commands these were; the log of this node tells where each spent its time (operation.slow).\n`,
  );
}

const KEPT = 'Of the node that is asked; what it answers at once from memory is not timed.';
const EVENTS = `Events are \`command\` and \`fast-command\`. ${KEPT}`;

export const SLOW_BODIES: Readonly<Record<string, CommandBody>> = {
  'latency|latest': { run: latest, differs: EVENTS },
  'latency|history': { run: history, differs: EVENTS },
  'latency|reset': { run: reset, differs: EVENTS },
  'latency|doctor': { run: doctor, differs: 'In other words.' },
  'latency|histogram': { run: histogram, differs: KEPT },
  'latency|help': helpOf('LATENCY', [
    'DOCTOR',
    'HISTOGRAM [COMMAND ...]',
    'HISTORY <event>',
    'LATEST',
    'RESET [<event> ...]',
  ]),
  'slowlog|get': { run: slowlogGet, differs: KEPT },
  'slowlog|len': { run: ({ out, door }) => out.integer(door.slowCommands.length), differs: KEPT },
  'slowlog|reset': { run: slowlogReset },
  'slowlog|help': helpOf('SLOWLOG', ['GET [<count>]', 'LEN', 'RESET']),
};
