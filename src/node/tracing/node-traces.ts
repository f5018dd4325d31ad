/**
 * The spans of one node. If tracing is off, this object does not exist and none of its wrappers is in use. If it is on,
 * a traced write is found again by its key at each of its steps: stored, sent to the other owners, acknowledged,
 * written to PostgreSQL. The replication rules know nothing of tracing. (decision 28)
 */
import type { Acknowledge, Invalidate, PeerMessage } from '../../core/message.ts';
import type { ReplicaEffects, StoredWrite } from '../../core/replication/context.ts';
import type { WriteTicket } from '../../core/replication/key-state.ts';
import type { SpanName } from '../../core/observability/spans.ts';
import type { TraceContext } from '../../core/observability/trace-context.ts';
import { NODE_ID_COUNT } from '../../core/version.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LegacySource } from '../../ports/legacy-source.ts';
import type { Storage } from '../../ports/storage.ts';
import type { SystemOfRecord } from '../../ports/system-of-record.ts';
import type { Span, SpanOptions, Tracing } from '../../ports/tracing.ts';
import { recordKey } from '../../wire/store-codec.ts';
import { OpenSpans, UNANSWERED } from './open-spans.ts';
import { tracedLegacy, tracedReads, tracedStorage, tracedWrites } from './traced-ports.ts';

/** A write that this node coordinates, by its ticket. */
interface Coordinated {
  readonly span: Span;
  /** Combined with another write, under which its steps are found. */
  isLinked: boolean;
}

export class NodeTraces {
  private readonly tracing: Tracing;
  private readonly clock: Clock;
  private readonly writes = new Map<string, Map<WriteTicket, Coordinated>>();
  private readonly reads = new Map<string, Set<Span>>();
  /** By round and member. */
  private readonly acknowledgements = new OpenSpans<number>();
  /** By store key. */
  private readonly storing = new OpenSpans<string>();
  /** By the key that PostgreSQL is to write. */
  private readonly recording = new OpenSpans<string>();
  /** The message being handled, within one synchronous call. */
  private handling: Invalidate | null = null;
  private filling: { readonly key: string; readonly context: TraceContext } | null = null;

  constructor(tracing: Tracing, clock: Clock) {
    this.tracing = tracing;
    this.clock = clock;
  }

  /** Called often: ends spans that have waited in vain. */
  tick(now: number): void {
    for (const open of [this.acknowledgements, this.storing, this.recording]) open.endOld(now);
  }

  /** The process ends: nothing is waited for any more. */
  stop(): void {
    for (const open of [this.acknowledgements, this.storing, this.recording]) open.endOld(Infinity);
  }

  /** The context of the present caller. */
  get active(): TraceContext | undefined {
    return this.tracing.active;
  }

  begin(name: SpanName, trace: TraceContext | undefined, options?: SpanOptions): Span | null {
    return trace === undefined ? null : this.tracing.begin(name, trace, options);
  }

  coordinates(ticket: WriteTicket, span: Span): void {
    const { key } = ticket.operation;
    const present = this.writes.get(key);
    if (present === undefined) this.writes.set(key, new Map([[ticket, { span, isLinked: false }]]));
    else present.set(ticket, { span, isLinked: false });
  }

  hasCoordinated(ticket: WriteTicket): void {
    const { key } = ticket.operation;
    const present = this.writes.get(key);
    if (present?.delete(ticket) === true && present.size === 0) this.writes.delete(key);
  }

  reading(key: string, span: Span): void {
    const present = this.reads.get(key);
    if (present === undefined) this.reads.set(key, new Set([span]));
    else present.add(span);
  }

  hasRead(key: string, span: Span): void {
    const present = this.reads.get(key);
    if (present?.delete(span) === true && present.size === 0) this.reads.delete(key);
  }

  /** The cause of a fill with a value just fetched from the legacy source. */
  causeOfFill(key: string): TraceContext | undefined {
    return this.filling?.key === key ? this.filling.context : undefined;
  }

