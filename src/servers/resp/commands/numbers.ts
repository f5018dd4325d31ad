/** Commands on values that are numbers: 64-bit decimal text, or with a fraction. */
import { DECIMAL_LENGTH_MAX } from '../../../core/modify/decimal.ts';
import type { Arguments } from '../arguments.ts';
import type { CommandBody } from '../command.ts';
import { NOT_AN_INTEGER } from '../error-replies.ts';
import { changing } from '../plan.ts';
import type { Plan } from '../plan.ts';
import { keyError } from './parsing.ts';

const INT64_MIN = -(2n ** 63n);
const NOT_ASCII = /[^\0-\x7f]/;

function add(args: Arguments, delta: bigint): Plan | string {
  const key = args.key(1);
  if (key === undefined) return keyError(args, 1);
  return changing(key, { kind: 'increment', delta }, (out, { text }) => out.integer(BigInt(text ?? 0)));
}

function addGiven(args: Arguments): Plan | string {
  const delta = args.integer(2);
  return delta === undefined ? NOT_AN_INTEGER : add(args, delta);
}

function takeGiven(args: Arguments): Plan | string {
  const delta = args.integer(2);
  if (delta === undefined) return NOT_AN_INTEGER;
  return delta === INT64_MIN ? 'ERR decrement would overflow' : add(args, -delta);
}

function addDecimal(args: Arguments): Plan | string {
  const key = args.key(1);
  if (key === undefined) return keyError(args, 1);
  const delta = args.text(2);
  if (delta.length > DECIMAL_LENGTH_MAX || NOT_ASCII.test(delta)) return 'ERR value is not a valid float';
  return changing(key, { kind: 'incrementDecimal', delta }, (out, { text }) => out.bulkText(text ?? ''));
}

export const NUMBER_BODIES: Readonly<Record<string, CommandBody>> = {
  incr: { plan: (args) => add(args, 1n) },
  decr: { plan: (args) => add(args, -1n) },
  incrby: { plan: addGiven },
  decrby: { plan: takeGiven },
  incrbyfloat: {
    plan: addDecimal,
    differs: 'On every machine the digits of a Redis on x86-64, whose long double has 80 bits.',
  },
};
