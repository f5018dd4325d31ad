/** MULTI, EXEC, DISCARD, WATCH: at most one written key, because several are refused by design. */
import { List } from './list.ts';

// long: a list of cases, read from top to bottom
export function transactions(): List {
  const list = new List('transactions');
  list.inBoth(
    'MULTI and EXEC',
    [],
    ['MULTI', 'SET k 1', 'INCR k', 'GET k', 'EXEC', 'GET k', 'MULTI', 'EXEC', 'MULTI', 'GET none', 'EXEC'],
  );
  const bodies = [
    ['GET k'],
    ['SET k v', 'GET k'],
    ['INCR k', 'INCR k', 'INCR k'],
    ['APPEND k x', 'STRLEN k'],
    ['SET k v', 'DEL k', 'EXISTS k'],
    ['DEL k', 'SET k new', 'GET k'],
    ['GETSET k a', 'GETSET k b'],
    ['SET k abc', 'INCR k', 'GET k'],
    ['SET k 5 EX 100', 'PERSIST k', 'INCRBYFLOAT k 0.5'],
    ['SETRANGE k 3 x', 'GETRANGE k 0 -1'],
    ['SETNX k a', 'SETNX k b', 'GET k'],
    ['SET k a NX', 'SET k b NX', 'SET k c XX GET'],
    ['GETDEL k', 'GETDEL k'],
    ['INCRBY k 9223372036854775807', 'INCR k', 'GET k'],
    ['EXPIREAT k 4099000000', 'EXPIRETIME k', 'PERSIST k', 'EXPIRETIME k'],
    ['GET k', 'GET other', 'MGET k other'],
    ['SET k 1', 'GET other', 'INCR k'],
    ['PING', 'ECHO hi', 'SET k 1'],
    ['TYPE k', 'OBJECT ENCODING k', 'STRLEN k', 'EXISTS k k'],
    ['MSET k 1', 'GET k'],
    ['SETEX k 100 v', 'GET k'],
    ['GETEX k PERSIST', 'GET k'],
    ['SET k v PXAT 1', 'GET k', 'EXISTS k'],
    ['UNLINK k', 'UNLINK k'],
    ['TOUCH k', 'DECR k', 'DECRBY k 3'],
    ['SET k 10', 'COPY k k', 'GET k'],
    ['LCS k k', 'SUBSTR k 0 0'],
  ];
  const states = [[], ['SET k 10'], ['SET k text EX 100']];
  for (const begin of states)
    for (const body of bodies)
      list.one('EXEC of every command', ...begin, 'MULTI', ...body, 'EXEC', 'GET k', 'EXPIRETIME k');
  list.one(
    'EXEC without MULTI',
    'EXEC',
    'DISCARD',
    'MULTI',
    'MULTI',
    'SET k 1',
    'EXEC',
    'GET k',
    'EXEC',
    'EXEC x',
  );
  list.one(
    'DISCARD',
    'SET k 1',
    'MULTI',
    'SET k 2',
    'DISCARD',
    'GET k',
    'DISCARD',
    'MULTI',
    'DISCARD',
    'EXEC',
  );
  for (const wrong of ['FOO bar', 'GET', 'SET k', 'INCR k k', 'CONFIG FOO', 'OBJECT', 'GET a b']) {
    list.one(
      'a command that cannot be queued',
      'SET k 1',
      'MULTI',
      'SET k 2',
      wrong,
      'GET k',
      'EXEC',
      'GET k',
    );
    list.one('a command that cannot be queued, discarded', 'MULTI', wrong, 'DISCARD', 'EXEC');
  }
  for (const wrong of [
    'INCR k',
    'SET k v EX 0',
    'SETRANGE k -1 x',
    'INCRBY k abc',
    'SET k v FOO',
    'EXPIRE k x',
    'INCRBYFLOAT k x',
    'LCS k k FOO',
    'RENAME none none',
    'SETEX k 0 v',
  ]) {
    list.one(
      'a command that fails within EXEC: the others are done',
      'SET k text',
      'MULTI',
      'APPEND k a',
      wrong,
      'APPEND k b',
      'EXEC',
      'GET k',
    );
  }
  for (const inside of [
    'WATCH k',
    'UNWATCH',
    'MULTI',
    'PING',
    'ECHO x',
    'SELECT 0',
    'TIME',
    'EXEC x',
    'DISCARD x',
    'MULTI x',
    'QUIT',
    'RESET',
    'HELLO 3',
    'CLIENT GETNAME',
    'DBSIZE',
    'WAIT 0 0',
    'AUTH x',
    'CLIENT SETNAME x',
  ]) {
    list.one(
      `in MULTI: ${inside}`,
      'MULTI',
      inside,
      'GET k',
      ...(inside === 'TIME' || inside === 'HELLO 3' ? ['DISCARD'] : ['EXEC', 'PING']),
    );
  }
  watching(list);
  return list;
}

