/** The table of who keeps which key: each client is told once, counts are right, and the oldest key comes first. */
import { describe, expect, test } from 'vitest';
import { TrackingTable } from './tracking-table.ts';

describe('clients keep copies of keys', () => {
  test('a key is kept by several, and changes: each is told once, and forgotten', () => {
    const table = new TrackingTable();
    for (const client of [3, 5, 3, 7]) table.add('a', client);
    table.add('b', 3);
    expect([table.keyCount, table.itemCount]).toEqual([2, 4]);
    expect(table.take('a')).toEqual([3, 5, 7]);
    expect(table.take('a')).toEqual([]);
    expect([table.keyCount, table.itemCount]).toEqual([1, 1]);
  });

  test('everything may have changed: each client is told once, and nothing is left', () => {
    const table = new TrackingTable();
    table.add('a', 1);
    table.add('b', 1);
    table.add('b', 2);
    expect([...table.takeAll()]).toEqual([1, 2]);
    expect([table.keyCount, table.itemCount, table.oldest()]).toEqual([0, 0, undefined]);
  });

  test('there are too many keys: the one that has stood there for longest goes first', () => {
    const table = new TrackingTable();
    for (const key of ['a', 'b', 'c']) table.add(key, 1);
    table.add('a', 2);
    expect(table.oldest()).toBe('a');
    table.take('a');
    expect(table.oldest()).toBe('b');
  });
});
