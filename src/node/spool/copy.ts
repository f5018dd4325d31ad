/**
 * Copies the marks of what PostgreSQL lacks from owners to a learner. This follows the records: a slot with an equal
 * digest is not copied, and yet this disk may lack its marks. Every complete owner of the learnt slots is asked; a mark
 * too many does no harm. Later marks come with the writes themselves. (PROTOCOL R20, R34)
 */
import { SLOT_COPY_BYTES_MAX, SLOT_COPY_RECORDS_MAX } from '../../core/limits.ts';
import type { PeerMessage } from '../../core/message.ts';
import type { LearnSpool, LearnSpoolFrame } from '../../core/system-of-record/spool-message.ts';
import type { Replica } from '../../core/replication/replica.ts';
import { slotOf } from '../../core/placement/slots.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Storage } from '../../ports/storage.ts';
import { SPOOL_FROM, SPOOL_TO, decodeSpoolMark, splitSpoolKey } from '../../wire/spool-codec.ts';
import type { SpoolMarks } from './marks.ts';

/** Milliseconds without an answer after which an owner is asked again: it may not have known the epoch yet. */
const AGAIN_AFTER_MS = 100;

export interface SpoolCopyParts {
  readonly clock: Clock;
  readonly storage: Storage;
  readonly marks: SpoolMarks;
  readonly replica: () => Replica | null;
  readonly send: (memberId: number, message: PeerMessage) => void;
  /** A test breaks the rule: nothing is copied. */
  readonly skip: boolean;
}

export class SpoolCopy {
  private readonly parts: SpoolCopyParts;
  private session = 0;
  /** Owners that have not sent everything yet, with the last mark received from each. */
  private readonly left = new Map<number, string>();
  private askedAt = -Infinity;
  private onDone: () => void = () => undefined;

  constructor(parts: SpoolCopyParts) {
    this.parts = parts;
  }

  /** `session`: the epoch. `onDone` is called once, unless another copy begins before. */
  begin(session: number, onDone: () => void): void {
    const { replica, skip } = this.parts;
    this.session = session;
    this.onDone = onDone;
    this.left.clear();
    const view = replica()?.view;
    for (const row of view?.rows ?? [])
      if (row.learns && !skip) for (const id of row.owners) this.left.set(id, SPOOL_FROM);
    this.askedAt = -Infinity;
    if (this.left.size === 0) onDone();
    else this.tick();
  }

  tick(): void {
    if (this.left.size === 0) return;
    const view = this.parts.replica()?.view;
    if (view?.topology.epoch !== this.session) return this.left.clear();
    const now = this.parts.clock.now();
    if (now - this.askedAt < AGAIN_AFTER_MS) return;
    this.askedAt = now;
    for (const id of this.left.keys()) this.ask(id);
  }

  onFrame(from: number, frame: LearnSpoolFrame): void {
    const replica = this.parts.replica();
    if (frame.session !== this.session || replica?.view.topology.epoch !== this.session) return;
    if (this.left.get(from) !== frame.after) return;
    for (const { key, ...mark } of frame.marks) {
      const slot = slotOf(key);
      if (replica.view.row(slot).learns) this.parts.marks.put(slot, key, mark);
    }
    if (frame.next !== '') {
      this.left.set(from, frame.next);
      return this.ask(from);
    }
    this.left.delete(from);
    if (this.left.size === 0) this.onDone();
  }

  /** The other side: what this node has marked in slots where it is complete and the asker learns. */
  onAsked(from: number, { session, after }: LearnSpool): void {
    const { storage, replica } = this.parts;
    const epoch = replica()?.view.topology.epoch;
    storage.scan(after, SPOOL_TO, SLOT_COPY_RECORDS_MAX, SLOT_COPY_BYTES_MAX / 2, (error, entries) => {
      const view = replica()?.view;
      if (error !== null || view === undefined || view.topology.epoch !== epoch) return;
      const marks: LearnSpoolFrame['marks'][number][] = [];
      for (const { key: stored, value } of entries) {
        const { slot, key } = splitSpoolKey(stored);
        const row = view.row(slot);
        if (!row.owns || !row.others.includes(from)) continue;
        const mark = decodeSpoolMark(stored, value);
        // For a damaged mark, the version is known to the other owners, which are asked as well.
        if (mark !== undefined) marks.push({ key, ...mark });
      }
      const last = entries.at(-1);
      const next = last === undefined ? '' : last.key + '\u0000';
      this.parts.send(from, { kind: 'learnSpoolFrame', session, after, marks, next });
    });
  }

  private ask(id: number): void {
    this.parts.send(id, { kind: 'learnSpool', session: this.session, after: this.left.get(id)! });
  }
}