// long: a list of cases, read from top to bottom
function watching(list: List): void {
  const changes = [
    'SET w x',
    'DEL w',
    'APPEND w x',
    'INCR w',
    'EXPIRE w 100',
    'SET w 1',
    'GET w',
    'EXPIREAT w 1',
    'SETNX w 5',
    'RENAME w other',
    'COPY w other',
    'GETDEL w',
    'SET other 1',
    'TOUCH w',
    'PERSIST w',
    'SET w 1 XX',
    'GETEX w',
    'SETRANGE w 0 ""',
    'FLUSHALL',
    'MSET w 1',
  ];
  for (const begin of [[], ['SET w 1']]) {
    for (const change of changes) {
      list.one(
        'WATCH, and another connection in between',
        ...begin,
        'WATCH w',
        `2> ${change}`,
        'MULTI',
        'SET k done',
        'EXEC',
        'GET k',
      );
      list.one(
        'WATCH of the written key, and another connection in between',
        ...begin,
        'WATCH w',
        'MULTI',
        'APPEND w !',
        `2> ${change}`,
        'EXEC',
        'GET w',
      );
    }
  }
  for (const change of ['SET w x', 'DEL w', 'GET w']) {
    list.one(
      'WATCH, and an own change',
      'SET w 1',
      'WATCH w',
      change,
      'MULTI',
      'SET k done',
      'EXEC',
      'GET k',
    );
    list.one('UNWATCH', 'SET w 1', 'WATCH w', `2> ${change}`, 'UNWATCH', 'MULTI', 'SET k done', 'EXEC');
    list.one(
      'DISCARD forgets what was watched',
      'WATCH w',
      `2> ${change}`,
      'MULTI',
      'DISCARD',
      'MULTI',
      'SET k done',
      'EXEC',
    );
    list.one(
      'EXEC forgets what was watched',
      'WATCH w',
      'MULTI',
      'SET k 1',
      'EXEC',
      `2> ${change}`,
      'MULTI',
      'SET k 2',
      'EXEC',
    );
    list.one(
      'RESET forgets what was watched',
      'WATCH w',
      `2> ${change}`,
      'RESET',
      'MULTI',
      'SET k 2',
      'EXEC',
    );
    list.one('WATCH of several', 'WATCH a w b', `2> ${change}`, 'WATCH c', 'MULTI', 'SET k 1', 'EXEC');
    list.one(
      'EXEC that finds nothing to do is checked, too',
      'WATCH w',
      `2> ${change}`,
      'MULTI',
      'EXEC',
      'MULTI',
      'GET w',
      'EXEC',
    );
    list.one(
      'WATCH over RESP3',
      'HELLO 3',
      'WATCH w',
      `2> ${change}`,
      'MULTI',
      'SET k 1',
      'EXEC',
      'GET none',
    );
  }
  list.one(
    'changed and changed back',
    'SET w 1',
    'WATCH w',
    '2> SET w 2',
    '2> SET w 1',
    'MULTI',
    'SET k 1',
    'EXEC',
  );
  list.one('made and removed', 'WATCH w', '2> SET w 2', '2> DEL w', 'MULTI', 'SET k 1', 'EXEC');
  list.one(
    'an aborted queue ends the watching',
    'WATCH w',
    'MULTI',
    'FOO',
    'EXEC',
    '2> SET w 1',
    'MULTI',
    'SET k 1',
    'EXEC',
  );
  list.one(
    'the forms of WATCH',
    'WATCH',
    'WATCH a',
    'WATCH a a',
    'UNWATCH',
    'UNWATCH x',
    'watch a b',
    'unwatch',
  );
}
