/** Raw bytes: inline commands, odd, broken or truncated frames, and what follows them. */
import { List } from './list.ts';

export function protocol(): List {
  const list = new List('protocol');
  inline(list);
  frames(list);
  broken(list);
  pipelines(list);
  messages(list);
  return list;
}

function inline(list: List): void {
  const lines = [
    'PING\\n',
    'ping hello\\n',
    'PING\\x0a',
    '\\nPING\\n',
    '\\n\\n\\nPING\\n',
    '   PING   \\n',
    'SET k v\\n',
    'SET k \\"a b\\"\\n',
    "SET k 'a b'\\n",
    'ECHO \\"\\\\x41\\\\n\\\\t\\"\\n',
    "ECHO 'it\\\\'s'\\n",
    'ECHO \\"\\"\\n',
    "ECHO ''\\n",
    'FOO\\n',
    'GET\\n',
    'ECHO a\\x09b\\n',
    'ECHO a\\x0bb\\n',
    'ECHO a\\x0cb\\n',
    'ECHO a\\x0b\\n',
    'ECHO \\x0ba\\n',
    'ECHO \\"a\\"\\x0b\\n',
    "ECHO 'a'\\x0cb\\n",
    '\\x0b\\x0cPING\\n',
    'PING\\x0b\\n',
    'ECHO a\\x0db\\n',
    '\\x09PING\\n',
    'ECHO \\"a\\"b\\n',
    'ECHO \\"open\\n',
    "ECHO 'open\\n",
    'ECHO a\\"b\\n',
    'ECHO \\"\\\\q\\"\\n',
    'ECHO \\"\\\\x4\\"\\n',
    'ECHO \\xff\\n',
    'ECHO \\"\\\\\\"q\\\\\\"\\"\\n',
    'ECHO \\"a\\" \\"b\\"\\n',
    'GET /index HTTP/1.1\\n',
    ' \\n',
    'QUIT\\n',
    '-ERR x\\n',
    '+OK\\n',
    ':1\\n',
    '5\\n',
  ];
  for (const line of lines) list.one('commands in one line', `raw "${line}"`, 'PING');
  list.one('several lines at once', 'raw "SET k 1\\nINCR k\\nGET k\\n"', 'GET k');
  list.one('a line between frames', 'raw "*1\\n$4\\nPING\\nPING x\\n*2\\n$4\\nECHO\\n$1\\ny\\n"', 'PING');
  for (const line of ['POST / HTTP/1.1\\n', 'post x\\n', 'Host: here\\n', 'host: x\\n', 'HOST: a b\\n'])
    list.one('a browser that speaks to a Redis', `raw "${line}"`, 'PING');
  const page = 'POST / HTTP/1.1\\nHost: here\\nContent-Length: 12\\n\\nSET k evil\\n';
  list.one('a browser that speaks to a Redis: nothing behind it is done', `raw "${page}"`, '2> GET k');
}

function frames(list: List): void {
  for (const bytes of [
    '*0\\n',
    '*-1\\n',
    '*0\\n*1\\n$4\\nPING\\n',
    '*-5\\n*1\\n$4\\nPING\\n',
    '*1\\n$0\\n\\n',
    '*2\\n$3\\nGET\\n$0\\n\\n',
    '*3\\n$3\\nSET\\n$1\\nk\\n$3\\na\\nb\\n',
    '*01\\n$4\\nPING\\n',
    '*1\\n$04\\nPING\\n',
    '*1\\n$4\\nPINGxx*1\\n$4\\nPING\\n',
    '*1\\n$4\\nPING\\n\\n\\n*1\\n$4\\nPING\\n',
  ]) {
    list.one('frames that are odd', `raw "${bytes}"`, 'PING');
  }
}

