/**
 * A simulated disk. It outlives the processes that use it: each life of a node opens it again and finds what was
 * synced. A write takes a random time; a crash in between leaves it on disk completely or not at all, at random, as the
 * storage port allows. Faults (full, broken, wiped, set back, a flipped bit) are injected from outside.
 */
import { assert } from '../src/base/assert.ts';
import type { Prng } from '../src/base/prng.ts';
import { compareUtf8 } from '../src/base/utf8-order.ts';
import type { DiskSpace } from '../src/ports/disk-space.ts';
import type { Storage, StorageEntry, StorageError } from '../src/ports/storage.ts';
import type { Life, Scheduler } from './scheduler.ts';
import { SortedEntries, placeOf } from './sorted-entries.ts';

export interface SimDiskOptions {
  /** Milliseconds that a sync takes. */
  readonly syncMsMin: number;
  readonly syncMsMax: number;
  /** Share of the syncs that stall, and the longest stall. */
  readonly stallShare: number;
  readonly stallMsMax: number;
}

const OPTIONS_DEFAULT: SimDiskOptions = { syncMsMin: 0.1, syncMsMax: 3, stallShare: 0.005, stallMsMax: 60 };

const CLOSED: StorageError = { kind: 'closed', message: 'simulated disk: closed' };

/** Milliseconds. */
const SCAN_MS_MIN = 0.02;
const SCAN_MS_MAX = 0.3;
const LOOK_MS = 0.1;
const BROKEN_MAX = 3;
/** Why a store failed for lack of room; distinguished from a disk that is full because a fault was injected. */
export const DISK_HAS_NO_ROOM = 'simulated disk: no room left';

interface Batch {
  readonly keys: readonly string[];
  readonly values: readonly (Uint8Array | null)[];
}

/** The size of a disk that is not meant to fill up: more than any run writes. */
export const SIM_DISK_BYTES = 1e12;
export type DiskFault = 'none' | 'full' | 'io';

/** The contents of a disk at one moment. Values are never changed in place, so they are shared and not copied. */
export type DiskImage = ReadonlyMap<string, Uint8Array>;

export class SimDisk {
  /** Every write that begins while a fault is set fails with it, and so do all later writes of that life. */
  fault: DiskFault = 'none';
  writeCount = 0;
  /** Programs that speak less than this version of the peer protocol cannot open the disk; 0 admits any program. */
  protocol = 0;
  /** Number of damaged stores that were set aside. */
  brokenCount = 0;
  /** Bytes that still fit. A batch takes from them; without room for it the store fails. Not counted at full size. */
  roomBytes = SIM_DISK_BYTES;
  /** Called when a batch has reached the platter, before its writer is told: the process may die just there. */
  onSynced: (() => void) | null = null;
  /** Called when a batch is on its way to the platter. */
  onBegun: (() => void) | null = null;
  /** Milliseconds by which every sync takes longer. */
  slowMs = 0;
  /** Share of the syncs that stall for long, and for how many milliseconds. */
  stalls: { readonly share: number; readonly msMin: number; readonly msMax: number } | null = null;
  /** If the process dies during a write and this returns true, the batch arrives with one of its values damaged. */
  tearsNext: (() => boolean) | null = null;
  /** What became of batches that were under way at a crash. */
  readonly cutOff = { arrived: 0, lost: 0, damaged: 0 };
  private readonly prng: Prng;
  private readonly options: SimDiskOptions;
  /** By the first letter of the keys: marks come and go, so one list of all keys would be sorted too often. */
  private readonly orders = new Map<string, SortedEntries>();
  private readonly letters: string[] = [];
  /** Values in which a bit was flipped. */
  private readonly damaged = new WeakSet<Uint8Array>();
  /** A batch that may or may not have reached the platter; decided when the next life opens the disk. */
  private doubtful: Batch | null = null;
  private life: Life | null = null;

  constructor(prng: Prng, options: Partial<SimDiskOptions> = {}) {
    this.prng = prng;
    this.options = { ...OPTIONS_DEFAULT, ...options };
  }

  /** The disk as one life of a process sees it. The previous life must have ended or closed it. */
  open(scheduler: Scheduler, life: Life): Storage {
    this.settle();
    this.life = life;
    return new SimStorage(this, scheduler, life);
  }

  /** Deletes everything, as if the disk had been replaced. Only between two lives. */
  wipe(): void {
    this.settle();
    this.clear();
    this.brokenCount = 0;
    this.protocol = 0;
  }

