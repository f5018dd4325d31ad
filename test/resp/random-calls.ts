/**
 * Calls that nobody thought of: every supported command, with any number of its options in any order and case, with
 * words too many, too few, or of another kind. Drawn from a seed. Everything in them has exactly one correct reply, so
 * that nothing depends on a clock, on chance, or on deliberate differences.
 */
import { Prng } from '../../src/base/prng.ts';
import { IN_TRANSACTIONS, OF_CLUSTER, OF_KEYS, OF_ONE_KEY, OF_SERVICE, WORDS } from './call-shapes.ts';
import type { Shape } from './call-shapes.ts';
import { sequenceOf } from './sequence.ts';
import type { Sequence } from './sequence.ts';

type Draw = <Item>(items: readonly Item[]) => Item;

/** Where both deliberately differ: test/resp/differences.ts. */
const BY_DESIGN = [
  /^MSETNX( \S+){3,}/i,
  /^[a-z]+ HELP$/i,
  /^COMMAND( INFO| DOCS)?$/i,
  /^COPY .* DB 1$/i,
  /^CLIENT LIST$/i,
  /^OBJECT REFCOUNT (?!none$)\S+$/i,
];

interface Family {
  readonly server: Sequence['server'];
  readonly shapes: readonly (readonly Shape[])[];
}

const FAMILIES: readonly Family[] = [
  { server: 'plain', shapes: [OF_ONE_KEY, OF_ONE_KEY, OF_KEYS] },
  { server: 'plain', shapes: [OF_ONE_KEY, OF_KEYS, OF_SERVICE] },
  { server: 'plain', shapes: [OF_SERVICE] },
  { server: 'cluster', shapes: [OF_ONE_KEY, OF_CLUSTER] },
];

/** The final steps; for a cluster, which refuses keys of several slots, one key at a time. */
const ENDS: Readonly<Record<Sequence['server'], readonly string[]>> = {
  plain: ['MGET a b c {t}d', 'EXPIRETIME a', 'PEXPIRETIME b', 'KEYS *', 'CLIENT GETNAME'],
  cluster: ['GET a', 'GET b', 'EXPIRETIME a', 'PEXPIRETIME b', 'KEYS *'],
};

export function randomCalls(seed: number, length: number): Sequence {
  const prng = new Prng(seed);
  const draw: Draw = (items) => items[prng.below(items.length)]!;
  const { server, shapes } = draw(FAMILIES);
  const lines: string[] = [];
  if (prng.below(3) === 0) lines.push('HELLO 3');
  while (lines.length < length) {
    if (server === 'plain' && prng.below(14) === 0) lines.push(...transaction(draw));
    else lines.push(called(draw, draw(draw(shapes))));
  }
  lines.push(...ENDS[server]);
  return sequenceOf('random', `calls of seed ${seed}`, server, lines.filter(isComparable));
}

function isComparable(line: string): boolean {
  return !BY_DESIGN.some((one) => one.test(line));
}

/** One call, mostly a valid one. */
function called(draw: Draw, [needs, ...options]: Shape): string {
  const words = needs.split(' ').map((word) => wordOf(draw, word));
  const count = draw([0, 1, 1, 2, 2, 3]);
  for (let at = 0; at < count && options.length > 0; at += 1) {
    words.push(
      ...draw(options)
        .split(' ')
        .map((word) => wordOf(draw, word)),
    );
  }
  const fault = draw(['', '', '', '', '', '', '', 'less', 'more', 'other']);
  if (words[0] !== '@scan') {
    if (fault === 'less' && words.length > 1) words.pop();
    if (fault === 'more') words.push(wordOf(draw, 'word'));
    if (fault === 'other' && words.length > 2) words[words.length - 1] = wordOf(draw, 'word');
  }
  return words.join(' ');
}

function wordOf(draw: Draw, word: string): string {
  const choices = WORDS[word];
  if (choices !== undefined) return draw(choices);
  return /^[A-Z]+$/.test(word) && draw([0, 0, 0, 1]) === 1 ? word.toLowerCase() : word;
}

/** Changes of one key, because with several changed keys the reply differs from that of Redis. */
function transaction(draw: Draw): string[] {
  const key = wordOf(draw, 'key');
  const lines: string[] = [];
  if (draw([0, 1]) === 1) {
    lines.push(`WATCH ${key} ${wordOf(draw, 'key')}`);
    if (draw([0, 1]) === 1) lines.push(`2> SET ${wordOf(draw, 'key')} ${wordOf(draw, 'value')}`);
  }
  const body = Array.from({ length: draw([0, 1, 2, 3, 5]) }, () => {
    if (draw([0, 0, 0, 0, 1]) === 1) return called(draw, draw(IN_TRANSACTIONS));
    const [needs, ...options] = draw(OF_ONE_KEY.filter(([shape]) => !TELLS_TIME.test(shape)));
    return called(draw, [needs.replace(' key', ` ${key}`), ...options]);
  });
  return [...lines, 'MULTI', ...body, draw(['EXEC', 'EXEC', 'EXEC', 'DISCARD', 'RESET'])];
}

/** Within the replies of EXEC no rule recognises a time. */
const TELLS_TIME = /^(P?(TTL|EXPIRETIME)|OBJECT IDLETIME) /;
