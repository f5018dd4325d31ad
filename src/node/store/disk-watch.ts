/**
 * Checks the free space of the node's disk every second, and whether the store is still in its place; reports when the
 * node should take no part in writes, and when it may again. If the system cannot tell, the last observation stands.
 * (PROTOCOL R32)
 */
import { DiskRoom } from '../../core/membership/disk-room.ts';
import type { DiskReserve } from '../../core/membership/disk-room.ts';
import { DISK_LOOK_MS } from '../../core/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DiskSpace } from '../../ports/disk-space.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { NodeStatus } from '../status.ts';

export interface DiskWatchParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly diskSpace: DiskSpace;
  readonly diskReserve: DiskReserve;
}

export class DiskWatch {
  private readonly parts: DiskWatchParts;
  private readonly onChange: (isLow: boolean) => void;
  private readonly room: DiskRoom;
  private isUnknown = false;
  private stopped = false;

  constructor(parts: DiskWatchParts, onChange: (isLow: boolean) => void) {
    this.parts = parts;
    this.onChange = onChange;
    this.room = new DiskRoom(parts.diskReserve);
  }

  /** The last observation; all 0 if the disk is not watched, and the file counts 0 if files are not counted. */
  get seen(): Omit<NodeStatus['disk'], 'state'> {
    const { freeBytes, reserveBytes, freeFiles, reserveFiles, isGone } = this.room;
    return { freeBytes, reserveBytes, freeFiles, reserveFiles, isGone };
  }

  start(): void {
    if (this.parts.diskReserve.bytes > 0) this.look();
  }

  stop(): void {
    this.stopped = true;
  }

  private look(): void {
    if (this.stopped) return;
    this.parts.diskSpace.look((error, usage) => {
      if (this.stopped) return;
      this.parts.clock.after(DISK_LOOK_MS, () => this.look());
      if (error !== null) return this.cannotTell(error);
      this.isUnknown = false;
      const wasGone = this.room.isGone;
      const isChanged = this.room.saw(usage);
      if (isChanged || this.room.isGone !== wasGone) this.tell();
      if (isChanged) this.onChange(this.room.isLow);
    });
  }

  private tell(): void {
    const { room } = this;
    const { telemetry } = this.parts;
    const { isGone: _isGone, ...seen } = this.seen;
    if (room.isGone) telemetry.event('error', 'disk.gone', {});
    else if (room.isLow) telemetry.event('error', 'disk.low', seen);
    else telemetry.event('info', 'disk.enough', seen);
  }

  /** Reported once, until free space can be read again. */
  private cannotTell(reason: string): void {
    if (!this.isUnknown) this.parts.telemetry.event('warn', 'disk.unknown', { reason });
    this.isUnknown = true;
  }
}
