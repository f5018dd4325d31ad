/** What a server says about itself: commands, settings, times; and everything that can be asked in a wrong way. */
import { List } from './list.ts';

// long: a list of cases, read from top to bottom
export function server(): List {
  const list = new List('server');
  commands(list);
  list.inBoth(
    'CONFIG GET and SET',
    [],
    [
      'CONFIG GET no-such-setting',
      'CONFIG GET',
      'CONFIG SET no-such-setting 1',
      'CONFIG SET',
      'CONFIG SET a',
      'CONFIG',
      'CONFIG FOO',
      'CONFIG GET ""',
      'CONFIG SET no-such-setting',
      'CONFIG SET no-such-setting 1 another',
      'CONFIG GET SAVE',
      'CONFIG GET Save save SAVE*',
      'CONFIG GET MaxMemory-?olicy',
      'CONFIG GET sav\\\\e',
    ],
  );
  list.inBoth(
    'CONFIG GET of what clients ask for',
    [],
    [
      'CONFIG GET save',
      'CONFIG GET appendonly',
      'CONFIG GET databases',
      'CONFIG GET maxmemory-policy',
      'CONFIG GET proto-max-bulk-len',
    ],
  );
  list.all('CONFIG RESETSTAT', [], ['CONFIG RESETSTAT', 'CONFIG RESETSTAT x', 'CONFIG REWRITE x']);
  list.inBoth('TIME', [], ['TIME', 'TIME x', 'time']);
  list.all(
    'INFO',
    [],
    [
      'INFO',
      'INFO server',
      'INFO SERVER',
      'INFO nothing',
      'INFO all',
      'INFO server clients',
      'INFO everything',
      'INFO keyspace',
    ],
  );
  list.all('INFO over RESP3', ['HELLO 3'], ['INFO server']);
  list.all(
    'WAIT',
    [],
    [
      'WAIT 0 0',
      'WAIT',
      'WAIT 0',
      'WAIT x 0',
      'WAIT 0 x',
      'WAIT 0 -1',
      'WAIT -1 0',
      'WAIT 0 0 0',
      'WAIT 0 100',
      'WAIT 1.5 0',
    ],
  );
  list.all('LOLWUT', [], ['LOLWUT VERSION x', 'LOLWUT VERSION 1.5 1', 'lolwut version ""']);
  list.all('WAITAOF', [], ['WAITAOF 0 0 0']);
  list.all(
    'SLOWLOG',
    [],
    [
      'SLOWLOG',
      'SLOWLOG FOO',
      'SLOWLOG RESET',
      'SLOWLOG LEN',
      'SLOWLOG GET',
      'SLOWLOG GET 0',
      'SLOWLOG GET -1',
      'SLOWLOG GET x',
      'SLOWLOG GET -2',
      'SLOWLOG GET 1 2',
      'SLOWLOG LEN x',
      'SLOWLOG RESET x',
    ],
  );
  list.all(
    'LATENCY',
    [],
    [
      'LATENCY',
      'LATENCY FOO',
      'LATENCY LATEST',
      'LATENCY RESET',
      'LATENCY HISTORY none',
      'LATENCY HISTORY',
      'LATENCY RESET none',
      'LATENCY LATEST x',
    ],
  );
  arity(list);
  unknown(list);
  return list;
}

const SPOKEN = [
  'get',
  'set',
  'setnx',
  'setex',
  'psetex',
  'getset',
  'getdel',
  'getex',
  'mget',
  'mset',
  'msetnx',
  'append',
  'strlen',
  'setrange',
  'getrange',
  'substr',
  'incr',
  'decr',
  'incrby',
  'decrby',
  'incrbyfloat',
  'lcs',
  'del',
  'unlink',
  'exists',
  'type',
  'touch',
  'rename',
  'renamenx',
  'copy',
  'randomkey',
  'keys',
  'scan',
  'dbsize',
  'expire',
  'pexpire',
  'expireat',
  'pexpireat',
  'ttl',
  'pttl',
  'expiretime',
  'pexpiretime',
  'persist',
  'ping',
  'echo',
  'auth',
  'hello',
  'select',
  'quit',
  'reset',
  'time',
  'flushall',
  'flushdb',
  'wait',
  'multi',
  'exec',
  'discard',
  'watch',
  'unwatch',
  'subscribe',
  'unsubscribe',
  'info',
];
/** Commands whose first word selects a subcommand. */
const CONTAINERS = ['client', 'command', 'config', 'object', 'memory', 'slowlog', 'latency'];

