/**
 * Is the system of record up? The last outcome says so. While it is down a probe asks again and again, at
 * first after a quarter of a second, then less often, so that writes need not be risked to find out. A server whose disk is
 * full answers everything but writes: what else it answers says nothing of that, and those whose rows wait go on trying.
 */
import type { RecordHealth } from '../../ports/system-of-record.ts';

const PROBE_MS_MIN = 250;
const PROBE_MS_MAX = 2_000;
/** Milliseconds without a try after which a server that had refused writes is believed to take them. */
const WRITES_UNTRIED_MS = 30_000;

export interface RecordHealthMonitorSettings {
  /** Milliseconds, the clock in which `since` is told. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Asks the server once, within a deadline; throws the reason why it is not up. */
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

  /** Down for writes, and only for these: they may be tried. */
  get refusesWritesAlone(): boolean {
    return this.writesAlone;
  }

  /** `byWrite`: a write went through. */
  markUp(byWrite: boolean): void {
    if (this.closed || (this.writesAlone && !byWrite)) return;
    this.writesAlone = false;
    this.probeMs = PROBE_MS_MIN;
    this.stopTimer();
    if (this.state.state === 'up') return;
    this.state = { state: 'up' };
    this.settings.onChange(this.state);
  }

  /** `forWritesAlone`: it answers, and takes none. */
  markDown(reason: string, forWritesAlone = false): void {
    this.explain(reason);
    if (this.closed) return;
    // Whatever is waited for in the one case comes far too late in the other.
    if (forWritesAlone || this.writesAlone) this.stopTimer();
    this.writesAlone = forWritesAlone;
    if (!forWritesAlone) return this.probeLater();
    this.believeLater();
  }

  /** Down, without asking on: while the database is made ready somebody else does that. */
  explain(reason: string): void {
    if (this.closed) return;
    const wasUp = this.state.state === 'up';
    const since = this.state.state === 'down' ? this.state.since : this.settings.now();
    this.state = { state: 'down', since, reason };
    if (wasUp) this.settings.onChange(this.state);
  }

  /** Something is odd (an idle connection went away): ask now, and believe the answer. */
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
