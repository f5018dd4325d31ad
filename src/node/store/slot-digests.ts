/**
 * One digest per slot, updated with every write: the exclusive or of a 64-bit mix of each record's version and
 * checksum, which covers its key. Equal digests mean equal slots, so a returning node copies only what differs. Each
 * slot also has the number of its records, and the number of those that are not deletions.
 */
import { SLOT_COUNT } from '../../core/limits.ts';
import type { SealedRecord } from '../../core/record.ts';

export class SlotDigests {
  private readonly low = new Int32Array(SLOT_COUNT);
  private readonly high = new Int32Array(SLOT_COUNT);
  private readonly counts = new Int32Array(SLOT_COUNT);
  private readonly liveCounts = new Int32Array(SLOT_COUNT);
  recordCount = 0;
  /** Some records could not be read and are not counted, so no slot is known to be empty. */
  isPartial = false;

  add(slot: number, version: number, checksum: number, isDeletion: boolean): void {
    this.mix(slot, version, checksum);
    this.counts[slot]! += 1;
    if (!isDeletion) this.liveCounts[slot]! += 1;
    this.recordCount += 1;
  }

  /** One record of a key is replaced by another; either may be missing. */
  replace(slot: number, previous: SealedRecord | undefined, next: SealedRecord | null): void {
    if (previous !== undefined) this.mix(slot, previous.record.version, previous.checksum);
    if (next !== null) this.mix(slot, next.record.version, next.checksum);
    const change = (next === null ? 0 : 1) - (previous === undefined ? 0 : 1);
    this.counts[slot]! += change;
    this.liveCounts[slot]! += liveOf(next) - liveOf(previous);
    this.recordCount += change;
  }

  /** True if no record of the slot is on this disk or about to be, not even an unreadable one. */
  holdsNothing(slot: number): boolean {
    return !this.isPartial && this.isEmpty(slot);
  }

  countOf(slot: number): number {
    return this.counts[slot]!;
  }

  /** Without deletions. */
  liveCountOf(slot: number): number {
    return this.liveCounts[slot]!;
  }

  /** As a learner sends them: three numbers per slot. */
  of(slots: Uint16Array): Uint32Array {
    const told = new Uint32Array(3 * slots.length);
    for (let at = 0; at < slots.length; at += 1) {
      const slot = slots[at]!;
      told[3 * at] = this.counts[slot]!;
      told[3 * at + 1] = this.low[slot]!;
      told[3 * at + 2] = this.high[slot]!;
    }
    return told;
  }

  /** True if the slot matches the digest at that position of the received numbers. */
  isEqual(slot: number, told: Uint32Array, at: number): boolean {
    return (
      this.counts[slot] === told[3 * at] &&
      this.low[slot]! >>> 0 === told[3 * at + 1] &&
      this.high[slot]! >>> 0 === told[3 * at + 2]
    );
  }

  isLike(slot: number, other: SlotDigests): boolean {
    return (
      this.counts[slot] === other.counts[slot] &&
      this.low[slot] === other.low[slot] &&
      this.high[slot] === other.high[slot]
    );
  }

  isEmpty(slot: number): boolean {
    return this.counts[slot] === 0 && this.low[slot] === 0 && this.high[slot] === 0;
  }

  clear(slot: number): void {
    this.recordCount -= this.counts[slot]!;
    this.counts[slot] = 0;
    this.liveCounts[slot] = 0;
    this.low[slot] = 0;
    this.high[slot] = 0;
  }

  /** Replaces the remembered digest by what was counted. */
  correct(slot: number, counted: SlotDigests): void {
    this.recordCount += counted.counts[slot]! - this.counts[slot]!;
    this.counts[slot] = counted.counts[slot]!;
    this.liveCounts[slot] = counted.liveCounts[slot]!;
    this.low[slot] = counted.low[slot]!;
    this.high[slot] = counted.high[slot]!;
  }

  private mix(slot: number, version: number, checksum: number): void {
    const versionLow = version >>> 0;
    const versionHigh = Math.floor(version / 4294967296) >>> 0;
    const a = scramble(checksum ^ scramble(versionLow ^ 0x9e3779b9));
    const b = scramble(checksum ^ scramble(a ^ versionHigh ^ 0x7f4a7c15));
    this.low[slot]! ^= scramble(a + b);
    this.high[slot]! ^= scramble(b ^ 0x85ebca6b);
  }
}

function liveOf(sealed: SealedRecord | null | undefined): number {
  return sealed === null || sealed === undefined || sealed.record.tombstone ? 0 : 1;
}

/** The finaliser of MurmurHash3: every input bit affects every output bit. */
function scramble(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
