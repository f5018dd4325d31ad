/** Keys: present or absent, renamed, copied, found by pattern, iterated over. */
import { List, product } from './list.ts';
import { FAR } from './strings.ts';

export function keys(): List {
  const list = new List('keys');
  presence(list);
  moving(list);
  copying(list);
  patterns(list);
  walks(list);
  objects(list);
  return list;
}

// long: a list of cases, read from top to bottom
function presence(list: List): void {
  for (const command of ['DEL', 'UNLINK', 'EXISTS', 'TOUCH']) {
    list.one(
      `${command} of one and many`,
      'SET a 1',
      'SET b 2',
      'SET c 3',
      `${command} a`,
      `${command} a none b`,
      `${command} c c c`,
      `${command} none`,
      'MGET a b c',
      `${command} a b c`,
      'DBSIZE',
    );
  }
  list.all(
    'TYPE',
    ['SET s x', 'SET n 1', 'SET t x EX 100'],
    ['TYPE s', 'TYPE n', 'TYPE t', 'TYPE none', 'TYPE s n'],
  );
  list.inBoth(
    'RANDOMKEY and DBSIZE',
    [],
    ['RANDOMKEY', 'DBSIZE', 'SET only 1', 'RANDOMKEY', 'DBSIZE', 'DEL only', 'RANDOMKEY', 'DBSIZE'],
  );
  list.one(
    'FLUSHALL and FLUSHDB',
    'MSET a 1 b 2',
    'FLUSHALL',
    'DBSIZE',
    'SET a 1',
    'FLUSHDB',
    'DBSIZE',
    'SET a 1',
    'FLUSHALL ASYNC',
    'DBSIZE',
    'SET a 1',
    'FLUSHDB SYNC',
    'DBSIZE',
  );
  list.one(
    'FLUSHALL and FLUSHDB',
    'SET a 1',
    'FLUSHALL NOW',
    'FLUSHALL SYNC ASYNC',
    'FLUSHDB x',
    'GET a',
    'flushall sync',
    'GET a',
  );
  for (const odd of [
    '"with space"',
    '"quote\\""',
    '"\\xc3\\xa9\\xe2\\x82\\xac"',
    '{tag}key',
    '"line\\n"',
    '*',
    '?',
    '"[a]"',
    '"{k*500}"',
    '__proto__',
    'constructor',
  ]) {
    list.one(
      'keys of any characters',
      `SET ${odd} v`,
      `GET ${odd}`,
      `EXISTS ${odd}`,
      'KEYS *',
      'RANDOMKEY',
      '@scan',
      `RENAME ${odd} plain`,
      'GET plain',
      `DEL ${odd} plain`,
    );
  }
}

function moving(list: List): void {
  const sources = [[], ['SET a one'], ['SET a one EX 100']];
  const targets = [[], ['SET b two'], ['SET b two EX 200']];
  const begins = sources.flatMap((source) => targets.map((target) => [...source, ...target]));
  list.each(
    'RENAME and RENAMENX',
    begins,
    ['RENAME a b', 'RENAMENX a b', 'RENAME a a', 'RENAMENX a a'],
    'MGET a b',
    'EXPIRETIME b',
    'TTL a',
    'DBSIZE',
  );
  list.all(
    'RENAME, wrong',
    ['SET a 1'],
    [
      'RENAME a',
      'RENAME a b c',
      'RENAMENX a',
      'RENAME none b',
      'RENAMENX none b',
      'RENAME none none',
      'rename a b',
      'GET b',
    ],
  );
}

function copying(list: List): void {
  const begins = [
    [],
    ['SET a one'],
    [`SET a one EXAT ${FAR}`],
    ['SET a one', 'SET b two'],
    ['SET a one', 'SET b two EX 200'],
  ];
  list.each(
    'COPY',
    begins,
    ['COPY a b', 'COPY a b REPLACE', 'COPY a b DB 0', 'copy a b db 0 replace', 'COPY a b REPLACE DB 0'],
    'MGET a b',
    'EXPIRETIME b',
    'DBSIZE',
  );
  list.all(
    'COPY, wrong',
    ['SET a one', 'SET b two'],
    [
      'COPY a',
      'COPY a a',
      'COPY a b FOO',
      'COPY a b DB',
      'COPY a b DB x',
      'COPY a b DB -1',
      'COPY a b DB 99',
      'COPY a b DB 2147483648',
      'COPY a b DB 9223372036854775808',
      'COPY a a REPLACE',
      'COPY a b REPLACE REPLACE',
      'COPY none b',
      'COPY a b DB 1.5',
      'GET b',
    ],
  );
}

