/**
 * What a scrubber has found and what became of it: a log line for each finding, and the counts of the round under way
 * and of the last completed one. A repair counts once the repaired record is at rest again.
 */
import { SCRUB_HEALING_MAX, SLOT_COUNT } from '../../core/limits.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { ScrubCycle, ScrubStatus } from '../status.ts';
import type { RecordShelf } from '../store/record-shelf.ts';

/** Milliseconds within which a repair must complete. */
const HEALED_MS_MAX = 30_000;

export interface ScrubReportParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly shelf: RecordShelf;
  readonly replica: () => Replica | null;
}

/** The status before the first round, if none starts by itself. */
export const SCRUBBED_NEVER: ScrubStatus = {
  isUnderWay: false,
  share: 0,
  secondsLeft: null,
  nextInMs: null,
  open: 0,
  current: null,
  last: null,
  totals: { found: 0, repaired: 0, unrepaired: 0, conflicts: 0 },
  rows: { read: 0, damaged: 0 },
};

/**
 * - damaged: the record fails its checksum.
 * - lost: this node is behind another owner.
 * - unrecorded: PostgreSQL is behind.
 * - ahead: PostgreSQL is ahead.
 * - rowDamaged: the row in PostgreSQL fails its checksum, or cannot be read.
 */
export type Finding = 'damaged' | 'lost' | 'unrecorded' | 'ahead' | 'rowDamaged';

interface Healing {
  readonly slot: number;
  /** The record is healed at this version or a higher one. */
  readonly version: number;
  readonly dueAt: number;
  /** The finding is about the row: this node's copy is intact, and healing is reported by the restorer. */
  readonly isRow: boolean;
}

type Counts = { -readonly [K in keyof ScrubCycle]: ScrubCycle[K] };

function noCounts(): Counts {
  return {
    number: 0,
    endedAt: 0,
    lengthMs: 0,
    slots: 0,
    records: 0,
    bytes: 0,
    rows: 0,
    rowBytes: 0,
    rowsDamaged: 0,
    found: 0,
    repaired: 0,
    unrepaired: 0,
    conflicts: 0,
    digestsCorrected: 0,
    debris: 0,
    slotsUncompared: 0,
  };
}

export class ScrubReport {
  private readonly parts: ScrubReportParts;
  private current = noCounts();
  private last: Counts | null = null;
  private beganAt = 0;
  private share = 0;
  private isUnderWay = false;
  private readonly healing = new Map<string, Healing>();
  /** Keys that nobody is repairing any more: they will be found again, or turn out to be well. */
  private readonly letGoOf = new Set<string>();
  /** Slots of which this disk was found to have lost something since the process started. */
  private readonly doubtful = new Set<number>();
  /** Slots that could not be compared with some other owner in this round. */
  private readonly unsure = new Set<number>();
  private readonly totals = { found: 0, repaired: 0, unrepaired: 0, conflicts: 0 };
  private readonly rows = { read: 0, damaged: 0 };

  constructor(parts: ScrubReportParts) {
    this.parts = parts;
  }

  begun(number: number): void {
    this.current = { ...noCounts(), number };
    this.beganAt = this.parts.clock.now();
    this.share = 0;
    this.isUnderWay = true;
    this.unsure.clear();
  }

  ended(): void {
    const { clock, telemetry } = this.parts;
    this.isUnderWay = false;
    this.current.lengthMs = Math.round(clock.now() - this.beganAt);
    this.current.endedAt = Math.floor(clock.wallNow());
    this.last = this.current;
    telemetry.event('info', 'scrub.ended', { ...this.last });
  }

  /** Every slot before this one is done in this round. */
  cameTo(slot: number): void {
    this.share = Math.max(this.share, slot / SLOT_COUNT);
  }

  read(records: number, bytes: number): void {
    this.current.records += records;
    this.current.bytes += bytes;
  }

  /** Rows of PostgreSQL that were read whole. */
  readRows(rows: number, bytes: number): void {
    this.current.rows += rows;
    this.current.rowBytes += bytes;
    this.rows.read += rows;
  }

  rowDamaged(version: number): void {
    this.current.rowsDamaged += 1;
    this.rows.damaged += 1;
    this.parts.telemetry.event('error', 'record.row_damaged', { version });
  }

  compared(slots: number): void {
    this.current.slots += slots;
  }

  /** Slots that could not be compared: the other owner might have shown what this disk has lost of them. */
  unheard(slots: readonly number[] | Uint16Array, why: string): void {
    for (const slot of slots) this.unsure.add(slot);
    this.uncompared(slots.length, why);
  }

