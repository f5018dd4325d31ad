/**
 * CLIENT TRACKING and related commands: which keys a client keeps copies of, and where it is told that they changed.
 */
import { KEY_BYTES_MAX } from '../../../core/limits.ts';
import { RESP_ARGUMENT_BYTES, RESP_TRACKED_PREFIXES_MAX } from '../../../core/clients/redis-limits.ts';
import type { Arguments } from '../arguments.ts';
import type { Client } from '../client.ts';
import type { CommandBody } from '../command.ts';
import { NOT_AN_INTEGER, SYNTAX_ERROR } from '../error-replies.ts';
import type { TrackingOptions } from '../tracking.ts';
import { NO_ROOM } from '../transaction.ts';

interface Asked {
  readonly options: TrackingOptions;
  readonly prefixes: readonly string[];
}

function track(client: Client, args: Arguments): void {
  const { out, door } = client;
  const asked = askedBy(client, args);
  if (typeof asked === 'string') return out.error(asked);
  const mode = args.upper(2);
  if (mode === 'OFF') door.tracking.turnOff(client);
  else if (mode === 'ON') {
    const conflict = conflictOf(client, asked);
    if (conflict !== undefined) return out.error(conflict);
    door.tracking.turnOn(client, asked.options, asked.prefixes);
  } else return out.error(SYNTAX_ERROR);
  out.ok();
}

function askedBy({ door }: Client, args: Arguments): Asked | string {
  const prefixes: string[] = [];
  const words = new Set<string>();
  let redirect = 0;
  for (let at = 3; at < args.count; at += 1) {
    const word = args.upper(at);
    const hasMore = at + 1 < args.count;
    if (word === 'REDIRECT' && hasMore) {
      at += 1;
      if (redirect !== 0) return 'ERR A client can only redirect to a single other client';
      const id = args.integer(at);
      if (id === undefined) return NOT_AN_INTEGER;
      redirect = Number(id);
      if (!door.clients.has(redirect)) return 'ERR The client ID you want redirect to does not exist';
    } else if (word === 'PREFIX' && hasMore) {
      at += 1;
      prefixes.push(args.text(at));
    } else if (MODES.includes(word)) words.add(word);
    else return SYNTAX_ERROR;
  }
  const options = {
    redirect,
    isBroadcast: words.has('BCAST'),
    isOptIn: words.has('OPTIN'),
    isOptOut: words.has('OPTOUT'),
    noLoop: words.has('NOLOOP'),
  };
  return { options, prefixes };
}

const MODES: readonly string[] = ['BCAST', 'OPTIN', 'OPTOUT', 'NOLOOP'];

/** Checked in the same order as in Redis. */
function conflictOf(client: Client, { options, prefixes }: Asked): string | undefined {
  const { tracking } = client;
  const { isBroadcast, isOptIn, isOptOut } = options;
  if (!isBroadcast && prefixes.length > 0) return 'ERR PREFIX option requires BCAST mode to be enabled';
  if (tracking !== null && tracking.options.isBroadcast !== isBroadcast) {
    return "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.";
  }
  if (isBroadcast && (isOptIn || isOptOut)) return 'ERR OPTIN and OPTOUT are not compatible with BCAST';
  if (isOptIn && isOptOut) return "ERR You can't specify both OPTIN mode and OPTOUT mode";
  if (
    tracking !== null &&
    ((isOptIn && tracking.options.isOptOut) || (isOptOut && tracking.options.isOptIn))
  ) {
    return "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.";
  }
  if (!isBroadcast) return undefined;
  const known = tracking?.prefixes ?? new Set();
  return excessOf(client, known, prefixes) ?? collisionOf(known, prefixes);
}

/** Checked before all pairs of them are compared. */
function excessOf(
  client: Client,
  known: ReadonlySet<string>,
  prefixes: readonly string[],
): string | undefined {
  if (known.size + prefixes.length > RESP_TRACKED_PREFIXES_MAX)
    return `ERR more than ${RESP_TRACKED_PREFIXES_MAX} prefixes`;
  let bytes = 0;
  for (const { length } of prefixes) {
    if (length > KEY_BYTES_MAX) return `ERR a prefix has at most ${KEY_BYTES_MAX} bytes, as a key has`;
    bytes += length + RESP_ARGUMENT_BYTES;
  }
  return client.mayKeep(bytes) ? undefined : NO_ROOM;
}

function collisionOf(known: ReadonlySet<string>, prefixes: readonly string[]): string | undefined {
  const rule = 'Prefixes for a single client must not overlap.';
  for (const [at, prefix] of prefixes.entries()) {
    for (const other of known) {
      if (overlap(prefix, other))
        return `ERR Prefix '${prefix}' overlaps with an existing prefix '${other}'. ${rule}`;
    }
    for (const other of prefixes.slice(at + 1)) {
      if (overlap(prefix, other))
        return `ERR Prefix '${prefix}' overlaps with another provided prefix '${other}'. ${rule}`;
    }
  }
  return undefined;
}

/** Parts of equal length are compared at once, which `startsWith` does character by character. */
function overlap(one: string, other: string): boolean {
  const length = Math.min(one.length, other.length);
  return one.slice(0, length) === other.slice(0, length);
}

function caching({ out, tracking }: Client, args: Arguments): void {
  if (tracking === null) {
    return out.error(
      'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled',
    );
  }
  const word = args.upper(2);
  if (word === 'YES') {
    if (!tracking.options.isOptIn)
      return out.error('ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.');
  } else if (word === 'NO') {
    if (!tracking.options.isOptOut)
      return out.error('ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.');
  } else return out.error(SYNTAX_ERROR);
  tracking.isCachingGiven = true;
  out.ok();
}

function info({ out, tracking }: Client): void {
  out.map(3);
  out.bulkText('flags');
  const flags = flagsOf(tracking);
  out.set(flags.length);
  for (const flag of flags) out.bulkText(flag);
  out.bulkText('redirect');
  out.integer(tracking?.options.redirect ?? -1);
  out.bulkText('prefixes');
  const prefixes = [...(tracking?.prefixes ?? [])].sort();
  out.array(prefixes.length);
  for (const prefix of prefixes) out.bulkText(prefix, 'latin1');
}

function flagsOf(tracking: Client['tracking']): string[] {
  if (tracking === null) return ['off'];
  const { isBroadcast, isOptIn, isOptOut, noLoop } = tracking.options;
  const given = tracking.isCachingGiven;
  return [
    'on',
    ...(isBroadcast ? ['bcast'] : []),
    ...(isOptIn ? ['optin', ...(given ? ['caching-yes'] : [])] : []),
    ...(isOptOut ? ['optout', ...(given ? ['caching-no'] : [])] : []),
    ...(noLoop ? ['noloop'] : []),
    ...(tracking.isBroken ? ['broken_redirect'] : []),
  ];
}

const TOLD =
  'What is read at a node that does not own the key is watched by the owner that answered; its word comes after the writer is answered, by the way between the two. What a node cannot know (owners change, an owner is not heard of) it tells as changed. With BCAST and NOLOOP a client is told of its own change all the same where another write is one version with it, or where its node cannot know, as of what a node of an earlier version coordinates. There are 256 prefixes at most, of 1,024 bytes each.';

export const TRACKING_BODIES: Readonly<Record<string, CommandBody>> = {
  'client|tracking': { run: track, differs: TOLD },
  'client|caching': { run: caching },
  'client|trackinginfo': { run: info },
  'client|getredir': { run: ({ out, tracking }) => out.integer(tracking?.options.redirect ?? -1) },
};