const NAMES = [
  'one',
  'two',
  'three',
  'four',
  'a1',
  'a2',
  'b1',
  'hello',
  'hallo',
  'hxllo',
  'hllo',
  'heeeello',
  'a*c',
  'h[e',
  '"a\\\\b"',
  'abc',
  'user:1',
  'user:2',
  'user:10',
];
const PATTERNS = [
  ...[
    '*',
    'none',
    'one',
    't*',
    '*o',
    '*o*',
    '?',
    '??',
    '???',
    'a?',
    '[ab]1',
    '[^a]1',
    'h[ae]llo',
    'h[^e]llo',
    'h[a-z]llo',
    'h[z-a]llo',
    'h*llo',
    'h?llo',
  ],
  ...[
    'a\\\\*c',
    '"a\\\\\\\\*c"',
    '[a-',
    '[',
    '[^',
    'h[e',
    '"h\\\\[e"',
    '""',
    '**',
    '***',
    'a**c',
    'user:*',
    'user:?',
    'user:[0-9]',
    'user:[0-9]*',
    '*:1*',
    '"a\\\\\\\\b"',
    'H*',
    '[]one',
    '[^]',
    'x[a',
  ],
  ...[
    '*[0-9]',
    'h[a-eo]llo',
    '\\\\one',
    '"*\\\\"',
    '{one}',
    'one*',
    '*one',
    '?*',
    '*?',
    '[tf]*',
    '[\\\\a]1',
    '[a\\\\-z]1',
  ],
];

function patterns(list: List): void {
  const set = [`MSET ${NAMES.map((name) => `${name} 1`).join(' ')}`];
  for (let at = 0; at < PATTERNS.length; at += 6) {
    const some = PATTERNS.slice(at, at + 6);
    list.all(
      'KEYS with every pattern',
      set,
      some.map((pattern) => `KEYS ${pattern}`),
    );
    list.all(
      'SCAN with every pattern',
      set,
      some.map((pattern) => `@scan MATCH ${pattern}`),
    );
  }
  const ranges = ['a-\\xc3', '\\xc3-a', '^a-\\xc3', '\\xa9-\\xc3', '\\xc3-\\xa9', '\\x80-\\xff', '0-\\xff'];
  const some = 'MSET a 1 b 1 A 1 0 1 "\\xc3\\xa9" 1 "a\\xc3\\xa9" 1 "\\xd0\\xba" 1';
  const calls = ranges.flatMap((range) => [`KEYS "[${range}]"`, `KEYS "[${range}]*"`, `KEYS "*[${range}]"`]);
  list.all('KEYS by ranges beyond ASCII', [some], calls);
  list.inBoth('KEYS of nothing', [], ['KEYS *', 'KEYS x', 'KEYS', 'KEYS a b', 'keys *']);
}