  uncompared(slots: number, why: string): void {
    this.current.slotsUncompared += slots;
    this.parts.telemetry.event('warn', 'scrub.uncompared', { slots, why });
  }

  digestCorrected(slot: number): void {
    this.current.digestsCorrected += 1;
    this.doubtful.add(slot);
    this.parts.telemetry.event('warn', 'scrub.digest_corrected', { slot });
  }

  /** A row that no owner has. */
  debris(): void {
    this.current.debris += 1;
  }

  /** True if this disk may have lost something of the slot, so that what it lacks proves nothing about PostgreSQL. */
  isDoubtful(slot: number): boolean {
    return this.doubtful.has(slot) || this.unsure.has(slot);
  }

  conflict(slot: number, version: number, where: string): void {
    this.current.conflicts += 1;
    this.totals.conflicts += 1;
    this.parts.telemetry.event('error', 'scrub.conflict', { slot, version, where });
  }

  /** `version`: the version that must stand for the finding to be healed; 0 if any intact one will do. */
  found(finding: Finding, slot: number, key: string, version: number): void {
    if (this.healing.has(key)) return void this.letGoOf.delete(key);
    this.current.found += 1;
    this.totals.found += 1;
    this.parts.telemetry.event('warn', 'scrub.found', { finding, slot, version });
    if (this.healing.size >= SCRUB_HEALING_MAX) return this.unrepaired(slot, 'too many at once');
    const dueAt = this.parts.clock.now() + HEALED_MS_MAX;
    this.healing.set(key, { slot, version, dueAt, isRow: finding === 'rowDamaged' });
  }

  /**
   * `why`: why the row could not be restored; null if it has its content again, or was replaced by a write or by hand.
   */
  restored(key: string, why: string | null): void {
    const healing = this.healing.get(key);
    if (healing === undefined) return;
    this.close(key);
    if (why === null) this.repaired(healing.slot, healing.version);
    else this.unrepaired(healing.slot, why);
  }

  /**
   * The repair ended with the epoch, or no longer counts: a round does not wait for it, and the next one may find the
   * key again.
   */
  letGo(key: string): void {
    if (this.healing.has(key)) this.letGoOf.add(key);
  }

  /** Repairs that have not completed. */
  get open(): number {
    return this.healing.size - this.letGoOf.size;
  }

  /** Checks whether repairs have completed; findings of an earlier epoch will be found again. */
  tick(): void {
    const { clock, shelf } = this.parts;
    const replica = this.parts.replica();
    const now = clock.now();
    for (const [key, { slot, version, dueAt, isRow }] of this.healing) {
      if (replica === null || !replica.view.row(slot).owns) {
        this.close(key);
        continue;
      }
      const isLookedAt = !isRow && replica.stateOf(key) === undefined;
      const held = isLookedAt ? shelf.read(key, slot) : 'damaged';
      if (held !== undefined && held !== 'damaged' && held.record.version >= version) {
        this.close(key);
        this.repaired(slot, held.record.version);
      } else if (now >= dueAt) {
        this.close(key);
        this.unrepaired(slot, 'it took too long');
      }
    }
  }

  status(nextAt: number): ScrubStatus {
    const now = this.parts.clock.now();
    const elapsedMs = now - this.beganAt;
    const isTold = this.isUnderWay && this.share > 0;
    return {
      isUnderWay: this.isUnderWay,
      share: this.share,
      secondsLeft: isTold ? Math.ceil((elapsedMs * (1 - this.share)) / this.share / 1_000) : null,
      nextInMs: nextAt === Infinity ? null : this.isUnderWay ? 0 : Math.max(0, Math.round(nextAt - now)),
      open: this.open,
      current: this.isUnderWay ? { ...this.current, lengthMs: Math.round(elapsedMs) } : null,
      last: this.last === null ? null : { ...this.last },
      totals: { ...this.totals },
      rows: { ...this.rows },
    };
  }

  private close(key: string): void {
    this.healing.delete(key);
    this.letGoOf.delete(key);
  }

  private repaired(slot: number, version: number): void {
    this.current.repaired += 1;
    this.totals.repaired += 1;
    this.parts.telemetry.event('info', 'scrub.repaired', { slot, version });
  }

  private unrepaired(slot: number, why: string): void {
    this.current.unrepaired += 1;
    this.totals.unrepaired += 1;
    this.parts.telemetry.event('error', 'scrub.unrepaired', { slot, why });
  }
}
