/**
 * Counts the cluster's keys. Each slot's first owner counts from what it keeps in memory about the slot, and all of
 * them in one epoch and under their leases: so each slot is counted once, with every write acknowledged before. An
 * expired key counts until it is removed. (PROTOCOL R9, R26)
 */
import { failure } from '../core/errors.ts';
import type { Failure } from '../core/errors.ts';
import { SLOT_COUNT } from '../core/limits.ts';
import type { CountResult } from '../core/operation.ts';
import type { SlotView } from '../core/replication/slot-view.ts';
import type { TraceContext } from '../core/observability/trace-context.ts';
import type { Expiring } from './deadlines.ts';
import { countSpans, errorOf } from './tracing/flow-spans.ts';
import { UNANSWERED } from './tracing/open-spans.ts';
import { NOT_READY_MS_MAX, refusalUnready } from './serving.ts';
import type { Serving } from './serving.ts';

/**
 * The keys in slots of which this node is the first owner. A peer in another epoch would count other slots twice, or
 * not at all.
 */
export function countHere(serving: Serving, epoch: number): CountResult {
  const view = serving.view();
  if (view === null || view.topology.epoch !== epoch) return notReady();
  const { digests } = serving.shelf;
  let count = 0;
  for (let slot = 0; slot < SLOT_COUNT; slot += 1)
    if (view.row(slot).first === view.selfId) count += digests.liveCountOf(slot);
  // The lease is checked after the data that it covers. (R9)
  if (!serving.leaseHeld()) return notReady();
  return { kind: 'counted', count, incomplete: !view.topology.loaded };
}

function notReady(): CountResult {
  return { kind: 'failed', failure: failure('not_ready') };
}

export function startCount(
  serving: Serving,
  timeoutMs: number,
  done: (result: CountResult) => void,
  trace?: TraceContext,
): void {
  new KeyCount(serving, timeoutMs, done, trace).step();
}

class KeyCount implements Expiring {
  readonly deadlineAt: number;
  private readonly serving: Serving;
  private readonly done: (result: CountResult) => void;
  private readonly readyUntil: number;
  private readonly spans: ReturnType<typeof countSpans>;
  /** Requests of the attempt under way. */
  private readonly asked = new Set<number>();
  private count = 0;
  private incomplete = false;
  private isWaiting = false;
  private ended = false;

  constructor(
    serving: Serving,
    timeoutMs: number,
    done: (result: CountResult) => void,
    trace: TraceContext | undefined,
  ) {
    const now = serving.clock.now();
    this.spans = countSpans(serving, trace);
    this.serving = serving;
    this.done = done;
    this.deadlineAt = now + timeoutMs;
    this.readyUntil = now + Math.min(timeoutMs, NOT_READY_MS_MAX);
    serving.deadlines.add(this);
  }

  onDeadline(): void {
    this.fail(failure('read_timeout'));
  }

  step(): void {
    if (this.ended) return;
    const view = this.serving.view();
    const firsts = view === null ? null : firstOwners(view);
    if (view === null || firsts === null) return this.again();
    this.count = 0;
    this.incomplete = false;
    const peers: string[] = [];
    for (const id of firsts) {
      if (id === view.selfId) continue;
      const peer = this.serving.nameOf(id);
      if (peer === undefined) return this.again();
      peers.push(peer);
    }
    for (const peer of peers) if (!this.ask(peer, view.topology.epoch)) return;
    if (firsts.has(view.selfId)) this.onCounted(countHere(this.serving, view.topology.epoch));
    this.endIfAll();
  }

  /** Returns false if this attempt, or the whole count, has ended. */
  private ask(peer: string, epoch: number): boolean {
    const { forwarder } = this.serving;
    const refusal = forwarder.whyNotCount(peer);
    if (refusal !== null) {
      this.fail(refusal);
      return false;
    }
    const request = forwarder.count(peer, epoch, (result) => {
      this.asked.delete(request);
      this.spans?.told(request, errorOf(result));
      if (this.onCounted(result === 'lost' ? notReady() : result)) this.endIfAll();
    });
    if (request === 0) {
      this.again();
      return false;
    }
    this.asked.add(request);
    this.spans?.asks(request, peer);
    return true;
  }

  /** Returns false if everything is asked again. */
  private onCounted(result: CountResult): boolean {
    if (this.ended) return false;
    if (result.kind === 'failed') {
      this.again();
      return false;
    }
    this.count += result.count;
    this.incomplete ||= result.incomplete;
    return true;
  }

  private endIfAll(): void {
    if (this.asked.size > 0 || this.isWaiting) return;
    this.finish({ kind: 'counted', count: this.count, incomplete: this.incomplete });
  }

  private again(): void {
    this.forgetAsked();
    if (this.ended || this.isWaiting) return;
    const refusal = refusalUnready(this.serving, this.readyUntil);
    if (refusal !== null) return this.fail(refusal);
    this.isWaiting = true;
    this.serving.later(() => {
      this.isWaiting = false;
      this.step();
    });
  }

  private forgetAsked(): void {
    for (const request of this.asked) {
      this.serving.forwarder.forget(request);
      this.spans?.told(request, UNANSWERED);
    }
    this.asked.clear();
  }

  private fail(problem: Failure): void {
    this.finish({ kind: 'failed', failure: problem });
  }

  private finish(result: CountResult): void {
    if (this.ended) return;
    this.ended = true;
    this.forgetAsked();
    this.serving.deadlines.remove(this);
    this.spans?.ended(result);
    this.done(result);
  }
}

/** Null if a slot has no live owner, so that its keys cannot be counted. */
function firstOwners(view: SlotView): Set<number> | null {
  const firsts = new Set<number>();
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) firsts.add(view.row(slot).first);
  return firsts.has(0) ? null : firsts;
}
