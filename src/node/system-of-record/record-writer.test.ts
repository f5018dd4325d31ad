/** What the writer to PostgreSQL does with a refused row: it alone is tried again later, and no other waits for it. */
import { expect, test } from 'vitest';
import { handClock } from '../../../test/support/hand-clock.ts';
import type { KeptOutVerdict } from '../../core/system-of-record/record-floors.ts';
import { slotOf } from '../../core/placement/slots.ts';
import { counterOf, makeVersion } from '../../core/version.ts';
import type { CommitResult, RecordRow, SystemOfRecord } from '../../ports/system-of-record.ts';
import { makeRow } from '../../../test/contracts/record-calls.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import { RecordWriter } from './record-writer.ts';

const FLOOR = 5;

function world(verdicts: KeptOutVerdict[]) {
  const clock = handClock();
  const sent: string[] = [];
  const told: string[] = [];
  let answer: ((results: readonly CommitResult[]) => void) | null = null;
  let rows: readonly RecordRow[] = [];
  const record = {
    commit: (_life, batch, done) => {
      rows = batch;
      for (const {
        record: { key },
        pastFloor,
      } of batch)
        sent.push(pastFloor === undefined ? key : `${key} past ${pastFloor}`);
      answer = (results) => done(null, results);
    },
  } as SystemOfRecord;
  const writer = new RecordWriter({
    ...{ record, clock },
    telemetry: { event: () => undefined, count: () => undefined, gauge: () => undefined } as never,
    life: () => 1,
    onRecorded: (key, version, outcome) => told.push(`${key}@${counterOf(version)} ${outcome}`),
    onFenced: () => undefined,
    judgeKeptOut: () => verdicts.shift() ?? 'drop',
  });
  const add = (key: string, counter: number): void => {
    writer.add(sealRecord(makeRow(key, counter).record), slotOf(key));
    clock.turn();
  };
  /** Answers the statement under way: low versions are kept out, unless their writer knows the floor. */
  const say = (): void => {
    const tell = answer!;
    answer = null;
    tell(
      rows.map(({ record: { version }, pastFloor = 0 }): CommitResult =>
        version <= makeVersion(FLOOR, 4095) && pastFloor < FLOOR
          ? { kind: 'keptOut', floor: FLOOR }
          : { kind: 'committed' },
      ),
    );
    clock.turn();
  };
  return { clock, sent, told, writer, add, say };
}

test('statements fail for one reason, and then for another: told once in ten seconds each, with how many were left out', () => {
  const clock = handClock();
  const lines: unknown[] = [];
  let reason = 'no table';
  const record = {
    commit: (_life, _batch, done) => done({ kind: 'failed', message: reason } as never, []),
  } as SystemOfRecord;
  const writer = new RecordWriter({
    ...{ record, clock },
    telemetry: {
      event: (_level: string, name: string, fields: object) => lines.push([name, fields]),
      count: () => undefined,
    } as never,
    life: () => 1,
    onRecorded: () => undefined,
    onFenced: () => undefined,
    judgeKeptOut: () => 'drop',
  });
  const { record: row } = makeRow('k', 2);
  writer.add(sealRecord(row), slotOf('k'));
  const pass = (seconds: number): void => {
    for (let step = 0; step < seconds * 10; step += 1) {
      clock.turn();
      clock.advance(100);
    }
  };
  pass(9);
  const told = (leftOut: unknown): unknown => [
    'record.commit.failed',
    { kind: 'failed', reason, rows: 1, leftOut },
  ];
  expect(lines).toEqual([told(0)]);
  pass(3);
  expect(lines[1]).toEqual(told(expect.any(Number)));
  expect((lines[1] as [string, { leftOut: number }])[1].leftOut).toBeGreaterThan(8);
  reason = 'no right';
  pass(3);
  expect(lines.length).toBe(3);
  expect(lines[2]).toEqual(told(expect.any(Number)));
});

test('a row is kept out while something above it is in flight: it goes again after a while, and others are written meanwhile', () => {
  const { clock, sent, told, writer, add, say } = world(['again', 'drop']);
  add('low', 2);
  say();
  expect(writer.backlog).toBe(1);
  add('other', 9);
  say();
  expect([sent, told]).toEqual([['low', 'other'], ['other@9 committed']]);
  clock.advance(1_000);
  clock.turn();
  expect(sent).toEqual(['low', 'other', 'low']);
  say();
  expect(writer.backlog).toBe(0);
});

test('a row was kept out, and is asked for once more meanwhile: it goes again knowing the floor', () => {
  const { sent, told, add, say } = world(['knowing']);
  add('low', 2);
  add('low', 2);
  say();
  say();
  expect([sent, told]).toEqual([['low', 'low past 5'], ['low@2 committed']]);
});