  /** A peer asks this node to store a record: whatever `handle` stores belongs to the trace sent along, or to none. */
  incoming(message: Invalidate, handle: () => void): void {
    this.handling = message;
    handle();
    this.handling = null;
  }

  acknowledged(from: number, { round, outcome }: Acknowledge): void {
    // The member is asked again until it accepts.
    if (outcome === 'refused') return;
    for (const span of this.acknowledgements.take(placeOf(round, from))) {
      span.set('causeway.outcome', outcome);
      span.end();
    }
  }

  /** The effects of the replication rules, with each step traced. */
  effects(
    inner: ReplicaEffects,
    selfId: () => number,
    nameOf: (memberId: number) => string | undefined,
  ): ReplicaEffects {
    return {
      ...inner,
      store: (write) => {
        const span = this.begin('store', this.causeOf(write, selfId()));
        if (span !== null) {
          const stored = recordKey(write.slot, write.sealed.record.key);
          this.storing.add(stored, span, this.clock.now());
        }
        return inner.store(write);
      },
      send: (memberId, message) => {
        const isTraced = message.kind === 'invalidate' && this.writes.size > 0;
        inner.send(memberId, isTraced ? this.asked(memberId, nameOf(memberId), message) : message);
      },
      record: (sealed, slot) => {
        const { key } = sealed.record;
        const span = this.begin('record', this.spanOf(key)?.context);
        if (span !== null) this.recording.add(key, span, this.clock.now());
        inner.record(sealed, slot);
      },
    };
  }

  storageOfWriter(inner: Storage): Pick<Storage, 'get' | 'write'> {
    return tracedStorage(inner, this.storing);
  }

  recordOfWriter(inner: SystemOfRecord): Pick<SystemOfRecord, 'commit'> {
    return tracedWrites(inner, this.tracing, this.recording, () => this.clock.now());
  }

  recordOfReader(inner: SystemOfRecord): Pick<SystemOfRecord, 'read'> {
    return tracedReads(inner, this.tracing, this.reads);
  }

  legacy(inner: LegacySource): LegacySource {
    return tracedLegacy(inner, this.tracing, this.clock, this.reads, (key, context, tell) => {
      this.filling = { key, context };
      tell();
      this.filling = null;
    });
  }

  private causeOf({ sealed, coordinator }: StoredWrite, selfId: number): TraceContext | undefined {
    if (this.handling?.sealed === sealed) return this.handling.trace;
    return coordinator.id === selfId ? this.spanOf(sealed.record.key)?.context : undefined;
  }

  /** Each owner is asked under a span of its own, so that its store spans are children of that one. */
  private asked(memberId: number, name: string | undefined, message: Invalidate): PeerMessage {
    const span = this.spanOf(message.sealed.record.key);
    if (span === null) return message;
    const place = placeOf(message.round, memberId);
    const [present] = this.acknowledgements.of(place);
    // Asked again, in another epoch or because no answer came.
    if (present?.context.traceId === span.context.traceId) return { ...message, trace: present.context };
    // A member that has come back counts its rounds from one again: this is an earlier round that nobody answered.
    for (const earlier of this.acknowledgements.take(place)) earlier.end(UNANSWERED);
    const attributes = { 'causeway.peer': name ?? String(memberId) };
    const asking = this.tracing.begin('acknowledge', span.context, { attributes });
    if (asking === null) return message;
    this.acknowledgements.add(place, asking, this.clock.now());
    return { ...message, trace: asking.context };
  }

  /** The span of the key's write that a round carries; other writes in the round are linked to it. */
  private spanOf(key: string): Span | null {
    if (this.writes.size === 0) return null;
    let first: Span | null = null;
    for (const [ticket, each] of this.writes.get(key) ?? []) {
      if (!ticket.begun) continue;
      if (first === null) first = each.span;
      else if (!each.isLinked) {
        each.isLinked = true;
        each.span.link(first.context);
      }
    }
    return first;
  }
}

/** Rounds have 32 bits, and member ids fit into the rest of a safe integer. */
function placeOf(round: number, memberId: number): number {
  return round * NODE_ID_COUNT + memberId;
}