function walks(list: List): void {
  const set = [`MSET ${Array.from({ length: 40 }, (_, at) => `k${at} ${at}`).join(' ')}`];
  list.all(
    'walks of SCAN',
    set,
    product(
      ['@scan'],
      [
        '',
        'COUNT 1',
        'COUNT 7',
        'COUNT 1000',
        'MATCH k1* COUNT 3',
        'MATCH none',
        'TYPE string',
        'TYPE STRING',
        'TYPE list',
        'COUNT 5 MATCH k2*',
        'TYPE string MATCH k3* COUNT 100',
        'TYPE foo',
      ],
    ),
  );
  list.all(
    'SCAN, wrong',
    ['SET a 1'],
    [
      'SCAN',
      'SCAN x',
      'SCAN "0\\x00"',
      'SCAN 1.5',
      'SCAN ""',
      'SCAN 99999999999999999999999',
      'SCAN 0 COUNT',
      'SCAN 0 COUNT 0',
      'SCAN 0 COUNT -1',
      'SCAN 0 COUNT x',
      'SCAN 0 FOO',
      'SCAN 0 MATCH',
      'SCAN 0 FOO bar',
      'SCAN 0 TYPE',
      'SCAN 0 MATCH a COUNT',
      'SCAN " 0"',
      'SCAN 0x',
      'SCAN 0',
      'scan 0 match * count 10 type string',
      'SCAN 0 MATCH a MATCH b',
      'SCAN 0 COUNT 9223372036854775807',
    ],
  );
  list.one('SCAN of nothing', 'SCAN 0', 'SCAN -1', '@scan', '@scan MATCH * COUNT 5');
  list.one('SCAN of nothing', 'HELLO 3', 'SCAN 0', 'SET a 1', 'SCAN 0', 'SCAN 0 MATCH b');
}

// long: a list of cases, read from top to bottom
function objects(list: List): void {
  const values = [
    '1',
    '0',
    '-1',
    '01',
    '9223372036854775807',
    '9223372036854775808',
    '""',
    'abc',
    '"{a*43}"',
    '"{a*44}"',
    '"{a*45}"',
    '1.5',
    '" 1"',
    '-0',
    '+5',
    '10000',
    '"\\x00"',
    '-9223372036854775808',
  ];
  for (const value of values)
    list.one('OBJECT ENCODING of every value', `SET k ${value}`, 'OBJECT ENCODING k', 'STRLEN k');
  list.one(
    'OBJECT ENCODING after changes',
    'SET k 10',
    'INCR k',
    'OBJECT ENCODING k',
    'INCRBYFLOAT k 0.5',
    'OBJECT ENCODING k',
    'GETSET k 5',
    'OBJECT ENCODING k',
  );
  list.one('OBJECT ENCODING after APPEND', 'SET k 10', 'APPEND k 5', 'OBJECT ENCODING k');
  list.one('OBJECT ENCODING after APPEND', 'APPEND k 5', 'OBJECT ENCODING k');
  list.one('OBJECT ENCODING after SETRANGE', 'SET k hello', 'SETRANGE k 0 j', 'OBJECT ENCODING k');
  list.one('OBJECT ENCODING after SETRANGE', 'SETRANGE k 0 j', 'OBJECT ENCODING k');
  list.all(
    'OBJECT, others',
    ['SET k v'],
    [
      'OBJECT ENCODING none',
      'OBJECT',
      'OBJECT ENCODING',
      'OBJECT ENCODING k k',
      'OBJECT FOO k',
      'OBJECT REFCOUNT k',
      'OBJECT REFCOUNT none',
      'OBJECT IDLETIME k',
      'OBJECT IDLETIME none',
      'OBJECT FREQ k',
      'OBJECT FREQ none',
      'object encoding k',
    ],
  );
  list.one('OBJECT, nothing in RESP3', 'HELLO 3', 'OBJECT ENCODING none', 'SET k 1', 'OBJECT ENCODING k');
  list.all(
    'MEMORY USAGE',
    ['SET k v', 'SET big "{v*5000}"'],
    [
      'MEMORY USAGE k',
      'MEMORY USAGE big',
      'MEMORY USAGE none',
      'MEMORY USAGE k SAMPLES 5',
      'MEMORY USAGE k SAMPLES',
      'MEMORY USAGE k SAMPLES x',
      'MEMORY USAGE k SAMPLES -1',
      'MEMORY USAGE k FOO 5',
      'MEMORY USAGE k SAMPLES 5 SAMPLES 0',
      'MEMORY USAGE none SAMPLES 5 samples 1',
      'MEMORY USAGE none SAMPLES x SAMPLES',
      'MEMORY USAGE none SAMPLES 1 FOO x',
      'MEMORY USAGE',
      'MEMORY',
      'MEMORY FOO',
      'memory usage k samples 0',
    ],
  );
}
