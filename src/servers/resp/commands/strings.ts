/** The string family: values are bytes, and each command is one read or one change of its key. */
import type { Change, ChangeResult } from '../../../core/modify/change.ts';
import type { KeyRecord } from '../../../core/record.ts';
import type { Arguments } from '../arguments.ts';
import type { Client } from '../client.ts';
import type { CommandBody } from '../command.ts';
import { SYNTAX_ERROR } from '../error-replies.ts';
import { changing, reading, SHORT } from '../plan.ts';
import type { Plan, Standing } from '../plan.ts';
import type { ReplyWriter } from '../reply-writer.ts';
import { lcs } from './subsequence.ts';
import { expiryOf, keyError, sliceOf, TIME_FORMS } from './parsing.ts';
import { setOptions } from './set-options.ts';

const KEEPS = { expiresAt: 0, tellPrevious: false } as const;

function respondValue(out: ReplyWriter, record: KeyRecord | Standing | undefined): void {
  if (record === undefined) out.nil();
  else out.bulk(record.value);
}

function respondPrevious(out: ReplyWriter, { previous }: { readonly previous: Uint8Array | null }): void {
  if (previous === null) out.nil();
  else out.bulk(previous);
}

function respondLength(out: ReplyWriter, { length }: { readonly length: number }): void {
  out.integer(length);
}

/** The hit path: allocates nothing but the key's string. */
function get(client: Client, args: Arguments): void {
  const key = args.key(1);
  if (key === undefined) client.out.error(keyError(args, 1));
  else client.read(key, respondValue);
}

function getPlan(args: Arguments): Plan | string {
  const key = args.key(1);
  return key === undefined ? keyError(args, 1) : reading(key, respondValue);
}

function set(args: Arguments): Plan | string {
  const key = args.key(1);
  if (key === undefined) return keyError(args, 1);
  const options = setOptions(args, 3, 'set');
  if (options === undefined) return SYNTAX_ERROR;
  const { condition, tellPrevious, time, keepsTime } = options;
  const expiresAt = time === null ? 0 : expiryOf(args, time.at, time.form, false, 'set');
  if (typeof expiresAt === 'string') return expiresAt;
  const change: Change = {
    kind: 'set',
    value: args.bytes(2),
    condition,
    expiresAt: keepsTime ? 'keep' : expiresAt,
    tellPrevious,
  };
  const isPointInTime = time !== null && !time.form.isRelative;
  const respond = (out: ReplyWriter, result: ChangeResult): void => {
    if (tellPrevious) respondPrevious(out, result);
    else if (result.applied) out.ok();
    else out.nil();
  };
  return changing(key, change, respond, isPointInTime);
}

/** SETEX and PSETEX: key, time, value. */
function setFor(form: 'EX' | 'PX', name: string): (args: Arguments) => Plan | string {
  return (args) => {
    const key = args.key(1);
    if (key === undefined) return keyError(args, 1);
    const expiresAt = expiryOf(args, 2, TIME_FORMS[form]!, false, name);
    if (typeof expiresAt === 'string') return expiresAt;
    const value = args.bytes(3);
    const change: Change = { kind: 'set', value, condition: 'always', expiresAt, tellPrevious: false };
    return changing(key, change, (out) => out.ok());
  };
}

function setIfAbsent(args: Arguments): Plan | string {
  const key = args.key(1);
  if (key === undefined) return keyError(args, 1);
  const change: Change = { kind: 'set', value: args.bytes(2), condition: 'ifAbsent', ...KEEPS };
  return changing(key, change, (out, { applied }) => out.integer(applied ? 1 : 0));
}

function getAndSet(args: Arguments): Plan | string {
  const key = args.key(1);
  if (key === undefined) return keyError(args, 1);
  const value = args.bytes(2);
  const change: Change = { kind: 'set', value, condition: 'always', expiresAt: 0, tellPrevious: true };
  return changing(key, change, respondPrevious);
}

function getAndDelete(args: Arguments): Plan | string {
  const key = args.key(1);
  if (key === undefined) return keyError(args, 1);
  return changing(key, { kind: 'remove', tellPrevious: true }, respondPrevious);
}

function getAndExpire(args: Arguments): Plan | string {
  const key = args.key(1);
  if (key === undefined) return keyError(args, 1);
  if (args.count === 2) return reading(key, respondValue);
  const options = setOptions(args, 2, 'getex');
  if (options === undefined) return SYNTAX_ERROR;
  if (options.time === null) return changing(key, { kind: 'persist', tellPrevious: true }, respondPrevious);
  const { at, form } = options.time;
  const expiresAt = expiryOf(args, at, form, false, 'getex');
  if (typeof expiresAt === 'string') {
    // The key is looked up first: if it is absent, the time does not matter.
    return reading(
      key,
      (out, standing) => {
        if (standing === undefined) out.nil();
        else out.error(expiresAt);
      },
      SHORT,
    );
  }
  return changing(
    key,
    { kind: 'expire', expiresAt, condition: 'always', tellPrevious: true },
    respondPrevious,
  );
}

