/**
 * In which order rows of deletions are removed from PostgreSQL, how many at a time, and what happens if something
 * fails.
 */
import { describe, expect, test } from 'vitest';
import { handClock } from '../../../test/support/hand-clock.ts';
import type { Deletion, Removal } from '../../core/upkeep/collection.ts';
import {
  ROWS_REMOVED_AT_ONCE_MAX,
  ROWS_SETTLING_MAX,
  ROW_SETTLED_STATEMENTS,
  ROW_WAIT_STATEMENTS,
} from '../../core/limits.ts';
import { makeVersion } from '../../core/version.ts';
import type { RecordError, RemovalOutcome, SystemOfRecord } from '../../ports/system-of-record.ts';
import { RowRemover } from './row-remover.ts';

const STATEMENT_MS = 100;
const WAIT_MS = ROW_WAIT_STATEMENTS * STATEMENT_MS;
const AWAY: RecordError = { kind: 'refused', fenced: false, message: 'away' };

/** A PostgreSQL that records requests, and answers when told to. */
class Asked {
  readonly calls: string[] = [];
  private answer: ((error: RecordError | null) => void) | null = null;
  outcome: RemovalOutcome = 'removed';
  /** Called before a read of the floors is answered. */
  onRead = (): void => undefined;

  readonly record = {
    statementMsMax: STATEMENT_MS,
    readFloors: (slots, done) => {
      this.onRead();
      done(
        null,
        slots.map(() => ({ counter: 0, turn: 0 })),
      );
    },
    raiseFloors: (_life, floors, done) => {
      this.calls.push(`raise ${floors.map(({ slot, counter }) => `${slot}:${counter}`).join()}`);
      this.answer = done;
    },
    removeRows: (_life, rows, settledMs, done) => {
      this.calls.push(`remove ${rows.length} settled ${settledMs}`);
      this.answer = (error) =>
        done(
          error,
          rows.map(() => this.outcome),
        );
    },
  } as SystemOfRecord;

  say(error: RecordError | null = null): void {
    const { answer } = this;
    this.answer = null;
    answer!(error);
  }
}

function removalOf(count: number, slot = 7): Removal {
  const deletions = Array.from({ length: count }, (_, index): Deletion => {
    return { slot, key: `${slot}:${index}`, version: makeVersion(5, 1) };
  });
  return { floors: [{ slot, counter: 5 }], deletions };
}

function world() {
  const clock = handClock();
  const asked = new Asked();
  const lease = { isHeld: true };
  const remover = new RowRemover({
    ...{ clock, systemOfRecord: asked.record, mutations: {} },
    telemetry: { event: () => undefined, count: () => undefined },
    leaseHeld: () => lease.isHeld,
  });
  const told: string[] = [];
  const add = (removal: Removal): void =>
    remover.add(1, removal, (gone, kept) => told.push(`gone ${gone.length}, kept ${kept.length}`));
  return { clock, asked, lease, remover, told, add };
}

describe('rows are to go', () => {
  test('the floors are raised, a wait is kept from the answer on, then rows go, a bounded number to a statement', () => {
    const { clock, asked, remover, told, add } = world();
    add(removalOf(ROWS_REMOVED_AT_ONCE_MAX + 1));
    expect(remover.has('7:0')).toBe(true);
    remover.tick();
    clock.advance(WAIT_MS);
    remover.tick();
    expect(asked.calls).toEqual(['raise 7:5']);
    asked.say();
    clock.advance(WAIT_MS - 1);
    remover.tick();
    expect(asked.calls).toHaveLength(1);
    clock.advance(1);
    remover.tick();
    remover.tick();
    const settled = ROW_SETTLED_STATEMENTS * STATEMENT_MS;
    expect(asked.calls[1]).toBe(`remove ${ROWS_REMOVED_AT_ONCE_MAX} settled ${settled}`);
    expect(asked.calls).toHaveLength(2);
    asked.say();
    remover.tick();
    expect(asked.calls[2]).toBe(`remove 1 settled ${settled}`);
    asked.say();
    expect(told).toEqual([`gone ${ROWS_REMOVED_AT_ONCE_MAX + 1}, kept 0`]);
    expect([remover.waiting, remover.removed, remover.has('7:0')]).toEqual([
      0,
      ROWS_REMOVED_AT_ONCE_MAX + 1,
      false,
    ]);
  });

  test('another batch comes while one waits: its floors are raised at once, and each keeps its own wait', () => {
    const { clock, asked, remover, told, add } = world();
    add(removalOf(1, 1));
    remover.tick();
    asked.say();
    clock.advance(WAIT_MS - 1);
    add(removalOf(2, 2));
    remover.tick();
    asked.say();
    clock.advance(1);
    remover.tick();
    asked.say();
    remover.tick();
    expect(told).toEqual(['gone 1, kept 0']);
    expect(asked.calls.map((call) => call.split(' ').slice(0, 2).join(' '))).toEqual([
      'raise 1:5',
      'raise 2:5',
      'remove 1',
    ]);
  });

  test('a row stays: it is told as kept, and counts for nothing', () => {
    const { clock, asked, remover, told, add } = world();
    asked.outcome = 'stays';
    add(removalOf(1));
    remover.tick();
    asked.say();
    clock.advance(WAIT_MS);
    remover.tick();
    asked.say();
    expect([told, remover.removed]).toEqual([['gone 0, kept 1'], 0]);
  });

  test('PostgreSQL is away: it is asked again, after a while, and the wait begins with its answer', () => {
    const { clock, asked, remover, add } = world();
    add(removalOf(1));
    remover.tick();
    asked.say(AWAY);
    remover.tick();
    expect(asked.calls).toHaveLength(1);
    clock.advance(WAIT_MS + 500);
    remover.tick();
    expect(asked.calls).toEqual(['raise 7:5', 'raise 7:5']);
  });

  test('the lease ends while the floors are read: they are not raised on what was read then, but on what is read under it', () => {
    const { asked, lease, remover, add } = world();
    add(removalOf(1));
    asked.onRead = () => (lease.isHeld = false);
    remover.tick();
    expect(asked.calls).toEqual([]);
    asked.onRead = () => undefined;
    lease.isHeld = true;
    remover.tick();
    expect(asked.calls).toEqual(['raise 7:5']);
  });

  test('another epoch: what waits is let go of, and an answer that comes late is not heard', () => {
    const { clock, asked, remover, told, add } = world();
    add(removalOf(1));
    remover.tick();
    remover.clear();
    expect([remover.waiting, remover.has('7:0')]).toEqual([0, false]);
    add(removalOf(1, 8));
    remover.tick();
    expect(asked.calls).toEqual(['raise 7:5', 'raise 8:5']);
    clock.advance(WAIT_MS);
    expect(told).toEqual([]);
  });

  test('as many wait as may: it is full until they are gone', () => {
    const { remover, add } = world();
    add(removalOf(ROWS_SETTLING_MAX - 1));
    expect(remover.isFull).toBe(false);
    add(removalOf(1, 8));
    expect(remover.isFull).toBe(true);
  });
});
