/**
 * What becomes of one key when a slot is compared with PostgreSQL after a failover or a restore. Only what is at rest is
 * driven: a version in flight may lack an owner, and PostgreSQL never holds what the owners do not. But what is in
 * flight may have been acknowledged on the word of the server that is gone, so that the slot waits for it. And a deletion may
 * have been forgotten here that PostgreSQL has lost: a value that stands below the floor of its slot is deleted once more.
 * (PROTOCOL R6, R23, R30)
 */
import { EMPTY_VALUE, ORIGIN_CLIENT } from './record.ts';
import type { KeyRecord } from './record.ts';

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
 * settled: PostgreSQL has it, or has what replaced it. drive: it is to be committed again. wait: look again later.
 * conflict: the same version with another content, which no repetition heals.
 */
export type DriveVerdict = 'settled' | 'drive' | 'wait' | 'conflict';

/**
 * `waitedFor`: the version that was in flight when the key was first met in this drive. Whatever was acknowledged before the
 * drive is no higher, and what came later was committed to the server in use: so a key that never rests is settled, too.
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
 * What takes the place of a value that is back from before its deletion: a deletion at the version next to its own. The one
 * that was forgotten was no lower, so that an owner that still holds it is not behind; and whoever makes this one makes the same.
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
