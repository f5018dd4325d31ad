/** The order in which pages of slots reach the store, and how long a page waits for earlier ones. */
import { expect, test } from 'vitest';
import { PAGES_WAITING_MAX, PAGE_WAIT_MS_MAX } from '../../core/copying/copy-limits.ts';
import { PagesInOrder } from './pages-in-order.ts';

interface Scene {
  readonly pages: PagesInOrder;
  readonly applied: number[];
  /** Slots with a page on its way. */
  readonly awaited: Set<number>;
  /** The page of a slot arrives. */
  come(slot: number, at?: number): void;
}

function begin(awaited: readonly number[]): Scene {
  const scene = { applied: [] as number[], awaited: new Set(awaited) };
  const pages = new PagesInOrder(() => Math.min(...scene.awaited));
  const come = (slot: number, at = 0): void => {
    scene.awaited.delete(slot);
    pages.add(slot, 100, at, () => void scene.applied.push(slot));
  };
  return Object.assign(scene, { pages, come });
}

test('pages arrive in any order: each is applied after those of all lower slots', () => {
  const { applied, come } = begin([1, 2, 3, 4]);
  come(3);
  come(2);
  expect(applied).toEqual([]);
  come(1);
  expect(applied).toEqual([1, 2, 3]);
  come(4);
  expect(applied).toEqual([1, 2, 3, 4]);
});

test('the page of a lower slot does not arrive: later ones wait for a moment and no longer', () => {
  const { applied, pages, come } = begin([1, 2, 3]);
  come(2, 10);
  come(3, 20);
  pages.release(10 + PAGE_WAIT_MS_MAX - 1);
  expect(applied).toEqual([]);
  pages.release(10 + PAGE_WAIT_MS_MAX);
  expect(applied).toEqual([2]);
  pages.release(20 + PAGE_WAIT_MS_MAX);
  expect(applied).toEqual([2, 3]);
});

test('many wait for one: no more than the limit do, the lowest goes first', () => {
  const { applied, pages, come } = begin([0]);
  for (let slot = PAGES_WAITING_MAX + 1; slot > 0; slot -= 1) come(slot);
  expect(applied).toEqual([1]);
  expect(pages.size).toBe(PAGES_WAITING_MAX);
});

test('another page is requested while one is applied: waiting pages are gone through once, in order', () => {
  const applied: number[] = [];
  const pages = new PagesInOrder(() => Infinity);
  pages.add(5, 100, 0, () => {
    pages.add(7, 100, 0, () => applied.push(7));
    pages.add(6, 100, 0, () => applied.push(6));
    applied.push(5);
  });
  expect(applied).toEqual([5, 6, 7]);
});

test('a session ends: what waits is not applied, and its bytes are told', () => {
  const { applied, pages, come } = begin([1, 2, 3]);
  come(2);
  come(3);
  let dropped = 0;
  pages.clear((bytes) => {
    dropped += bytes;
  });
  come(1);
  pages.release(10_000);
  expect([applied, dropped, pages.size]).toEqual([[1], 200, 0]);
});
