/** Integers and fractions: what counts as one, what is too large, and how a fraction is written. */
import { List } from './list.ts';

const MAX = '9223372036854775807';
const MIN = '-9223372036854775808';
const VALUES = [
  ...['0', '10', '-5', MAX, MIN, '9223372036854775806', '9223372036854775808', '-9223372036854775809'],
  ...[
    '01',
    '-0',
    '+1',
    '-01',
    '00',
    '" 1"',
    '"1 "',
    '"1\\x00"',
    '""',
    '-',
    'abc',
    '1.5',
    '1e3',
    '0x10',
    '"\\n"',
  ],
  ...['1.0', '"{9*40}"', '"\\xff"'],
];
const AMOUNTS = [
  ...[
    '0',
    '1',
    '-1',
    '5',
    MAX,
    MIN,
    '-9223372036854775807',
    '9223372036854775808',
    'abc',
    '1.5',
    '""',
    '01',
    '+1',
  ],
  ...['" 1"', '1e3', '-0', '"1\\x00"'],
];
const BROKEN = [
  ...[
    '0',
    '10',
    '3.14',
    '-2.5',
    '1e3',
    '5.0e3',
    '1E-5',
    '0.1',
    '100000000000000000000',
    '1e20',
    '1e300',
    '-0',
    '-0.0',
  ],
  ...[
    '" 1"',
    '"1 "',
    '""',
    'abc',
    '1.2.3',
    'inf',
    '-inf',
    '+inf',
    'nan',
    '0x10',
    '.5',
    '5.',
    '+1.5',
    '1e',
    '0.00000000000000001',
  ],
  ...[
    '3.0',
    '10.50',
    '123456789.123456789',
    '1e400',
    'infinity',
    '"1\\x00"',
    '1_0',
    '1e17',
    '12345678901234567890',
  ],
];
const STEPS = [
  ...[
    '1',
    '-1',
    '0',
    '0.1',
    '-0.1',
    '1.5',
    '3.0e3',
    '1e-5',
    '1e20',
    'abc',
    '""',
    '" 1"',
    '"1 "',
    'inf',
    '-inf',
    'nan',
  ],
  ...[
    '0x1',
    '.5',
    '-.5',
    '1e-4950',
    '1e-4951',
    '0x1p-16446',
    '1e308',
    '200.5',
    '0.000000001',
    '10000000000000000',
  ],
];

// long: a list of cases, read from top to bottom
export function numbers(): List {
  const list = new List('numbers');
  for (const value of VALUES) {
    list.one('INCR and DECR on every value', `SET k ${value}`, 'INCR k', 'GET k');
    list.one('INCR and DECR on every value', `SET k ${value}`, 'DECR k', 'GET k');
    list.one(
      'INCRBY and DECRBY on every value',
      `SET k ${value} EX 100`,
      'INCRBY k 7',
      'GET k',
      'DECRBY k 20',
      'GET k',
      'TTL k',
    );
  }
  for (const amount of AMOUNTS) {
    for (const begin of [[], ['SET k 1'], ['SET k -10'], [`SET k ${MAX}`], [`SET k ${MIN}`], ['SET k abc']]) {
      list.one(
        'INCRBY and DECRBY of every amount',
        ...begin,
        `INCRBY k ${amount}`,
        'GET k',
        ...begin,
        `DECRBY k ${amount}`,
        'GET k',
      );
    }
  }
  list.one(
    'counting',
    'INCR k',
    'INCR k',
    'INCRBY k 40',
    'DECR k',
    'DECRBY k 50',
    'GET k',
    'STRLEN k',
    'TYPE k',
    'OBJECT ENCODING k',
  );
  for (const value of BROKEN) {
    list.one(
      'INCRBYFLOAT on every value',
      `SET k ${value}`,
      'INCRBYFLOAT k 1',
      'GET k',
      'INCRBYFLOAT k -0.25',
      'GET k',
    );
  }
  for (const step of STEPS) {
    for (const begin of [[], ['SET k 10.5'], ['SET k -3'], ['SET k 1e15'], ['SET k 0.1 EX 100']]) {
      list.one(
        'INCRBYFLOAT of every amount',
        ...begin,
        `INCRBYFLOAT k ${step}`,
        'GET k',
        `INCRBYFLOAT k ${step}`,
        'TTL k',
      );
    }
  }
  for (const [value, step] of [
    ['0.1', '0.2'],
    ['1.1', '2.2'],
    ['3', '0.00000000000000003'],
    ['1e16', '1'],
    ['1e17', '1'],
    ['1e18', '0.5'],
    ['0.3', '-0.3'],
    ['5', '-5'],
    ['-1', '1'],
    ['1.7976931348623157e308', '1.7976931348623157e308'],
    ['1e-10', '1e-10'],
    ['99999999999.999999', '0.000001'],
    ['0.5', '0.25'],
    ['1234567.891', '0.109'],
    ['2.5e-8', '0'],
    ['1e22', '1e22'],
    ['17179869184', '0.1'],
    ['9007199254740993', '0'],
    ['0.1', '0'],
    ['0.7', '0.1'],
    ['4.35', '0'],
    ['1e-17', '0'],
    ['1e-18', '0'],
  ] as const) {
    list.one('INCRBYFLOAT, how sums are written', `SET k ${value}`, `INCRBYFLOAT k ${step}`, 'GET k');
  }
  list.inBoth(
    'INCRBYFLOAT answers a string',
    ['SET k 1.5'],
    ['INCRBYFLOAT k 1.25', 'INCR k', 'INCRBYFLOAT k 0.25', 'INCR k', 'INCRBYFLOAT k 1e2'],
  );
  return list;
}
