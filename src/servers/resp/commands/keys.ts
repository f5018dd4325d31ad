/** Commands about keys as such: do they exist, delete them, what type are they. */
import type { Arguments } from '../arguments.ts';
import type { CommandBody, Planner } from '../command.ts';
import { NOT_AN_INTEGER, SYNTAX_ERROR } from '../error-replies.ts';
import { reading, SHORT } from '../plan.ts';
import type { Outcome, Plan } from '../plan.ts';
import type { ReplyWriter } from '../reply-writer.ts';
import { keyError } from './parsing.ts';
import { helpOf } from './help.ts';

const REMOVE = { kind: 'remove', tellPrevious: false } as const;
/** Strings up to this many bytes are stored by Redis together with their header. */
const EMBEDDED_BYTES_MAX = 44;
const INTEGER = /^(?:0|-?[1-9]\d{0,18})$/;
const INT64_MAX = 2n ** 63n - 1n;
/** Bytes that a record takes besides its key and value, in memory and on disk. */
const RECORD_BYTES = 96;

function respondCount(out: ReplyWriter, outcomes: readonly Outcome[]): void {
  let count = 0;
  for (const outcome of outcomes) {
    if (outcome.kind === 'read' ? outcome.standing !== undefined : outcome.result.existed) count += 1;
  }
  out.integer(count);
}

function keysFrom(args: Arguments): string[] | string {
  const keys: string[] = [];
  for (let at = 1; at < args.count; at += 1) {
    const key = args.key(at);
    if (key === undefined) return keyError(args, at);
    keys.push(key);
  }
  return keys;
}

function remove(args: Arguments): Plan | string {
  const keys = keysFrom(args);
  if (typeof keys === 'string') return keys;
  return { steps: [...new Set(keys)].map((key) => ({ key, change: REMOVE })), respond: respondCount };
}

function count(args: Arguments): Plan | string {
  const keys = keysFrom(args);
  if (typeof keys === 'string') return keys;
  return {
    steps: keys.map((key) => ({ key, change: null })),
    respond: respondCount,
    replyBytes: SHORT,
    tellsPresence: true,
  };
}

function type(args: Arguments): Plan | string {
  const key = args.key(1);
  if (key === undefined) return keyError(args, 1);
  return reading(key, (out, standing) => out.simple(standing === undefined ? 'none' : 'string'), SHORT);
}

function encodingOf(value: Uint8Array): string {
  if (value.length <= 20) {
    const text = Buffer.from(value).toString('latin1');
    if (INTEGER.test(text) && BigInt(text) <= INT64_MAX && BigInt(text) >= -INT64_MAX - 1n) return 'int';
  }
  return value.length <= EMBEDDED_BYTES_MAX ? 'embstr' : 'raw';
}

function aboutValue(respond: (out: ReplyWriter, value: Uint8Array) => void): Planner {
  return (args) => {
    const key = args.key(2);
    if (key === undefined) return keyError(args, 2);
    return reading(
      key,
      (out, standing) => {
        if (standing === undefined) out.nil();
        else respond(out, standing.value);
      },
      SHORT,
    );
  };
}

function memoryUsage(args: Arguments): Plan | string {
  for (let at = 3; at < args.count; at += 2) {
    if (args.upper(at) !== 'SAMPLES' || at + 1 === args.count) return SYNTAX_ERROR;
    const samples = args.integer(at + 1);
    if (samples === undefined) return NOT_AN_INTEGER;
    if (samples < 0n) return SYNTAX_ERROR;
  }
  const key = args.key(2);
  if (key === undefined) return keyError(args, 2);
  return reading(
    key,
    (out, standing) => {
      if (standing === undefined) out.nil();
      else out.integer(RECORD_BYTES + args.length(2) + standing.value.length);
    },
    SHORT,
  );
}

const EACH = 'Each key is deleted by itself; a failure may leave some deleted.';

export const KEY_BODIES: Readonly<Record<string, CommandBody>> = {
  del: { plan: remove, differs: EACH },
  unlink: { plan: remove, differs: EACH },
  exists: { plan: count, differs: 'Each key is looked at by itself, not all at one moment.' },
  touch: { plan: count, differs: 'There is no time of last use.' },
  type: { plan: type },
  'object|encoding': {
    plan: aboutValue((out, value) => out.bulkText(encodingOf(value))),
    differs: 'By the value alone: Redis also says `raw` of a short text that was appended to.',
  },
  'object|refcount': {
    plan: aboutValue((out) => out.integer(1)),
    differs: 'Always 1.',
  },
  'object|idletime': {
    plan: aboutValue((out) => out.integer(0)),
    differs: 'Always 0: there is no time of last use.',
  },
  'object|freq': {
    plan: aboutValue((out) =>
      out.error(
        'ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.',
      ),
    ),
  },
  'object|help': helpOf('OBJECT', ['ENCODING <key>', 'FREQ <key>', 'IDLETIME <key>', 'REFCOUNT <key>']),
  'memory|usage': { plan: memoryUsage, differs: 'An estimate of one copy on one node.' },
};
