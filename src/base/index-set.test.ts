/** Sets of integers below a bound, compared with JavaScript's own `Set`. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IndexSet } from './index-set.ts';

const BOUND = 40;

function membersOf(set: IndexSet): number[] {
  const members: number[] = [];
  for (let at = set.next(0); at >= 0; at = set.next(at + 1)) members.push(at);
  return members;
}

test('numbers are added and deleted, some of them twice: the set holds what it should, and walks it ascending', () => {
  const step = fc.tuple(fc.constantFrom('add', 'delete', 'clear'), fc.nat(BOUND - 1));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const set = new IndexSet(BOUND);
      const model = new Set<number>();
      for (const [what, index] of steps) {
        for (const each of [set, model]) {
          if (what === 'add') each.add(index);
          else if (what === 'delete') each.delete(index);
          else each.clear();
        }
        expect(set.size).toBe(model.size);
      }
      expect(membersOf(set)).toEqual([...model].sort((a, b) => a - b));
      for (let index = 0; index < BOUND; index += 1) expect(set.has(index)).toBe(model.has(index));
    }),
  );
});

test('an empty set has no first member, and a full one ends with the bound', () => {
  const set = new IndexSet(2);
  expect(set.next(0)).toBe(-1);
  set.add(0);
  set.add(1);
  expect([set.next(0), set.next(1), set.next(2)]).toEqual([0, 1, -1]);
});
