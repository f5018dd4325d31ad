/** Hot records: returned as they were stored, within the bound, and never one that a write has replaced. */
import { describe, expect, test } from 'vitest';
import { Prng } from '../../base/prng.ts';
import { ORIGIN_CLIENT } from '../../core/record.ts';
import type { SealedRecord } from '../../core/record.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import { HotCache } from './hot-cache.ts';
import { HotPlaces } from './hot-places.ts';

const MEGABYTE = 1024 * 1024;

function sealed(key: string, version: number, valueBytes = 100): SealedRecord {
  return sealRecord({
    key,
    version,
    origin: ORIGIN_CLIENT,
    tombstone: false,
    value: Buffer.alloc(valueBytes, version & 255),
    createdAt: 1,
    updatedAt: version,
    expiresAt: 0,
    operationId: null,
    contentType: null,
  });
}

describe('a cache of hot records', () => {
  test('a record that is kept is found as it was, and again after it was kept anew', () => {
    const cache = new HotCache(MEGABYTE);
    cache.keep(sealed('a', 1));
    cache.keep(sealed('b', 2));
    expect(cache.get('a')).toEqual(sealed('a', 1));
    cache.keep(sealed('a', 3, 5000));
    expect(cache.get('a')).toEqual(sealed('a', 3, 5000));
    expect(cache.get('b')).toEqual(sealed('b', 2));
  });

  test('dropped or cleared: it is not found', () => {
    const cache = new HotCache(MEGABYTE);
    for (const key of ['a', 'b']) cache.keep(sealed(key, 1));
    cache.drop('a');
    cache.drop('never kept');
    expect(cache.get('a')).toBeUndefined();
    expect(cache.get('b')).toBeDefined();
    cache.clear();
    expect(cache.get('b')).toBeUndefined();
    cache.keep(sealed('b', 2));
    expect(cache.get('b')).toEqual(sealed('b', 2));
    cache.clear();
    expect(cache.byteCount).toBe(0);
  });

  test('more than fits: the oldest go, the bound holds, and what is found is what was kept last', () => {
    const cache = new HotCache(MEGABYTE);
    const prng = new Prng(7);
    const last = new Map<string, number>();
    for (let version = 1; version <= 20_000; version += 1) {
      const key = `key ${prng.below(9_000)}`;
      if (prng.below(10) === 0) {
        cache.drop(key);
        last.delete(key);
        continue;
      }
      cache.keep(sealed(key, version, prng.below(400)));
      last.set(key, version);
      expect(cache.byteCount).toBeLessThanOrEqual(MEGABYTE);
    }
    let found = 0;
    for (let index = 0; index < 9_000; index += 1) {
      const kept = cache.get(`key ${index}`);
      if (kept === undefined) continue;
      found += 1;
      expect(kept.record.version).toBe(last.get(`key ${index}`));
      expect(cache.recordOf(`key ${index}`)).toEqual(kept.record);
      expect(kept.record.value.every((byte) => byte === (kept.record.version & 255))).toBe(true);
    }
    expect(found).toBeGreaterThan(1_000);
  });

  test('a reader holds a value while its slab goes: the value stays what it was', () => {
    const cache = new HotCache(MEGABYTE);
    cache.keep(sealed('held', 1));
    const { value } = cache.get('held')!.record;
    for (let index = 0; index < 20_000; index += 1) cache.keep(sealed(`other ${index}`, 2));
    expect(cache.get('held')).toBeUndefined();
    expect(value).toEqual(Buffer.alloc(100, 1));
  });

  test('a value too large for it is not kept, nor is what was kept before in its place', () => {
    const cache = new HotCache(MEGABYTE);
    cache.keep(sealed('large', 1));
    cache.keep(sealed('large', 2, MEGABYTE / 4));
    expect(cache.get('large')).toBeUndefined();
  });

  test('keys of every script are told from each other, and from those that only begin alike', () => {
    const cache = new HotCache(MEGABYTE);
    const keys = ['a', 'ab', 'é', 'e', 'ключ', 'ключи', 'a\u{1f600}', 'a\u{1f601}', 'a'.repeat(1_000), 'id'];
    keys.forEach((key, at) => cache.keep(sealed(key, at + 1)));
    expect(keys.map((key) => cache.get(key)?.record.version)).toEqual(keys.map((_, at) => at + 1));
    for (const other of ['', 'b', 'abc', 'ê', 'клю', 'a'.repeat(999)])
      expect(cache.get(other)).toBeUndefined();
  });

  test('nearly all that has room is found: few buckets are full when most have room', () => {
    const cache = new HotCache(16 * MEGABYTE);
    const count = 40_000;
    for (let index = 0; index < count; index += 1) cache.keep(sealed(`key ${index}`, index + 1));
    let found = 0;
    for (let index = 0; index < count; index += 1) {
      const kept = cache.recordOf(`key ${index}`);
      if (kept === undefined) continue;
      expect(kept.version).toBe(index + 1);
      found += 1;
    }
    expect(found).toBeGreaterThan(count * 0.98);
  });

  test('a burst of small records has gone: large ones have as much room as if it had never been', () => {
    const [after, fresh] = [new HotCache(MEGABYTE), new HotCache(MEGABYTE)];
    for (let index = 0; index < 20_000; index += 1) after.keep(sealed(`small ${index}`, 1, 0));
    const large = 8_000;
    for (const cache of [after, fresh])
      for (let index = 0; index < 400; index += 1) cache.keep(sealed(`large ${index}`, 2, large));
    const found = (cache: HotCache): number =>
      Array.from({ length: 400 }, (_, index) => cache.get(`large ${index}`)).filter(Boolean).length;
    expect(found(fresh)).toBeGreaterThan((0.8 * MEGABYTE) / large);
    expect(found(after)).toBeGreaterThan(0.95 * found(fresh));
  });

  test('places that are few in a long table: it becomes shorter, down to one bucket, and has them all', () => {
    const places = new HotPlaces();
    const prng = new Prng(3);
    const hashes = Array.from({ length: 4_000 }, () => prng.below(0x7fffffff));
    hashes.forEach((hash, place) => places.add(hash, place));
    const before = places.byteCount;
    const isHeld = (place: number): boolean => places.indexOf(hashes[place]!, place) >= 0;
    const held = hashes.map((_, place) => place).filter(isHeld);
    const kept = held.slice(0, 100);
    for (const place of held.slice(100)) places.remove(places.indexOf(hashes[place]!, place));
    for (let times = 0; times < 20; times += 1) places.shrink();
    expect(places.byteCount).toBeLessThan(before / 8);
    expect(kept.filter(isHeld)).toEqual(kept);
    for (const place of kept) places.remove(places.indexOf(hashes[place]!, place));
    for (let times = 0; times < 20; times += 1) places.shrink();
    expect(places.byteCount).toBe(8 * 12);
    places.add(5, 7);
    expect(places.indexOf(5, 7)).toBeGreaterThanOrEqual(0);
  });

  test('a table that is used is as long as it was', () => {
    const places = new HotPlaces();
    for (let place = 0; place < 1_000; place += 1) places.add(place * 7919, place);
    const before = places.byteCount;
    places.shrink();
    expect(places.byteCount).toBe(before);
  });

  test('keys of one hash: what was kept last stands, and never another in its place', () => {
    const cache = new HotCache(MEGABYTE);
    // Found by trial: both have the same hash.
    const [one, other] = ['key 162448', 'key 176704'] as const;
    cache.keep(sealed(one, 1));
    expect(cache.get(other)).toBeUndefined();
    cache.keep(sealed(other, 2));
    expect(cache.get(one)).toBeUndefined();
    expect(cache.get(other)).toEqual(sealed(other, 2));
    cache.drop(one);
    expect(cache.get(other)).toBeUndefined();
  });

  test('keys that all fall into one bucket: the last ones are found', () => {
    const places = new HotPlaces();
    for (let place = 0; place < 20; place += 1) places.add(0x10000, place);
    const found = Array.from({ length: 20 }, (_, place) => places.indexOf(0x10000, place) >= 0);
    expect(found.indexOf(true)).toBe(12);
    expect(found.lastIndexOf(false)).toBe(11);
  });

  test('a cache of a few kilobytes keeps a few records, within its bound, however many come by', () => {
    for (const bytesMax of [2_000, 4_200, 6_000, 20_000]) {
      const cache = new HotCache(bytesMax);
      for (let index = 0; index < 2_000; index += 1) {
        cache.keep(sealed(`key ${index}`, 1, index % 70));
        expect(cache.byteCount).toBeLessThanOrEqual(bytesMax);
      }
      expect(cache.get('key 1999')).toEqual(sealed('key 1999', 1, 1_999 % 70));
    }
  });

  test('a cache of several gigabytes: its slabs are no smaller than those of a small one', () => {
    const [small, large] = [new HotCache(MEGABYTE), new HotCache(4_096 * MEGABYTE)];
    for (const cache of [small, large]) cache.keep(sealed('a', 1));
    expect(large.byteCount).toBeGreaterThan(small.byteCount);
  });

  test('a cache of no bytes keeps nothing', () => {
    const cache = new HotCache(0);
    cache.keep(sealed('a', 1));
    expect(cache.get('a')).toBeUndefined();
  });
});
