/**
 * The answering side of scrubbing: a complete owner compares digests, and reports which versions are at rest on its
 * disk. Versions in flight concern only their rounds. (DESIGN 5)
 */
import { SCRUB_PAGE_BYTES_MAX, SCRUB_TOLD_RECORDS_MAX, SLOT_COUNT } from '../../core/limits.ts';
import type { PeerMessage } from '../../core/message.ts';
import type { ScrubDigests, ScrubPull, ToldCopy } from '../../core/upkeep/scrub-message.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { Storage } from '../../ports/storage.ts';
import { openRecord } from '../../wire/record-codec.ts';
import { recordKey, slotRange, splitRecordKey } from '../../wire/store-codec.ts';
import type { RecordShelf } from '../store/record-shelf.ts';

export interface ScrubAnswersParts {
  readonly storage: Storage;
  readonly shelf: RecordShelf;
  readonly replica: () => Replica | null;
  readonly send: (memberId: number, message: PeerMessage) => void;
}

export class ScrubAnswers {
  private readonly parts: ScrubAnswersParts;

  constructor(parts: ScrubAnswersParts) {
    this.parts = parts;
  }

  onDigests(from: number, message: ScrubDigests): void {
    const { slots, digests, slotFirst, session } = message;
    const { digests: kept } = this.parts.shelf;
    const view = this.parts.replica()?.view;
    if (view === undefined) return;
    const differing: number[] = [];
    const isShared = view.rowsSharedWith(from);
    const { slotRow } = view.topology;
    const end = Math.min(message.slotEnd, SLOT_COUNT);
    let at = 0;
    for (let slot = slotFirst; slot < end; slot += 1) {
      while (at < slots.length && slots[at]! < slot) at += 1;
      if (!isShared[slotRow[slot]!]!) continue;
      const isAlike = slots[at] === slot ? kept.isEqual(slot, digests, at) : kept.isEmpty(slot);
      if (!isAlike) differing.push(slot);
    }
    this.parts.send(from, { kind: 'scrubDifferences', session, slotFirst, differing });
  }

  onPull(from: number, { session, slot, afterKey }: ScrubPull): void {
    const { storage, shelf, send } = this.parts;
    const replica = this.parts.replica();
    if (replica === null || slot >= SLOT_COUNT || !replica.view.row(slot).owns) return;
    const { epoch } = replica.view.topology;
    const range = slotRange(slot);
    const begin = afterKey === '' ? range.from : `${recordKey(slot, afterKey)}\u0000`;
    storage.scan(begin, range.to, SCRUB_TOLD_RECORDS_MAX, SCRUB_PAGE_BYTES_MAX, (error, entries) => {
      if (error !== null || replica.view.topology.epoch !== epoch) return;
      const copies: ToldCopy[] = [];
      for (const entry of entries) {
        const { key } = splitRecordKey(entry.key);
        if (replica.stateOf(key) !== undefined) continue;
        const sealed = openRecord(entry.value);
        if (sealed === undefined) shelf.noticeDamage(key, slot);
        else {
          const { version, tombstone } = sealed.record;
          copies.push({ key, version, checksum: sealed.checksum, tombstone });
        }
      }
      const through = entries.length === 0 ? afterKey : splitRecordKey(entries.at(-1)!.key).key;
      send(from, {
        ...{ kind: 'scrubPage', session, slot, afterKey, through, copies },
        last: entries.length === 0,
      });
    });
  }
}
