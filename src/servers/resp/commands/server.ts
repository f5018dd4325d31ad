/** The node as a server: its settings, the time, and what it reports about itself. */
import type { Arguments } from '../arguments.ts';
import type { Client } from '../client.ts';
import type { CommandBody } from '../command.ts';
import type { Door } from '../door.ts';
import { NOT_AN_INTEGER, SYNTAX_ERROR } from '../error-replies.ts';
import { globOf } from '../glob.ts';
import {
  RESP_BULK_BYTES_MAX,
  RESP_CONNECTIONS_MAX,
  RESP_PATTERNS_MAX,
  RESP_SLOW_COMMANDS_MAX,
  RESP_TRACKED_KEYS_MAX,
} from '../../../core/clients/redis-limits.ts';
import { REDIS_VERSION } from '../redis-version.ts';
import { helpOf } from './help.ts';
import { infoText } from './info.ts';
import { SLOW_BODIES } from './slow.ts';

interface Setting {
  readonly read: (door: Door) => string;
  /** Default: 0. */
  readonly lowest?: number;
  /** If omitted, the setting is read-only. Returns the text of an error, or undefined. */
  readonly change?: (door: Door, value: number) => string | undefined;
}

const fixed = (value: string): Setting => ({ read: () => value });

/** All settings, by their Redis names. */
const SETTINGS: Readonly<Record<string, Setting>> = {
  timeout: {
    read: (door) => String(Math.ceil(door.idleMsMax / 1000)),
    change: (door, seconds) => {
      door.idleMsMax = seconds * 1000;
      return undefined;
    },
  },
  maxclients: {
    read: (door) => String(door.connectionsMax),
    change: (door, count) => {
      if (count < 1 || count > RESP_CONNECTIONS_MAX) return `must be from 1 to ${RESP_CONNECTIONS_MAX}`;
      door.connectionsMax = count;
      return undefined;
    },
  },
  'tracking-table-max-keys': {
    read: (door) => String(door.tracking.keysMax),
    change: (door, count) => {
      if (count < 1 || count > RESP_TRACKED_KEYS_MAX) return `must be from 1 to ${RESP_TRACKED_KEYS_MAX}`;
      door.tracking.keysMax = count;
      return undefined;
    },
  },
  port: { read: (door) => String(door.port) },
  'proto-max-bulk-len': fixed(String(RESP_BULK_BYTES_MAX)),
  'tcp-keepalive': fixed('300'),
  databases: fixed('1'),
  save: fixed(''),
  appendonly: fixed('yes'),
  appendfsync: fixed('always'),
  maxmemory: fixed('0'),
  'maxmemory-policy': fixed('noeviction'),
  'cluster-enabled': fixed('yes'),
  'notify-keyspace-events': fixed(''),
  'slowlog-log-slower-than': {
    read: (door) => String(door.slowCommands.thresholdMicros),
    lowest: -1,
    change: (door, micros) => {
      door.slowCommands.thresholdMicros = micros;
      return undefined;
    },
  },
  'slowlog-max-len': {
    read: (door) => String(door.slowCommands.lengthMax),
    change: (door, count) => {
      if (count > RESP_SLOW_COMMANDS_MAX) return `must be at most ${RESP_SLOW_COMMANDS_MAX}`;
      door.slowCommands.lengthMax = count;
      door.slowCommands.trim();
      return undefined;
    },
  },
  'latency-monitor-threshold': {
    read: (door) => String(door.latency.thresholdMs),
    change: (door, ms) => {
      door.latency.thresholdMs = ms;
      return undefined;
    },
  },
};

