/** Commands over all keys. They answer for the whole cluster, whichever node is asked. */
import { certaintyOf } from '../../../core/errors.ts';
import {
  KEY_BYTES_MAX,
  OPERATION_TIMEOUT_MS_DEFAULT,
  SCAN_PAGE_RECORDS_MAX,
  SLOT_COUNT,
} from '../../../core/limits.ts';
import { RESP_REPLY_BYTES_MAX, RESP_SWEEPS_MAX } from '../../../core/clients/redis-limits.ts';
import { cursorOf } from '../../../core/clients/scan-place.ts';
import { slotOf } from '../../../core/placement/slots.ts';
import type { KeyRecord } from '../../../core/record.ts';
import type { Arguments } from '../arguments.ts';
import type { Client } from '../client.ts';
import type { CommandBody } from '../command.ts';
import { errorText, NOT_AN_INTEGER, SYNTAX_ERROR } from '../error-replies.ts';
import { globOf } from '../glob.ts';
import type { Glob } from '../glob.ts';
import { matchingKeys } from '../matching.ts';
import type { ReplyWriter } from '../reply-writer.ts';
import { SlotParts } from '../scan-places.ts';
import { ALL_KEYS, INCOMPLETE, keysOfSlot, readKeys, sweep, TOO_MANY_SWEEPS } from '../sweep.ts';
import { untraced } from '../traced-command.ts';

const CURSOR_MAX = 2n ** 64n - 1n;
const CURSOR_DIGITS_MAX = 20;
/** Bytes around a key in a reply. */
const KEY_FRAME_BYTES = 16;
const SCAN_COUNT_DEFAULT = 10n;
/** For a random key: how many random slots are tried before falling back to the very first key. */
const RANDOM_ATTEMPTS_MAX = 4;
const RANDOM_CHOICE = 32;
const FOUND = 'a key was found';
const TOO_MANY_KEYS = 'ERR more keys than one answer holds';

interface ScanOptions {
  /** Null matches every key. */
  readonly glob: Glob | null;
  readonly limit: number;
  /** False if another type was asked for; there are no keys of other types. */
  readonly isOfStrings: boolean;
}

function scanOptions(args: Arguments): ScanOptions | string {
  let pattern: string | null = null;
  let count = SCAN_COUNT_DEFAULT;
  let isOfStrings = true;
  for (let at = 2; at < args.count; at += 2) {
    const word = args.upper(at);
    if (at + 1 >= args.count) return SYNTAX_ERROR;
    if (word === 'MATCH') pattern = args.text(at + 1);
    else if (word === 'TYPE') isOfStrings = args.upper(at + 1) === 'STRING';
    else if (word === 'COUNT') {
      const given = args.integer(at + 1);
      if (given === undefined) return NOT_AN_INTEGER;
      if (given < 1n) return SYNTAX_ERROR;
      count = given;
    } else return SYNTAX_ERROR;
  }
  const limit = count > BigInt(SCAN_PAGE_RECORDS_MAX) ? SCAN_PAGE_RECORDS_MAX : Number(count);
  const glob = pattern === null || pattern === '*' ? null : globOf(pattern);
  return typeof glob === 'string' ? glob : { glob, limit, isOfStrings };
}

/** Parses like strtoul in C, which accepts an empty string as 0, and a sign. */
function cursorGiven(text: string): bigint | undefined {
  const parts = /^([+-]?)(\d*)$/.exec(text);
  if (parts === null || (parts[2] === '' && text !== '')) return undefined;
  const value = BigInt(parts[2]!.slice(0, CURSOR_DIGITS_MAX) || 0);
  if (value > CURSOR_MAX || parts[2]!.length > CURSOR_DIGITS_MAX) return undefined;
  return parts[1] === '-' && value > 0n ? CURSOR_MAX + 1n - value : value;
}