function broken(list: List): void {
  const multi = [
    '*x\\n',
    '*\\n',
    '* 1\\n',
    '*1 \\n',
    '*1.5\\n',
    '*+1\\n',
    '*1048577\\n',
    '*2147483648\\n',
    '*99999999999999999999\\n',
    '*1x\\n',
    '*-\\n',
    '*-x\\n',
  ];
  for (const bytes of multi) list.one('counts that are none', `raw "${bytes}"`, 'PING');
  const bulk = [
    '$x',
    '$-1',
    '$',
    '$ 4',
    '$4 ',
    '$+4',
    '$4.0',
    '$-5',
    '$536870913',
    '$99999999999999999999',
    ':1',
    '+OK',
    '4',
    '*1',
    '%1',
    '',
    '-x',
    'PING',
    '"',
    '_',
    '#t',
  ];
  for (const bytes of bulk)
    list.one('lengths that are none', `raw "*1\\n${bytes.replaceAll('"', '\\"')}\\n"`, 'PING');
  list.one('a command before the fault is answered', 'raw "*1\\n$4\\nPING\\n*1\\n!x\\n*1\\n$4\\nPING\\n"');
  list.one(
    'a command before the fault is answered',
    'raw "*3\\n$3\\nSET\\n$1\\nk\\n$1\\nv\\n*x\\n"',
    '2> GET k',
  );
  list.one('within MULTI', 'MULTI', 'SET k v', 'raw "*1\\n:x\\n"', '2> GET k');
  list.one('over RESP3', 'HELLO 3', 'raw "*x\\n"');
  list.one('a second argument of a fault', 'raw "*2\\n$4\\nECHO\\n$x\\n"');
  list.one('a line without end', 'raw "{a*70000}"');
  list.one('a count without end', 'raw "*{1*70000}"');
  list.one('a length without end', 'raw "*1\\n${1*70000}"');
}

function pipelines(list: List): void {
  list.one('many at once', ...Array.from({ length: 60 }, (_, at) => `INCRBY k ${at}`), 'GET k');
  list.one(
    'many at once, with faults among them',
    'SET k v',
    'INCR k',
    'FOO',
    'GET',
    'APPEND k w',
    'SET k x EX 0',
    'GET k',
    'HELLO 3',
    'GET none',
    'HELLO 2',
    'GET none',
    'STRLEN k',
  );
  list.one('many at once, ended by QUIT', 'SET k v', 'APPEND k w', 'QUIT');
  list.one(
    'values over many packets',
    'SET k "{a*200000}"',
    'STRLEN k',
    'APPEND k "{b*100000}"',
    'STRLEN k',
    'GETRANGE k 199998 200001',
    'SETRANGE k 300000 c',
    'STRLEN k',
  );
}

const CHANGES = [
  ...['SET k 2', 'DEL k', 'INCR k', 'APPEND k x', 'EXPIRE k 100', 'GETDEL k', 'RENAME k other'],
  ...['SETRANGE k 0 9', 'FLUSHALL'],
];

