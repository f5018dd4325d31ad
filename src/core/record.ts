/**
 * A record is what one key holds at one version: a value or a tombstone. Every owner's store has the same content, byte
 * for byte. `checksum` covers all of it, so two records with the same version and checksum are the same write, and
 * PostgreSQL's row can be turned back into it exactly.
 */

export const ORIGIN_CLIENT = 0;
export const ORIGIN_LEGACY = 1;
export const ORIGIN_OUTSIDE = 2;
/** Who wrote the record: a client, a fill from the legacy source, or a person changing PostgreSQL directly. */
export type Origin = typeof ORIGIN_CLIENT | typeof ORIGIN_LEGACY | typeof ORIGIN_OUTSIDE;

export const ORIGIN_NAMES = ['client', 'legacy', 'outside'] as const;

export interface KeyRecord {
  readonly key: string;
  readonly version: number;
  readonly origin: Origin;
  /** A deletion: the value is empty and the key reads as absent. */
  readonly tombstone: boolean;
  readonly value: Uint8Array;
  /** Milliseconds since 1970, whole: when the key last came into being. */
  readonly createdAt: number;
  /** Milliseconds since 1970, whole: when this version was written. */
  readonly updatedAt: number;
  /**
   * Milliseconds since 1970, whole; 0 means never. In a tombstone: the expiry time that had to pass before it was
   * written, 0 if none.
   */
  readonly expiresAt: number;
  /** 16 bytes given by the client, or null. */
  readonly operationId: Uint8Array | null;
  /** A media type (`check-key.ts`), or null. Always null in a tombstone. */
  readonly contentType: string | null;
}

/** A record without its version. */
export type RecordContent = Omit<KeyRecord, 'version'>;

/**
 * Sets the fields in the same order as every other place that creates a record, so that the engine uses one hidden
 * class and property reads stay monomorphic.
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

/** A record with its encoding: encoded once when the write begins, then stored and sent as is. */
export interface SealedRecord {
  readonly record: KeyRecord;
  readonly bytes: Uint8Array;
  /** CRC-32 of the content, unsigned. */
  readonly checksum: number;
}

export const EMPTY_VALUE: Uint8Array = new Uint8Array(0);

/** True if a reader at wall time `wallNow` (ms) sees a value here. */
export function isLive(record: KeyRecord, wallNow: number): boolean {
  return !record.tombstone && (record.expiresAt === 0 || record.expiresAt > wallNow);
}

export function isExpired(record: KeyRecord, wallNow: number): boolean {
  return !record.tombstone && record.expiresAt !== 0 && record.expiresAt <= wallNow;
}

/**
 * An expiry's tombstone keeps the time that had to pass. True if the clock of an owner, which has shown at most
 * `wallShown`, has not passed that time yet; then the owner does not accept the tombstone. (PROTOCOL R26)
 */
export function isEarlyExpiry(record: KeyRecord, wallShown: number): boolean {
  return record.tombstone && record.expiresAt > wallShown;
}

/**
 * True if a fill from the legacy source may replace this record, which is so only if nothing native stands: the key was
 * never seen, or the record is an expired fill (or the tombstone of its expiry, which keeps the fill's origin). A
 * client's deletion and an expired native value block fills for good. (PROTOCOL R25)
 */
export function yieldsToFill(record: KeyRecord | undefined, wallNow: number): boolean {
  if (record === undefined) return true;
  return record.origin === ORIGIN_LEGACY && !isLive(record, wallNow);
}