const SIGNS_OF_PATTERNS = /[*?[]/;

function configGet({ out, door }: Client, args: Arguments): void {
  if (args.count - 2 > RESP_PATTERNS_MAX) return out.error(`ERR at most ${RESP_PATTERNS_MAX} patterns`);
  /** Maps each setting's name to the name that the reply uses: as the client spelled it, unless that was a pattern. */
  const found = new Map<string, string>();
  for (let at = 2; at < args.count; at += 1) {
    const given = args.text(at);
    const glob = globOf(given.toLowerCase());
    if (typeof glob === 'string') return out.error(glob);
    const isPattern = SIGNS_OF_PATTERNS.test(given);
    for (const name of Object.keys(SETTINGS)) {
      const isMeant = isPattern ? glob.matches(name) : name === given.toLowerCase();
      if (isMeant && !found.has(name)) found.set(name, isPattern ? name : given);
    }
  }
  out.map(found.size);
  for (const [name, told] of found) {
    out.bulkText(told, 'latin1');
    out.bulkText(SETTINGS[name]!.read(door));
  }
}

function configSet({ out, door }: Client, args: Arguments): void {
  if (args.count % 2 !== 0) return out.error(SYNTAX_ERROR);
  const changes = new Map<string, () => string | undefined>();
  for (let at = 2; at < args.count; at += 2) {
    const name = args.text(at).toLowerCase();
    const setting = Object.hasOwn(SETTINGS, name) ? SETTINGS[name] : undefined;
    if (setting === undefined) {
      return out.error(`ERR Unknown option or number of arguments for CONFIG SET - '${args.shown(at)}'`);
    }
    const failed = `ERR CONFIG SET failed (possibly related to argument '${name}') - `;
    if (changes.has(name)) return out.error(`${failed}duplicate parameter`);
    const { change, lowest = 0 } = setting;
    if (change === undefined) return out.error(`${failed}can't set immutable config`);
    const value = args.integer(at + 1);
    if (value === undefined || value < BigInt(lowest) || value > 2_147_483_647n) {
      return out.error(`${failed}argument couldn't be parsed into an integer`);
    }
    changes.set(name, () => {
      const problem = change(door, Number(value));
      return problem === undefined ? undefined : failed + problem;
    });
  }
  for (const change of changes.values()) {
    const problem = change();
    if (problem !== undefined) return out.error(problem);
  }
  out.ok();
}

function resetStatistics({ out, door }: Client): void {
  for (const name of Object.keys(door.counts) as (keyof Door['counts'])[]) door.counts[name] = 0;
  door.latency.forgetTimes();
  door.commandCounts.forget();
  out.ok();
}

function time({ out }: Client): void {
  const micros = Math.round((performance.timeOrigin + performance.now()) * 1000);
  out.array(2);
  out.bulkText(String(Math.floor(micros / 1_000_000)));
  out.bulkText(String(micros % 1_000_000));
}

/** Every acknowledged write is on the disk of all live owners already, so there is nothing to wait for. */
function othersWithWrites({ api, door }: Client): number {
  const alive = api.status().members.filter((member) => member.alive).length;
  return Math.max(0, Math.min(alive, door.settings.replicas) - 1);
}

function wait(client: Client, args: Arguments): void {
  const { out } = client;
  const count = args.integer(1);
  const timeoutMs = args.integer(2);
  if (count === undefined) return out.error('ERR value is not an integer or out of range');
  if (timeoutMs === undefined) return out.error('ERR timeout is not an integer or out of range');
  if (timeoutMs < 0n) return out.error('ERR timeout is negative');
  out.integer(othersWithWrites(client));
}

function waitForDisks(client: Client, args: Arguments): void {
  const { out } = client;
  const local = args.integer(1);
  if (local === undefined || args.integer(2) === undefined || local < 0n) {
    return out.error('ERR value is not an integer or out of range');
  }
  if (local > 1n) return out.error('ERR value is out of range, must be between 0 and 1');
  const timeoutMs = args.integer(3);
  if (timeoutMs === undefined) return out.error('ERR timeout is not an integer or out of range');
  if (timeoutMs < 0n) return out.error('ERR timeout is negative');
  out.array(2);
  out.integer(1);
  out.integer(othersWithWrites(client));
}

function info(client: Client, args: Arguments): void {
  const sections = Array.from({ length: args.count - 1 }, (_, at) => args.text(at + 1).toLowerCase());
  client.out.verbatim(infoText(client.door, sections));
}

function lolwut({ out }: Client, args: Arguments): void {
  const asksVersion = args.count > 2 && args.upper(1) === 'VERSION';
  if (asksVersion && args.integer(2) === undefined) return out.error(NOT_AN_INTEGER);
  out.verbatim(`Redis ver. ${REDIS_VERSION}\n`);
}

const NOTHING_KEPT = 'Nothing is kept: see the node’s own status.';

export const SERVER_BODIES: Readonly<Record<string, CommandBody>> = {
  ...SLOW_BODIES,
  info: {
    run: info,
    differs:
      'Facts about this node: `keys` are those that it has a copy of. What has no truthful value here is left out, and `expires` is 0. The time of what is answered at once from memory is told by one call in 64.',
  },
  time: { run: time },
  role: {
    run: ({ out }) => {
      out.array(3);
      out.bulkText('master');
      out.integer(0);
      out.array(0);
    },
    differs: 'Every node takes writes.',
  },
  lolwut: { run: lolwut, differs: 'No picture.' },
  'config|get': { run: configGet, differs: 'The settings that have a counterpart here.' },
  'config|set': {
    run: configSet,
    differs:
      '`timeout`, `maxclients`, `tracking-table-max-keys`, `slowlog-log-slower-than`, `slowlog-max-len` and `latency-monitor-threshold`, of this node, until it ends.',
  },
  'config|resetstat': { run: resetStatistics },
  'config|rewrite': {
    run: ({ out }) => out.error('ERR The server is running without a config file'),
    differs: 'There is no such file.',
  },
  'config|help': helpOf('CONFIG', ['GET <pattern>', 'SET <directive> <value>', 'RESETSTAT', 'REWRITE']),
  wait: { run: wait, differs: 'At once: an acknowledged write is on all live owners already.' },
  waitaof: { run: waitForDisks, differs: 'At once: an acknowledged write is on their disks already.' },
  'memory|doctor': {
    run: ({ out }) => out.verbatim('Nothing is kept here about memory.\n'),
    differs: NOTHING_KEPT,
  },
  'memory|purge': { run: ({ out }) => out.ok(), differs: 'Taken, without effect.' },
  'memory|help': helpOf('MEMORY', ['DOCTOR', 'PURGE', 'USAGE <key> [SAMPLES <count>]']),
};
