/**
 * Lists that are mostly empty and, if not, mostly hold one item. An array that is made empty and then pushed to
 * takes room for seventeen items; of these there are several for every key in flight.
 */

/** Shared by all who have nothing. Read-only by its type, so that nobody can push to it. */
export const NONE: readonly never[] = [];

/** The list with one more item at its end; the list that was handed in must not be used again. */
export function appended<T>(list: readonly T[], item: T): readonly T[] {
  if (list.length === 0) return [item];
  (list as T[]).push(item);
  return list;
}

/** The list without its first item; the list that was handed in must not be used again. */
export function withoutFirst<T>(list: readonly T[]): readonly T[] {
  if (list.length <= 1) return NONE;
  (list as T[]).shift();
  return list;
}
