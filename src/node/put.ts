/**
 * The path of a write through one node. It finds an owner, this node or another, and asks the legacy source if a
 * condition requires that; then the replication rules take over until the write is complete, or its deadline makes the
 * outcome unknown. Conditional writes go to the slot's first owner, so that coordinators do not keep aborting one
 * another. A write whose outcome became unknown on the way is retried only under its operation id. (DESIGN section 2,
 * PROTOCOL R5, R6, R33)
 */
import { failure } from '../core/errors.ts';
import type { Failure } from '../core/errors.ts';
import { resultAfterDoubt } from '../core/operation-id.ts';
import { isConditional, isRefusable } from '../core/operation.ts';
import type { WriteOperation, WriteResult } from '../core/operation.ts';
import { yieldsToFill } from '../core/record.ts';
import type { WriteTicket } from '../core/replication/key-state.ts';
import { slotOf } from '../core/placement/slots.ts';
import type { TraceContext } from '../core/observability/trace-context.ts';
import { writeFault } from '../core/clients/write-fault.ts';
import type { Expiring } from './deadlines.ts';
import { errorOf, writeSpans } from './tracing/flow-spans.ts';
import type { WriteSpans } from './tracing/flow-spans.ts';
import { startRead } from './get.ts';
import { HOPS_MAX, NOT_READY_MS_MAX, refusalUnready } from './serving.ts';
import type { Serving } from './serving.ts';
import type { TimedWrite } from './timing.ts';

export interface WriteRequest {
  readonly operation: WriteOperation;
  readonly timeoutMs: number;
  readonly hops: number;
  /** Time stamp of its arrival at a door of this node; left out if it came another way. */
  readonly arrivedAt?: number;
  /** The caller's trace, if it is traced. */
  readonly trace?: TraceContext | undefined;
}

export function startWrite(
  serving: Serving,
  request: WriteRequest,
  done: (result: WriteResult) => void,
): void {
  const fault = writeFault(request.operation);
  if (fault !== null) return done({ kind: 'failed', failure: fault });
  new Write(serving, request, done).step();
}

class Write implements Expiring, TimedWrite {
  readonly deadlineAt: number;
  readonly startedAt: number;
  begunAt = 0;
  storedAt = 0;
  heardAt = 0;
  forwardedAt = 0;
  backAt = 0;
  private readonly serving: Serving;
  private readonly request: WriteRequest;
  private readonly done: (result: WriteResult) => void;
  private readonly slot: number;
  private readonly refusable: boolean;
  private readonly readyUntil: number;
  /** Null if the write is not traced. */
  private readonly spans: WriteSpans | null;
  private ticket: WriteTicket | null = null;
  /** The write does not depend on the legacy source, or the source has said that it lacks the key. */
  private isLegacyHeard: boolean;
  private forwarded = 0;
  /** An attempt was started and not seen to finish; it is repeated under the operation id. */
  private inDoubt = false;
  private ended = false;

  constructor(serving: Serving, request: WriteRequest, done: (result: WriteResult) => void) {
    const now = serving.clock.now();
    const { operation } = request;
    const { kind, key } = operation;
    this.serving = serving;
    this.request = request;
    this.done = done;
    this.slot = slotOf(key);
    this.refusable = isRefusable(operation);
    this.isLegacyHeard =
      serving.legacy === null || !isConditional(kind) || kind === 'fill' || kind === 'expire';
    this.deadlineAt = now + request.timeoutMs;
    this.startedAt = serving.timing.instruments.stamp(now);
    this.readyUntil = now + Math.min(request.timeoutMs, NOT_READY_MS_MAX);
    this.spans = writeSpans(serving, request);
    serving.deadlines.add(this);
    serving.count('writes');
  }

  get key(): string {
    return this.request.operation.key;
  }

  get kind(): string {
    return this.request.operation.kind;
  }

  get arrivedAt(): number {
    return this.request.arrivedAt ?? 0;
  }

  onDeadline(): void {
    if (this.ticket !== null) this.serving.replica()?.expire(this.ticket);
    if (this.ended) return;
    // The write was forwarded and no answer has come: the other node may have done it.
    this.fail(failure(this.forwarded !== 0 ? 'outcome_unknown' : 'deadline_before_start'));
  }

  step(): void {
    if (this.ended) return;
    const view = this.serving.view();
    const row = view?.row(this.slot);
    if (view === null || row === undefined || row.owners.length === 0) return this.noWay();
    const here =
      row.owns &&
      !row.retires &&
      (!this.refusable || row.first === view.selfId || this.request.hops >= HOPS_MAX);
    if (!here) return this.forward(row.first);
    if (!this.serving.leaseHeld()) return this.notReady(null);
    if (!this.isLegacyHeard && this.needsLegacy()) return this.askLegacy();
    this.begin();
  }

