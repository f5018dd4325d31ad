/**
 * Compares the slots of a run with every other complete owner within one epoch: first by digest, twice, because slots
 * that are being written differ for a moment; then, where they still differ, key by key and page by page. What this
 * node has lost it fetches, and replicates like a write; what others have lost they find themselves. (DESIGN 5,
 * PROTOCOL R8, R19)
 */
import { SCRUB_FETCHES_MAX, SCRUB_TOLD_RECORDS_MAX } from '../../core/limits.ts';
import type { PeerMessage, RepairRecord } from '../../core/message.ts';
import type { ScrubDifferences, ScrubPage, ToldCopy } from '../../core/upkeep/scrub-message.ts';
import { judgeCopy } from '../../core/upkeep/scrub.ts';
import type { RowView } from '../../core/replication/slot-view.ts';
import { slotOf } from '../../core/placement/slots.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RecordShelf } from '../store/record-shelf.ts';
import type { ScrubReport } from './report.ts';
import { ownCopyOf } from './stage.ts';
import type { ScrubBudget, ScrubRun, ScrubStage } from './stage.ts';

/** Milliseconds without an answer after which an owner is asked again, and how often it is asked at all. */
const ANSWER_TIMEOUT_MS = 1_000;
const ASKS_MAX = 4;
/** Milliseconds between the two comparisons: long enough for most writes to finish. */
const BETWEEN_MS = 200;

export interface ScrubPeersParts {
  readonly clock: Clock;
  readonly shelf: RecordShelf;
  /** A report about a key that is not held counts only while the slot's fence is unchanged. (R22) */
  readonly fenceOf: (slot: number) => number;
  readonly report: ScrubReport;
  readonly budget: ScrubBudget;
  readonly send: (memberId: number, message: PeerMessage) => void;
  /** The counter at or below which deletions of the slot were forgotten; 0 if none was. */
  readonly floorOf: (slot: number) => number;
  /** Records in flight here are overwritten by other owners' copies; for tests of the rule. */
  readonly overwriting: boolean;
}

interface Comparison {
  readonly member: number;
  /** The slots that differed the first time; null before that comparison. */
  differed: readonly number[] | null;
  dueAt: number;
  asksLeft: number;
  /** A request is outstanding. */
  isAsked: boolean;
}

interface Descent {
  readonly member: number;
  readonly slot: number;
  afterKey: string;
  dueAt: number;
  asksLeft: number;
  isAsked: boolean;
  /** Where to continue after the records of this page have arrived. */
  next: { readonly through: string; readonly last: boolean } | null;
}

interface Fetch {
  readonly copy: ToldCopy;
  /** The slot's fence at the time of the first request. */
  readonly fence: number;
  dueAt: number;
  asksLeft: number;
}

export class ScrubPeers implements ScrubStage {
  private readonly parts: ScrubPeersParts;
  private run: ScrubRun | null = null;
  private done: () => void = () => undefined;
  private comparisons: Comparison[] = [];
  private descents: Descent[] = [];
  private toFetch: ToldCopy[] = [];
  private readonly fetches = new Map<string, Fetch>();

  constructor(parts: ScrubPeersParts) {
    this.parts = parts;
  }

  begin(run: ScrubRun, done: () => void): void {
    this.run = run;
    this.done = done;
    this.descents = [];
    const members = new Set<number>();
    for (const { owns, owners } of rowsOf(run)) {
      if (!owns) continue;
      for (const id of owners) if (id !== run.view.selfId) members.add(id);
    }
    this.comparisons = [...members].map((member) => {
      return { member, differed: null, dueAt: 0, asksLeft: ASKS_MAX, isAsked: false };
    });
  }

  stop(): void {
    this.run = null;
    for (const { key } of this.toFetch) this.parts.report.letGo(key);
    for (const key of this.fetches.keys()) this.parts.report.letGo(key);
    this.toFetch = [];
    this.fetches.clear();
  }

