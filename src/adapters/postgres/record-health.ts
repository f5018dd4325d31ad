/**
 * Whether the system of record is up, judged by the latest outcome. While it is down it is probed again and again,
 * after a quarter of a second at first and then less often, so that no write has to be risked to find out. A server
 * whose disk is full answers everything but writes. So other answers say nothing about that, and the writers whose rows
 * wait keep trying.
 */
import type { RecordHealth } from '../../ports/system-of-record.ts';

const PROBE_MS_MIN = 250;
const PROBE_MS_MAX = 2_000;
/**
 * If no write was tried for this many milliseconds, a server that had refused writes is believed to take them again.
 */
const WRITES_UNTRIED_MS = 30_000;

export interface RecordHealthMonitorSettings {
  /** The clock for `since`, in milliseconds. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Asks the server once, within a deadline; throws the reason if it is not up. */
  readonly probe: () => Promise<void>;
  readonly onChange: (health: RecordHealth) => void;
}

export class RecordHealthMonitor {
  private readonly settings: RecordHealthMonitorSettings;
  private state: RecordHealth;
  private probing = false;
  private probeMs = PROBE_MS_MIN;
  private writesAlone = false;
  private timer: NodeJS.Timeout | null = null;
  private closed = false;

  constructor(settings: RecordHealthMonitorSettings) {
    this.settings = settings;
    this.state = { state: 'down', since: settings.now(), reason: 'not connected yet' };
  }

  get health(): RecordHealth {
    return this.state;
  }

  /** Only writes are refused; they may be tried again. */
  get refusesWritesAlone(): boolean {
    return this.writesAlone;
  }

  /** `byWrite`: a write succeeded. */
  markUp(byWrite: boolean): void {
    if (this.closed || (this.writesAlone && !byWrite)) return;
    this.writesAlone = false;
    this.probeMs = PROBE_MS_MIN;
    this.stopTimer();
    if (this.state.state === 'up') return;
    this.state = { state: 'up' };
    this.settings.onChange(this.state);
  }

  /** `forWritesAlone`: the server answers, but takes no writes. */
  markDown(reason: string, forWritesAlone = false): void {
    this.explain(reason);
    if (this.closed) return;
    // The timer of the other case would fire far too late for this one.
    if (forWritesAlone || this.writesAlone) this.stopTimer();
    this.writesAlone = forWritesAlone;
    if (!forWritesAlone) return this.probeLater();
    this.believeLater();
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
    let reason: string | null = null;
    try {
      await this.settings.probe();
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    this.probing = false;
    if (this.closed) return;
    if (reason !== null) return this.markDown(reason);
    this.markUp(standsForWrites);
    if (this.writesAlone && this.timer === null) this.believeLater();
  }
}
