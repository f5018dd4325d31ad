/** The string family: SET with every option, and what reads and changes bytes. */
import { List, choices, product } from './list.ts';

/** 22 November 2099: ahead of every clock that runs these. */
export const FAR = '4099000000';
const ABSENT: string[] = [];
const STATES = [ABSENT, ['SET k hello'], ['SET k hello EX 100']];
const LOOK = ['GET k', 'EXPIRETIME k'];

export function strings(): List {
  const list = new List('strings');
  setWithOptions(list);
  oldSetters(list);
  readers(list);
  several(list);
  ranges(list);
  appending(list);
  return list;
}

// long: a list of cases, read from top to bottom
function setWithOptions(list: List): void {
  const times = ['EX 100', 'PX 100000', `EXAT ${FAR}`, `PXAT ${FAR}000`];
  const options = ['NX', 'XX', 'GET', 'KEEPTTL', ...times];
  for (const chosen of choices(options, 3)) {
    const hasTwoTimes = times.filter((time) => chosen.includes(time)).length > 1;
    const states = hasTwoTimes || /NX XX/.test(chosen) ? [ABSENT] : STATES;
    list.each('SET with every choice of options', states, [product(['SET k new'], [chosen])[0]!], ...LOOK);
  }
  list.each(
    'SET, options in other orders and cases',
    [['SET k hello EX 100']],
    [
      'set k new ex 100',
      'SET k new GET XX',
      'SET k new KeepTtl xx',
      'SET k new xx get keepttl',
      'SET k new Px 20000 gEt',
    ],
    ...LOOK,
  );
  list.each(
    'SET with options that are wrong',
    [ABSENT, ['SET k hello']],
    [
      ...[
        'EX',
        'EX 0',
        'EX -1',
        'EX abc',
        'EX 1.5',
        'EX 10 EX 10',
        'EX 9223372036854775807',
        'EX 9223372036854775',
      ],
      ...[
        'EX 99999999999999999999',
        'PX',
        'PX 0',
        'PX -5',
        'PX x',
        'PX 9223372036854775807',
        'EXAT 0',
        'EXAT -1',
      ],
      ...[
        'EXAT x',
        'EXAT 1',
        'PXAT 0',
        'PXAT 1',
        'PXAT -1',
        'PXAT x',
        'NX NX',
        'FOO',
        'NX FOO',
        'KEEPTTL KEEPTTL',
      ],
      ...['PERSIST', '""', 'GET GET', 'EX NX', 'EX "10 "', 'EX +10', 'EX 010', 'XX EX', 'IFEQ hello'],
    ].map((rest) => `SET k new ${rest}`),
    ...LOOK,
  );
  list.inBoth(
    'SET GET of nothing and of something',
    [],
    ['SET k a GET', 'SET k b GET', 'SET k c XX GET', 'SET n v XX GET', 'SET k d NX GET', 'GET k', 'GET n'],
  );
  for (const value of [
    '""',
    '" "',
    '"\\x00"',
    '"\\n"',
    '"\\xff\\xfe"',
    '"{x*1000}"',
    '"{a*5000}"',
    '12345',
    '"\\xe2\\x82\\xac"',
  ]) {
    list.one(
      'SET and GET of any bytes',
      `SET k ${value}`,
      'GET k',
      'STRLEN k',
      `GETSET k ${value}`,
      `SET k ${value} GET`,
      'GETDEL k',
    );
  }
}

function oldSetters(list: List): void {
  list.each(
    'SETNX, GETSET',
    STATES,
    ['SETNX k new', 'GETSET k new'],
    ...LOOK,
    'SETNX k third',
    'GETSET k fourth',
  );
  const amounts = [
    '100',
    '0',
    '-1',
    'abc',
    '1.5',
    '""',
    '9223372036854775807',
    '9223372036854775',
    '99999999999999999999',
    '" 10"',
    '1e3',
  ];
  list.each(
    'SETEX and PSETEX',
    [ABSENT, ['SET k hello']],
    amounts.map((amount) => `SETEX k ${amount} v`),
    ...LOOK,
  );
  list.each(
    'SETEX and PSETEX',
    [ABSENT, ['SET k hello']],
    ['100000', '0', '-1', 'abc', '1.5', '9223372036854775807'].map((amount) => `PSETEX k ${amount} v`),
    ...LOOK,
  );
}

