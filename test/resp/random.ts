/**
 * Sequences that nobody thought of: random commands over three keys, drawn from a seed. Everything in them has exactly
 * one correct reply, so nothing depends on a clock or on chance.
 */
import { Prng } from '../../src/base/prng.ts';
import { sequenceOf } from './sequence.ts';
import type { Sequence } from './sequence.ts';

const KEYS = ['a', 'b', 'c'];
const VALUES = [
  '1',
  '-7',
  '10',
  '3.5',
  'x',
  'hello',
  '""',
  '9223372036854775807',
  '1e3',
  '"a b"',
  '"\\x00\\xff"',
  '007',
  '-9223372036854775808',
  '0.1',
];
const WHOLE = ['0', '1', '-1', '5', '100', '-20', '9223372036854775807', 'x', '1.5'];
const BROKEN = ['0.1', '-2.5', '1e2', '3', 'x', '100.25'];
const OFFSETS = ['0', '1', '2', '5', '-1', '-3', '10', '100'];
const TIMES = ['EX 100', 'PX 50000', 'EXAT 4099000000', 'KEEPTTL'];

type Draw = <Item>(items: readonly Item[]) => Item;

export function randomSequence(seed: number, length: number): Sequence {
  const prng = new Prng(seed);
  const draw: Draw = (items) => items[prng.below(items.length)]!;
  const lines: string[] = [];
  if (prng.below(4) === 0) lines.push('HELLO 3');
  while (lines.length < length) {
    if (prng.below(12) === 0) lines.push(...transaction(draw));
    else lines.push(draw(COMMANDS)(draw, draw(KEYS)));
  }
  lines.push('MGET a b c', 'EXPIRETIME a', 'EXPIRETIME b', 'EXPIRETIME c', 'DBSIZE', 'KEYS *');
  return sequenceOf('random', `seed ${seed}`, 'plain', lines);
}

/** On one key, because with several changed keys the reply differs from that of Redis. */
function transaction(draw: Draw): string[] {
  const key = draw(KEYS);
  const body = Array.from({ length: draw([1, 2, 3]) }, () => draw(OF_ONE_KEY)(draw, key));
  return ['MULTI', ...body, draw(['EXEC', 'EXEC', 'EXEC', 'DISCARD'])];
}

type Command = (draw: Draw, key: string) => string;

const OF_ONE_KEY: readonly Command[] = [
  (draw, key) => `SET ${key} ${draw(VALUES)}`,
  (draw, key) => `SET ${key} ${draw(VALUES)}`,
  (draw, key) => `SET ${key} ${draw(VALUES)} ${draw(['NX', 'XX', 'GET', 'XX GET'])}`,
  (draw, key) => `SET ${key} ${draw(VALUES)} ${draw(TIMES)}`,
  (draw, key) => `SET ${key} ${draw(VALUES)} ${draw(['NX', 'XX', 'GET'])} ${draw(TIMES)}`,
  (_draw, key) => `GET ${key}`,
  (draw, key) =>
    `${draw(['INCR', 'DECR', 'STRLEN', 'GETDEL', 'EXISTS', 'PERSIST', 'DEL', 'TYPE', 'UNLINK'])} ${key}`,
  (draw, key) => `${draw(['INCRBY', 'DECRBY'])} ${key} ${draw(WHOLE)}`,
  (draw, key) => `INCRBYFLOAT ${key} ${draw(BROKEN)}`,
  (draw, key) => `APPEND ${key} ${draw(VALUES)}`,
  (draw, key) => `SETRANGE ${key} ${draw(OFFSETS)} ${draw(VALUES)}`,
  (draw, key) => `${draw(['GETRANGE', 'SUBSTR'])} ${key} ${draw(OFFSETS)} ${draw(OFFSETS)}`,
  (draw, key) => `${draw(['GETSET', 'SETNX'])} ${key} ${draw(VALUES)}`,
  (draw, key) =>
    `EXPIREAT ${key} ${draw(['4098000000', '4099000000', '1'])} ${draw(['NX', 'XX', 'GT', 'LT'])}`,
  (draw, key) => `GETEX ${key} ${draw(['EXAT 4098000000', 'PERSIST', 'EX 100'])}`,
];

const COMMANDS: readonly Command[] = [
  ...OF_ONE_KEY,
  ...OF_ONE_KEY,
  (draw, key) => `${draw(['RENAME', 'RENAMENX', 'COPY'])} ${key} ${draw(KEYS)}`,
  (draw, key) => `COPY ${key} ${draw(KEYS)} REPLACE`,
  (draw, key) => `MSET ${key} ${draw(VALUES)} ${draw(KEYS)} ${draw(VALUES)}`,
  (draw, key) => `${draw(['MGET', 'DEL', 'EXISTS', 'TOUCH'])} ${key} ${draw(KEYS)}`,
  (draw, key) => `LCS ${key} ${draw(KEYS)} ${draw(['', 'LEN', 'IDX WITHMATCHLEN'])}`.trim(),
  (draw, key) => `EXPIRE ${key} ${draw(['100', '-1', '200 NX', '50 LT', '300 GT'])}`,
  (_draw, key) => `TTL ${key}`,
];
