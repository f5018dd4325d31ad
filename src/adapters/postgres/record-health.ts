/**
 * Whether the system of record is up, judged by the latest outcome. While it is down it is probed again and again,
 * after a quarter of a second at first and then less often, so that no write has to be risked to find out.
 *
 * A server may answer everything but writes. If it refuses them because its disk is full, or because its role may not
 * write any more, only a write tells that they are taken again, so the writers whose rows wait keep trying. If it takes
 * them and does not finish them (its synchronous standby is gone, or somebody has locked a table), the probe ends with a
 * write that changes nothing.
 */
import { reasonOf } from '../../base/reason-of.ts';
import type { RecordHealth } from '../../ports/system-of-record.ts';
import { DISK_FULL, RecordFailure, refusesWrites } from './record-failure.ts';

const PROBE_MS_MIN = 250;
const PROBE_MS_MAX = 2_000;
/**
 * If no write was tried for this many milliseconds, a server that had refused writes is believed to take them again.
 */
const WRITES_UNTRIED_MS = 30_000;

/** What a server is down for. */
export type DownFor = 'everything' | 'refusedWrites' | 'stalledWrites';

/** `ofWrite`: of a statement that writes rows; another may wait for, or lack, what writes do not need. */
export function downForOf(failure: RecordFailure, ofWrite: boolean): DownFor {
  if (failure.sqlState === DISK_FULL || (ofWrite && refusesWrites(failure))) return 'refusedWrites';
  return failure.isStalled && ofWrite ? 'stalledWrites' : 'everything';
}

/** It took too long, or did not come to it: the server may be there all the same. */
function isMerelyLate(error: unknown): boolean {
  return error instanceof RecordFailure && (error.isStalled || !error.isOutage);
}

export interface RecordHealthMonitorSettings {
  /** The clock for `since`, in milliseconds. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Asks the server once, within a deadline; throws the reason if it is not up. */
  readonly probe: () => Promise<void>;
  /** Has the server finish a write, within a deadline; throws the reason if it does not. */
  readonly tryWriting: () => Promise<void>;
  readonly onChange: (health: RecordHealth) => void;
}

export class RecordHealthMonitor {
  private readonly settings: RecordHealthMonitorSettings;
  private state: RecordHealth;
  private probing = false;
  private probeMs = PROBE_MS_MIN;
  private downFor: DownFor = 'everything';
  private timer: NodeJS.Timeout | null = null;
  private closed = false;

  constructor(settings: RecordHealthMonitorSettings) {
    this.settings = settings;
    this.state = { state: 'down', since: settings.now(), reason: 'not connected yet' };
  }

  get health(): RecordHealth {
    return this.state;
  }

  /** The server answers everything but writes, which may be tried. */
  get isForWritesAlone(): boolean {
    return this.downFor !== 'everything';
  }

  /** It refuses writes. */
  get isRefusing(): boolean {
    return this.downFor === 'refusedWrites';
  }

  /** It takes writes and does not finish them. */
  get isStalled(): boolean {
    return this.downFor === 'stalledWrites';
  }

  /**
   * `byWrite`: a write succeeded. It shows that writes are no longer refused. Of stalled writes it shows nothing: a row
   * that an earlier attempt has left is found again without waiting for anything.
   */
  markUp(byWrite: boolean): void {
    if (this.downFor === 'everything' || (this.downFor === 'refusedWrites' && byWrite)) this.comeUp();
  }

  markDown(reason: string, downFor: DownFor = 'everything'): void {
    this.explain(downFor === 'stalledWrites' ? `no write is finished: ${reason}` : reason);
    if (this.closed) return;
    // The timer of another case may fire far too late for this one.
    if (downFor !== this.downFor || downFor === 'refusedWrites') this.stopTimer();
    this.downFor = downFor;
    this.lookLater();
  }

  /** Marks the server as down without probing: while the database is being prepared, the preparation keeps trying. */
  explain(reason: string): void {
    if (this.closed) return;
    const wasUp = this.state.state === 'up';
    const since = this.state.state === 'down' ? this.state.since : this.settings.now();
    this.state = { state: 'down', since, reason };
    if (wasUp) this.settings.onChange(this.state);
  }

  /** Something is wrong (an idle connection was lost): probe now, and believe the answer. */
  probeNow(): void {
    if (this.closed || this.probing) return;
    this.stopTimer();
    void this.probe();
  }

  close(): void {
    this.closed = true;
    this.stopTimer();
  }

  private lookLater(): void {
    if (this.downFor === 'refusedWrites') this.believeLater();
    else this.probeLater();
  }

  private believeLater(): void {
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.probe(true);
    }, WRITES_UNTRIED_MS);
  }

  private stopTimer(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private probeLater(): void {
    if (this.timer !== null || this.probing) return;
    const waitMs = this.probeMs * (0.5 + this.settings.random() / 2);
    this.probeMs = Math.min(this.probeMs * 2, PROBE_MS_MAX);
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.probe();
    }, waitMs);
  }

  private async probe(standsForWrites = false): Promise<void> {
    this.probing = true;
    const { downFor } = this;
    let failedFor: DownFor = 'everything';
    let reason: string | null = null;
    try {
      await this.settings.probe();
      failedFor = downFor;
      if (downFor === 'stalledWrites') await this.settings.tryWriting();
    } catch (error) {
      reason = reasonOf(error);
      // What is late as well does not show that writes are finished, as it would be taken to when it is in time again.
      if (this.isStalled && isMerelyLate(error)) failedFor = 'stalledWrites';
    }
    this.probing = false;
    if (this.closed) return;
    if (reason !== null) return this.markDown(reason, failedFor);
    // Writes may have failed meanwhile, and what was asked says nothing of that.
    const isAnswered = downFor === this.downFor && (downFor !== 'refusedWrites' || standsForWrites);
    if (isAnswered) this.comeUp();
    else if (this.state.state === 'down' && this.timer === null) this.lookLater();
  }

  private comeUp(): void {
    if (this.closed) return;
    this.downFor = 'everything';
    this.probeMs = PROBE_MS_MIN;
    this.stopTimer();
    if (this.state.state === 'up') return;
    this.state = { state: 'up' };
    this.settings.onChange(this.state);
  }
}
