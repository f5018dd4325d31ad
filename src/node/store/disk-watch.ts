/**
 * Checks the free space of the node's disk every second, and reports when it becomes too little and when there is
 * enough again. If the system cannot tell, the last observation stands. (PROTOCOL R32)
 */
import { DiskRoom } from '../../core/disk-room.ts';
import type { DiskReserve } from '../../core/disk-room.ts';
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
    const { freeBytes, reserveBytes, freeFiles, reserveFiles } = this.room;
    return { freeBytes, reserveBytes, freeFiles, reserveFiles };
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
      if (!this.room.saw(usage)) return;
      const { isLow } = this.room;
      const level = isLow ? 'error' : 'info';
      this.parts.telemetry.event(level, isLow ? 'disk.low' : 'disk.enough', this.seen);
      this.onChange(isLow);
    });
  }

  /** Reported once, until free space can be read again. */
  private cannotTell(reason: string): void {
    if (!this.isUnknown) this.parts.telemetry.event('warn', 'disk.unknown', { reason });
    this.isUnknown = true;
  }
}
