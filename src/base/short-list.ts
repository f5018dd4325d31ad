/**
 * Lists that are mostly empty and otherwise mostly hold one item. An array that is created empty and then pushed to
 * reserves room for seventeen items, and every key in flight has several such lists.
 */

/** The shared empty list. Its type is read-only, so that nobody can push to it. */
export const NONE: readonly never[] = [];

/** The list with one more item at its end; the list passed in must not be used again. */
export function appended<T>(list: readonly T[], item: T): readonly T[] {
  if (list.length === 0) return [item];
  (list as T[]).push(item);
  return list;
}

/** The list without its first item; the list passed in must not be used again. */
export function withoutFirst<T>(list: readonly T[]): readonly T[] {
  if (list.length <= 1) return NONE;
  (list as T[]).shift();
  return list;
}
