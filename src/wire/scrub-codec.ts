/** Codec of the messages by which complete owners compare what they hold. (DESIGN 5) */
import type {
  ScrubDifferences,
  ScrubDigests,
  ScrubPage,
  ScrubPull,
  ToldCopy,
} from '../core/upkeep/scrub-message.ts';
import { readDigests, writeDigests } from './learn-codec.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

export function writeScrubDigests(out: Writer, message: ScrubDigests): void {
  out.whole(message.session);
  out.u16(message.slotFirst);
  out.u16(message.slotEnd);
  writeDigests(out, message.slots, message.digests);
}

export function readScrubDigests(from: Reader): ScrubDigests {
  const session = from.whole();
  const slotFirst = from.u16();
  const slotEnd = from.u16();
  return { kind: 'scrubDigests', session, slotFirst, slotEnd, ...readDigests(from) };
}

export function writeScrubDifferences(out: Writer, message: ScrubDifferences): void {
  out.whole(message.session);
  out.u16(message.slotFirst);
  out.u16(message.differing.length);
  for (const slot of message.differing) out.u16(slot);
}

export function readScrubDifferences(from: Reader): ScrubDifferences {
  const session = from.whole();
  const slotFirst = from.u16();
  const differing: number[] = [];
  for (let left = from.u16(); left > 0 && from.ok; left--) differing.push(from.u16());
  return { kind: 'scrubDifferences', session, slotFirst, differing };
}

export function writeScrubPull(out: Writer, message: ScrubPull): void {
  out.whole(message.session);
  out.u16(message.slot);
  out.text(message.afterKey);
}

export function readScrubPull(from: Reader): ScrubPull {
  return { kind: 'scrubPull', session: from.whole(), slot: from.u16(), afterKey: from.text() };
}

export function writeScrubPage(out: Writer, message: ScrubPage): void {
  out.whole(message.session);
  out.u16(message.slot);
  out.text(message.afterKey);
  out.text(message.through);
  out.bool(message.last);
  out.u16(message.copies.length);
  for (const { key, version, checksum, tombstone } of message.copies) {
    out.text(key);
    out.whole(version);
    out.u32(checksum);
    out.bool(tombstone);
  }
}

export function readScrubPage(from: Reader): ScrubPage {
  const session = from.whole();
  const slot = from.u16();
  const afterKey = from.text();
  const through = from.text();
  const last = from.bool();
  const copies: ToldCopy[] = [];
  for (let left = from.u16(); left > 0 && from.ok; left--)
    copies.push({ key: from.text(), version: from.whole(), checksum: from.u32(), tombstone: from.bool() });
  return { kind: 'scrubPage', session, slot, afterKey, through, last, copies };
}
