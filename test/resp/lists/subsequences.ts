/** LCS: the longest common subsequence of two values, as text, length and matches. */
import { List, product } from './list.ts';

// long: a list of cases, read from top to bottom
export function subsequences(): List {
  const list = new List('subsequences');
  const pairs = [
    ['ohmytext', 'mynewtext'],
    ['""', 'abc'],
    ['abc', '""'],
    ['abc', 'abc'],
    ['abc', 'xyz'],
    ['aaaa', 'aa'],
    ['abcdef', 'acf'],
    ['abcabcabc', 'cbacba'],
    ['12345', '2345'],
    ['"\\x00\\xff\\x00"', '"\\xff\\x00"'],
    ['AGGTAB', 'GXTXAYB'],
    ['xaxbxcxd', 'aybyczd'],
    ['thequickbrownfoxjumps', 'overthelazybrowndogjumped'],
    ['ababababab', 'bababababa'],
  ] as const;
  const forms = [
    '',
    'LEN',
    'IDX',
    'IDX MINMATCHLEN 2',
    'IDX MINMATCHLEN 4',
    'IDX WITHMATCHLEN',
    'IDX MINMATCHLEN 3 WITHMATCHLEN',
  ];
  for (const [first, second] of pairs) {
    list.all('LCS in every form', [`SET a ${first}`, `SET b ${second}`], product(['LCS a b'], forms));
  }
  list.inBoth(
    'LCS in both protocols',
    ['SET a ohmytext', 'SET b mynewtext'],
    [...product(['LCS a b'], forms), 'LCS a none', 'LCS none a IDX', 'LCS none other LEN'],
  );
  list.all(
    'LCS, wrong or odd',
    ['SET a hello', 'SET b yellow'],
    [
      ...[
        'LCS a',
        'LCS a b FOO',
        'LCS a b LEN IDX',
        'LCS a b IDX LEN',
        'LCS a b MINMATCHLEN',
        'LCS a b MINMATCHLEN x',
        'LCS a b IDX MINMATCHLEN x',
      ],
      ...[
        'LCS a b MINMATCHLEN 2',
        'LCS a b WITHMATCHLEN',
        'LCS a b LEN WITHMATCHLEN',
        'LCS a b IDX MINMATCHLEN -1',
        'LCS a b IDX MINMATCHLEN 0',
      ],
      ...[
        'lcs a b idx minmatchlen 1 withmatchlen',
        'LCS a a',
        'LCS a a IDX',
        'LCS a b IDX IDX',
        'LCS a b IDX MINMATCHLEN 100',
        'LCS a b LEN LEN',
      ],
      ...['LCS a b IDX MINMATCHLEN 1 MINMATCHLEN 3', 'LCS a b IDX MINMATCHLEN 1.5'],
    ],
  );
  return list;
}
