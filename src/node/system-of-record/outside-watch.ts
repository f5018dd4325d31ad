/**
 * Has the cluster write changes that people made by hand in PostgreSQL, each as an ordinary write; changes to one key
 * in the order in which they were made. One member, the first live one of the council, polls twice a second; the others
 * check occasionally for changes that have waited long. A change that is handled twice takes effect only once. (DESIGN
 * section 6, decision 43)
 */
import { needsStamp, operationOf, outcomeOf } from '../../core/system-of-record/outside-edits.ts';
import type { EditOutcome, OutsideEdit } from '../../core/system-of-record/outside-edits.ts';
import { EDITS_AT_ONCE_MAX } from '../../core/system-of-record/edit-limits.ts';
import type { Mutations } from '../../core/mutations.ts';
import { slotOf } from '../../core/placement/slots.ts';
import { firstOfCouncil } from '../../core/membership/topology.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OutsideEdits, WrittenEdit } from '../../ports/outside-edits.ts';
import type { RecordError } from '../../ports/system-of-record.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { OutsideTally } from './outside-tally.ts';
import { startWrite } from '../put.ts';
import { uncounted } from '../serving.ts';
import type { Serving } from '../serving.ts';
import type { ByHandStatus } from '../status.ts';

/** Milliseconds between two polls when there is nothing to do, by the member whose turn it is and by the others. */
const EVERY_MS = 500;
const OTHERS_EVERY_MS = 5_000;
/** Milliseconds that a change must have waited before other members handle it. */
const OTHERS_AFTER_MS = 5_000;
/**
 * Milliseconds before PostgreSQL is asked again after a failure, doubled each time: the server may not have these notes
 * at all.
 */
const AGAIN_MS_MIN = 250;
const AGAIN_MS_MAX = 8_000;
const TIMEOUT_MS = 5_000;

export interface OutsideWatchParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly edits: OutsideEdits;
  readonly serving: Serving;
  readonly topology: () => Topology | null;
  readonly isRecordUp: () => boolean;
  readonly writesThrough: (key: string) => boolean;
  readonly mutations: Mutations;
}

export class OutsideWatch {
  private readonly parts: OutsideWatchParts;
  /** The request flows count what clients ask for, which this is not. */
  private readonly serving: Serving;
  private isBusy = false;
  private notBefore = -Infinity;
  /** The last change of the previous page, so that a change that cannot be written now does not block all others. */
  private afterId = 0;
  private againMs = AGAIN_MS_MIN;
  private wasUp = true;
  private readonly tally = new OutsideTally();

  constructor(parts: OutsideWatchParts) {
    this.parts = parts;
    this.serving = uncounted(parts.serving);
  }

  /** Every few ticks, while this process is part of the epoch. */
  tick(): void {
    const { clock, edits } = this.parts;
    const topology = this.parts.topology();
    this.noticeReturn();
    if (this.isBusy || clock.now() < this.notBefore) return;
    const view = this.serving.view();
    if (topology === null || view === null || !this.serving.leaseHeld()) return this.tally.stoodAside();
    // Changes noted before all rows are loaded arrive with those rows; while loading, nothing can be told by the rows.
    if (!topology.loaded) return this.tally.hindered('not all rows are loaded yet');
    if (view.spools) return this.tally.hindered('writes wait for PostgreSQL on the disks of their owners');
    const isOurs = firstOfCouncil(topology) === view.selfId;
    this.isBusy = true;
    edits.readEdits(this.afterId, EDITS_AT_ONCE_MAX, isOurs ? 0 : OTHERS_AFTER_MS, (error, found) => {
      if (error !== null) return this.failed(error);
      this.againMs = AGAIN_MS_MIN;
      this.afterId = found.at(-1)?.id ?? 0;
      if (found.length > 0) return this.takeUp(topology.life, found);
      this.tally.roundEnded();
      this.rest(isOurs ? EVERY_MS : OTHERS_EVERY_MS);
    });
  }

  /** The pause after a failure was for a server that is away; now it is back. */
  private noticeReturn(): void {
    const isUp = this.parts.isRecordUp();
    if (isUp && !this.wasUp) {
      this.notBefore = -Infinity;
      this.againMs = AGAIN_MS_MIN;
    }
    this.wasUp = isUp;
  }