  /** Moves the store aside and puts a blank one in its place; false if too many were moved. It must be closed. */
  setAside(): boolean {
    this.settle();
    if (this.brokenCount >= BROKEN_MAX) return false;
    this.brokenCount += 1;
    this.clear();
    return true;
  }

  image(): DiskImage {
    const image = new Map<string, Uint8Array>();
    for (const order of this.orders.values()) for (const [key, value] of order.all()) image.set(key, value);
    return image;
  }

  /** Restores an older image, like a backup of the machine. Only between two lives. */
  restore(image: DiskImage): void {
    this.settle();
    this.clear();
    for (const [key, value] of image) this.orderOf(key).set(key, value);
  }

  /** Flips one bit in the value of one of the keys that `pick` admits; returns the key, or null if there is none. */
  flipBit(pick: (key: string) => boolean): string | null {
    const keys: string[] = [];
    for (const letter of this.letters)
      for (const key of this.orders.get(letter)!.sortedKeys())
        if (pick(key) && this.get(key)!.length > 0) keys.push(key);
    if (keys.length === 0) return null;
    const key = this.prng.pick(keys);
    const damaged = Buffer.from(this.get(key)!);
    damaged[this.prng.below(damaged.length)]! ^= 1 << this.prng.below(8);
    this.orderOf(key).set(key, damaged);
    this.damaged.add(damaged);
    return key;
  }

  /** Makes one entry as it was before, or removes it, without any sign of damage. */
  forge(key: string, value: Uint8Array | null): void {
    if (value === null) this.orderOf(key).delete(key);
    else this.orderOf(key).set(key, value);
  }

  get(key: string): Uint8Array | undefined {
    return this.orders.get(key.charAt(0))?.get(key);
  }

  /** Whether a bit was flipped in this value. */
  isDamaged(value: Uint8Array): boolean {
    return this.damaged.has(value);
  }

  apply(batch: Batch): void {
    const { keys, values } = batch;
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index]!;
      const value = values[index]!;
      if (value !== null) this.orderOf(key).set(key, value);
      else this.orderOf(key).delete(key);
    }
    this.doubtful = null;
    this.writeCount += 1;
  }

  collect(from: string, to: string, entryCountMax: number, byteCountMax: number): StorageEntry[] {
    const found: StorageEntry[] = [];
    let bytes = 0;
    for (const letter of this.letters) {
      if (compareUtf8(letter, from.charAt(0)) < 0 || compareUtf8(letter, to) >= 0) continue;
      const order = this.orders.get(letter)!;
      const keys = order.sortedKeys();
      for (let index = placeOf(keys, from); index < keys.length; index++) {
        const key = keys[index]!;
        if (compareUtf8(key, to) >= 0 || found.length >= entryCountMax) return found;
        if (found.length > 0 && bytes >= byteCountMax) return found;
        const value = order.get(key)!;
        found.push({ key, value });
        bytes += key.length + value.length;
      }
    }
    return found;
  }

  /** A write begins: its batch is in doubt until `apply`. */
  begin(batch: Batch): void {
    this.doubtful = batch;
    this.onBegun?.();
  }

  /** Returns false if the batch does not fit. Replaced bytes are freed at once, not when an engine compacts. */
  takeRoom({ keys, values }: Batch): boolean {
    if (this.roomBytes === SIM_DISK_BYTES) return true;
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index]!;
      const value = values[index]!;
      this.roomBytes += sizeOf(key, this.get(key)) - sizeOf(key, value ?? undefined);
    }
    return this.roomBytes >= 0;
  }

  /** The free space as a process of this life sees it. */
  space(scheduler: Scheduler, life: Life): DiskSpace {
    return {
      look: (done) => {
        const freeBytes = Math.max(0, this.roomBytes);
        const usage = { freeBytes, totalBytes: SIM_DISK_BYTES, freeFiles: 0, totalFiles: 0, isGone: false };
        scheduler.after(LOOK_MS, () => done(null, usage), life);
      },
    };
  }

  drawSyncMs(): number {
    const ms = this.slowMs + this.prng.between(this.options.syncMsMin, this.options.syncMsMax);
    const { stalls } = this;
    if (stalls !== null && this.prng.chance(stalls.share))
      return ms + this.prng.between(stalls.msMin, stalls.msMax);
    return this.prng.chance(this.options.stallShare) ? ms + this.prng.next() * this.options.stallMsMax : ms;
  }

  drawScanMs(): number {
    return this.prng.between(SCAN_MS_MIN, SCAN_MS_MAX);
  }

  release(life: Life): void {
    if (this.life === life) this.life = null;
  }

  private clear(): void {
    for (const order of this.orders.values()) order.clear();
  }

  private settle(): void {
    assert(this.life === null || !this.life.alive, 'a disk is used by one process at a time');
    this.life = null;
    const { doubtful } = this;
    const isTorn = this.tearsNext?.() === true;
    this.tearsNext = null;
    if (doubtful === null) return;
    const isThere = isTorn || this.prng.chance(0.5);
    if (isThere) this.apply(doubtful);
    this.doubtful = null;
    const written = new Set(doubtful.keys);
    if (!isThere) this.cutOff.lost += 1;
    else if (isTorn && this.flipBit((key) => written.has(key)) !== null) this.cutOff.damaged += 1;
    else this.cutOff.arrived += 1;
  }

  private orderOf(key: string): SortedEntries {
    const letter = key.charAt(0);
    const known = this.orders.get(letter);
    if (known !== undefined) return known;
    const order = new SortedEntries();
    this.orders.set(letter, order);
    this.letters.push(letter);
    this.letters.sort(compareUtf8);
    return order;
  }
}

