/**
 * The end of catching up: versions that an earlier process of this member took and that others still have in flight.
 * The source of a slot need not know of them, and what it does not know was removed here. But a version stands for one
 * write only, so these must be present here again before this node takes new versions. All owners and learners of the
 * slots are asked. (PROTOCOL R8, R20)
 */
import type { LearnUntoldFrame, PeerMessage } from '../../core/message.ts';
import type { Replica } from '../../core/replication/replica.ts';
import { slotOf } from '../../core/placement/slots.ts';
import type { Clock } from '../../ports/clock.ts';

/** Milliseconds without an answer after which a member is asked again: it may not have known the epoch yet. */
const AGAIN_AFTER_MS = 100;

export interface UntoldParts {
  readonly clock: Clock;
  readonly replica: Replica;
  readonly send: (memberId: number, message: PeerMessage) => void;
  /** Nobody has anything more to send; called once. */
  readonly onDone: () => void;
}

export class UntoldVersions {
  private readonly session: number;
  private readonly parts: UntoldParts;
  /** Members that have not sent everything yet, with the last key received from each. */
  private readonly left: Map<number, string>;
  private askedAt = -Infinity;

  constructor(session: number, members: Iterable<number>, parts: UntoldParts) {
    this.session = session;
    this.parts = parts;
    this.left = new Map([...members].map((id) => [id, '']));
  }

  begin(): void {
    if (this.left.size === 0) this.parts.onDone();
    else this.tick();
  }

  tick(): void {
    const now = this.parts.clock.now();
    if (now - this.askedAt < AGAIN_AFTER_MS) return;
    this.askedAt = now;
    for (const id of this.left.keys()) this.ask(id);
  }

  onFrame(from: number, frame: LearnUntoldFrame): void {
    if (frame.session !== this.session || this.left.get(from) !== frame.after) return;
    const { replica } = this.parts;
    for (const held of frame.records) {
      const slot = slotOf(held.sealed.record.key);
      if (replica.view.row(slot).learns) replica.copy(slot, held);
    }
    const last = frame.records.at(-1);
    if (!frame.last && last !== undefined) {
      this.left.set(from, last.sealed.record.key);
      return this.ask(from);
    }
    this.left.delete(from);
    if (this.left.size === 0) this.parts.onDone();
  }

  private ask(id: number): void {
    this.parts.send(id, { kind: 'learnUntold', session: this.session, after: this.left.get(id)! });
  }
}