/** The invalidation channel of RESP2; there are no other channels. */
// long: a list of cases, read from top to bottom
function messages(list: List): void {
  const channel = '__redis__:invalidate';
  list.one(
    'SUBSCRIBE',
    `SUBSCRIBE ${channel}`,
    'PING',
    'PING x',
    'GET k',
    `UNSUBSCRIBE ${channel}`,
    'GET k',
    'UNSUBSCRIBE',
    'UNSUBSCRIBE x',
  );
  list.one('SUBSCRIBE', `SUBSCRIBE ${channel}`, 'SET k v', 'FOO', 'MULTI', 'QUIT');
  list.one('SUBSCRIBE', `SUBSCRIBE ${channel}`, `SUBSCRIBE ${channel}`, 'UNSUBSCRIBE', 'UNSUBSCRIBE', 'PING');
  list.one(
    'SUBSCRIBE over RESP3',
    'HELLO 3',
    `SUBSCRIBE ${channel}`,
    'PING',
    'GET k',
    `UNSUBSCRIBE ${channel}`,
    'UNSUBSCRIBE',
    'PING x',
  );
  list.one('SUBSCRIBE, then RESET', `SUBSCRIBE ${channel}`, 'RESET', 'GET k');
  for (const change of CHANGES) {
    const lines = ['HELLO 3', 'SET k 1', 'CLIENT TRACKING ON', 'GET k', `2> ${change}`, '@push', 'PING'];
    list.one('tracking: a key that was read and is changed', ...lines);
  }
  for (const change of CHANGES.filter((one) => !one.includes('other') && one !== 'FLUSHALL')) {
    const begin = ['HELLO 3', 'SET k 1', 'SET other 1', 'CLIENT TRACKING ON', 'GET other'];
    const end = [`2> ${change}`, '2> SET other 2', '@push', 'PING'];
    list.one('tracking: what was not read is not told', ...begin, ...end);
  }
  for (const change of CHANGES) {
    const lines = ['HELLO 3', 'SET k 1', 'CLIENT TRACKING ON BCAST', `2> ${change}`, '@push', 'PING'];
    list.one('tracking, broadcast', ...lines);
  }
  for (const reading of [
    'EXISTS k',
    'STRLEN k',
    'TTL k',
    'TYPE k',
    'GETRANGE k 0 0',
    'MGET k none',
    'OBJECT ENCODING k',
  ]) {
    list.one(
      'tracking: what counts as read',
      'HELLO 3',
      'SET k 1',
      'CLIENT TRACKING ON',
      reading,
      '2> SET k 2',
      '@push',
    );
  }
  for (const other of ['GETEX k', 'GETSET k 3', 'SCAN 0', 'SETNX k 4', 'EXPIRE k 100', 'COPY k to']) {
    const lines = [
      'HELLO 3',
      'SET k 1',
      'CLIENT TRACKING ON',
      other,
      '2> SET k 2',
      'GET k',
      '2> SET k 5',
      '@push',
    ];
    list.one('tracking: what does not count as read', ...lines, 'PING');
  }
  list.one(
    'tracking: what changes nothing is not told',
    ...['HELLO 3', 'SET k 1', 'CLIENT TRACKING ON', 'GET k', '2> SETNX k 3', '2> DEL none', '2> SET k 3 NX'],
    ...['2> PERSIST k', '2> GETEX k', '2> EXPIRE k 100 XX', 'GET other', '2> SET other 1', '@push', 'PING'],
  );
  list.one(
    'tracking: by its own write, and within EXEC',
    ...[
      'HELLO 3',
      'CLIENT TRACKING ON',
      'GET k',
      'SET k 1',
      '@push',
      'MULTI',
      'GET k',
      'SET k 2',
      'EXEC',
      '@push',
      'PING',
    ],
  );
  list.one(
    'tracking, OPTIN within MULTI',
    ...['HELLO 3', 'CLIENT TRACKING ON OPTIN', 'CLIENT CACHING YES', 'MULTI', 'GET a', 'EXEC', 'GET b'],
    ...['2> SET b 1', '2> SET a 1', '@push', 'PING'],
  );
  list.one(
    'tracking: while nothing is answered',
    ...[
      'HELLO 3',
      'CLIENT TRACKING ON',
      'GET k',
      '!CLIENT REPLY OFF',
      '2> SET k 1',
      '@push',
      'CLIENT REPLY ON',
    ],
  );
  list.one(
    'tracking: told once, until read again',
    'HELLO 3',
    'SET k 1',
    'CLIENT TRACKING ON',
    'GET k',
    '2> SET k 2',
    '2> SET k 3',
    '@push',
    'GET k',
    '2> SET k 4',
    '@push',
    'PING',
  );
  list.one(
    'tracking, broadcast of prefixes',
    'HELLO 3',
    'CLIENT TRACKING ON BCAST PREFIX a PREFIX b',
    '2> SET c 1',
    '2> SET a1 1',
    '@push',
    '2> SET b1 1',
    '@push',
    'PING',
  );
  list.one(
    'tracking, NOLOOP',
    'HELLO 3',
    'CLIENT TRACKING ON NOLOOP',
    'GET k',
    'SET k 1',
    'GET k',
    '2> SET k 2',
    '@push',
    'PING',
  );
  list.one(
    'tracking, OPTIN',
    'HELLO 3',
    'CLIENT TRACKING ON OPTIN',
    'GET a',
    'CLIENT CACHING YES',
    'GET b',
    '2> SET a 1',
    '2> SET b 1',
    '@push',
    'PING',
  );
  list.one(
    'tracking, OPTOUT',
    'HELLO 3',
    'CLIENT TRACKING ON OPTOUT',
    'CLIENT CACHING NO',
    'GET a',
    'GET b',
    '2> SET a 1',
    '2> SET b 1',
    '@push',
    'PING',
  );
}
