/** Commands that set, read and remove times to live. */
import type { ExpireCondition } from '../../../core/modify/change.ts';
import type { Arguments } from '../arguments.ts';
import type { CommandBody } from '../command.ts';
import { changing, reading, SHORT } from '../plan.ts';
import type { Plan } from '../plan.ts';
import { expiryOf, keyError } from './parsing.ts';
import type { TimeForm } from './parsing.ts';

function expire(name: string, form: TimeForm): CommandBody {
  return {
    differs: 'At most 1,000 years from now.',
    plan: (args) => {
      const condition = conditionOf(args);
      if (!isCondition(condition)) return condition;
      const key = args.key(1);
      if (key === undefined) return keyError(args, 1);
      const expiresAt = expiryOf(args, 2, form, true, name);
      if (typeof expiresAt === 'string') return expiresAt;
      return changing(
        key,
        { kind: 'expire', expiresAt, condition, tellPrevious: false },
        (out, { applied }) => out.integer(applied ? 1 : 0),
      );
    },
  };
}

const CONDITIONS: readonly ExpireCondition[] = [
  ...(['always', 'ifNone', 'ifSome', 'ifLater', 'ifSooner', 'ifSomeAndSooner'] as const),
];

function isCondition(text: string): text is ExpireCondition {
  return (CONDITIONS as readonly string[]).includes(text);
}

/** Returns the condition, or the text of an error. */
function conditionOf(args: Arguments): string {
  const words = new Set<string>();
  for (let at = 3; at < args.count; at += 1) {
    const word = args.upper(at);
    if (!['NX', 'XX', 'GT', 'LT'].includes(word)) return `ERR Unsupported option ${args.shown(at)}`;
    words.add(word);
  }
  const isAmong = (word: string): boolean => words.has(word);
  if (isAmong('NX') && (isAmong('XX') || isAmong('GT') || isAmong('LT'))) {
    return 'ERR NX and XX, GT or LT options at the same time are not compatible';
  }
  if (isAmong('GT') && isAmong('LT')) return 'ERR GT and LT options at the same time are not compatible';
  if (isAmong('NX')) return 'ifNone';
  // A key that never expires counts as later than any time, so GT requires an existing expiry.
  if (isAmong('GT')) return 'ifLater';
  if (isAmong('LT')) return isAmong('XX') ? 'ifSomeAndSooner' : 'ifSooner';
  return isAmong('XX') ? 'ifSome' : 'always';
}

/** -2: no such key; -1: it never expires. */
function timeOf(told: (expiresAt: number) => number): CommandBody {
  return {
    plan: (args) => {
      const key = args.key(1);
      if (key === undefined) return keyError(args, 1);
      return reading(
        key,
        (out, standing) => {
          if (standing === undefined) out.integer(-2);
          else out.integer(standing.expiresAt === 0 ? -1 : told(standing.expiresAt));
        },
        SHORT,
      );
    },
  };
}

function persist(args: Arguments): Plan | string {
  const key = args.key(1);
  if (key === undefined) return keyError(args, 1);
  return changing(key, { kind: 'persist', tellPrevious: false }, (out, { applied }) =>
    out.integer(applied ? 1 : 0),
  );
}

const inSeconds = (ms: number): number => Math.floor((ms + 500) / 1000);
const left = (expiresAt: number): number => Math.max(0, expiresAt - Date.now());

export const EXPIRY_BODIES: Readonly<Record<string, CommandBody>> = {
  expire: expire('expire', { unit: 1000, isRelative: true }),
  pexpire: expire('pexpire', { unit: 1, isRelative: true }),
  expireat: expire('expireat', { unit: 1000, isRelative: false }),
  pexpireat: expire('pexpireat', { unit: 1, isRelative: false }),
  ttl: timeOf((expiresAt) => inSeconds(left(expiresAt))),
  pttl: timeOf(left),
  expiretime: timeOf(inSeconds),
  pexpiretime: timeOf((expiresAt) => expiresAt),
  persist: { plan: persist },
};
