/** What a client says about itself and its connection. */
import { List } from './list.ts';

// long: a list of cases, read from top to bottom
export function connection(): List {
  const list = new List('connection');
  list.inBoth(
    'PING, ECHO, QUIT',
    [],
    [
      'PING',
      'PING hello',
      'PING a b',
      'ping',
      'ECHO hello',
      'ECHO',
      'ECHO a b',
      'ECHO ""',
      'ECHO "\\x00\\xff"',
      'QUIT',
    ],
  );
  list.one('QUIT', 'QUIT now');
  list.one(
    'RESET',
    'HELLO 3',
    'CLIENT SETNAME me',
    'MULTI',
    'RESET',
    'CLIENT GETNAME',
    'EXEC',
    'RESET x',
    'GET none',
    'reset',
  );
  list.all(
    'SELECT',
    [],
    [
      'SELECT 0',
      'SELECT',
      'SELECT x',
      'SELECT -1',
      'SELECT 99999',
      'SELECT 1.5',
      'SELECT 0 0',
      'select 0',
      'SELECT ""',
      'SELECT 16',
      'SELECT 2147483647',
      'SELECT 2147483648',
      'SELECT -2147483648',
      'SELECT -2147483649',
      'SELECT 9223372036854775807',
      'SELECT 9223372036854775808',
    ],
  );
  list.one('SELECT of another', 'SELECT 1');
  hello(list);
  list.all(
    'AUTH where no password is set',
    [],
    [
      'AUTH secret',
      'AUTH default secret',
      'AUTH',
      'AUTH a b c',
      'AUTH nobody secret',
      'auth secret',
      'AUTH ""',
      'PING',
    ],
  );
  names(list);
  client(list);
  list.one(
    'CLIENT REPLY',
    'PING 1',
    '!CLIENT REPLY SKIP',
    '!PING 2',
    'PING 3',
    '!CLIENT REPLY OFF',
    '!PING 4',
    '!SET k v',
    '!FOO',
    '!CLIENT REPLY SKIP',
    '!PING',
    'CLIENT REPLY ON',
    'GET k',
  );
  list.one(
    'CLIENT REPLY',
    'CLIENT REPLY ON',
    'CLIENT REPLY',
    'CLIENT REPLY x',
    'CLIENT REPLY ON x',
    '!client reply skip',
    '!FOO',
    'PING',
  );
  modes(list);
  trackingInfo(list);
  killing(list);
  unblocking(list);
  return list;
}

/** What gets no reply, and what gets one nevertheless. */
function modes(list: List): void {
  const skip = '!CLIENT REPLY SKIP';
  const off = '!CLIENT REPLY OFF';
  const channel = '__redis__:invalidate';
  const then = ['ECHO then', 'CLIENT REPLY ON', 'PING'];
  list.one('CLIENT REPLY SKIP, twice', skip, skip, '!ECHO no', ...then);
  list.one('CLIENT REPLY SKIP, three times', skip, skip, skip, '!FOO', ...then);
  list.one('CLIENT REPLY SKIP before RESET', skip, '!RESET', ...then);
  list.one('CLIENT REPLY OFF before RESET', off, '!ECHO no', 'RESET', ...then);
  list.one('CLIENT REPLY SKIP before OFF', skip, off, '!ECHO no', 'CLIENT REPLY ON', 'PING');
  list.one('CLIENT REPLY SKIP before ON', skip, 'CLIENT REPLY ON', ...then);
  list.one('CLIENT REPLY SKIP before HELLO', skip, '!HELLO 3', 'GET none');
  list.one('CLIENT REPLY SKIP before what waits', skip, '!SET k 1', 'INCR k', skip, '!INCR k', 'GET k');
  for (const [mode, word] of [
    [skip, 'SKIP'],
    [off, 'OFF'],
  ] as const) {
    list.one(`channels after CLIENT REPLY ${word}`, mode, `SUBSCRIBE ${channel}`);
    list.one(`channels after CLIENT REPLY ${word}`, mode, 'UNSUBSCRIBE');
    list.one(`channels after CLIENT REPLY ${word}`, mode, `UNSUBSCRIBE other ${channel}`);
    list.one(`channels after CLIENT REPLY ${word}, RESP3`, 'HELLO 3', mode, `SUBSCRIBE ${channel}`);
  }
  const inExec = 'MULTI\\nCLIENT REPLY SKIP\\nEXEC\\nGET none x\\nPING\\n';
  list.one('CLIENT REPLY SKIP within EXEC', `raw "${inExec}"`);
}

