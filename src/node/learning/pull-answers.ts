/**
 * Answers learners' requests for slots from the store. Consecutive slots are adjacent on disk, and starting a scan
 * costs more than reading a slot of usual size: so what is requested together is read together. (PROTOCOL R19)
 */
import { SLOT_RUN_BYTES_MAX } from '../../core/copying/copy-limits.ts';
import { SLOT_COPY_BYTES_MAX, SLOT_COPY_RECORDS_MAX } from '../../core/limits.ts';
import type { HeldRecord, LearnPull, PeerMessage } from '../../core/message.ts';
import type { Mutations } from '../../core/mutations.ts';
import { heldAtRest, heldRecordOf, isUnstored } from '../../core/replication/follow.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { Storage, StorageEntry } from '../../ports/storage.ts';
import { openRecord } from '../../wire/record-codec.ts';
import { slotRange, slotRangeAfter, splitRecordKey } from '../../wire/store-codec.ts';
import { isLastPage, withoutOffered } from './offered-records.ts';
import type { RecordShelf } from '../store/record-shelf.ts';

interface Asked {
  readonly from: number;
  readonly replica: Replica;
  readonly epoch: number;
  readonly pull: LearnPull;
}

/** What was read of a slot, from the requested position on. `isWhole`: nothing follows there. */
interface SlotPage {
  readonly entries: StorageEntry[];
  byteCount: number;
  isWhole: boolean;
}

export class PullAnswers {
  private readonly storage: Storage;
  private readonly shelf: RecordShelf;
  private readonly send: (memberId: number, message: PeerMessage) => void;
  private readonly mutations: Mutations;
  /** Requests that have not been started. */
  private asked: Asked[] = [];

  constructor(
    storage: Storage,
    shelf: RecordShelf,
    send: (memberId: number, message: PeerMessage) => void,
    mutations: Mutations,
  ) {
    this.storage = storage;
    this.shelf = shelf;
    this.send = send;
    this.mutations = mutations;
  }

  add(from: number, replica: Replica, pull: LearnPull): void {
    const { epoch } = replica.view.topology;
    this.asked.push({ from, replica, epoch, pull });
  }

  /** Starts reading everything that was added. */
  begin(): void {
    if (this.asked.length === 0) return;
    const { asked } = this;
    this.asked = [];
    asked.sort((a, b) => a.from - b.from || a.pull.slot - b.pull.slot);
    for (let at = 0; at < asked.length;) {
      const run = this.runAt(asked, at);
      at += run.length;
      this.read(run);
    }
  }

  /** Consecutive slots requested by one learner, as long as one page can hold all their content. */
  private runAt(asked: readonly Asked[], at: number): Asked[] {
    const run = [asked[at]!];
    let count = this.countOf(asked[at]!);
    for (let next = asked[++at]; next !== undefined; next = asked[++at]) {
      const last = run.at(-1)!;
      count += this.countOf(next);
      const follows = next.pull.slot === last.pull.slot + 1 && next.pull.afterKey === '';
      if (!follows || next.from !== last.from || count >= SLOT_COPY_RECORDS_MAX) break;
      run.push(next);
    }
    return run;
  }

  private countOf({ pull }: Asked): number {
    return this.shelf.digests.countOf(pull.slot);
  }

  private read(run: readonly Asked[]): void {
    const { slot, afterKey } = run[0]!.pull;
    const { from } = slotRangeAfter(slot, afterKey);
    const { to } = slotRange(run.at(-1)!.pull.slot);
    const bytesMax = run.length === 1 ? SLOT_COPY_BYTES_MAX : SLOT_RUN_BYTES_MAX;
    this.storage.scan(from, to, SLOT_COPY_RECORDS_MAX, bytesMax, (error, entries) => {
      if (error !== null) {
        for (const asked of run) this.refuse(asked, error.message);
        return;
      }
      const isLast = isLastPage(entries, SLOT_COPY_RECORDS_MAX, bytesMax);
      const pages = pagesOf(entries);
      const lastSlot = isLast ? Infinity : splitRecordKey(entries.at(-1)!.key).slot;
      let done = 0;
      for (; done < run.length && run[done]!.pull.slot <= lastSlot; done += 1) {
        const asked = run[done]!;
        const page = pages.get(asked.pull.slot) ?? emptyPage();
        if (asked.pull.slot === lastSlot) page.isWhole = false;
        this.answer(asked, page);
      }
      if (done < run.length) this.read(run.slice(done));
    });
  }

  private answer(asked: Asked, { entries, isWhole }: SlotPage): void {
    const { from, replica, epoch, pull } = asked;
    const { session, slot, afterKey } = pull;
    if (replica.view.topology.epoch !== epoch) return;
    const told = this.tellable(replica, entries);
    if (told === undefined) {
      // Checking the entries one by one starts the repair of the damaged one; the learner asks again.
      for (const entry of entries) this.shelf.noticeDamage(splitRecordKey(entry.key).key, slot);
      return this.refuse(asked, 'a record is damaged');
    }
    const page = withoutOffered(told.records, pull.offered);
    const tell = (): void =>
      this.send(from, { kind: 'learnFrame', session, slot, afterKey, ...page, last: isWhole });
    if (told.isStored) return tell();
    // Later writes of this epoch reach the learner by themselves, as they would while the page is on its way.
    this.shelf.whenStored(() => (replica.view.topology.epoch === epoch ? tell() : undefined));
  }

  /**
   * What is in flight is reported as it is in memory; everything else is at rest, hence valid. `isStored`: everything
   * reported is on this disk. Undefined if a record is damaged.
   */
  private tellable(
    replica: Replica,
    entries: readonly StorageEntry[],
  ): { readonly records: readonly HeldRecord[]; readonly isStored: boolean } | undefined {
    const records: HeldRecord[] = [];
    let isStored = true;
    for (const entry of entries) {
      const sealed = openRecord(entry.value);
      if (sealed === undefined) return undefined;
      const state = replica.stateOf(sealed.record.key);
      const inFlight = state === undefined || state.valid ? null : heldRecordOf(state);
      records.push(inFlight ?? heldAtRest(sealed));
      if (state !== undefined && isUnstored(state) && this.mutations.tellUnstored !== true) isStored = false;
    }
    return { records, isStored };
  }

  private refuse({ from, pull }: Asked, reason: string): void {
    this.send(from, { kind: 'learnRefused', session: pull.session, slot: pull.slot, reason });
  }
}

/** Pages by slot; no page exceeds what a frame can carry. */
function pagesOf(entries: readonly StorageEntry[]): Map<number, SlotPage> {
  const pages = new Map<number, SlotPage>();
  let slotTo = '';
  let page: SlotPage = emptyPage();
  for (const entry of entries) {
    if (slotTo === '' || entry.key >= slotTo) {
      const { slot } = splitRecordKey(entry.key);
      slotTo = slotRange(slot).to;
      pages.set(slot, (page = emptyPage()));
    }
    if (page.byteCount >= SLOT_COPY_BYTES_MAX) page.isWhole = false;
    else page.entries.push(entry);
    page.byteCount += entry.key.length + entry.value.length;
  }
  return pages;
}

function emptyPage(): SlotPage {
  return { entries: [], byteCount: 0, isWhole: true };
}
