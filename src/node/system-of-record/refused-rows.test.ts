/** Rows that PostgreSQL refuses, among others that it accepts: the writer isolates them and holds up no other row. */
import { expect, test } from 'vitest';
import { makeRow } from '../../../test/contracts/record-calls.ts';
import { handClock } from '../../../test/support/hand-clock.ts';
import { slotOf } from '../../core/placement/slots.ts';
import type { RecordError, SystemOfRecord } from '../../ports/system-of-record.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import { RecordWriter } from './record-writer.ts';

const HELD: RecordError = { kind: 'unknown', fenced: false, ofRows: true, message: 'a lock on a row' };

/**
 * A statement that contains a row of `held` is refused as a whole; with `tells`, the refusal names those keys. Timers
 * fire `earlyMs` early.
 */
function world(held: Set<string>, tells = false, earlyMs = 0) {
  const hand = handClock();
  const after: typeof hand.after = (ms, run) => hand.after(ms - earlyMs, run);
  const clock = { ...hand, after };
  const statements: string[][] = [];
  /** Those statements that checked for locks before writing. */
  const looks: string[][] = [];
  const committed: string[] = [];
  let life = 1;
  const record: Pick<SystemOfRecord, 'commit'> = {
    commit: (_life, rows, done) => {
      const keys = rows.map((row) => row.record.key);
      statements.push(keys);
      if (rows.every(({ wasHeld }) => wasHeld === true)) looks.push(keys);
      const heldKeys = keys.filter((key) => held.has(key));
      const isRefused = heldKeys.length > 0;
      clock.defer(() =>
        isRefused
          ? done(tells ? { ...HELD, heldKeys } : HELD, [])
          : done(
              null,
              rows.map(() => ({ kind: 'committed' })),
            ),
      );
    },
  };
  const writer = new RecordWriter({
    ...{ record, clock, telemetry: { event: () => undefined, count: () => undefined } },
    life: () => life,
    onRecorded: (key) => committed.push(key),
    onFenced: () => undefined,
  });
  const add = (key: string, counter = 1): void =>
    writer.add(sealRecord(makeRow(key, counter).record), slotOf(key));
  const settle = (): void => {
    for (let turns = 0; turns < 20; turns += 1) {
      clock.turn();
      clock.advance(0);
    }
  };
  /** The statements that begin within that many milliseconds. */
  const within = (ms: number): string[][] => {
    statements.length = 0;
    for (let step = 0; step < ms; step += 10) {
      clock.advance(10);
      settle();
    }
    return [...statements];
  };
  return { clock, statements, looks, committed, writer, add, settle, within, endLife: () => (life += 1) };
}

test('one row of many is held by somebody: the others are written at once, and in few statements', () => {
  const { committed, writer, add, within } = world(new Set(['key 61']));
  const keys = Array.from({ length: 100 }, (_, at) => `key ${at}`);
  for (const key of keys) add(key);
  const statements = within(500);
  expect([...committed].sort()).toEqual(keys.filter((key) => key !== 'key 61').sort());
  expect(writer.backlog).toBe(1);
  expect(statements.length).toBeLessThan(20);
});

test('the held row is tried less and less often, alone, and reported as waiting all the while; once it is free it is written', () => {
  const held = new Set(['held']);
  const { clock, committed, writer, add, settle, within } = world(held);
  for (const key of ['free', 'held']) add(key);
  settle();
  const tries = [1_100, 2_000, 4_000, 8_000, 16_000, 16_000].map((ms) => within(ms));
  expect(tries).toEqual(tries.map(() => [['held']]));
  expect(writer.oldestMs(clock.now())).toBe(47_100);
  held.clear();
  within(16_000);
  expect(committed).toEqual(['free', 'held']);
  expect([writer.backlog, writer.oldestMs(clock.now())]).toEqual([0, 0]);
});

test('the held row is handed on again and again, as by each epoch: it waits once, and all are told of when it is free', () => {
  const held = new Set(['held']);
  const { committed, writer, add, within } = world(held);
  for (const counter of [1, 2, 2, 3, 1]) {
    add('held', counter);
    within(100);
    expect(writer.backlog).toBe(1);
  }
  held.clear();
  const statements = within(20_000);
  expect(statements).toEqual([['held']]);
  expect([committed.length, writer.backlog]).toEqual([4, 0]);
});

test('many rows are held: what is written besides waits for one statement of theirs, and no longer', () => {
  const held = new Set(Array.from({ length: 50 }, (_, at) => `held ${at}`));
  const { clock, statements, committed, add } = world(held);
  for (const key of held) add(key);
  for (let turns = 0; turns < 10; turns += 1) clock.turn();
  statements.length = 0;
  add('free');
  for (let turns = 0; turns < 100 && !committed.includes('free'); turns += 1) {
    clock.advance(1);
    clock.turn();
  }
  expect(committed).toEqual(['free']);
  expect(statements.length).toBeLessThanOrEqual(3);
});

test.each([false, true])(
  'another life of the cluster has begun (told which rows are held: %s): what was refused is written in no other than its own',
  (tells) => {
    const held = new Set(['held']);
    const { writer, add, settle, within, endLife } = world(held, tells);
    add('held');
    settle();
    endLife();
    held.clear();
    expect(within(20_000)).toEqual([]);
    expect(writer.backlog).toBe(0);
  },
);

test('told which rows are held: the others wait for one statement, and those are looked at together, without waiting', () => {
  const held = new Set(['key 7', 'key 61']);
  const { clock, committed, looks, writer, add, within } = world(held, true);
  const keys = Array.from({ length: 100 }, (_, at) => `key ${at}`);
  for (const key of keys) add(key);
  expect(within(100).map(({ length }) => length)).toEqual([100, 98]);
  expect([...committed].sort()).toEqual(keys.filter((key) => !held.has(key)).sort());
  expect(within(3_000)).toEqual([
    ['key 7', 'key 61'],
    ['key 7', 'key 61'],
    ['key 7', 'key 61'],
  ]);
  expect(looks).toHaveLength(3);
  expect([writer.backlog, writer.oldestMs(clock.now())]).toEqual([2, 3_100]);
  held.delete('key 7');
  expect(within(1_000)).toEqual([['key 7', 'key 61'], ['key 7']]);
  held.clear();
  within(1_000);
  expect([writer.backlog, writer.oldestMs(clock.now())]).toEqual([0, 0]);
  expect(committed).toHaveLength(100);
});

test('told which rows are held: new writes of their keys wait with them, and all are reported when they are free', () => {
  const held = new Set(['held']);
  const { committed, statements, writer, add, settle, within } = world(held, true);
  add('held', 1);
  settle();
  statements.length = 0;
  for (const counter of [2, 3, 2]) {
    add('held', counter);
    add('free', counter);
    within(100);
  }
  add('held', 4);
  expect(statements.flat()).not.toContain('held');
  expect(committed).toEqual(['free', 'free', 'free']);
  held.clear();
  within(2_000);
  expect(committed.filter((key) => key === 'held').length).toBeGreaterThanOrEqual(4);
  expect(writer.backlog).toBe(0);
});

test.each([true, false])(
  'the timer for what is apart (held: %s) comes a moment early, as Node counts whole milliseconds: it is tried all the same',
  (tells) => {
    const held = new Set(['held']);
    const { clock, committed, add, settle, within } = world(held, tells, 0.5);
    add('held');
    settle();
    held.clear();
    clock.advance(999.5);
    within(5_000);
    expect(committed).toEqual(['held']);
  },
);