function readers(list: List): void {
  list.inBoth(
    'GET, STRLEN, GETDEL',
    [],
    ['GET k', 'STRLEN k', 'GETDEL k', 'SET k hello', 'GET k', 'STRLEN k', 'GETDEL k', 'GETDEL k', 'EXISTS k'],
  );
  const times = ['EX 100', 'PX 100000', `EXAT ${FAR}`, `PXAT ${FAR}000`, 'PERSIST'];
  list.each(
    'GETEX with every choice of options',
    STATES,
    choices(times, 2).map((chosen) => `GETEX k ${chosen}`.trim()),
    ...LOOK,
  );
  list.each(
    'GETEX with options that are wrong',
    [ABSENT, ['SET k hello EX 100']],
    [
      'EX',
      'EX 0',
      'EX -1',
      'EX abc',
      'PX 0',
      'EXAT 0',
      'EXAT 1',
      'PXAT 1',
      'PXAT -1',
      'NX',
      'XX',
      'KEEPTTL',
      'GET',
      'FOO',
      'PERSIST FOO',
      'EX 9223372036854775807',
    ].map((rest) => `GETEX k ${rest}`),
    ...LOOK,
  );
}

function several(list: List): void {
  list.inBoth(
    'MGET',
    ['SET a 1', 'SET b two'],
    ['MGET a', 'MGET a b', 'MGET a none b', 'MGET none', 'MGET a a a', 'mget b "" a'],
  );
  list.one('MSET', 'MSET a 1 b 2 c 3', 'MGET a b c', 'MSET a 9', 'MGET a b', 'MSET a x a y', 'GET a');
  list.one(
    'MSET',
    'SET a 1 EX 100',
    'MSET a 2',
    'TTL a',
    'MSET',
    'MSET a',
    'MSET a 1 b',
    'MSET a 1 b 2 c',
    'GET a',
  );
  list.one(
    'MSETNX of one key',
    'MSETNX a 1',
    'MSETNX a 2',
    'GET a',
    'MSETNX',
    'MSETNX a',
    'MSETNX a 1 b',
    'GET a',
  );
  list.one('MSETNX of several keys', 'MSETNX a 1 b 2', 'MGET a b', 'MSETNX b 3 c 4', 'MGET a b c');
}

// long: a list of cases, read from top to bottom
function ranges(list: List): void {
  const bounds = ['0', '1', '4', '5', '100', '-1', '-2', '-5', '-6', '-100'];
  for (const start of bounds) {
    list.all(
      'GETRANGE with every bound',
      ['SET k hello'],
      bounds.map((end) => `GETRANGE k ${start} ${end}`),
    );
  }
  list.all(
    'GETRANGE of others',
    ['SET e ""', 'SET n 12345', 'SET b "\\x00\\xff\\n"'],
    [
      ...[
        'GETRANGE none 0 -1',
        'GETRANGE e 0 -1',
        'GETRANGE e 0 0',
        'GETRANGE e -1 -1',
        'GETRANGE n 1 3',
        'GETRANGE n -2 -1',
      ],
      ...[
        'GETRANGE b 0 0',
        'GETRANGE b 1 1',
        'GETRANGE b 1 -1',
        'SUBSTR n 0 1',
        'SUBSTR n -3 100',
        'SUBSTR none 0 1',
      ],
      ...[
        'GETRANGE n x 1',
        'GETRANGE n 1 x',
        'GETRANGE n 1.5 2',
        'GETRANGE n "" 2',
        'SUBSTR n x 1',
        'GETRANGE n 1',
        'SUBSTR n 1',
      ],
      ...['GETRANGE n 9223372036854775807 -1', 'GETRANGE n -9223372036854775808 9223372036854775807'],
      ...['GETRANGE n 9223372036854775808 0', 'GETRANGE n 0 4294967296', 'GETRANGE n 4294967296 0'],
    ],
  );
  const values = ['x', 'long-value', '""', '"\\x00\\xff"', '"{z*60}"'];
  list.each(
    'SETRANGE',
    [ABSENT, ['SET k hello'], ['SET k 12345 EX 100']],
    [
      ...['0', '1', '5', '6', '20'].flatMap((offset) =>
        values.map((value) => `SETRANGE k ${offset} ${value}`),
      ),
      ...['SETRANGE k -1 x', 'SETRANGE k abc x', 'SETRANGE k 1.5 x', 'SETRANGE k "" x', 'SETRANGE k -1 ""'],
      ...[
        'SETRANGE k 9223372036854775807 x',
        'SETRANGE k 9223372036854775808 x',
        'SETRANGE k 536870912 x',
        'SETRANGE k 536870912 ""',
      ],
    ],
    ...LOOK,
    'EXISTS k',
  );
}

function appending(list: List): void {
  list.each(
    'APPEND',
    [...STATES, ['SET k 10']],
    ['APPEND k x', 'APPEND k ""', 'APPEND k "\\x00"', 'APPEND k 5', 'APPEND k "{y*50}"'],
    ...LOOK,
    'STRLEN k',
    'APPEND k again',
    'GET k',
  );
  list.one(
    'APPEND makes numbers',
    'APPEND n 1',
    'APPEND n 2',
    'INCR n',
    'APPEND n 0',
    'GET n',
    'DECRBY n 30',
    'GET n',
  );
}
