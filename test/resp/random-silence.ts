/**
 * Calls while replies are switched off, left out once, and switched on again, drawn from a seed: in pipelines, within
 * MULTI, with faulty calls, with channels, and with what a RESP3 server pushes all the same. Which calls are answered
 * is what is asked, so the bytes of all replies are compared as a whole.
 */
import { Prng } from '../../src/base/prng.ts';

type Draw = <Item>(items: readonly Item[]) => Item;

const CHANNEL = '__redis__:invalidate';
/** The last reply of every sequence. */
export const END = 'that-is-all';

const MODES = [
  ...[
    'OFF',
    'OFF',
    'OFF',
    'SKIP',
    'SKIP',
    'SKIP',
    'SKIP',
    'ON',
    'ON',
    'ON',
    'off',
    'skip',
    'On',
    'x',
    'SKIP x',
  ],
  ...['ON x', 'OFF x', ''],
];
const KEYS = ['a', 'b', 'c'];
/** Within MULTI one key is written, because with several the reply differs from that of Redis. */
const KEY_OF_TRANSACTIONS = ['a'];

const CALLS: readonly ((draw: Draw, keys: readonly string[]) => string)[] = [
  ...Array<(draw: Draw) => string>(6).fill((draw) => `CLIENT REPLY ${draw(MODES)}`.trim()),
  (draw, keys) => `SET ${draw(keys)} ${draw(['1', 'x', '5'])}`,
  (draw, keys) => `${draw(['GET', 'INCR', 'DEL'])} ${draw(keys)}`,
  (draw, keys) => `${draw(['APPEND', 'GETSET', 'SETNX'])} ${draw(keys)} 7`,
  (draw) => `MGET ${draw(KEYS)} ${draw(KEYS)}`,
  (draw) => draw(['PING', 'PING x', 'ECHO one', 'ECHO two', 'CLIENT GETNAME', 'CLIENT SETNAME me']),
  (draw) =>
    draw(['FOO', 'GET', 'GET a b', 'SET a 1 BAR', 'CLIENT', 'CLIENT FOO', 'ECHO', 'PING a b', 'HELLO 9']),
  (draw) => draw(['MULTI', 'MULTI', 'EXEC', 'EXEC', 'DISCARD', 'WATCH a', 'UNWATCH', 'WATCH']),
  (draw) => draw(['HELLO 2', 'HELLO 3', 'HELLO', 'RESET', 'HELLO 3 SETNAME me']),
  (draw) =>
    draw(['SUBSCRIBE', 'UNSUBSCRIBE', 'UNSUBSCRIBE x', 'UNSUBSCRIBE']).replace(/SUBSCRIBE$/, `$& ${CHANNEL}`),
  (draw) =>
    draw([
      'CLIENT TRACKING ON',
      'CLIENT TRACKING ON',
      'CLIENT TRACKING OFF',
      'CLIENT TRACKING ON OPTIN',
      'CLIENT CACHING YES',
    ]),
];

export function randomSilence(seed: number, length: number): string[] {
  const prng = new Prng(seed);
  const draw: Draw = (items) => items[prng.below(items.length)]!;
  const lines = prng.below(2) === 0 ? ['HELLO 3'] : [];
  let isInTransaction = false;
  while (lines.length < length) {
    const line = draw(CALLS)(draw, isInTransaction ? KEY_OF_TRANSACTIONS : KEYS);
    lines.push(line);
    isInTransaction = line === 'MULTI' || (isInTransaction && !/^(EXEC|DISCARD|RESET)$/.test(line));
  }
  return [...lines, 'DISCARD', `UNSUBSCRIBE ${CHANNEL}`, 'CLIENT REPLY ON', `ECHO ${END}`];
}
