/**
 * Lines about slow operations: where the time went, for any combination of stages reached, and never too many lines.
 */
import { expect, test } from 'vitest';
import { handClock } from '../../test/support/hand-clock.ts';
import type { EventName } from '../core/observability/events.ts';
import { Instruments } from '../core/observability/instruments.ts';
import { stampOf } from '../core/stamps.ts';
import { SlowLog } from './slow-log.ts';
import { Timing } from './timing.ts';
import type { TimedRead, TimedWrite } from './timing.ts';

type Told = Readonly<Record<string, unknown>>;

function world(thresholdMs = 100, linesPerSecondMax = 3) {
  const clock = handClock();
  clock.advance(1_000);
  const told: { name: EventName; fields: Told }[] = [];
  const telemetry = {
    event: (_level: string, name: EventName, fields: Told = {}) => void told.push({ name, fields }),
    count: () => undefined,
  };
  const instruments = new Instruments();
  const timing = new Timing(
    instruments,
    clock,
    new SlowLog({ thresholdMs, linesPerSecondMax }, clock, telemetry),
  );
  return { clock, told, timing, instruments };
}

/** Times in milliseconds since the clock's 1,000th; a stage left out was not reached. */
function write(moments: Partial<Record<keyof TimedWrite, number>>): TimedWrite {
  const at = (ms: number | undefined): number => (ms === undefined ? 0 : stampOf(1_000 + ms));
  const { arrivedAt, startedAt, begunAt, storedAt, heardAt, forwardedAt, backAt } = moments;
  return {
    ...{ kind: 'put', key: 'k', arrivedAt: at(arrivedAt), startedAt: at(startedAt), begunAt: at(begunAt) },
    ...{ storedAt: at(storedAt), heardAt: at(heardAt), forwardedAt: at(forwardedAt), backAt: at(backAt) },
  };
}

test('a write that went all the way: its parts add up to the whole', () => {
  const { clock, told, timing } = world();
  clock.advance(200);
  timing.wrote(write({ arrivedAt: 0, startedAt: 5, begunAt: 20, storedAt: 50, heardAt: 120 }), null);
  expect(told).toEqual([
    {
      name: 'operation.slow',
      fields: {
        ...{ kind: 'put', key: 'k', from: 'client', outcome: 'done', totalMs: 200, doorMs: 5, queueMs: 15 },
        ...{ storeMs: 30, peersMs: 70, recordMs: 80, forwardedMs: 0 },
      },
    },
  ]);
});

test.each<[string, Parameters<typeof write>[0], Told]>([
  ['its turn', { arrivedAt: 0, startedAt: 0 }, { queueMs: 200, storeMs: 0, peersMs: 0, recordMs: 0 }],
  ['this disk', { arrivedAt: 0, startedAt: 0, begunAt: 10 }, { queueMs: 10, storeMs: 190, peersMs: 0 }],
  [
    'the other owners',
    { arrivedAt: 0, startedAt: 0, begunAt: 0, storedAt: 10 },
    { storeMs: 10, peersMs: 190 },
  ],
  [
    'another node',
    { arrivedAt: 0, startedAt: 10, forwardedAt: 10 },
    { forwardedMs: 190, queueMs: 0, doorMs: 10 },
  ],
  [
    'its turn, after another node could not do it',
    { arrivedAt: 0, startedAt: 0, forwardedAt: 0, backAt: 50 },
    { forwardedMs: 50, storeMs: 0 },
  ],
])('a write that failed while it waited for %s: the rest of the time is told there', (_, moments, parts) => {
  const { clock, told, timing } = world();
  clock.advance(200);
  timing.wrote(write(moments), 'outcome_unknown');
  expect(told[0]!.fields).toMatchObject({ totalMs: 200, outcome: 'outcome_unknown', ...parts });
});

test('a read that asked the legacy source: what it waited for there, and before', () => {
  const { clock, told, timing } = world();
  clock.advance(300);
  const at = (ms: number): number => stampOf(1_000 + ms);
  const read: TimedRead = {
    key: 'k',
    arrivedAt: at(0),
    startedAt: at(10),
    forwardedAt: 0,
    backAt: 0,
    legacyAt: at(100),
  };
  timing.read(read, null);
  expect(told[0]!.fields).toMatchObject({ kind: 'get', totalMs: 300, doorMs: 10, waitMs: 90, legacyMs: 200 });
});

test('below the threshold: nothing; handed on by another node: said so', () => {
  const { clock, told, timing } = world();
  clock.advance(99);
  timing.wrote(write({ arrivedAt: 0, startedAt: 0 }), null);
  expect(told).toEqual([]);
  clock.advance(1);
  timing.wrote(write({ startedAt: 0 }), null);
  expect(told[0]!.fields).toMatchObject({ from: 'peer', totalMs: 100 });
});

test('thousands in a second: so many lines, and one that counts the rest', () => {
  const { clock, told, timing } = world();
  clock.advance(500);
  for (let count = 0; count < 2_000; count += 1) timing.wrote(write({ arrivedAt: 0, startedAt: 0 }), null);
  expect(told).toHaveLength(3);
  clock.advance(1_000);
  // It is told when the second is over, whether or not another one comes.
  expect(told.slice(3).map(({ name, fields }) => [name, fields['count']])).toEqual([
    ['operation.slow_left_out', 1_997],
  ]);
  clock.advance(2_000);
  timing.wrote(write({ arrivedAt: 0, startedAt: 0 }), null);
  expect(told.slice(4).map(({ name }) => name)).toEqual(['operation.slow']);
});

test('failures are counted by their code, and nothing is timed where nothing is to be', () => {
  const { timing, instruments } = world();
  timing.wrote(write({ arrivedAt: 0, startedAt: 0 }), 'overloaded');
  timing.wrote(write({ arrivedAt: 0, startedAt: 0 }), 'overloaded');
  expect([...instruments.failures]).toEqual([['overloaded', 2]]);
  const off = new Timing(new Instruments(false), handClock(), null);
  expect(off.stamp()).toBe(0);
  off.wrote(write({}), 'overloaded');
  expect(off.instruments.write.count).toBe(0);
});
