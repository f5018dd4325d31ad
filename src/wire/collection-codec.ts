/** Codec of the messages by which owners agree to forget deletions. (PROTOCOL R22) */
import type { DeletionsForget, FloorRaise, FloorRaised } from '../core/upkeep/collection-message.ts';
import type { Deletion } from '../core/upkeep/collection.ts';
import type { SlotFloor } from '../core/upkeep/floors.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

export function writeFloors(out: Writer, floors: readonly SlotFloor[]): void {
  out.u16(floors.length);
  for (const { slot, counter } of floors) {
    out.u16(slot);
    out.whole(counter);
  }
}

export function readFloors(from: Reader): SlotFloor[] {
  const floors: SlotFloor[] = [];
  for (let left = from.u16(); left > 0 && from.ok; left--)
    floors.push({ slot: from.u16(), counter: from.whole() });
  return floors;
}

export function writeFloorRaise(out: Writer, message: FloorRaise): void {
  out.u32(message.round);
  writeFloors(out, message.floors);
}

export function readFloorRaise(from: Reader): FloorRaise {
  return { kind: 'floorRaise', round: from.u32(), floors: readFloors(from) };
}

export function writeFloorRaised(out: Writer, message: FloorRaised): void {
  out.u32(message.round);
  out.u16(message.slots.length);
  for (const slot of message.slots) out.u16(slot);
}

export function readFloorRaised(from: Reader): FloorRaised {
  const round = from.u32();
  const slots: number[] = [];
  for (let left = from.u16(); left > 0 && from.ok; left--) slots.push(from.u16());
  return { kind: 'floorRaised', round, slots };
}

export function writeDeletionsForget(out: Writer, message: DeletionsForget): void {
  writeFloors(out, message.floors);
  out.u16(message.deletions.length);
  for (const { slot, key, version } of message.deletions) {
    out.u16(slot);
    out.whole(version);
    out.text(key);
  }
}

export function readDeletionsForget(from: Reader): DeletionsForget {
  const floors = readFloors(from);
  const deletions: Deletion[] = [];
  for (let left = from.u16(); left > 0 && from.ok; left--) {
    const slot = from.u16();
    const version = from.whole();
    deletions.push({ slot, key: from.text(), version });
  }
  return { kind: 'deletionsForget', floors, deletions };
}
