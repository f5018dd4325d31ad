/** Lists that are mostly empty: items come out in order, and the shared empty list is never changed. */
import { expect, test } from 'vitest';
import { NONE, appended, withoutFirst } from './short-list.ts';

test('items are taken from the front in the order in which they were appended', () => {
  let list: readonly number[] = NONE;
  for (const item of [1, 2, 3]) list = appended(list, item);
  expect([...list]).toEqual([1, 2, 3]);
  list = withoutFirst(list);
  expect([...list]).toEqual([2, 3]);
  list = withoutFirst(withoutFirst(list));
  expect(list).toBe(NONE);
});

test('appending to the shared empty list leaves it empty, and so does taking from it', () => {
  expect([...appended<number>(NONE, 1)]).toEqual([1]);
  expect(withoutFirst(NONE)).toBe(NONE);
  expect(NONE).toEqual([]);
});
