/**
 * When a node's disk is nearly full, and what follows. Below a reserve of free space, or of files that can be made, the node leaves the write path,
 * before the store's engine fails in the middle of something; it comes back when there is clearly more. Where the
 * cluster cannot do without it, it stays, and no write is begun that it would have to store. (PROTOCOL R32)
 */
import { DISK_FILES_RESERVE, DISK_FILES_SHARE_MAX } from './disk-limits.ts';
import { DISK_RETURN_FACTOR } from './limits.ts';
import { isAlive, ownersNeeded } from './topology.ts';
import type { Topology } from './topology.ts';

/**
 * What a node says of its disk. low: it is no part of writes, or about to be none. refusing: low, and it cannot be
 * done without: no write is begun that it would have to store.
 */
export type Room = 'enough' | 'low' | 'refusing';

export interface DiskReserve {
  /** Bytes that are to stay free; 0: the disk is not watched. */
  readonly bytes: number;
  /** But never more than this share of the disk. */
  readonly shareMax: number;
}

/** What is seen of it; as the port tells it. */
export interface DiskSeen {
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly freeFiles: number;
  /** 0: files are not counted there. */
  readonly totalFiles: number;
}

/** Judges one look after another at the same disk. */
export class DiskRoom {
  isLow = false;
  freeBytes = 0;
  reserveBytes = 0;
  freeFiles = 0;
  /** 0: they are not counted. */
  reserveFiles = 0;
  private readonly reserve: DiskReserve;

  constructor(reserve: DiskReserve) {
    this.reserve = reserve;
  }

  /** True where it changes whether the disk is low. It stops being so only well above the reserve. */
  saw({ freeBytes, totalBytes, freeFiles, totalFiles }: DiskSeen): boolean {
    const wasLow = this.isLow;
    this.freeBytes = freeBytes;
    this.reserveBytes = Math.min(this.reserve.bytes, Math.floor(totalBytes * this.reserve.shareMax));
    this.freeFiles = freeFiles;
    const isWatched = this.reserve.bytes > 0;
    this.reserveFiles = isWatched
      ? Math.min(DISK_FILES_RESERVE, Math.floor(totalFiles * DISK_FILES_SHARE_MAX))
      : 0;
    const factor = wasLow ? DISK_RETURN_FACTOR : 1;
    this.isLow = freeBytes < factor * this.reserveBytes || freeFiles < factor * this.reserveFiles;
    return this.isLow !== wasLow;
  }
}

/**
 * Would every row that the member holds whole still have as many owners as a write needs? `isUp`: nothing speaks
 * against the member of that name; one that is alive in the topology may be dead already.
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

/** Is the member on record as last complete owner of something that no live one holds? It has to come, room or not. (R21) */
export function isMissed(topology: Topology, id: number): boolean {
  return topology.rows.some(
    (row) => row.complete.includes(id) && !row.complete.some((owner) => isAlive(topology, owner)),
  );
}
