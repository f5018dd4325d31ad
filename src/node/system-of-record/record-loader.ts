/**
 * After a founding on a database that has rows, brings every row to its owners in the background by reading its key as
 * a client would; a miss asks PostgreSQL and installs what it finds. Once all rows are loaded a miss is final, and
 * PostgreSQL is not asked any more. One node does this, the first live one of the council. What it has loaded remains
 * valid in later epochs, so it only pauses while it may not serve. (PROTOCOL R22, R23)
 */
import type { Topology } from '../../core/membership/topology.ts';
import { firstOfCouncil } from '../../core/membership/topology.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RecordPlace, RecordRow, SystemOfRecord } from '../../ports/system-of-record.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { startRead } from '../get.ts';
import { uncounted } from '../serving.ts';
import type { Serving } from '../serving.ts';

const PAGE_ROWS_MAX = 1_000;
/** Reads in progress. New ones start only on a tick, so that clients' requests come in between. */
const IN_FLIGHT_MAX = 256;
const TIMEOUT_MS = 10_000;
/** Milliseconds before a failed read is tried again. */
const AGAIN_AFTER_MS = 1_000;

export interface RecordLoaderParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly systemOfRecord: SystemOfRecord;
  readonly serving: Serving;
  readonly topology: () => Topology | null;
  /** Everything is loaded; valid for the epoch of the call. */
  readonly onLoaded: () => void;
}

export class RecordLoader {
  private readonly parts: RecordLoaderParts;
  /** The request flows count what clients ask for, which this is not. */
  private readonly serving: Serving;
  /** The life of the cluster whose rows are being loaded. */
  private life = 0;
  private place: RecordPlace | null = null;
  private rows: RecordRow[] = [];
  private inFlight = 0;
  private scanning = false;
  private lastPageSeen = false;
  private notBefore = -Infinity;
  private toldEpoch = 0;

  constructor(parts: RecordLoaderParts) {
    this.parts = parts;
    this.serving = uncounted(parts.serving);
  }

  tick(): void {
    const topology = this.parts.topology();
    if (topology === null || topology.loaded) return;
    if (topology.life !== this.life) this.restart(topology.life);
    if (this.isDone()) return this.tell(topology.epoch);
    const now = this.parts.clock.now();
    if (now < this.notBefore || !this.isOurTurn(topology) || !this.serving.leaseHeld()) return;
    while (this.rows.length > 0 && this.inFlight < IN_FLIGHT_MAX) this.bring(this.rows.pop()!);
    if (this.rows.length === 0 && !this.scanning && !this.lastPageSeen) this.nextPage();
  }

  private restart(life: number): void {
    this.life = life;
    this.place = null;
    this.rows = [];
    this.lastPageSeen = false;
  }

  private isDone(): boolean {
    return this.lastPageSeen && this.rows.length === 0 && this.inFlight === 0;
  }

  private tell(epoch: number): void {
    if (epoch === this.toldEpoch) return;
    this.toldEpoch = epoch;
    this.parts.telemetry.event('info', 'record.loaded', { epoch });
    this.parts.onLoaded();
  }

  private isOurTurn(topology: Topology): boolean {
    return firstOfCouncil(topology) === this.serving.view()?.selfId;
  }

  private nextPage(): void {
    const { life } = this;
    this.scanning = true;
    this.parts.systemOfRecord.scan(this.place, PAGE_ROWS_MAX, (error, rows) => {
      this.scanning = false;
      if (life !== this.life) return;
      if (error !== null) return this.pause(error.message);
      const last = rows.at(-1);
      // A short page is not the end; only an empty one is.
      if (last === undefined) this.lastPageSeen = true;
      else this.place = { slot: last.slot, key: last.record.key };
      // Added to rows that failed meanwhile and wait to be loaded again.
      for (const row of rows) if (!this.isHeld(row)) this.rows.push(row);
    });
  }

  /** True if this owner holds the row's version at rest, and so every owner has it. */
  private isHeld(row: RecordRow): boolean {
    const replica = this.serving.replica();
    const { key, version } = row.record;
    if (replica === null || !replica.view.row(row.slot).owns || replica.stateOf(key) !== undefined)
      return false;
    const sealed = this.serving.shelf.load(key, row.slot);
    return sealed !== undefined && sealed !== 'damaged' && sealed.record.version >= version;
  }

  /**
   * A read that was answered returned a valid record, which every owner holds; the absence of a deleted key counts too.
   */
  private bring(row: RecordRow): void {
    const { life } = this;
    const { key } = row.record;
    this.inFlight += 1;
    const request = { key, timeoutMs: TIMEOUT_MS, hops: 0, miss: false, mayAskLegacy: false };
    startRead(this.serving, request, (result) => {
      this.inFlight -= 1;
      if (result.kind !== 'failed' || life !== this.life) return;
      this.rows.push(row);
      this.pause(`${result.failure.code}: ${result.failure.message}`);
    });
  }

  private pause(reason: string): void {
    const now = this.parts.clock.now();
    if (now >= this.notBefore) this.parts.telemetry.event('warn', 'record.loading_paused', { reason });
    this.notBefore = now + AGAIN_AFTER_MS;
  }
}
