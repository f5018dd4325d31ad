/**
 * Is the system of record up? The last outcome says so. While it is down a probe asks again and again, at
 * first after a quarter of a second, then less often, so that writes need not be risked to find out.
 */
import type { RecordHealth } from '../../ports/system-of-record.ts';

const PROBE_MS_MIN = 250;
const PROBE_MS_MAX = 2_000;

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
  private timer: NodeJS.Timeout | null = null;
  private closed = false;

  constructor(settings: RecordHealthMonitorSettings) {
    this.settings = settings;
    this.state = { state: 'down', since: settings.now(), reason: 'not connected yet' };
  }

  get health(): RecordHealth {
    return this.state;
  }

  markUp(): void {
    if (this.closed) return;
    this.probeMs = PROBE_MS_MIN;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (this.state.state === 'up') return;
    this.state = { state: 'up' };
    this.settings.onChange(this.state);
  }

  markDown(reason: string): void {
    this.explain(reason);
    if (!this.closed) this.probeLater();
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
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    void this.probe();
  }

  close(): void {
    this.closed = true;
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

  private async probe(): Promise<void> {
    this.probing = true;
    let reason: string | null = null;
    try {
      await this.settings.probe();
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    this.probing = false;
    if (reason === null) this.markUp();
    else this.markDown(reason);
  }
}
