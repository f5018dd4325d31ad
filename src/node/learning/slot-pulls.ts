/**
 * The slots that a learner is copying: page by page, as its pace allows, each page replacing what this disk holds. A
 * page on its way, or in memory and not on disk yet, delays the next ones, because client writes use the same disk and
 * the same peers. (PROTOCOL R19)
 */
import { IndexSet } from '../../base/index-set.ts';
import { SLOT_RUN_SLOTS_MAX } from '../../core/copying/copy-limits.ts';
import type { CopyPace } from '../../core/copying/copy-pace.ts';
import { CopyWindow } from '../../core/copying/copy-window.ts';
import { SLOT_COUNT } from '../../core/limits.ts';
import type { LearnFrame, PeerMessage } from '../../core/message.ts';
import type { Mutations } from '../../core/mutations.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage } from '../../ports/storage.ts';
import { applyRange, keysInRangeOf } from './copied-range.ts';
import { NO_OFFER, madeWhole, summariesOf, readOffer } from './offered-records.ts';
import type { Offer } from './offered-records.ts';
import { PagesInOrder } from './pages-in-order.ts';
import type { RecordShelf } from '../store/record-shelf.ts';
import type { StoreWriter } from '../store/store-writer.ts';

/** Milliseconds before another owner is asked after one has refused. */
const REFUSED_PAUSE_MS = 100;

/** What was requested of one slot and has not arrived yet. */
interface Pull {
  readonly slot: number;
  afterKey: string;
  /** 0 if no owner is being asked. */
  source: number;
  /** Monotonic ms at which the request is repeated. */
  dueAt: number;
  /** A frame is being applied: nothing is outstanding. */
  applying: boolean;
  /** Not requested yet, because the pace does not allow it. */
  waiting: boolean;
  /** What this disk holds of the range, sent to every source; null if not read yet. */
  offer: Offer | null;
  /** Bytes that it counts for while it is on its way; 0 if nothing is. */
  awaited: number;
}

/** The last requested slot, the owner asked, and how many consecutive slots before it went to the same owner. */
interface Run {
  readonly slot: number;
  readonly source: number;
  readonly length: number;
}

const NO_RUN: Run = { slot: -1, source: 0, length: 0 };

export interface SlotPullsParts {
  readonly clock: Clock;
  readonly storage: Storage;
  readonly shelf: RecordShelf;
  readonly writer: Pick<StoreWriter, 'barrier'>;
  readonly pace: CopyPace;
  readonly mutations: Mutations;
  readonly send: (memberId: number, message: PeerMessage) => void;
  /**
   * An owner of the slot to ask: the preferred one if it owns the slot, or the one after `passed`; 0 if none is linked.
   */
  readonly sourceOf: (slot: number, preferred: number, passed: number) => number;
  /** Milliseconds without an answer after which another owner is asked. */
  readonly answerTimeoutMs: () => number;
  /** The slot is as its source has it. */
  readonly onCopied: (slot: number) => void;
}

export class SlotPulls {
  private readonly parts: SlotPullsParts;
  private replica: Replica | null = null;
  private session = 0;
  /**
   * Processed in slot order, which is also the order on disk: data that arrives in order is not rewritten by the
   * store's compactions.
   */
  private readonly queue = new IndexSet(SLOT_COUNT);
  private readonly pulls = new Map<number, Pull>();
  private readonly window = new CopyWindow();
  private readonly pages = new PagesInOrder(() => this.lowestAwaited());
  private run: Run = NO_RUN;
  private cancelLater: (() => void) | null = null;

  constructor(parts: SlotPullsParts) {
    this.parts = parts;
  }

  /** Slots being requested. */
  get size(): number {
    return this.pulls.size;
  }

  private get isIdle(): boolean {
    return this.queue.size === 0 && this.pulls.size === 0;
  }

  /** Repeats what was under way, from where it has come. A `session` of 0 means that nothing is copied. */
  begin(session: number, replica: Replica | null): void {
    this.session = session;
    this.replica = replica;
    this.queue.clear();
    for (const pull of this.pulls.values()) this.unawait(pull);
    this.pulls.clear();
    this.pages.clear((bytes) => this.window.release(bytes));
    this.cancelLater?.();
    this.cancelLater = null;
  }

  add(slot: number): void {
    this.queue.add(slot);
  }

  /** Requests as much as the pace allows. */
  proceed(): void {
    const { pace, shelf, clock } = this.parts;
    if (this.session === 0) return;
    this.pages.release(clock.now());
    for (const pull of this.pulls.values()) if (pull.waiting) this.ask(pull);
    while (this.pulls.size - this.pages.size < this.window.slotsAtOnce && this.queue.size > 0) {
      const slot = this.queue.next(0);
      this.queue.delete(slot);
      const pull = beginPull(slot, shelf.copiedThroughOf(slot));
      this.pulls.set(slot, pull);
      this.ask(pull);
    }
    if (this.cancelLater !== null) return;
    const waitMs = pace.waitMs(clock.now());
    if (waitMs === 0 || this.isIdle) return;
    this.cancelLater = clock.after(waitMs, () => {
      this.cancelLater = null;
      this.proceed();
    });
  }

  /** Owners that have not answered in time. */
  late(now: number): readonly number[] {
    const late: number[] = [];
    for (const pull of this.pulls.values())
      if (!pull.waiting && !pull.applying && pull.dueAt <= now) late.push(pull.slot);
    return late;
  }