function getMany(args: Arguments): Plan | string {
  const keys: string[] = [];
  for (let at = 1; at < args.count; at += 1) {
    const key = args.key(at);
    if (key === undefined) return keyError(args, at);
    keys.push(key);
  }
  return {
    steps: keys.map((key) => ({ key, change: null })),
    respond: (out, outcomes) => {
      out.array(outcomes.length);
      for (const outcome of outcomes)
        respondValue(out, outcome.kind === 'read' ? outcome.standing : undefined);
    },
  };
}

function setMany(args: Arguments): Plan | string {
  if (args.count % 2 === 0) return "ERR wrong number of arguments for 'mset' command";
  const last = new Map<string, Uint8Array>();
  for (let at = 1; at < args.count; at += 2) {
    const key = args.key(at);
    if (key === undefined) return keyError(args, at);
    // If a key is named twice, the last value counts.
    last.set(key, args.bytes(at + 1));
  }
  return {
    steps: [...last].map(([key, value]) => ({
      key,
      change: { kind: 'set', value, condition: 'always', ...KEEPS },
    })),
    respond: (out) => out.ok(),
  };
}

function setManyIfAbsent(args: Arguments): Plan | string {
  if (args.count % 2 === 0) return "ERR wrong number of arguments for 'msetnx' command";
  if (args.count > 3) return 'ERR MSETNX sets one key here: there are no transactions over several';
  return setIfAbsent(args);
}

function append(args: Arguments): Plan | string {
  const key = args.key(1);
  if (key === undefined) return keyError(args, 1);
  return changing(key, { kind: 'append', value: args.bytes(2) }, respondLength);
}

function length(args: Arguments): Plan | string {
  const key = args.key(1);
  if (key === undefined) return keyError(args, 1);
  return reading(key, (out, standing) => out.integer(standing?.value.length ?? 0), SHORT);
}

function setRange(args: Arguments, client: Client): Plan | string {
  const key = args.key(1);
  if (key === undefined) return keyError(args, 1);
  const offset = args.integer(2);
  if (offset === undefined) return 'ERR value is not an integer or out of range';
  if (offset < 0n) return 'ERR offset is out of range';
  const value = args.bytes(3);
  const { valueBytesMax } = client.door;
  // An empty value writes nothing: the offset does not matter, and no key is created.
  if (value.length === 0)
    return reading(key, (out, standing) => out.integer(standing?.value.length ?? 0), SHORT);
  if (offset + BigInt(value.length) > BigInt(valueBytesMax)) {
    return 'ERR string exceeds maximum allowed size (proto-max-bulk-len)';
  }
  return changing(key, { kind: 'overwrite', offset: Number(offset), value }, respondLength);
}

function getRange(args: Arguments): Plan | string {
  const key = args.key(1);
  if (key === undefined) return keyError(args, 1);
  const start = args.integer(2);
  const end = args.integer(3);
  if (start === undefined || end === undefined) return 'ERR value is not an integer or out of range';
  const span = start < 0n === end < 0n ? Number(end - start) + 1 : Infinity;
  return reading(
    key,
    (out, standing) =>
      out.bulk(standing === undefined ? new Uint8Array(0) : sliceOf(standing.value, start, end)),
    ([length = 0]) => Math.max(0, Math.min(length, span)),
  );
}

const TOO_LARGE = 'A value has at most `limits.valueBytesMax` bytes.';

export const STRING_BODIES: Readonly<Record<string, CommandBody>> = {
  get: { run: get, plan: getPlan },
  set: { plan: set, differs: TOO_LARGE },
  setnx: { plan: setIfAbsent, differs: TOO_LARGE },
  setex: { plan: setFor('EX', 'setex'), differs: TOO_LARGE },
  psetex: { plan: setFor('PX', 'psetex'), differs: TOO_LARGE },
  getset: { plan: getAndSet, differs: TOO_LARGE },
  getdel: { plan: getAndDelete },
  getex: { plan: getAndExpire },
  mget: {
    plan: getMany,
    differs:
      'Each key is read by itself, not all at one moment. The values of one answer have at most 16 MiB.',
  },
  mset: {
    plan: setMany,
    differs: 'Each key is set by itself: others may see some of them, and a failure may leave some set.',
  },
  msetnx: { plan: setManyIfAbsent, differs: 'One key only.' },
  append: { plan: append, differs: TOO_LARGE },
  strlen: { plan: length },
  setrange: { plan: setRange, differs: TOO_LARGE },
  getrange: { plan: getRange },
  substr: { plan: getRange },
  lcs: {
    plan: lcs,
    isAlone: true,
    differs: 'The values are bounded: the product of their lengths, each plus one, by 4 million.',
  },
};