const SUBCOMMANDS: Readonly<Record<string, string>> = {
  object: 'encoding refcount idletime freq help',
  client:
    'id getname setname info list kill no-evict reply unblock help tracking caching trackinginfo getredir',
  command: 'count info docs getkeys list help',
  config: 'get set resetstat rewrite help',
  latency: 'latest history reset doctor histogram help',
  slowlog: 'get len reset help',
  memory: 'usage doctor purge help',
  cluster: 'slots shards nodes info myid keyslot countkeysinslot getkeysinslot help',
};

function subcommands(list: List): void {
  for (const [container, subs] of Object.entries(SUBCOMMANDS)) {
    const names = subs.split(' ').map((sub) => `${container}|${sub}`);
    list.inBoth('COMMAND INFO of subcommands', [], [`COMMAND INFO ${names.join(' ')}`]);
  }
}

function commands(list: List): void {
  for (let at = 0; at < SPOKEN.length; at += 8)
    list.one('COMMAND INFO of every command', `COMMAND INFO ${SPOKEN.slice(at, at + 8).join(' ')}`);
  subcommands(list);
  list.inBoth(
    'COMMAND INFO, other forms',
    [],
    [
      'COMMAND INFO none',
      'COMMAND INFO get none SET',
      'COMMAND INFO GET',
      'COMMAND COUNT',
      'COMMAND COUNT x',
      'COMMAND FOO',
      'COMMAND DOCS get',
      'COMMAND DOCS GET set',
      'COMMAND DOCS none',
      'COMMAND GETKEYS',
    ],
  );
  list.all(
    'COMMAND GETKEYS',
    [],
    [
      ...[
        'GET a',
        'SET a b',
        'MSET a 1 b 2',
        'MGET a b c',
        'DEL a b',
        'RENAME a b',
        'COPY a b',
        'LCS a b',
        'PING',
        'GET',
        'FOO a',
        'EXISTS a a',
        'SET a b GET',
        'OBJECT ENCODING a',
        'MEMORY USAGE a',
        'MSETNX a 1',
        'WATCH a b',
        'GETEX a EX 10',
      ],
      ...[
        'CLIENT ID',
        'KEYS *',
        'SCAN 0',
        'MSET a',
        'TOUCH a b',
        'CONFIG GET x',
        'OBJECT FOO a',
        'MULTI',
        'get a',
      ],
    ].map((command) => `COMMAND GETKEYS ${command}`),
  );
}

function arity(list: List): void {
  const all = [...SPOKEN, ...CONTAINERS];
  for (const command of all) {
    if (['quit', 'exec', 'command', 'info', 'reset', 'subscribe', 'unsubscribe'].includes(command)) continue;
    const upper = command.toUpperCase();
    const forms = [command, `${upper} a`, `${upper} a b c d e f g h i j k l`];
    // Some of these forms are valid for some commands; their replies are compared all the same.
    const spoken = forms.filter(
      (form) => !/^(hello|info|HELLO|INFO|PING|ECHO|AUTH|WATCH|time|randomkey|multi|dbsize)\b/.test(form),
    );
    if (spoken.length > 0) list.all('every command with too few or too many words', [], spoken);
  }
  list.one('every command with too few or too many words', 'SUBSCRIBE', 'PING');
}

function unknown(list: List): void {
  list.all(
    'a command that is not known',
    [],
    [
      'FOO',
      'foo bar',
      'FOO a b c',
      '"a b" c',
      '"\\x00\\x01" x',
      '"{z*100}"',
      'FOO "{a*100}"',
      'FOO "{a*60}" "{b*60}" "{c*60}"',
      'FOO "it\'s" "q\\"q"',
      'FOO "a\\nb"',
      '"a\\nb" c',
      'FOO ""',
      'FOO a "b\\x00c" d',
      '"" a',
      '"FO\'O"',
      'FOO 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40',
      'PING2',
      'GETT k',
      '"\\xff\\xfe"',
      'FOO "\\xff\\xfe"',
      'FOO "{a*130}" b',
      'FOO "{a*127}" b',
      '"{z*200}" a',
      'FOO "\\x09"',
    ],
  );
}