  tick(now: number): void {
    const { run } = this;
    if (run === null) return;
    for (const comparison of this.comparisons)
      if (comparison.dueAt <= now) this.compare(run, comparison, now);
    this.fetchMore(now);
    const descent = this.descents[0];
    if (descent !== undefined) return this.descend(run, descent, now);
    if (this.comparisons.length > 0) return;
    this.run = null;
    this.done();
  }

  onDifferences(from: number, message: ScrubDifferences): void {
    const { run } = this;
    const comparison = this.comparisons.find((each) => each.member === from && each.isAsked);
    if (run === null || comparison === undefined || !this.isOurs(run, message)) return;
    if (message.slotFirst !== run.first) return;
    comparison.isAsked = false;
    const known = comparison.differed;
    const isShared = sharedWith(run, from);
    const differing = message.differing.filter(
      (slot) => (known === null || known.includes(slot)) && isShared(slot),
    );
    if (known === null && differing.length > 0) {
      comparison.differed = differing;
      comparison.asksLeft = ASKS_MAX;
      comparison.dueAt = this.parts.clock.now() + BETWEEN_MS;
      return;
    }
    this.comparisons = this.comparisons.filter((each) => each !== comparison);
    this.parts.report.compared(sharedSlots(run, from).length);
    for (const slot of differing) {
      this.descents.push({
        ...{ member: from, slot, afterKey: '', dueAt: 0, asksLeft: ASKS_MAX, isAsked: false, next: null },
      });
    }
  }

  onPage(from: number, page: ScrubPage): void {
    const { run } = this;
    const descent = this.descents[0];
    if (run === null || descent === undefined || !descent.isAsked || !this.isOurs(run, page)) return;
    if (descent.member !== from || descent.slot !== page.slot || descent.afterKey !== page.afterKey) return;
    descent.isAsked = false;
    descent.next = { through: page.through, last: page.last };
    this.parts.budget.pace.spend(page.copies.length, 0);
    for (const copy of page.copies.slice(0, SCRUB_TOLD_RECORDS_MAX)) {
      if (slotOf(copy.key) === page.slot) this.judge(run, page.slot, copy);
    }
  }

  /** Returns false if the record was not requested here. */
  onRecord({ held }: RepairRecord): boolean {
    const { run } = this;
    const { key } = held.sealed.record;
    const fetch = this.fetches.get(key);
    if (run === null || fetch === undefined) return false;
    this.fetches.delete(key);
    const slot = slotOf(key);
    const { shelf, fenceOf, overwriting, report } = this.parts;
    // The key may have been deleted since, and the deletion forgotten: the next round asks again. (R22)
    if (fenceOf(slot) !== fetch.fence) {
      report.letGo(key);
      return true;
    }
    if (overwriting) shelf.replaceAtRest(slot, key, held.sealed);
    if (overwriting || !held.valid) return true;
    // Memory may still have it intact, but the disk is what counts.
    shelf.forgetHot(key);
    run.replica.reaffirm(slot, held.sealed);
    return true;
  }

  private isOurs(run: ScrubRun, message: { readonly session: number }): boolean {
    return message.session === run.view.topology.epoch;
  }

  private compare(run: ScrubRun, comparison: Comparison, now: number): void {
    const { shelf, send, report } = this.parts;
    const { member } = comparison;
    if (comparison.asksLeft === 0) {
      this.comparisons = this.comparisons.filter((each) => each !== comparison);
      return report.unheard(sharedSlots(run, member), 'an owner gives no answer');
    }
    comparison.asksLeft -= 1;
    comparison.isAsked = true;
    comparison.dueAt = now + ANSWER_TIMEOUT_MS;
    const shared = sharedSlots(run, member);
    let count = 0;
    for (let at = 0; at < shared.length; at += 1)
      if (!shelf.digests.isEmpty(shared[at]!)) shared[count++] = shared[at]!;
    const slots = shared.subarray(0, count);
    const digests = shelf.digests.of(slots);
    const { first, end, view } = run;
    send(member, {
      ...{ kind: 'scrubDigests', session: view.topology.epoch },
      ...{ slotFirst: first, slotEnd: end, slots, digests },
    });
  }