class SimStorage implements Storage {
  private readonly disk: SimDisk;
  private readonly scheduler: Scheduler;
  private readonly life: Life;
  private writing = false;
  private failure: StorageError | null = null;
  private closing: (() => void) | null = null;

  constructor(disk: SimDisk, scheduler: Scheduler, life: Life) {
    this.disk = disk;
    this.scheduler = scheduler;
    this.life = life;
  }

  get(key: string): Uint8Array | undefined {
    assert(this.closing === null, 'no call follows close');
    return this.disk.get(key);
  }

  write(
    keys: readonly string[],
    values: readonly (Uint8Array | null)[],
    done: (error: StorageError | null) => void,
  ): void {
    assert(!this.writing, 'one write in flight per store');
    assert(keys.length === values.length, 'as many values as keys');
    assert(this.closing === null, 'no call follows close');
    this.writing = true;
    const fault = this.disk.fault;
    if (this.failure === null) {
      // Copied like in the real engine: the caller may reuse its buffers once it was answered.
      const batch = { keys: keys.slice(), values: copiesOf(values) };
      if (fault !== 'none') this.failure = { kind: fault, message: `simulated disk: ${fault}` };
      else if (!this.disk.takeRoom(batch)) this.failure = { kind: 'full', message: DISK_HAS_NO_ROOM };
      this.disk.begin(batch);
      this.scheduler.after(this.disk.drawSyncMs(), () => this.finish(batch, done), this.life);
    } else {
      this.scheduler.after(this.disk.drawSyncMs(), () => this.finish(null, done), this.life);
    }
  }

  scan(
    from: string,
    to: string,
    entryCountMax: number,
    byteCountMax: number,
    done: (error: StorageError | null, entries: readonly StorageEntry[]) => void,
  ): void {
    if (this.closing !== null) return void this.scheduler.after(0, () => done(CLOSED, []), this.life);
    const entries = this.disk.collect(from, to, entryCountMax, byteCountMax);
    this.scheduler.after(this.disk.drawScanMs(), () => done(null, entries), this.life);
  }

  close(done: () => void): void {
    this.closing = done;
    if (!this.writing) this.scheduler.after(0, () => this.finishClose(), this.life);
  }

  /** A failed batch stays in doubt: the next life may find it. */
  private finish(batch: Batch | null, done: (error: StorageError | null) => void): void {
    this.writing = false;
    if (this.failure === null) {
      this.disk.apply(batch!);
      this.disk.onSynced?.();
      if (!this.life.alive) return;
    }
    const closing = this.closing !== null;
    done(this.failure);
    if (closing) this.finishClose();
  }

  private finishClose(): void {
    this.disk.release(this.life);
    this.closing!();
  }
}

/** In memory of their own. */
function copiesOf(values: readonly (Uint8Array | null)[]): (Uint8Array | null)[] {
  let byteCount = 0;
  for (const value of values) byteCount += value?.length ?? 0;
  const bytes = Buffer.allocUnsafe(byteCount);
  let end = 0;
  return values.map((value) => {
    if (value === null) return null;
    const start = end;
    end += value.length;
    bytes.set(value, start);
    return bytes.subarray(start, end);
  });
}

function sizeOf(key: string, value: Uint8Array | undefined): number {
  return value === undefined ? 0 : key.length + value.length;
}
