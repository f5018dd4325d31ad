/**
 * A read that has to wait, from its arrival to its answer: at an owner from the local store, waiting while the key
 * is in flight; elsewhere by handing it to an owner; a key that neither the cluster nor PostgreSQL has goes to the
 * slot's first owner, which asks the legacy source. (DESIGN sections 2 and 7, PROTOCOL R9, R25)
 */
import { failure } from '../core/errors.ts';
import type { Failure } from '../core/errors.ts';
import type { ReadResult } from '../core/operation.ts';
import { isLive, yieldsToFill } from '../core/record.ts';
import type { SealedRecord } from '../core/record.ts';
import type { ReadTicket } from '../core/replication/key-state.ts';
import { slotOf } from '../core/slots.ts';
import type { Expiring } from './deadlines.ts';
import { HOPS_MAX, NOT_READY_MS_MAX } from './serving.ts';
import type { Serving } from './serving.ts';

export interface ReadRequest {
  readonly key: string;
  readonly timeoutMs: number;
  readonly hops: number;
  /** An owner found nothing and asks the first owner to consult the source. */
  readonly miss: boolean;
  /** Whether the legacy source may be asked at all: the fill's own re-read must not. */
  readonly mayAskLegacy: boolean;
}

const ABSENT: ReadResult = { kind: 'absent' };

export function startRead(serving: Serving, request: ReadRequest, done: (result: ReadResult) => void): void {
  new Read(serving, request, done).step();
}

class Read implements Expiring {
  readonly deadlineAt: number;
  private readonly serving: Serving;
  private readonly request: ReadRequest;
  private readonly done: (result: ReadResult) => void;
  private readonly slot: number;
  private readonly readyUntil: number;
  private ticket: ReadTicket | null = null;
  private forwarded = 0;
  private avoid = 0;
  private ended = false;

  constructor(serving: Serving, request: ReadRequest, done: (result: ReadResult) => void) {
    const now = serving.clock.now();
    this.serving = serving;
    this.request = request;
    this.done = done;
    this.slot = slotOf(request.key);
    this.deadlineAt = now + request.timeoutMs;
    this.readyUntil = now + Math.min(request.timeoutMs, NOT_READY_MS_MAX);
    serving.deadlines.add(this);
    serving.count('reads');
  }

  onDeadline(): void {
    if (this.ticket !== null) this.ticket.answered = true;
    this.fail(failure('read_timeout'));
  }

  step(): void {
    if (this.ended) return;
    const view = this.serving.view();
    const row = view?.row(this.slot);
    if (view === null || row === undefined) return this.noWay();
    if (row.owns && this.avoid !== view.selfId) {
      if (this.serving.leaseHeld()) return this.readHere();
      // Only the first owner may ask the source: whoever else were asked would hand the read back.
      const isOnlyOne = row.owners.length === 1 || (this.request.miss && row.first === view.selfId);
      if (isOnlyOne || this.request.hops >= HOPS_MAX) return this.notReady();
    }
    const others = row.owners.filter((id) => id !== view.selfId && id !== this.avoid);
    if (others.length === 0) return this.notReady();
    const target = this.request.miss
      ? others[0]!
      : others[Math.floor(this.serving.random.next() * others.length)]!;
    this.forward(target, this.request.miss);
  }

  private readHere(): void {
    const ticket: ReadTicket = {
      key: this.request.key,
      lowest: 0,
      answered: false,
      answer: (sealed, problem) => this.onRead(sealed, problem),
    };
    this.ticket = ticket;
    this.serving.replica()!.read(ticket, this.slot);
  }

  private onRead(sealed: SealedRecord | undefined, problem: Failure | null): void {
    this.ticket = null;
    if (this.ended) return;
    if (problem !== null) {
      if (problem.code !== 'record_damaged' && problem.code !== 'not_ready') return this.fail(problem);
      if (problem.code === 'record_damaged') this.avoid = this.serving.view()?.selfId ?? 0;
      return this.notReady();
    }
    // The value was read first, the clock after it: a lease that ended in between is noticed here. (R9)
    if (!this.serving.leaseHeld()) return this.notReady();
    const wallNow = this.serving.clock.wallNow();
    if (sealed !== undefined && isLive(sealed.record, wallNow)) {
      return this.finish({ kind: 'value', record: sealed.record });
    }
    const legacy = this.serving.legacy;
    if (legacy === null || !this.request.mayAskLegacy || !yieldsToFill(sealed?.record, wallNow))
      return this.finish(ABSENT);
    const view = this.serving.view()!;
    const { first } = view.row(this.slot);
    if (first === view.selfId) legacy.read(this.request.key, (result) => this.finish(result));
    else this.forward(first, true);
  }

  private forward(target: number, miss: boolean): void {
    if (this.request.hops >= HOPS_MAX) return this.noWay();
    const peer = this.serving.nameOf(target);
    const timeoutMs = Math.max(1, this.deadlineAt - this.serving.clock.now());
    const { key, hops } = this.request;
    const onAnswer = (result: ReadResult | 'lost'): void => {
      this.forwarded = 0;
      if (result === 'lost' || (result.kind === 'failed' && result.failure.code === 'not_ready'))
        this.notReady();
      else this.finish(result);
    };
    this.forwarded =
      peer === undefined ? 0 : this.serving.forwarder.read(peer, key, miss, hops + 1, timeoutMs, onAnswer);
    if (this.forwarded === 0) this.notReady();
  }

  /** Who handed the read to this node may know another way, or will before long; a client waits for ours. */
  private noWay(): void {
    if (this.request.hops > 0) this.fail(failure('not_ready'));
    else this.notReady();
  }

  /** Nobody who may answer is at hand: tried again on a later tick, for a while. */
  private notReady(): void {
    if (this.ended) return;
    if (this.serving.clock.now() >= this.readyUntil) return this.fail(failure('not_ready'));
    this.serving.later(() => this.step());
  }

  private fail(problem: Failure): void {
    if (!this.ended) this.serving.count('failures');
    this.finish({ kind: 'failed', failure: problem });
  }

  private finish(result: ReadResult): void {
    if (this.ended) return;
    this.ended = true;
    this.serving.deadlines.remove(this);
    if (this.forwarded !== 0) this.serving.forwarder.forget(this.forwarded);
    this.done(result);
  }
}