  private descend(run: ScrubRun, descent: Descent, now: number): void {
    const { report, budget, send } = this.parts;
    if (descent.next !== null) {
      if (this.toFetch.length > 0 || this.fetches.size > 0) return;
      if (descent.next.last) this.descents.shift();
      descent.afterKey = descent.next.through;
      descent.next = null;
      descent.asksLeft = ASKS_MAX;
      descent.dueAt = 0;
      return;
    }
    if (descent.dueAt > now || (!descent.isAsked && !budget.pace.mayGo(now, budget.isBusy()))) return;
    if (descent.asksLeft === 0) {
      this.descents.shift();
      return report.unheard([descent.slot], 'an owner does not tell its versions');
    }
    descent.asksLeft -= 1;
    descent.isAsked = true;
    descent.dueAt = now + ANSWER_TIMEOUT_MS;
    const { slot, afterKey } = descent;
    send(descent.member, { kind: 'scrubPull', session: run.view.topology.epoch, slot, afterKey });
  }

  private judge(run: ScrubRun, slot: number, copy: ToldCopy): void {
    const { report, overwriting, floorOf } = this.parts;
    const own = ownCopyOf(run, this.parts.shelf, slot, copy.key);
    const verdict = judgeCopy(own, copy, floorOf(slot));
    if (verdict === 'conflict') report.conflict(slot, copy.version, 'two owners');
    const isTaken = verdict === 'behind' || (overwriting && own === 'inFlight');
    if (!isTaken) return;
    report.found('lost', slot, copy.key, copy.version);
    this.toFetch.push(copy);
  }

  private fetchMore(now: number): void {
    const { send, fenceOf } = this.parts;
    const member = this.descents[0]?.member ?? 0;
    for (const [key, fetch] of this.fetches) {
      if (fetch.dueAt > now) continue;
      // The repair is being tracked, and is reported as failed.
      if (fetch.asksLeft === 0) {
        this.fetches.delete(key);
        continue;
      }
      fetch.asksLeft -= 1;
      fetch.dueAt = now + ANSWER_TIMEOUT_MS;
      send(member, { kind: 'repairPull', key });
    }
    while (this.toFetch.length > 0 && this.fetches.size < SCRUB_FETCHES_MAX) {
      const copy = this.toFetch.pop()!;
      const fence = fenceOf(slotOf(copy.key));
      this.fetches.set(copy.key, { copy, fence, asksLeft: ASKS_MAX - 1, dueAt: now + ANSWER_TIMEOUT_MS });
      send(member, { kind: 'repairPull', key: copy.key });
    }
  }
}

/** The rows of the slots in the run, ordered by the first slot of each. */
function rowsOf({ view, first, end }: ScrubRun): Set<RowView> {
  const rows = new Set<RowView>();
  const isSeen = new Uint8Array(view.rows.length);
  const { slotRow } = view.topology;
  for (let slot = first; slot < end; slot += 1) {
    const row = slotRow[slot]!;
    if (isSeen[row] === 1) continue;
    isSeen[row] = 1;
    rows.add(view.rows[row]!);
  }
  return rows;
}

/** Selects slots of the run of which both are complete owners. */
function sharedWith({ view, first, end }: ScrubRun, member: number): (slot: number) => boolean {
  const isShared = view.rowsSharedWith(member);
  const { slotRow } = view.topology;
  return (slot) => slot >= first && slot < end && isShared[slotRow[slot]!]!;
}

function sharedSlots(run: ScrubRun, member: number): Uint16Array {
  const isShared = run.view.rowsSharedWith(member);
  const { slotRow } = run.view.topology;
  const slots = new Uint16Array(run.end - run.first);
  let count = 0;
  for (let slot = run.first; slot < run.end; slot += 1) if (isShared[slotRow[slot]!]!) slots[count++] = slot;
  return slots.subarray(0, count);
}