function scan(client: Client, args: Arguments): void {
  const cursor = cursorGiven(args.shown(1));
  if (cursor === undefined) return client.out.error('ERR invalid cursor');
  const options = scanOptions(args);
  if (typeof options === 'string') return client.out.error(options);
  const { scanPlaces } = client.door;
  const from = scanPlaces.placeFor(cursor);
  if (from.kind === 'slot')
    return scanSlot(client, new SlotParts(from.slot, from.partsTold), from.slot, options);
  const pending = client.beginAlone();
  readKeys(client, from.after, options.limit, (read) => {
    if (typeof read === 'string') return pending.end((out) => out.error(read));
    const { next } = read;
    meantOf(client, options, read.keys, (keys) =>
      pending.end((out) => tellPage(out, next === null ? 0 : scanPlaces.cursorFor(next), keys)),
    );
  });
}

function tellPage(out: ReplyWriter, cursor: number, keys: readonly string[]): void {
  out.array(2);
  out.bulkText(String(cursor));
  out.array(keys.length);
  for (const key of keys) out.bulkText(key);
}

/** For a cursor that is not known here: everything in its slot that may follow it. */
function scanSlot(client: Client, parts: SlotParts, slot: number, options: ScanOptions): void {
  const pending = client.beginAlone();
  sweep(
    client,
    keysOfSlot(slot),
    (records, goOn) => {
      const all = records.map(({ key }) => key);
      meantOf(client, options, all, (keys) => {
        const fits = keys.every((key) => slotOf(key) !== slot || parts.add(key));
        goOn(fits ? undefined : TOO_MANY_KEYS);
      });
    },
    (why) => pending.end((out) => (why === null ? tellPage(out, parts.next, parts.keys) : out.error(why))),
  );
}

function meantOf(
  client: Client,
  { glob, isOfStrings }: ScanOptions,
  keys: readonly string[],
  done: (keys: readonly string[]) => void,
): void {
  matchingKeys(client, glob, isOfStrings ? keys : [], done);
}

function keys(client: Client, args: Arguments): void {
  const pattern = args.text(1);
  const glob = pattern === '*' ? null : globOf(pattern);
  if (typeof glob === 'string') return client.out.error(glob);
  const found: string[] = [];
  let foundBytes = 0;
  const pending = client.beginAlone();
  sweep(
    client,
    ALL_KEYS,
    (records, goOn) => {
      const all = records.map(({ key }) => key);
      matchingKeys(client, glob, all, (matching) => {
        for (const key of matching) {
          found.push(key);
          foundBytes += Buffer.byteLength(key) + KEY_FRAME_BYTES;
        }
        goOn(foundBytes > RESP_REPLY_BYTES_MAX ? `${TOO_MANY_KEYS}: use SCAN` : undefined);
      });
    },
    (why) =>
      pending.end((out) => {
        if (why !== null) return out.error(why);
        out.array(found.length);
        for (const key of found) out.bulkText(key);
      }),
  );
}

function size(client: Client): void {
  const pending = client.beginAlone();
  const tell = (count: number, why: string | null): void =>
    pending.end((out) => (why === null ? out.integer(count) : out.error(why)));
  const { door } = client;
  if (door.sweeps >= RESP_SWEEPS_MAX) return tell(0, TOO_MANY_SWEEPS);
  door.sweeps += 1;
  client.api.operate({ kind: 'count' }, OPERATION_TIMEOUT_MS_DEFAULT, (answer) => {
    door.sweeps -= 1;
    if (answer.kind === 'counted') return tell(answer.count, answer.incomplete ? INCOMPLETE : null);
    if (answer.kind !== 'failed') return tell(0, 'INDEFINITE internal: an odd answer');
    // A member of an earlier version cannot count its keys, so the keys are read.
    if (answer.failure.code === 'upgrade_unfinished') return readSize(client, tell);
    tell(0, errorText(answer.failure));
  });
}

function readSize(client: Client, tell: (count: number, why: string | null) => void): void {
  let count = 0;
  sweep(
    client,
    ALL_KEYS,
    (records, goOn) => {
      count += records.length;
      goOn();
    },
    (why) => tell(count, why),
  );
}

