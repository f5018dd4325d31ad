/**
 * Decides when a node's disk is nearly full. When free space, or the number of files that can still be created, falls
 * below a reserve, the node leaves the write path before the storage engine fails in the middle of something, and comes
 * back when there is clearly more. If the cluster cannot do without the node it stays, and no write is started that it
 * would have to store. The same holds for a store that was moved or removed while the node has it open: what is written
 * to it would not be found after a restart. (PROTOCOL R32)
 */
import { DISK_FILES_RESERVE, DISK_FILES_SHARE_MAX } from './disk-limits.ts';
import { DISK_RETURN_FACTOR } from '../limits.ts';
import { isAlive, ownersNeeded } from './topology.ts';
import type { Topology } from './topology.ts';

/**
 * What a node reports about its disk.
 * - low: the node takes no part in writes, or is about to leave them.
 * - refusing: low, but the cluster cannot do without the node: no write is started that it would have to store.
 */
export type Room = 'enough' | 'low' | 'refusing';

export interface DiskReserve {
  /** Bytes to keep free; 0 if the disk is not watched. */
  readonly bytes: number;
  /** Upper bound of the reserve, as a fraction of the disk. */
  readonly shareMax: number;
}

/** The state of the disk as the port reports it. */
export interface DiskSeen {
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly freeFiles: number;
  /** 0 if the file system does not count files. */
  readonly totalFiles: number;
  /** What is written now would not be found when the store is opened again. */
  readonly isGone: boolean;
}

/** Judges successive observations of one disk. */
export class DiskRoom {
  /** The node should take no part in writes. */
  isLow = false;
  isGone = false;
  freeBytes = 0;
  reserveBytes = 0;
  freeFiles = 0;
  /** 0 if files are not counted. */
  reserveFiles = 0;
  private isFull = false;
  private readonly reserve: DiskReserve;

  constructor(reserve: DiskReserve) {
    this.reserve = reserve;
  }

  /**
   * Returns true if the observation changes whether the disk is low. A disk that was full recovers only well above the
   * reserve.
   */
  saw(seen: DiskSeen): boolean {
    const wasLow = this.isLow;
    this.isGone = seen.isGone;
    if (!seen.isGone) this.isFull = this.isFullWith(seen);
    this.isLow = this.isFull || this.isGone;
    return this.isLow !== wasLow;
  }

  private isFullWith({ freeBytes, totalBytes, freeFiles, totalFiles }: DiskSeen): boolean {
    this.freeBytes = freeBytes;
    this.reserveBytes = Math.min(this.reserve.bytes, Math.floor(totalBytes * this.reserve.shareMax));
    this.freeFiles = freeFiles;
    const isWatched = this.reserve.bytes > 0;
    this.reserveFiles = isWatched
      ? Math.min(DISK_FILES_RESERVE, Math.floor(totalFiles * DISK_FILES_SHARE_MAX))
      : 0;
    const factor = this.isFull ? DISK_RETURN_FACTOR : 1;
    return freeBytes < factor * this.reserveBytes || freeFiles < factor * this.reserveFiles;
  }
}

/**
 * True if every row that the member holds completely would still have as many owners as a write needs. `isUp`: true if
 * nothing speaks against the member of that name; a member that is alive in the topology may already be dead.
 */
export function canDoWithout(topology: Topology, id: number, isUp: (name: string) => boolean): boolean {
  const needed = ownersNeeded(topology);
  const staying = new Set<number>();
  for (const member of topology.members) {
    if (member.id !== id && member.alive && isUp(member.name)) staying.add(member.id);
  }
  return topology.rows.every(
    (row) =>
      !row.complete.includes(id) || row.complete.filter((owner) => staying.has(owner)).length >= needed,
  );
}

/**
 * True if the member is a last complete owner of a row that no live member holds completely. Such a member must come
 * back, room or not. (R21)
 */
export function isMissed(topology: Topology, id: number): boolean {
  return topology.rows.some(
    (row) => row.complete.includes(id) && !row.complete.some((owner) => isAlive(topology, owner)),
  );
}
