/**
 * Decides what happens to one key when a slot is compared with PostgreSQL after a failover or a restore. Only records
 * at rest are committed again: a version in flight may be missing at an owner, and PostgreSQL must never hold what the
 * owners do not. But a version in flight may have been acknowledged on the word of the server that is gone, so the slot
 * waits for it. And PostgreSQL may have lost a deletion that was forgotten here: a value that stands below the floor of
 * its slot is deleted once more. (PROTOCOL R6, R23, R30)
 */
import { EMPTY_VALUE, ORIGIN_CLIENT } from '../record.ts';
import type { KeyRecord } from '../record.ts';

export interface HeldVersion {
  readonly version: number;
  readonly checksum: number;
  /** Not valid here: its coordinator may have completed it. */
  readonly inFlight: boolean;
}

export interface StandingVersion {
  readonly version: number;
  readonly checksum: number;
}

/**
 * - settled: PostgreSQL has the version, or what replaced it.
 * - drive: the version must be committed again.
 * - wait: check again later.
 * - conflict: the same version with different content, which no repetition heals.
 */
export type DriveVerdict = 'settled' | 'drive' | 'wait' | 'conflict';

/**
 * `waitedFor`: the version in flight when the key was first met in this drive. Whatever was acknowledged before the
 * drive is no higher, and later versions were committed to the server in use. So a key that never comes to rest is
 * settled too.
 */
export function judgeKey(
  held: HeldVersion,
  standing: StandingVersion | undefined,
  waitedFor: number | undefined,
): DriveVerdict {
  if (standing !== undefined && standing.version >= Math.min(waitedFor ?? held.version, held.version)) {
    const isEqual = standing.version === held.version;
    return isEqual && standing.checksum !== held.checksum ? 'conflict' : 'settled';
  }
  return held.inFlight ? 'wait' : 'drive';
}

/**
 * The record that replaces a value which has come back from before its deletion: a deletion at the version directly
 * above the value's. The forgotten deletion had at least that version, so an owner that still holds it is not behind;
 * and every node that makes this record makes the same one.
 */
export function forgottenDeletion(key: string, version: number): KeyRecord {
  return {
    key,
    version: version + 1,
    origin: ORIGIN_CLIENT,
    tombstone: true,
    value: EMPTY_VALUE,
    createdAt: 0,
    updatedAt: 0,
    expiresAt: 0,
    operationId: null,
    contentType: null,
  };
}