function randomKey(client: Client): void {
  const pending = client.beginAlone();
  let found: string | null = null;
  const attempt = (left: number): void => {
    const slot = Math.floor(Math.random() * SLOT_COUNT);
    // After the last attempt the very first keys are tried; if there are none, there is no key at all.
    const after = left === 0 ? null : cursorOf({ slot, afterKey: '' });
    sweep(
      client,
      { ...ALL_KEYS, after, isShort: true, limit: RANDOM_CHOICE },
      (records, goOn) => {
        if (records.length === 0) return goOn();
        found = records[Math.floor(Math.random() * records.length)]!.key;
        goOn(FOUND);
      },
      (why) => {
        const key = found;
        if (key !== null) return pending.end((out) => out.bulkText(key));
        if (why !== null) return pending.end((out) => out.error(why));
        if (left === 0) return pending.end((out) => out.nil());
        attempt(left - 1);
      },
    );
  };
  attempt(RANDOM_ATTEMPTS_MAX);
}

function flush(client: Client, args: Arguments): void {
  const mode = args.count === 2 ? args.upper(1) : '';
  if (args.count > 2 || (mode !== '' && mode !== 'SYNC' && mode !== 'ASYNC'))
    return client.out.error(SYNTAX_ERROR);
  if (!client.door.settings.mayFlush) {
    return client.out.error('ERR deleting all keys at once is not allowed here (resp.mayFlush)');
  }
  const pending = client.beginAlone();
  client.door.tracking.flush();
  const removed: Removed = { count: 0, isInDoubt: false };
  sweep(
    client,
    ALL_KEYS,
    (records, goOn) => untraced(client, () => removeAll(client, records, removed, goOn)),
    (why) => pending.end((out) => (why === null ? out.ok() : out.error(flushFailure(why, removed)))),
  );
}

interface Removed {
  count: number;
  /** The outcome of some deletions is not known. */
  isInDoubt: boolean;
}

function removeAll(
  client: Client,
  records: readonly KeyRecord[],
  removed: Removed,
  done: (why?: string) => void,
): void {
  let left = records.length;
  let problem: string | undefined;
  if (left === 0) return done();
  for (const { key } of records) {
    client.write({ kind: 'delete', key, operationId: null }, (result) => {
      if (result.kind !== 'failed') removed.count += 1;
      else {
        problem ??= errorText(result.failure);
        removed.isInDoubt ||= certaintyOf(result.failure.code) === 'indefinite';
      }
      left -= 1;
      if (left === 0) done(problem);
    });
  }
}

/** Once a key is gone, or may be, the error must not claim that nothing happened. */
function flushFailure(why: string, { count, isInDoubt }: Removed): string {
  if (count === 0 && !isInDoubt) return why;
  return `INDEFINITE some keys were deleted, ${count} for certain: ${why}`;
}

const PATTERN_BOUND = `A pattern has at most ${KEY_BYTES_MAX} bytes.`;
const PAGES = 'Read page by page: what is written meanwhile may or may not be seen. Not within MULTI.';
const EACH = 'Each key is deleted by itself; only with `resp.mayFlush`. Not within MULTI.';

export const KEYSPACE_BODIES: Readonly<Record<string, CommandBody>> = {
  scan: {
    run: scan,
    isAlone: true,
    differs: `COUNT is at most ${SCAN_PAGE_RECORDS_MAX}; a cursor is taken by every node, and at another one, or long after, the whole slot is told, whatever COUNT says. ${PATTERN_BOUND} Not within MULTI.`,
  },
  keys: { run: keys, isAlone: true, differs: `${PATTERN_BOUND} ${PAGES}` },
  dbsize: { run: size, isAlone: true, differs: 'Asks the members at one moment. Not within MULTI.' },
  randomkey: {
    run: randomKey,
    isAlone: true,
    differs: 'From among the keys behind a random slot: not evenly. Not within MULTI.',
  },
  flushall: { run: flush, isAlone: true, differs: EACH },
  flushdb: { run: flush, isAlone: true, differs: EACH },
};
