/** A map whose inner map is replaced now and then still behaves like a `Map`. */
import { expect, test } from 'vitest';
import { ChurningMap } from './churning-map.ts';
import { Prng } from './prng.ts';

test('thousands come and go: what is left stands in the order in which it came, as in a Map', () => {
  const prng = new Prng(7);
  const model = new Map<number, number>();
  const map = new ChurningMap<number, number>();
  for (let step = 0; step < 5_000; step += 1) {
    const key = prng.below(200);
    if (prng.chance(0.5)) {
      model.set(key, step);
      map.set(key, step);
    } else expect(map.delete(key)).toBe(model.delete(key));
    if (prng.chance(0.002)) {
      model.clear();
      map.clear();
    }
    expect([map.size, map.get(key), map.has(key)]).toEqual([model.size, model.get(key), model.has(key)]);
    if (step % 100 === 0) expect([...map.entries()]).toEqual([...model.entries()]);
  }
  expect([...map.values()]).toEqual([...model.values()]);
});

test('an iteration sees entries added meanwhile and not those removed, however many were removed before', () => {
  const map = new ChurningMap<number, number>();
  for (let key = 0; key < 5_000; key += 1) map.set(key, key);
  for (let key = 0; key < 5_000; key += 1) if (key % 1_000 !== 0) map.delete(key);
  const seen: number[] = [];
  for (const value of map.values()) {
    seen.push(value);
    if (value === 1_000) map.delete(2_000);
    if (value === 3_000) map.set(9_000, 9_000);
  }
  expect(seen).toEqual([0, 1_000, 3_000, 4_000, 9_000]);
  for (const value of map.values()) {
    seen.push(value);
    map.clear();
    map.set(-1, -1);
    if (value === -1) break;
  }
  expect(seen.slice(5)).toEqual([0, -1]);
});
