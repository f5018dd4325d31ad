/**
 * A record is what one key holds at one version: a value or a tombstone. The same content, byte for
 * byte, stands in every owner's store; `checksum` covers all of it, so two records of equal version and
 * equal checksum are the same write, and PostgreSQL's row can be turned back into it exactly.
 */

export const ORIGIN_CLIENT = 0;
export const ORIGIN_LEGACY = 1;
export const ORIGIN_OUTSIDE = 2;
/** Who wrote the record: a client, a fill from the legacy source, or a hand outside Causeway. */
export type Origin = typeof ORIGIN_CLIENT | typeof ORIGIN_LEGACY | typeof ORIGIN_OUTSIDE;

export const ORIGIN_NAMES = ['client', 'legacy', 'outside'] as const;

export interface KeyRecord {
  readonly key: string;
  readonly version: number;
  readonly origin: Origin;
  /** A deletion: the value is empty and the key reads as absent. */
  readonly tombstone: boolean;
  readonly value: Uint8Array;
  /** Milliseconds since 1970, whole. When the key last came into being. */
  readonly createdAt: number;
  /** Milliseconds since 1970, whole. When this version was written. */
  readonly updatedAt: number;
  /** Milliseconds since 1970, whole; 0 means never. In a tombstone: the time whose passing it tells, 0 for none. */
  readonly expiresAt: number;
  /** 16 bytes given by the client, or null. */
  readonly operationId: Uint8Array | null;
  /** A media type (`check-key.ts`), or null; of a tombstone null. */
  readonly contentType: string | null;
}

/** A record before it has its version. */
export type RecordContent = Omit<KeyRecord, 'version'>;

/**
 * Fields in the order of every other place that makes a record: the engine then knows one shape of them, and what
 * reads one costs no lookup.
 */
export function recordOf(content: RecordContent, version: number): KeyRecord {
  return {
    key: content.key,
    version,
    origin: content.origin,
    tombstone: content.tombstone,
    value: content.value,
    createdAt: content.createdAt,
    updatedAt: content.updatedAt,
    expiresAt: content.expiresAt,
    operationId: content.operationId,
    contentType: content.contentType,
  };
}

/** A record with its one encoding: encoded once where the write begins, then stored and sent as it is. */
export interface SealedRecord {
  readonly record: KeyRecord;
  readonly bytes: Uint8Array;
  /** CRC-32 of the content, unsigned. */
  readonly checksum: number;
}

export const EMPTY_VALUE: Uint8Array = new Uint8Array(0);

/** Does a reader at wall time `wallNow` (ms) see a value here? */
export function isLive(record: KeyRecord, wallNow: number): boolean {
  return !record.tombstone && (record.expiresAt === 0 || record.expiresAt > wallNow);
}

export function isExpired(record: KeyRecord, wallNow: number): boolean {
  return !record.tombstone && record.expiresAt !== 0 && record.expiresAt <= wallNow;
}

/**
 * The tombstone of an expiry keeps the time that had to pass: did the clock of an owner that has shown `wallShown` at most not
 * pass it yet? Then it does not take it. (PROTOCOL R26)
 */
export function isEarlyExpiry(record: KeyRecord, wallShown: number): boolean {
  return record.tombstone && record.expiresAt > wallShown;
}

/**
 * May a fill from legacy take this record's place? Only where nothing native stands: a key never seen, or an
 * expired fill (also one whose expiry was already written as a tombstone, which keeps the fill's origin). A
 * client's deletion and an expired native value block it for ever. (PROTOCOL R25)
 */
export function yieldsToFill(record: KeyRecord | undefined, wallNow: number): boolean {
  if (record === undefined) return true;
  return record.origin === ORIGIN_LEGACY && !isLive(record, wallNow);
}
