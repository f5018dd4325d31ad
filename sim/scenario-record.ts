/**
 * PostgreSQL for a directed scenario: it answers at once, or the scenario decides what becomes of each statement. Rows
 * can be inserted from outside.
 */
import { compareUtf8 } from '../src/base/utf8-order.ts';
import type { SealedRecord } from '../src/core/record.ts';
import type { CommitResult, RecordRow, RowVersion, SystemOfRecord } from '../src/ports/system-of-record.ts';
import type { RowScrub } from '../src/ports/row-scrub.ts';
import type { ScenarioLife } from './scenario-node.ts';

interface Statement {
  readonly sender: string;
  readonly run: () => void;
  /** Sends the reply, or loses it. */
  readonly reply: (lost: boolean) => void;
}

/** Nobody scrubs in these scenarios. */
const UNSCRUBBED: RowScrub = { readRows: () => undefined, restoreRow: () => undefined };

export class ScenarioRecord {
  readonly rows = new Map<string, RecordRow>();
  isUp = true;
  /** Statements wait for `execute`. */
  isHeld = false;
  private held: Statement[] = [];
  private readonly defer: (run: () => void) => void;

  constructor(defer: (run: () => void) => void) {
    this.defer = defer;
  }

  versionOf(key: string): number {
    return this.rows.get(key)?.record.version ?? 0;
  }

  /** A row that no node knows of. */
  putFromOutside(sealed: SealedRecord, slot: number): void {
    this.rows.set(sealed.record.key, { record: sealed.record, slot, checksum: sealed.checksum });
  }

  /** Executes the waiting statements, or those of one sender. `lost`: nobody learns the outcome. */
  execute(sender?: string, lost = false): void {
    const statements = this.held.filter((each) => sender === undefined || each.sender === sender);
    this.held = this.held.filter((each) => !statements.includes(each));
    for (const each of statements) {
      each.run();
      this.defer(() => each.reply(lost));
    }
  }

  /** The waiting statements never arrive. */
  forget(sender: string): void {
    this.held = this.held.filter((each) => each.sender !== sender);
  }

  connect(sender: string, life: ScenarioLife): SystemOfRecord {
    const send = <T>(run: () => T, reply: (lost: boolean, answer: T | null) => void): void => {
      let answer: T | null = null;
      this.held.push({
        sender,
        run: () => (answer = run()),
        reply: (lost) => (life.alive ? reply(lost, answer) : undefined),
      });
      if (!this.isHeld) this.execute(sender);
    };
    const unknown = { kind: 'unknown', fenced: false, message: 'no reply' } as const;
    return {
      edits: null,
      scrub: UNSCRUBBED,
      health: () => (this.isUp ? { state: 'up' } : { state: 'down', since: 0, reason: 'as told' }),
      commit: (_life, rows, done) =>
        send(
          () => rows.map((row) => this.apply(row)),
          (lost, answer) => (lost ? done(unknown, []) : done(null, answer!)),
        ),
      tryWriting: (done) => this.defer(() => done(null)),
      read: (keys, done) =>
        send(
          () => keys.map((key) => this.rows.get(key)),
          (lost, answer) => (lost ? done(unknown, []) : done(null, answer!)),
        ),
      scan: (_after, _max, done) => this.defer(() => done(null, [])),
      versionsOf: (slot, afterKey, max, done) =>
        send(
          () => this.versions(slot, afterKey, max),
          (lost, answer) => (lost ? done(unknown, []) : done(null, answer!)),
        ),
      // No row is removed in these scenarios.
      statementMsMax: 0,
      readFloors: (slots, done) =>
        this.defer(() =>
          done(
            null,
            slots.map(() => ({ counter: 0, turn: 0 })),
          ),
        ),
      raiseFloors: (_life, _floors, done) => this.defer(() => done(null)),
      removeRows: (_life, rows, _settledMs, done) =>
        this.defer(() =>
          done(
            null,
            rows.map(() => 'stays'),
          ),
        ),
      seen: () => null,
      choose: () => undefined,
      // Nor is another server adopted.
      survey: (done) => this.defer(() => done(unknown, null)),
      claim: (_expected, _claim, done) => this.defer(() => done(unknown, null)),
      readLife: (done) => this.defer(() => done(null, null)),
      signLife: (_life, _members, done) => this.defer(() => done(null)),
      found: (_expect, _id, done) => this.defer(() => done(null, null)),
    };
  }

  private versions(slot: number, afterKey: string, max: number): RowVersion[] {
    return [...this.rows.values()]
      .filter((row) => row.slot === slot && compareUtf8(row.record.key, afterKey) > 0)
      .map(({ record: { key, version, tombstone }, checksum }) => ({ key, version, checksum, tombstone }))
      .sort((a, b) => compareUtf8(a.key, b.key))
      .slice(0, max);
  }

  private apply(row: RecordRow): CommitResult {
    const before = this.rows.get(row.record.key);
    if (before !== undefined && before.record.version > row.record.version)
      return { kind: 'higher', version: before.record.version };
    if (before?.record.version === row.record.version)
      return before.checksum === row.checksum ? { kind: 'committed' } : { kind: 'conflict' };
    this.rows.set(row.record.key, row);
    return { kind: 'committed' };
  }
}