  status(): ByHandStatus {
    return this.tally.status(this.parts.clock.now());
  }

  private failed({ message: reason }: RecordError): void {
    this.parts.telemetry.event('debug', 'outside.paused', { reason });
    this.tally.hindered(`PostgreSQL: ${reason}`);
    this.afterId = 0;
    this.rest(this.againMs);
    this.againMs = Math.min(AGAIN_MS_MAX, this.againMs * 2);
  }

  private rest(ms: number): void {
    this.isBusy = false;
    this.notBefore = this.parts.clock.now() + ms;
  }

  private takeUp(life: number, edits: readonly OutsideEdit[]): void {
    const outcomes = new Map<OutsideEdit, EditOutcome>();
    const took = (edit: OutsideEdit, outcome: EditOutcome): void => {
      outcomes.set(edit, outcome);
      if (outcomes.size === edits.length) this.settle(life, outcomes);
    };
    for (const edit of edits) this.write(edit, 0, (outcome) => took(edit, outcome));
  }

  private write(edit: OutsideEdit, over: number, done: (outcome: EditOutcome) => void): void {
    const { clock, writesThrough, mutations } = this.parts;
    const wallNow = clock.wallNow();
    if (!writesThrough(edit.key))
      return done({ kind: 'refused', why: 'keys with this prefix are not written to PostgreSQL' });
    if (needsStamp(edit, wallNow)) return done({ kind: edit.stands ? 'stamp' : 'overtaken' });
    const operation = operationOf(edit, over, wallNow, mutations);
    startWrite(this.serving, { operation, timeoutMs: TIMEOUT_MS, hops: 0 }, (result) => {
      const outcome = outcomeOf(edit, result);
      if (outcome.kind === 'over' && outcome.version !== over) this.write(edit, outcome.version, done);
      else done(outcome);
    });
  }

  private settle(life: number, outcomes: ReadonlyMap<OutsideEdit, EditOutcome>): void {
    const { edits } = this.parts;
    const written: WrittenEdit[] = [];
    const others: OutsideEdit[] = [];
    const unstamped: OutsideEdit[] = [];
    for (const [edit, outcome] of outcomes) {
      if (outcome.kind === 'written') written.push({ edit, version: outcome.version });
      else if (outcome.kind === 'overtaken' || outcome.kind === 'refused') others.push(edit);
      else if (outcome.kind === 'stamp') unstamped.push(edit);
    }
    const told = (found: readonly WrittenEdit[]): void => {
      const versions = new Map(found.map(({ edit, version }) => [edit, version]));
      for (const [edit, outcome] of outcomes) {
        const version = versions.get(edit);
        this.tell(edit, version === undefined ? outcome : { kind: 'written', version });
      }
    };
    const goOn = (): void =>
      this.stamp(life, unstamped, written.length + others.length + unstamped.length > 0);
    if (written.length + others.length === 0) {
      told([]);
      return goOn();
    }
    edits.settleEdits(life, written, others, (error, found) => {
      if (error !== null) return this.failed(error);
      told(found);
      goOn();
    });
  }

  private stamp(life: number, edits: readonly OutsideEdit[], isGoingOn: boolean): void {
    const end = (error: RecordError | null): void => {
      if (error !== null) this.failed(error);
      else this.rest(isGoingOn ? 0 : EVERY_MS);
    };
    if (edits.length === 0) return end(null);
    this.parts.edits.stampEdits(life, edits, this.parts.clock.wallNow(), end);
  }

  private tell(edit: OutsideEdit, outcome: EditOutcome): void {
    const { telemetry, clock } = this.parts;
    this.tally.took(edit, outcome, clock.now());
    const fields = { slot: slotOf(edit.key), base: edit.base };
    if (outcome.kind === 'written')
      telemetry.event('info', 'outside.written', { ...fields, version: outcome.version });
    else if (outcome.kind === 'overtaken') telemetry.event('warn', 'outside.overtaken', fields);
    else if (outcome.kind === 'refused')
      telemetry.event('warn', 'outside.refused', { ...fields, why: outcome.why });
  }
}
