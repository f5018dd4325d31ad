/** How old an answer without a lease is, and what it may contain. */
import { describe, expect, it } from 'vitest';
import { EMPTY_VALUE, ORIGIN_CLIENT, ORIGIN_LEGACY } from '../record.ts';
import type { KeyRecord, SealedRecord } from '../record.ts';
import { LastLease, staleWord } from './stale.ts';

function sealed(fields: Partial<KeyRecord>): SealedRecord {
  const record: KeyRecord = {
    key: 'k',
    version: 4097,
    origin: ORIGIN_CLIENT,
    tombstone: false,
    value: EMPTY_VALUE,
    createdAt: 1,
    updatedAt: 1,
    expiresAt: 0,
    operationId: null,
    contentType: null,
    ...fields,
  };
  return { record, bytes: EMPTY_VALUE, checksum: 0 };
}

describe('the last lease', () => {
  it('none was ever held, or not by this process: no age', () => {
    const lease = new LastLease();
    expect(lease.agoMs(5_000)).toBe(Infinity);
    lease.held(5_000);
    lease.forget();
    expect(lease.agoMs(5_000)).toBe(Infinity);
  });

  it('one was held: never told younger than it is', () => {
    const lease = new LastLease();
    lease.held(5_000.5);
    expect(lease.agoMs(5_000.5)).toBe(0);
    expect(lease.agoMs(5_001)).toBe(1);
    expect(lease.agoMs(6_000.6)).toBe(1_001);
  });
});

describe('what an owner may tell without a lease', () => {
  const sure = { loaded: true, hasLegacy: false, wallNow: 1_000 };

  it('a value: told; past its time it is absent', () => {
    const value = sealed({ expiresAt: 1_001 });
    expect(staleWord(value, sure)).toBe(value.record);
    expect(staleWord(value, { ...sure, wallNow: 1_001 })).toBe('absent');
  });

  it('nothing held: absent, unless PostgreSQL or a legacy source may have it', () => {
    expect(staleWord(undefined, sure)).toBe('absent');
    expect(staleWord(undefined, { ...sure, loaded: false })).toBe('unknown');
    expect(staleWord(undefined, { ...sure, hasLegacy: true })).toBe('unknown');
  });

  it("a client's deletion: absent, whatever else there is; a fill past its time: only without a source", () => {
    const deleted = sealed({ tombstone: true });
    expect(staleWord(deleted, { ...sure, loaded: false, hasLegacy: true })).toBe('absent');
    const fill = sealed({ origin: ORIGIN_LEGACY, expiresAt: 900 });
    expect(staleWord(fill, sure)).toBe('absent');
    expect(staleWord(fill, { ...sure, hasLegacy: true })).toBe('unknown');
  });
});