  askAgain(slots: readonly number[]): void {
    this.run = NO_RUN;
    for (const slot of slots) this.ask(this.pulls.get(slot)!);
  }

  onRefused(slot: number): void {
    const pull = this.pulls.get(slot);
    if (pull !== undefined) pull.dueAt = this.parts.clock.now() + REFUSED_PAUSE_MS;
  }

  private ask(pull: Pull): void {
    const { pace, shelf, storage, clock } = this.parts;
    const now = clock.now();
    this.unawait(pull);
    pull.waiting = !this.window.hasRoom || !pace.mayAsk(now);
    pull.source = 0;
    if (pull.waiting) return;
    pull.awaited = this.window.ask();
    pull.dueAt = now + this.parts.answerTimeoutMs();
    const source = this.sourceOf(pull);
    if (source === 0) return;
    if (pull.offer !== null) return this.send(pull, source, pull.offer);
    const { session } = this;
    const { slot, afterKey } = pull;
    readOffer(slot, afterKey, shelf, storage, (offer) => {
      if (session !== this.session || this.pulls.get(slot) !== pull || pull.afterKey !== afterKey) return;
      pull.offer ??= offer;
      if (pull.source === 0) this.send(pull, source, pull.offer);
    });
  }

  /**
   * Consecutive slots are requested from one owner, which reads them together; but no owner is asked for all of them.
   */
  private sourceOf({ slot, afterKey }: Pull): number {
    const { run } = this;
    const isNext = afterKey === '' && slot === run.slot + 1;
    const follows = isNext && run.length < SLOT_RUN_SLOTS_MAX;
    const source = this.parts.sourceOf(slot, follows ? run.source : 0, isNext ? run.source : 0);
    if (afterKey === '')
      this.run = { slot, source, length: follows && source === run.source ? run.length + 1 : 1 };
    return source;
  }

  private send(pull: Pull, source: number, offer: Offer): void {
    pull.source = source;
    const { slot, afterKey } = pull;
    const { session } = this;
    this.parts.send(source, { kind: 'learnPull', session, slot, afterKey, offered: summariesOf(offer) });
  }

  private lowestAwaited(): number {
    let lowest = Infinity;
    for (const pull of this.pulls.values()) if (pull.awaited > 0 && pull.slot < lowest) lowest = pull.slot;
    return lowest;
  }

  /** Nothing of the slot is on its way any more. */
  private unawait(pull: Pull): void {
    this.window.release(pull.awaited);
    pull.awaited = 0;
  }

  onFrame(from: number, sent: LearnFrame): void {
    const pull = this.pulls.get(sent.slot);
    if (pull === undefined || pull.applying || pull.source !== from || pull.afterKey !== sent.afterKey)
      return;
    const offer = pull.offer ?? NO_OFFER;
    const frame = madeWhole(sent, offer);
    if (frame === undefined) {
      // Records of two keys have the same version and checksum: this range is sent in full.
      pull.offer = NO_OFFER;
      return this.ask(pull);
    }
    if (frame.records.length === 0 && !frame.last) return;
    pull.applying = true;
    this.unawait(pull);
    const bytes = sent.records.reduce((sum, held) => sum + held.sealed.bytes.length, 0);
    const now = this.parts.clock.now();
    this.parts.pace.arrived(sent.records.length, bytes, now);
    this.window.arrived(bytes);
    this.pages.add(frame.slot, bytes, now, () => this.take(pull, frame, sent.same, offer, bytes));
  }

  /** `same`: references to records that the source did not send, because it has exactly what was offered. */
  private take(pull: Pull, frame: LearnFrame, same: LearnFrame['same'], offer: Offer, bytes: number): void {
    const { session } = this;
    keysInRangeOf(frame, offer, this.parts.storage, (keys) => {
      const isCurrent = session === this.session && this.pulls.get(frame.slot) === pull;
      if (isCurrent && keys !== null) this.apply(pull, frame, same, keys);
      this.parts.writer.barrier(() => this.onDisk(bytes));
      if (!isCurrent) return;
      pull.applying = false;
      if (keys !== null) this.advance(pull, frame);
    });
  }

  private apply(pull: Pull, frame: LearnFrame, told: LearnFrame['same'], keys: readonly string[]): void {
    const same = new Set(told.map(({ key }) => key));
    const isBlank = pull.offer?.isWhole === true && pull.offer.keys.length === 0;
    const { shelf, mutations } = this.parts;
    applyRange(frame, { keys, same, isBlank }, { replica: this.replica!, shelf, mutations });
  }

  private onDisk(bytes: number): void {
    this.window.release(bytes);
    this.proceed();
  }

  private advance(pull: Pull, frame: LearnFrame): void {
    if (!frame.last) {
      pull.afterKey = frame.records.at(-1)!.sealed.record.key;
      pull.offer = null;
      this.parts.shelf.copiedThrough(pull.slot, pull.afterKey);
      this.ask(pull);
      return;
    }
    this.pulls.delete(pull.slot);
    this.parts.onCopied(pull.slot);
  }
}

function beginPull(slot: number, afterKey: string): Pull {
  const nothing = { source: 0, dueAt: 0, applying: false, waiting: false, offer: null };
  return { slot, afterKey, ...nothing, awaited: 0 };
}
