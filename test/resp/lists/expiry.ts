/** Times to live: set, conditional, read, removed, and kept or lost by other commands. */
import { List, choices } from './list.ts';
import { FAR } from './strings.ts';

const NEAR = '4098000000';
const FARTHER = '4099999990';
const STATES = [[], ['SET k v'], [`SET k v EXAT ${FAR}`]];

// long: a list of cases, read from top to bottom
export function expiry(): List {
  const list = new List('expiry');
  const flags = choices(['NX', 'XX', 'GT', 'LT'], 4);
  for (const flag of flags) {
    const commands = [NEAR, FAR, FARTHER, '1'].map((at) => `EXPIREAT k ${at} ${flag}`.trim());
    list.each('EXPIREAT with every flag', STATES, commands, 'EXPIRETIME k', 'GET k');
    list.each(
      'PEXPIREAT with every flag',
      STATES,
      [`PEXPIREAT k ${NEAR}000 ${flag}`.trim(), `PEXPIREAT k ${FARTHER}000 ${flag}`.trim()],
      'PEXPIRETIME k',
    );
    list.each(
      'EXPIRE with every flag',
      [...STATES, ['SET k v EX 100']],
      [`EXPIRE k 200 ${flag}`.trim(), `EXPIRE k 50 ${flag}`.trim(), `EXPIRE k -1 ${flag}`.trim()],
      'TTL k',
    );
    list.each(
      'PEXPIRE with every flag',
      [['SET k v'], ['SET k v PX 100000']],
      [`PEXPIRE k 200000 ${flag}`.trim(), `PEXPIRE k 50000 ${flag}`.trim(), `PEXPIRE k 0 ${flag}`.trim()],
      'PTTL k',
    );
  }
  const amounts = [
    '0',
    '-1',
    'abc',
    '1.5',
    '""',
    '9223372036854775807',
    '-9223372036854775808',
    '9223372036854775',
    '-9223372036854775',
    '9223372036854775808',
    '" 10"',
    '010',
    '+10',
  ];
  for (const command of ['EXPIRE', 'PEXPIRE', 'EXPIREAT', 'PEXPIREAT']) {
    list.each(
      `${command} of every amount`,
      [[], ['SET k v']],
      amounts.map((amount) => `${command} k ${amount}`),
      'EXISTS k',
    );
    list.all(
      `${command}, wrong`,
      ['SET k v'],
      [
        `${command}`,
        `${command} k`,
        `${command} k ${FARTHER} FOO`,
        `${command} k x FOO`,
        `${command} k ${FARTHER} NX FOO`,
        `${command} k ${FARTHER} "FOO\\x00BAR"`,
        `${command} k ${FARTHER} "\\nFOO\\nBAR\\n"`,
        `${command} k ${FARTHER} ""`,
        'GET k',
      ],
    );
  }
  list.one(
    'flags in small letters and twice',
    'SET k v',
    'expire k 100 nx',
    'expire k 200 gt',
    'expire k 300 lt',
    'EXPIRE k 100 xx lt',
    'EXPIRE k 50 GT GT',
    'TTL k',
  );
  const questions = [
    'TTL k',
    'PTTL k',
    'EXPIRETIME k',
    'PEXPIRETIME k',
    'PERSIST k',
    'PERSIST k',
    'TTL k',
    'EXPIRETIME k',
  ];
  for (const state of [...STATES, ['SET k v EX 100'], ['SET k v PX 50000'], [`SET k v PXAT ${FAR}000`]])
    list.all('the time that is left', state, questions);
  list.one(
    'the time that is left',
    `SET k v PXAT ${FAR}499`,
    'EXPIRETIME k',
    'PEXPIRETIME k',
    `SET k v PXAT ${FAR}500`,
    'EXPIRETIME k',
    'PEXPIRETIME k',
  );
  const changes = [
    'SET k x',
    'SET k x KEEPTTL',
    'GETSET k x',
    'APPEND k x',
    'SETRANGE k 0 x',
    'INCR n',
    'INCRBYFLOAT n 0.5',
    'DECRBY n 3',
    'SETNX k x',
    'MSET k x',
    'GETEX k',
    'GETDEL k',
    'TOUCH k',
    'RENAME k k2',
    'COPY k k2',
    'SETEX k 50 x',
    'SET k x XX GET',
    'GETEX k PERSIST',
    'MSETNX k x',
  ];
  list.each(
    'what keeps a time to live and what does not',
    [[`SET k v EXAT ${FAR}`, `SET n 1 EXAT ${FAR}`]],
    changes,
    'EXPIRETIME k',
    'EXPIRETIME n',
    'EXPIRETIME k2',
  );
  for (const past of [
    'EXPIREAT k 1',
    'PEXPIREAT k 1',
    'EXPIRE k -5',
    'PEXPIRE k -5',
    'SET k v PXAT 1',
    'GETEX k EXAT 1',
    'EXPIRE k 0',
  ]) {
    list.one(
      'a time that has passed: gone at once',
      'SET k v',
      past,
      'GET k',
      'EXISTS k',
      'TTL k',
      'KEYS *',
      'DBSIZE',
      'TYPE k',
      'SET k again NX',
      'TTL k',
    );
  }
  list.inBoth(
    'times, both protocols',
    ['SET k v EX 100'],
    [
      'TTL k',
      'PTTL k',
      'EXPIRETIME k',
      'PERSIST k',
      'TTL k',
      'EXPIRE k 100',
      'TTL none',
      'PTTL none',
      'EXPIRETIME none',
    ],
  );
  return list;
}
