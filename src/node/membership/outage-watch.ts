/**
 * Whether PostgreSQL is away, as this node and the other members see it, and what the epoch should say about it. A node
 * with nothing to write would never notice an outage: if others report one, it asks PostgreSQL too. (PROTOCOL R34)
 */
import { SPOOL_WORD_MS_MAX } from '../../core/limits.ts';
import type { RecordHearsay } from '../../core/system-of-record/spool-message.ts';
import { planSpooling, setSpooling } from '../../core/system-of-record/spool.ts';
import type { RecordWord } from '../../core/system-of-record/spool.ts';
import type { Topology } from '../../core/membership/topology.ts';
import { memberById } from '../../core/membership/topology.ts';
import type { SystemOfRecord } from '../../ports/system-of-record.ts';
import type { Telemetry } from '../../ports/telemetry.ts';

/** Milliseconds between two queries to PostgreSQL because of others' reports. */
const ASK_AGAIN_MS = 250;

export interface OutageWatchParts {
  readonly name: string;
  readonly record: SystemOfRecord | null;
  /** This node may do without PostgreSQL. If not, it tells the others by sending no report. */
  readonly maySpool: boolean;
  readonly isFull: () => boolean;
  readonly telemetry: Telemetry;
}

export class OutageWatch {
  private readonly parts: OutageWatchParts;
  private readonly heard = new Map<string, { readonly word: RecordWord; readonly at: number }>();
  private awaySince: number | null = null;
  private backSince: number | null = null;
  private askedAt = -Infinity;
  private isAsking = false;

  constructor(parts: OutageWatchParts) {
    this.parts = parts;
  }

  /** The report to send with a heartbeat, or null. */
  word(topology: Topology | null, now: number): RecordHearsay | null {
    const { record, maySpool, isFull } = this.parts;
    if (record === null || topology === null) return null;
    if (!maySpool && topology.spooling !== true) return null;
    this.look(record, now);
    if (this.awaySince === null && topology.spooling !== true) return null;
    const awayMs = this.awaySince === null ? 0 : now - this.awaySince;
    const backMs = this.backSince === null ? 0 : now - this.backSince;
    return { kind: 'recordHearsay', awayMs, backMs, isFull: isFull() };
  }

  said(name: string, word: RecordHearsay, now: number): void {
    this.heard.set(name, { word, at: now });
  }

  /** The next topology if the flag should change, otherwise null. */
  next(topology: Topology, now: number): Topology | null {
    if (this.parts.record === null) return null;
    if (!this.parts.maySpool && topology.spooling !== true) return null;
    const own = this.word(topology, now);
    const isOn = planSpooling(topology, (id) => {
      const name = memberById(topology, id)?.name;
      if (name === this.parts.name) return own ?? undefined;
      return name === undefined ? undefined : this.fresh(name, now);
    });
    return isOn === null ? null : setSpooling(topology, isOn);
  }

  /** Some member has no room for more marks; its last report counts while it is heard. */
  isFullElsewhere(now: number): boolean {
    for (const name of this.heard.keys()) if (this.fresh(name, now)?.isFull === true) return true;
    return false;
  }

  onTopology(previous: Topology | null, next: Topology): void {
    const isOn = next.spooling === true;
    if ((previous?.spooling === true) === isOn) return;
    this.backSince = null;
    this.parts.telemetry.event('warn', isOn ? 'record.spool_entered' : 'record.spool_left', {
      epoch: next.epoch,
    });
  }

  private fresh(name: string, now: number): RecordWord | undefined {
    const heard = this.heard.get(name);
    return heard === undefined || now - heard.at > SPOOL_WORD_MS_MAX ? undefined : heard.word;
  }

  /** True if some member does not reach PostgreSQL. */
  private isDoubted(now: number): boolean {
    for (const name of this.heard.keys()) if ((this.fresh(name, now)?.awayMs ?? 0) > 0) return true;
    return false;
  }

  private look(record: SystemOfRecord, now: number): void {
    if (record.health().state === 'up') {
      this.awaySince = null;
      this.backSince ??= now;
      if (this.isDoubted(now)) this.ask(record, now);
    } else {
      this.awaySince ??= now;
      this.backSince = null;
    }
  }

  /** The outcome shows in PostgreSQL's health. */
  private ask(record: SystemOfRecord, now: number): void {
    if (this.isAsking || now - this.askedAt < ASK_AGAIN_MS) return;
    this.isAsking = true;
    this.askedAt = now;
    record.tryWriting(() => (this.isAsking = false));
  }
}
