/**
 * A read that has to wait, from its arrival to its answer. An owner reads its local store and waits while the key is in
 * flight; other nodes forward the read to an owner. A key that neither the cluster nor PostgreSQL has goes to the
 * slot's first owner, which asks the legacy source. If none of this succeeds, a reader that accepts an old answer gets
 * one. (DESIGN sections 2 and 7, PROTOCOL R9, R25)
 */
import { failure } from '../core/errors.ts';
import type { Failure } from '../core/errors.ts';
import { STALE_AFTER_MS, STALE_PATIENCE_MS } from '../core/limits.ts';
import type { ReadResult, StaleResult } from '../core/operation.ts';
import { isLive, yieldsToFill } from '../core/record.ts';
import type { SealedRecord } from '../core/record.ts';
import type { ReadTicket } from '../core/replication/key-state.ts';
import { slotOf } from '../core/placement/slots.ts';
import { staleWord } from '../core/clients/stale.ts';
import type { TraceContext } from '../core/observability/trace-context.ts';
import type { Expiring } from './deadlines.ts';
import { errorOf, readSpans } from './tracing/flow-spans.ts';
import type { ReadDone } from './peers/forwarder.ts';
import type { ReadSpans } from './tracing/flow-spans.ts';
import { HOPS_MAX, NOT_READY_MS_MAX, refusalUnready } from './serving.ts';
import type { Serving } from './serving.ts';
import type { TimedRead } from './timing.ts';

export interface ReadRequest {
  readonly key: string;
  readonly timeoutMs: number;
  readonly hops: number;
  /** An owner found nothing and asks the first owner to consult the legacy source. */
  readonly miss: boolean;
  /** Whether the legacy source may be asked at all: a fill's own re-read must not. */
  readonly mayAskLegacy: boolean;
  /** Time stamp of its arrival at a door of this node; left out if it came another way. */
  readonly arrivedAt?: number;
  /** The caller's trace, if it is traced. */
  readonly trace?: TraceContext | undefined;
}

const ABSENT: ReadResult = { kind: 'absent' };

export function startRead(serving: Serving, request: ReadRequest, done: (result: ReadResult) => void): void {
  const end = (result: ReadResult | StaleResult): void =>
    done(result.kind === 'stale' ? { kind: 'failed', failure: failure('not_ready') } : result);
  new Read(serving, request, false, end).step();
}

/** Like `startRead` under a lease; without one, answers with what a reachable owner had last, marked as stale. */
export function startStaleRead(
  serving: Serving,
  request: ReadRequest,
  done: (result: ReadResult | StaleResult) => void,
): void {
  const read = new Read(serving, request, true, done);
  read.step();
  read.watch();
}

class Read implements Expiring, TimedRead {
  readonly deadlineAt: number;
  readonly startedAt: number;
  forwardedAt = 0;
  backAt = 0;
  legacyAt = 0;
  private readonly serving: Serving;
  private readonly request: ReadRequest;
  private readonly allowStale: boolean;
  private readonly done: (result: ReadResult | StaleResult) => void;
  private readonly slot: number;
  private readonly readyUntil: number;
  /** Null if the read is not traced. */
  private readonly spans: ReadSpans | null;
  private ticket: ReadTicket | null = null;
  private forwarded = 0;
  /** Since when this node's replica, or another node, has been asked. */
  private askedAt = 0;
  private avoid = 0;
  private target = 0;
  private ended = false;

  constructor(
    serving: Serving,
    request: ReadRequest,
    allowStale: boolean,
    done: (result: ReadResult | StaleResult) => void,
  ) {
    const now = serving.clock.now();
    this.serving = serving;
    this.request = request;
    this.allowStale = allowStale;
    this.done = done;
    this.slot = slotOf(request.key);
    this.deadlineAt = now + request.timeoutMs;
    this.startedAt = serving.timing.instruments.stamp(now);
    this.readyUntil = now + Math.min(request.timeoutMs, NOT_READY_MS_MAX);
    this.spans = readSpans(serving, request);
    serving.deadlines.add(this);
    serving.count('reads');
  }

  get key(): string {
    return this.request.key;
  }