function hello(list: List): void {
  for (const form of [
    '',
    '2',
    '3',
    '1',
    '4',
    '0',
    '-1',
    'x',
    '3.0',
    '""',
    '3 FOO',
    '3 SETNAME',
    '3 AUTH',
    '3 AUTH a',
    '3 AUTH default secret',
    '3 AUTH nobody secret',
    '2 SETNAME me',
    '3 SETNAME me',
    '3 SETNAME "a b"',
    '3 setname me auth default x',
    '2 AUTH default "" SETNAME me',
    '3 SETNAME ""',
    '3 SETNAME me FOO',
    '2 SETNAME me AUTH nobody secret',
    '3 SETNAME me SETNAME "" SETNAME',
    '3 "FOO\\x00BAR"',
    '99999999999999999999',
  ]) {
    list.one('HELLO in every form', `HELLO ${form}`.trim(), 'CLIENT GETNAME', 'GET none');
  }
  list.one(
    'HELLO changes the protocol and back',
    'HELLO 3',
    'GET none',
    'HELLO',
    'HELLO 2',
    'GET none',
    'HELLO',
    'hello 3',
    'HELLO 4',
    'GET none',
    'MGET none',
  );
}

function names(list: List): void {
  list.inBoth(
    'CLIENT SETNAME and GETNAME',
    [],
    [
      'CLIENT GETNAME',
      'CLIENT SETNAME me',
      'CLIENT GETNAME',
      'CLIENT SETNAME "a b"',
      'CLIENT SETNAME "a\\nb"',
      'CLIENT SETNAME "\\xc3\\xa9"',
      'CLIENT GETNAME',
      'CLIENT SETNAME ""',
      'CLIENT GETNAME',
      'CLIENT SETNAME',
      'CLIENT SETNAME a b',
      'CLIENT GETNAME x',
      'client setname y',
      'client getname',
    ],
  );
}

// long: a list of cases, read from top to bottom
function client(list: List): void {
  list.all(
    'CLIENT, subcommands',
    [],
    ['CLIENT', 'CLIENT FOO', 'CLIENT ID', 'CLIENT ID x', 'client id', 'CLIENT FOO BAR', 'CLIENT ""'],
  );
  list.one(
    'CLIENT INFO and LIST',
    'CLIENT SETNAME me',
    'CLIENT INFO',
    'CLIENT INFO x',
    'CLIENT LIST TYPE foo',
    'CLIENT LIST TYPE',
    'CLIENT LIST ID',
    'CLIENT LIST ID x',
    'CLIENT LIST FOO',
    'CLIENT LIST ""',
    'CLIENT LIST "" TYPE normal',
    'CLIENT LIST TYPE replica',
    'CLIENT LIST TYPE pubsub',
    'CLIENT LIST TYPE master',
    'CLIENT LIST TYPE "foo\\x00bar"',
  );
  list.one(
    'CLIENT NO-EVICT',
    'CLIENT NO-EVICT ON',
    'CLIENT NO-EVICT off',
    'CLIENT NO-EVICT',
    'CLIENT NO-EVICT x',
    'client no-evict on',
  );
  list.one('CLIENT NO-TOUCH', 'CLIENT NO-TOUCH ON', 'CLIENT NO-TOUCH off', 'PING');
  list.one('CLIENT SETINFO', 'CLIENT SETINFO LIB-NAME name', 'CLIENT SETINFO lib-ver 1.0', 'PING');
  list.all(
    'CLIENT TRACKING, options',
    [],
    [
      'CLIENT TRACKING',
      'CLIENT TRACKING x',
      'CLIENT TRACKING ON FOO',
      'CLIENT TRACKING on PREFIX a',
      'CLIENT TRACKING ON OPTIN OPTOUT',
      'CLIENT TRACKING ON BCAST OPTIN',
      'CLIENT TRACKING ON REDIRECT',
      'CLIENT TRACKING ON REDIRECT x',
      'CLIENT TRACKING ON REDIRECT 999999',
      'CLIENT TRACKING ON BCAST PREFIX a PREFIX ab',
      'CLIENT TRACKING OFF',
      'CLIENT CACHING YES',
      'CLIENT CACHING',
      'CLIENT CACHING x',
      'CLIENT GETREDIR',
    ],
  );
  list.all(
    'CLIENT TRACKING over RESP3',
    ['HELLO 3'],
    [
      'CLIENT TRACKING ON',
      'CLIENT CACHING YES',
      'CLIENT TRACKING ON BCAST',
      'CLIENT TRACKING OFF',
      'CLIENT TRACKING ON OPTIN',
      'CLIENT CACHING YES',
      'CLIENT CACHING NO',
      'CLIENT GETREDIR',
      'CLIENT TRACKING OFF',
      'CLIENT TRACKING ON OPTOUT',
      'CLIENT CACHING NO',
      'CLIENT CACHING YES',
      'CLIENT TRACKING OFF',
      'CLIENT TRACKING ON BCAST PREFIX a PREFIX b',
      'CLIENT TRACKING ON',
      'CLIENT TRACKING OFF',
      'CLIENT GETREDIR',
    ],
  );
}

