/** What cluster-aware clients ask, recorded from a cluster of one Redis. The members are different in each cluster. */
import { List } from './list.ts';

// long: a list of cases, read from top to bottom
export function cluster(): List {
  const list = new List('cluster');
  const keys = [
    'foo',
    'bar',
    '{tag}a',
    'a{tag}',
    '{}x',
    '{',
    '}',
    '{a',
    'a{}b',
    '{a}{b}',
    '{{a}}',
    'x{y}z{w}',
    '123456789',
    '""',
    '"\\xc3\\xa9"',
    '"a b"',
    '"{k*100}"',
    'user1000',
    '{user1000}.following',
    '{user1000}.followers',
    'foo{}{bar}',
    'foo{{bar}}zap',
    'foo{bar}{zap}',
    '"\\xff\\x00"',
  ];
  for (let at = 0; at < keys.length; at += 8)
    list.inCluster('CLUSTER KEYSLOT', ...keys.slice(at, at + 8).map((key) => `CLUSTER KEYSLOT ${key}`));
  list.inCluster(
    'CLUSTER, wrong',
    'CLUSTER',
    'CLUSTER FOO',
    'CLUSTER KEYSLOT',
    'CLUSTER KEYSLOT a b',
    'CLUSTER MYID x',
    'CLUSTER SLOTS x',
    'CLUSTER NODES x',
    'CLUSTER INFO x',
    'CLUSTER SHARDS x',
  );
  list.inCluster('CLUSTER SLOTS', 'CLUSTER SLOTS', 'HELLO 3', 'CLUSTER SLOTS', 'cluster slots');
  list.inCluster('CLUSTER MYID and INFO', 'CLUSTER MYID', 'CLUSTER INFO', 'cluster myid');
  list.inCluster(
    'COUNTKEYSINSLOT and GETKEYSINSLOT',
    'MSET {a}1 x {a}2 y',
    'CLUSTER KEYSLOT {a}1',
    'CLUSTER COUNTKEYSINSLOT 15495',
    'CLUSTER COUNTKEYSINSLOT 0',
    'CLUSTER COUNTKEYSINSLOT -1',
    'CLUSTER COUNTKEYSINSLOT 16384',
    'CLUSTER COUNTKEYSINSLOT x',
    'CLUSTER COUNTKEYSINSLOT',
    'CLUSTER GETKEYSINSLOT 15495 10',
    'CLUSTER GETKEYSINSLOT 15495 0',
    'CLUSTER GETKEYSINSLOT 0 10',
    'CLUSTER GETKEYSINSLOT 15495',
    'CLUSTER GETKEYSINSLOT x 10',
    'CLUSTER GETKEYSINSLOT 15495 x',
    'CLUSTER GETKEYSINSLOT 15495 -1',
    'CLUSTER GETKEYSINSLOT 16384 1',
  );
  list.inCluster(
    'READONLY, READWRITE, ASKING',
    'READONLY',
    'READWRITE',
    'ASKING',
    'READONLY x',
    'READWRITE x',
    'ASKING x',
    'GET none',
  );
  list.inCluster('SELECT in a cluster', 'SELECT 0', 'SELECT 1', 'SELECT x', 'COPY {t}a {t}b DB 1');
  return list;
}
