/** Hot records: found as they were kept, within their bound, and never one that a write has outdated. */
import { describe, expect, test } from 'vitest';
import { Prng } from '../base/prng.ts';
import { ORIGIN_CLIENT } from '../core/record.ts';
import type { SealedRecord } from '../core/record.ts';
import { sealRecord } from '../wire/record-codec.ts';
import { HotCache } from './hot-cache.ts';

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

  test('outdated, dropped or cleared: it is not found', () => {
    const cache = new HotCache(MEGABYTE);
    for (const key of ['a', 'b', 'c']) cache.keep(sealed(key, 1));
    cache.outdate('a');
    cache.drop('b');
    expect(cache.get('a')).toBeUndefined();
    expect(cache.get('b')).toBeUndefined();
    expect(cache.get('c')).toBeDefined();
    cache.clear();
    expect(cache.get('c')).toBeUndefined();
    expect(cache.byteCount).toBe(0);
  });

  test('more than fits: the oldest go, the bound holds, and what is found is what was kept last', () => {
    const cache = new HotCache(MEGABYTE);
    const prng = new Prng(7);
    const last = new Map<string, number>();
    for (let version = 1; version <= 20_000; version += 1) {
      const key = `key ${prng.below(9_000)}`;
      if (prng.below(10) === 0) {
        cache.outdate(key);
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

  test('many keys are outdated and never kept again: their names do not fill it', () => {
    const cache = new HotCache(MEGABYTE);
    for (let index = 0; index < 20_000; index += 1) cache.outdate(`gone ${index}`);
    cache.keep(sealed('a', 1));
    expect(cache.byteCount).toBeLessThanOrEqual(MEGABYTE);
    expect(cache.get('a')).toEqual(sealed('a', 1));
  });

  test('a cache of no bytes keeps nothing', () => {
    const cache = new HotCache(0);
    cache.keep(sealed('a', 1));
    expect(cache.get('a')).toBeUndefined();
  });
});