  get arrivedAt(): number {
    return this.request.arrivedAt ?? 0;
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
      // Only the first owner may ask the legacy source: any other owner would forward the read back.
      const isOnlyOne = row.owners.length === 1 || (this.request.miss && row.first === view.selfId);
      if (isOnlyOne || this.request.hops >= HOPS_MAX) return this.notReady();
      // The node that forwarded the read asks the other owners as well.
      if (this.allowStale && this.request.hops > 0) return this.notReady();
    }
    const others = row.owners.filter((id) => id !== view.selfId && id !== this.avoid);
    if (others.length === 0) return this.notReady();
    const target = this.request.miss
      ? others[0]!
      : others[Math.floor(this.serving.random.next() * others.length)]!;
    this.forward(target, this.request.miss, true);
  }

  private readHere(): void {
    const ticket: ReadTicket = {
      key: this.request.key,
      lowest: 0,
      answered: false,
      answer: (sealed, problem) => this.onRead(sealed, problem),
    };
    this.ticket = ticket;
    this.askedAt = this.serving.clock.now();
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
    // The clock is read after the value, so that a lease which ended in between is noticed. (R9)
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
    // This node hears of later writes by itself.
    if (first !== view.selfId) return this.forward(first, true, false);
    this.legacyAt = this.serving.timing.stamp();
    legacy.read(this.request.key, (result) => this.finish(result));
  }

  /** `isUnheard`: this node may not hear of later changes to the key. */
  private forward(target: number, miss: boolean, isUnheard: boolean): void {
    if (this.request.hops >= HOPS_MAX) return this.noWay();
    const peer = this.serving.nameOf(target);
    const timeoutMs = Math.max(1, this.deadlineAt - this.serving.clock.now());
    const { key, hops } = this.request;
    const askedAt = this.serving.clock.bootNow();
    const { forwarder, keyWatch } = this.serving;
    const watch = isUnheard && peer !== undefined && keyWatch.handsOver(key, peer, hops > 0);
    const onAnswer: ReadDone = (result, watched): void => {
      this.forwarded = 0;
      if (watch && result !== 'lost') keyWatch.answered(key, peer, watched);
      this.backAt = this.serving.timing.stamp();
      this.spans?.handedBack(errorOf(result));
      if (result === 'lost' || (result.kind === 'failed' && result.failure.code === 'not_ready'))
        this.notReady();
      else if (result.kind === 'stale') this.finish(this.aged(result, askedAt));
      else this.finish(result);
    };
    this.askedAt = this.serving.clock.now();
    // A miss asks for the answer of the legacy source, not for an owner's.
    const flags = { miss, allowStale: this.allowStale && !miss, watch };
    if (peer === undefined) return this.notReady();
    const trace = this.spans?.handOver(peer);
    this.forwarded = forwarder.read(peer, key, flags, hops + 1, timeoutMs, onAnswer, trace);
    if (this.forwarded === 0) {
      this.spans?.handedBack('not_ready');
      this.notReady();
      return;
    }
    this.target = target;
    if (this.forwardedAt === 0) this.forwardedAt = this.serving.timing.stamp();
  }

  /** A node that forwarded the read here may know another way, or will before long; a client has to wait for ours. */
  private noWay(): void {
    if (this.request.hops > 0) this.fail(failure('not_ready'));
    else this.notReady();
  }

  /** No node that may answer is reachable: retried on later ticks, for a while. */
  private notReady(): void {
    if (this.ended || (this.allowStale && this.tellOld())) return;
    const refusal = refusalUnready(this.serving, this.readyUntil);
    if (refusal !== null) return this.fail(refusal);
    this.serving.later(() => this.step());
  }

  /** Answers with what was last readable here, if no lease has been held for a while. */
  private tellOld(): boolean {
    const { serving, slot } = this;
    const staleMs = serving.leaselessMs();
    const replica = serving.replica();
    if (replica === null || staleMs < STALE_AFTER_MS || staleMs === Infinity) return false;
    const sealed = replica.lastReadable(this.request.key, slot);
    if (sealed === 'untold') return false;
    const { loaded } = replica.view.topology;
    const facts = { loaded, hasLegacy: serving.legacy !== null, wallNow: serving.clock.wallNow() };
    const word = staleWord(sealed, facts);
    if (word === 'unknown') return false;
    serving.count('staleReads');
    this.finish({ kind: 'stale', record: word === 'absent' ? undefined : word, staleMs });
    return true;
  }

  /** The answer has aged on its way here. */
  private aged({ record, staleMs }: StaleResult, askedAt: number): StaleResult {
    const wayMs = Math.ceil(this.serving.clock.bootNow() - askedAt);
    return { kind: 'stale', record, staleMs: staleMs + wayMs };
  }

  /**
   * Called on each tick for a reader that accepts an old answer. A key in flight here while the lease is gone, or an
   * owner that does not answer, is waited for only as long as it takes to be sure of that.
   */
  watch(): void {
    if (this.ended) return;
    this.serving.later(() => this.watch());
    const { ticket } = this;
    if (ticket === null && this.forwarded === 0) return;
    if (this.serving.clock.now() - this.askedAt < STALE_PATIENCE_MS) return;
    if (this.serving.leaseHeld() && this.serving.view()?.row(this.slot).owns === true) return;
    if (ticket !== null) ticket.answered = true;
    if (this.forwarded !== 0) this.serving.forwarder.forget(this.forwarded);
    this.spans?.handedBack('read_timeout');
    this.avoid = ticket === null ? this.target : this.avoid;
    this.ticket = null;
    this.forwarded = 0;
    this.notReady();
  }

  private fail(problem: Failure): void {
    if (!this.ended) this.serving.count('failures');
    this.finish({ kind: 'failed', failure: problem });
  }

  private finish(result: ReadResult | StaleResult): void {
    if (this.ended) return;
    this.ended = true;
    this.serving.deadlines.remove(this);
    this.serving.timing.read(this, result.kind === 'failed' ? result.failure.code : null);
    if (this.forwarded !== 0) this.serving.forwarder.forget(this.forwarded);
    this.spans?.end(errorOf(result));
    this.done(result);
  }
}