function trackingInfo(list: List): void {
  const info = 'CLIENT TRACKINGINFO';
  list.one('CLIENT TRACKINGINFO', info, 'CLIENT TRACKINGINFO x', 'HELLO 3', info);
  list.one(
    'CLIENT TRACKINGINFO, broadcast',
    'HELLO 3',
    'CLIENT TRACKING ON BCAST PREFIX b PREFIX a NOLOOP',
    info,
    'CLIENT TRACKING ON BCAST PREFIX ax',
    'CLIENT TRACKING ON BCAST PREFIX c',
    info,
    'HELLO 2',
    info,
    'CLIENT TRACKING ON BCAST',
    info,
    'CLIENT TRACKING ON BCAST PREFIX d',
    'RESET',
    info,
  );
  list.one(
    'CLIENT TRACKINGINFO, OPTIN',
    'CLIENT TRACKING ON OPTIN',
    info,
    'CLIENT CACHING YES',
    info,
    'CLIENT CACHING x',
    'CLIENT TRACKING ON OPTOUT',
    'CLIENT GETREDIR',
    info,
    'PING',
    info,
    'CLIENT TRACKING ON',
    info,
  );
  list.one(
    'CLIENT TRACKINGINFO, OPTOUT',
    'CLIENT TRACKING ON OPTOUT NOLOOP',
    'CLIENT CACHING NO',
    info,
    'MULTI',
    'GET a',
    'EXEC',
    info,
    'CLIENT TRACKING ON OPTIN',
    'CLIENT TRACKING x BCAST',
    'CLIENT TRACKING ON REDIRECT 0',
    'CLIENT TRACKING ON BCAST',
  );
}

function killing(list: List): void {
  list.all(
    'CLIENT KILL, wrong',
    [],
    [
      'CLIENT KILL',
      'CLIENT KILL 127.0.0.1:1',
      'CLIENT KILL ID',
      'CLIENT KILL ID x',
      'CLIENT KILL ID 0',
      'CLIENT KILL ID 99999999',
      'CLIENT KILL FOO x',
      'CLIENT KILL TYPE foo',
      'CLIENT KILL ADDR 1.2.3.4:5',
      'CLIENT KILL SKIPME x',
      'CLIENT KILL ADDR 1.2.3.4:5 SKIPME no',
      'CLIENT KILL USER nobody',
      'CLIENT KILL LADDR 1.2.3.4:5',
      'CLIENT KILL ID 99999999 TYPE normal',
      'CLIENT KILL ID -1',
      'CLIENT KILL ID 0 SKIPME',
      'CLIENT KILL USER nobody x',
      'CLIENT KILL ID 99999999 SKIPME',
      'CLIENT KILL TYPE "foo\\x00bar"',
      'CLIENT KILL USER "foo\\x00bar"',
    ],
  );
}

function unblocking(list: List): void {
  list.all(
    'CLIENT UNBLOCK',
    [],
    [
      'CLIENT UNBLOCK 99999999',
      'CLIENT UNBLOCK',
      'CLIENT UNBLOCK x',
      'CLIENT UNBLOCK 99999999 TIMEOUT',
      'CLIENT UNBLOCK 99999999 ERROR',
      'CLIENT UNBLOCK 99999999 FOO',
      'CLIENT UNBLOCK -1',
      'CLIENT UNBLOCK x FOO more',
      'client unblock 1 ERROR more',
    ],
  );
}
