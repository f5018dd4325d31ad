/** What one node believes of the simulated PostgreSQL, as the adapter's monitor does, and when it asks again. */
import type { RecordHealth } from '../src/ports/system-of-record.ts';
import type { Life } from './scheduler.ts';
import type { SimDatabase } from './system-of-record.ts';

const PROBE_MS_MIN = 250;
const PROBE_MS_MAX = 2_000;

export class SimRecordHealth {
  state: RecordHealth = { state: 'up' };
  private readonly database: SimDatabase;
  private readonly owner: Life;
  private readonly isAway: () => boolean;
  private readonly reconnects: () => boolean;
  private probeMs = PROBE_MS_MIN;
  private isProbing = false;
  /** It is down because writes are not finished: only one that is finished shows otherwise. */
  private isStalled = false;

  /** `reconnects`: the server may be used that is there now. */
  constructor(database: SimDatabase, owner: Life, isAway: () => boolean, reconnects: () => boolean) {
    this.database = database;
    this.owner = owner;
    this.isAway = isAway;
    this.reconnects = reconnects;
  }

  markUp(): void {
    if (this.isStalled) return;
    this.state = { state: 'up' };
    this.probeMs = PROBE_MS_MIN;
  }

  markDown(reason: string): void {
    this.isStalled = false;
    const since = this.state.state === 'down' ? this.state.since : this.database.scheduler.time;
    this.state = { state: 'down', since, reason };
    if (this.isProbing) return;
    this.probeLater(this.probeMs);
    this.probeMs = Math.min(this.probeMs * 2, PROBE_MS_MAX);
  }

  markStalled(reason: string): void {
    this.markDown(reason);
    this.isStalled = true;
  }

  probeLater(ms: number): void {
    this.isProbing = true;
    this.database.scheduler.after(ms, () => this.probe(), this.owner);
  }

  private probe(): void {
    this.isProbing = false;
    if (this.state.state === 'up') return;
    const { reason } = this.state;
    if (this.isAway()) return this.markDown(reason);
    if (!this.reconnects()) return;
    if (this.isStalled && this.database.isStalled) return this.markStalled(reason);
    this.isStalled = false;
    this.markUp();
  }
}
