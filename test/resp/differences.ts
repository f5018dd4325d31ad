/**
 * Where the door deliberately answers differently from Redis: each with its reason, where it applies, and what the door
 * says instead. Each must occur in a recorded sequence, so that none outlives its cause. docs/REDIS.md explains them to
 * users.
 */
import type { Sequence, Step } from './sequence.ts';

export interface Difference {
  readonly reason: string;
  /** Titles of the sequences in which it applies. */
  readonly title: RegExp;
  /** Steps, and the door's complete reply to each, as it would be in a fixture. */
  readonly steps: readonly (readonly [step: RegExp, reply: RegExp])[];
}

const ABORTED = /^-EXECABORT Transaction discarded because of previous errors\.$/;
const TOO_FAR = /^-ERR invalid_argument: the time of expiry is more than \d+ milliseconds from now$/;
const ONE_KEY = /^-ERR MSETNX sets one key here: there are no transactions over several$/;
const notInMulti = (name: string): RegExp =>
  new RegExp(`^-ERR '${name}' is not possible between MULTI and EXEC here$`);

export const DIFFERENCES: readonly Difference[] = [
  {
    reason: 'A key is not empty.',
    title: /^MGET|^frames that are odd$/,
    steps: [[/"".*|GET\\n\$0\\n\\n"$/, /^-ERR invalid_argument: the key is empty$/]],
  },
  {
    reason: 'MSETNX sets one key.',
    title: /^MSETNX of several keys$|words$/,
    steps: [
      [/^MSETNX( \S+){4,}$/, ONE_KEY],
      [/^MGET a b$/, /^\*2\\n\$-1\\n\$-1$/],
      [/^MGET a b c$/, /^\*3\\n\$-1\\n\$-1\\n\$-1$/],
    ],
  },
  {
    reason: 'The encoding is told by the value alone, not by how it came to be.',
    title: /^OBJECT ENCODING after (APPEND|SETRANGE)$/,
    steps: [[/^OBJECT ENCODING k$/, /^\$\d\\n(int|embstr)$/]],
  },
  {
    reason: 'A key expires within 1,000 years.',
    title: /of every amount$/,
    steps: [[/^P?EXPIRE(AT)? k 9\d{15,18}$/, TOO_FAR]],
  },
  {
    reason: 'What moves a key, or is about all keys, is not done in a transaction.',
    title: /^EXEC of every command$|^a command that fails within EXEC|^in MULTI: DBSIZE$/,
    steps: [
      [/^COPY k k$/, notInMulti('copy')],
      [/^RENAME none none$/, notInMulti('rename')],
      [/^DBSIZE$/, notInMulti('dbsize')],
      [/^EXEC$/, ABORTED],
      // As if nothing of the transaction had been done.
      [/^GET k$/, /^(\$-1|\$4\\ntext)$/],
      [/^EXPIRETIME k$/, /^(:-2|<100 ahead>)$/],
    ],
  },
  {
    reason: 'A watched key that was absent, and is absent again, is unchanged.',
    title: /^made and removed$/,
    steps: [[/^EXEC$/, /^\*1\\n\+OK$/]],
  },
  {
    reason: 'There is one database, as in a Redis Cluster.',
    title: /^SELECT of another$/,
    steps: [[/^SELECT 1$/, /^-ERR SELECT is not allowed in cluster mode$/]],
  },
  {
    reason: 'Commands of Redis 7.2, which clients use.',
    title: /^CLIENT (NO-TOUCH|SETINFO)$|^WAITAOF$/,
    steps: [
      [/^CLIENT (NO-TOUCH|SETINFO)/, /^\+OK$/],
      [/^WAITAOF 0 0 0$/, /^\*2\\n:1\\n:0$/],
    ],
  },
  {
    reason: 'Settings that say what is so here.',
    title: /^CONFIG GET of what clients ask for/,
    steps: [
      [/appendonly$/, /\\nappendonly\\n\$3\\nyes$/],
      [/databases$/, /\\ndatabases\\n\$1\\n1$/],
      [/proto-max-bulk-len$/, /\\nproto-max-bulk-len\\n\$7\\n4194304$/],
    ],
  },
  {
    reason:
      'A command has at most 65,536 words; a count or a length that cannot be one is not read to its end.',
    title: /^counts that are none$|^a (count|length) without end$/,
    steps: [
      [/^PING$/, /^-ERR Protocol error: invalid multibulk length$/],
      [/^raw "\*\{1\*70000\}"$/, /^-ERR Protocol error: invalid multibulk length<closed>$/],
      [/^raw "\*1\\n\$\{1\*70000\}"$/, /^-ERR Protocol error: invalid bulk length<closed>$/],
    ],
  },
  {
    reason: 'Keys that are written one after the other are told one after the other.',
    title: /^tracking, broadcast$/,
    steps: [[/^@push$/, /^>2\\n\$10\\ninvalidate\\n\*1\\n\$5\\nother$/]],
  },
];

/** The difference that makes this reply correct although Redis replies differently. */
export function differenceOf({ title }: Sequence, { text }: Step, given: string): Difference | undefined {
  return DIFFERENCES.find(
    (one) => one.title.test(title) && one.steps.some(([step, reply]) => step.test(text) && reply.test(given)),
  );
}