  /** True if the condition would be judged on a key that only the legacy source may have. (PROTOCOL R25) */
  private needsLegacy(): boolean {
    const { key } = this.request.operation;
    const state = this.serving.replica()!.stateOf(key);
    if (state !== undefined && state.held !== null) return this.yields(state.held.record);
    const held = this.serving.shelf.load(key, this.slot);
    return held !== 'damaged' && this.yields(held?.record);
  }

  private yields(record: Parameters<typeof yieldsToFill>[0]): boolean {
    return yieldsToFill(record, this.serving.clock.wallNow());
  }

  private askLegacy(): void {
    const timeoutMs = Math.max(1, this.deadlineAt - this.serving.clock.now());
    const { key } = this.request.operation;
    const trace = this.spans?.context;
    const read = { key, timeoutMs, hops: HOPS_MAX, miss: false, mayAskLegacy: true, trace };
    startRead(this.serving, read, (result) => {
      if (result.kind === 'failed') {
        const isLate = result.failure.code === 'read_timeout';
        return this.fail(isLate ? failure('deadline_before_start') : result.failure);
      }
      // A value that the source returned now stands here, but may be gone again by the time of the judgement.
      this.isLegacyHeard = result.kind === 'absent';
      this.step();
    });
  }

  private begin(): void {
    const ticket: WriteTicket = {
      operation: this.request.operation,
      readsLegacy: this.serving.legacy !== null,
      isLegacyUnheard: !this.isLegacyHeard,
      begun: false,
      answered: false,
      retries: 0,
      stamps: this,
      answer: (result) => this.onAnswer(result),
    };
    this.ticket = ticket;
    this.spans?.coordinates(ticket);
    this.serving.legacy?.forget(this.request.operation.key);
    this.serving.replica()!.write(ticket, this.slot);
  }

  private onAnswer(result: WriteResult): void {
    this.spans?.hasCoordinated();
    this.ticket = null;
    if (result.kind !== 'failed') return this.finish(result);
    const { code } = result.failure;
    // A damaged record is being fetched from another owner. (R10)
    if (code === 'not_ready' || code === 'record_damaged') return this.notReady(result.failure);
    if (code === 'outcome_unknown') return this.unknown();
    this.fail(result.failure);
  }

  /**
   * With an operation id the write may be repeated, because it takes effect once. Without one it is never repeated.
   * (R33)
   */
  private unknown(): void {
    if (this.request.operation.operationId === null) return this.fail(failure('outcome_unknown'));
    this.inDoubt = true;
    this.notReady(null);
  }

  private forward(target: number): void {
    if (this.request.hops >= HOPS_MAX) return this.noWay();
    const view = this.serving.view()!;
    const peer = target === view.selfId ? undefined : this.serving.nameOf(target);
    if (peer === undefined) return this.notReady(null);
    const timeoutMs = Math.max(1, this.deadlineAt - this.serving.clock.now());
    const { operation, hops } = this.request;
    const refusal = this.serving.forwarder.whyNot(peer, operation);
    if (refusal !== null) return this.fail(refusal);
    const trace = this.spans?.handOver(peer);
    const onAnswer = (result: WriteResult | 'lost'): void => {
      this.forwarded = 0;
      this.backAt = this.serving.timing.stamp();
      this.spans?.handedBack(errorOf(result));
      if (result === 'lost') this.unknown();
      else if (result.kind === 'failed' && result.failure.code === 'outcome_unknown') this.unknown();
      else if (result.kind === 'failed' && result.failure.code === 'not_ready') this.notReady(result.failure);
      else if (result.kind === 'failed') this.fail(result.failure);
      else this.finish(result);
    };
    const { forwarder } = this.serving;
    const sent = forwarder.write(peer, operation, hops + 1, timeoutMs, onAnswer, trace);
    if (sent === 0) {
      this.spans?.handedBack('not_ready');
      return this.notReady(null);
    }
    this.forwarded = sent;
    if (this.forwardedAt === 0) this.forwardedAt = this.serving.timing.stamp();
  }

  /** A node that forwarded the write here may know another way, or will before long; a client has to wait for ours. */
  private noWay(): void {
    if (this.request.hops > 0) this.fail(failure('not_ready'));
    else this.notReady(null);
  }

  private notReady(problem: Failure | null): void {
    if (this.ended) return;
    const until = this.inDoubt ? this.deadlineAt : this.readyUntil;
    const refusal = refusalUnready(this.serving, until);
    if (refusal !== null) return this.fail(problem ?? refusal);
    this.serving.later(() => this.step());
  }

  private fail(problem: Failure): void {
    if (!this.ended) this.serving.count('failures');
    this.finish({ kind: 'failed', failure: problem });
  }

  private finish(result: WriteResult): void {
    if (this.ended) return;
    this.ended = true;
    this.serving.deadlines.remove(this);
    this.serving.timing.wrote(this, result.kind === 'failed' ? result.failure.code : null);
    if (this.forwarded !== 0) this.serving.forwarder.forget(this.forwarded);
    this.spans?.end(errorOf(result));
    this.done(this.inDoubt ? resultAfterDoubt(result) : result);
  }
}
