/** One fetch for many readers, and races between a fetch and writes, deletions and failures, in virtual time. */
import { beforeEach, expect, test } from 'vitest';
import { Prng } from '../base/prng.ts';
import { failure } from '../core/errors.ts';
import { Instruments } from '../core/observability/instruments.ts';
import {
  FILL_BYTES_IN_FLIGHT_MAX,
  FLIGHT_WAITERS_MAX,
  LEGACY_ABSENT_COUNT_MAX,
  LEGACY_ABSENT_MS,
  LEGACY_ERROR_BACKOFF_MS,
} from '../core/limits.ts';
import type { ReadResult } from '../core/operation.ts';
import type { LegacyOutcome, LegacySource } from '../ports/legacy-source.ts';
import { ORIGIN_CLIENT, ORIGIN_LEGACY } from '../core/record.ts';
import type { KeyRecord } from '../core/record.ts';
import { SimLegacy } from '../../sim/legacy.ts';
import { Scheduler, SimClock } from '../../sim/scheduler.ts';
import { LegacyReader } from './legacy-reader.ts';
import type { Fill } from './legacy-reader.ts';

const FETCH_MS = 2_000;

let scheduler: Scheduler;
let legacy: SimLegacy;
let reader: LegacyReader;
/** What the cluster holds; a fill takes 5 ms, and then sees what stands. */
let held: Map<string, KeyRecord | 'deleted'>;
let fillCount: number;
let fillFailure: ReadResult | null;
let fill: Fill;

beforeEach(() => build());

function build(source?: LegacySource): void {
  scheduler = new Scheduler();
  legacy = new SimLegacy(scheduler, new Prng(3));
  held = new Map();
  fillCount = 0;
  fillFailure = null;
  fill = fillAfterMs(5);
  const life = { alive: true, pausedUntil: 0 };
  reader = new LegacyReader({
    clock: new SimClock(scheduler, life),
    random: new Prng(4),
    source: source ?? legacy.connect(life),
    instruments: new Instruments(),
    fill: (...given) => fill(...given),
    fetchTimeoutMs: FETCH_MS,
  });
}

function fillAfterMs(ms: number): Fill {
  return (key, { value }, done) => {
    fillCount += 1;
    scheduler.after(ms, () => {
      if (fillFailure !== null) return done(fillFailure);
      const stands = held.get(key);
      if (stands === 'deleted') return done({ kind: 'absent' });
      const record = stands ?? recordOf(key, value, ORIGIN_LEGACY);
      held.set(key, record);
      done({ kind: 'value', record });
    });
  };
}

function recordOf(
  key: string,
  value: Uint8Array,
  origin: typeof ORIGIN_CLIENT | typeof ORIGIN_LEGACY,
): KeyRecord {
  const rest = { createdAt: 1, updatedAt: 1, expiresAt: 0, operationId: null, contentType: null };
  return { key, value, origin, version: 4097, tombstone: false, ...rest };
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function show(result: ReadResult): string {
  if (result.kind === 'value') return new TextDecoder().decode(result.record.value);
  return result.kind === 'absent' ? 'absent' : result.failure.code;
}

/** Begins a read. The returned list will contain its only answer. */
function begin(key: string): string[] {
  const answers: string[] = [];
  let returned = false;
  reader.read(key, (result) => {
    if (!returned) throw new Error('answered from within the call');
    answers.push(show(result));
  });
  returned = true;
  return answers;
}

/** Runs a read for the virtual time it needs. */
function read(key: string): string {
  const answers = begin(key);
  const end = scheduler.time + 10_000;
  while (answers.length === 0 && scheduler.step(end));
  expect(answers).toHaveLength(1);
  return answers[0]!;
}

test('values come faster than they are stored: so many bytes wait and no more, the others are refused, and then taken again', () => {
  const large = new Uint8Array(1024 * 1024);
  const fitting = FILL_BYTES_IN_FLIGHT_MAX / large.length;
  const ends: (() => void)[] = [];
  build();
  fill = (_key, { value }, done) => {
    fillCount += 1;
    ends.push(() => done({ kind: 'value', record: recordOf('k', value.subarray(0, 1), ORIGIN_LEGACY) }));
  };
  const keys = Array.from({ length: fitting + 20 }, (_, at) => `k${at}`);
  for (const key of [...keys, 'later']) legacy.set(key, large);
  const answers = keys.map(begin);
  scheduler.runUntil(1_500);
  expect(fillCount).toBe(fitting);
  expect(answers.filter(([answer]) => answer === 'overloaded')).toHaveLength(20);
  const calls = legacy.callCount;
  expect(read('later')).toBe('overloaded');
  expect(legacy.callCount).toBe(calls);
  for (const end of ends.splice(0)) end();
  expect(answers.filter(([answer]) => answer === '\0')).toHaveLength(fitting);
  const again = begin('later');
  scheduler.runUntil(scheduler.time + 1_000);
  for (const end of ends) end();
  expect(again).toEqual(['\0']);
});

test('ten thousand readers of one key: one call, one fill, everyone gets the value', () => {
  legacy.set('k', bytes('v'));
  const answers = Array.from({ length: 10_000 }, () => begin('k'));
  scheduler.runUntil(1_000);
  expect(legacy.callCount).toBe(1);
  expect(fillCount).toBe(1);
  for (const answer of answers) expect(answer).toEqual(['v']);
});

test('a client writes while the fetch is on its way: readers get what the client wrote, not the fetched bytes', () => {
  legacy.set('k', bytes('old'));
  const answer = begin('k');
  held.set('k', recordOf('k', bytes('new'), ORIGIN_CLIENT));
  reader.forget('k');
  scheduler.runUntil(1_000);
  expect(answer).toEqual(['new']);
});

test('a client deletes while the fetch is on its way: readers see the deletion', () => {
  legacy.set('k', bytes('old'));
  const answer = begin('k');
  scheduler.runUntil(1);
  held.set('k', 'deleted');
  scheduler.runUntil(1_000);
  expect(answer).toEqual(['absent']);
});

test('an absence: remembered for about its time, whoever asks, then asked again', () => {
  expect(read('k')).toBe('absent');
  scheduler.runUntil(scheduler.time + LEGACY_ABSENT_MS * 0.79);
  expect(read('k')).toBe('absent');
  expect(legacy.callCount).toBe(1);
  scheduler.runUntil(scheduler.time + LEGACY_ABSENT_MS * 0.45);
  legacy.set('k', bytes('v'));
  expect(read('k')).toBe('v');
  expect(legacy.callCount).toBe(2);
});

test('absences reported at the same moment do not expire at the same moment', () => {
  for (let n = 0; n < 50; n++) begin(`k${n}`);
  scheduler.runUntil(100);
  expect(legacy.callCount).toBe(50);
  scheduler.runUntil(LEGACY_ABSENT_MS);
  for (let n = 0; n < 50; n++) begin(`k${n}`);
  scheduler.runUntil(LEGACY_ABSENT_MS + 100);
  expect(legacy.callCount).toBeGreaterThan(55);
  expect(legacy.callCount).toBeLessThan(95);
});

test('a write of the key: the remembered absence is gone at once', () => {
  expect(read('k')).toBe('absent');
  legacy.set('k', bytes('v'));
  reader.forget('k');
  expect(read('k')).toBe('v');
});

test('a write while an absence is on its way: it is not remembered, and later readers do not join it', () => {
  const early = begin('k');
  while (legacy.callCount === 0) scheduler.step(1_000);
  legacy.set('k', bytes('v'));
  reader.forget('k');
  const late = begin('k');
  scheduler.runUntil(1_000);
  expect(early).toEqual(['absent']);
  expect(late).toEqual(['v']);
  expect(legacy.callCount).toBe(2);
  expect(read('k')).toBe('v');
});

test('everything forgotten: remembered absences and flights under way no longer answer for new readers', () => {
  expect(read('gone')).toBe('absent');
  legacy.set('gone', bytes('v'));
  const early = begin('k');
  reader.forgetAll();
  legacy.set('k', bytes('w'));
  expect(read('gone')).toBe('v');
  expect(read('k')).toBe('w');
  scheduler.runUntil(scheduler.time + 1_000);
  expect(early).toHaveLength(1);
});

test('legacy fails: unavailable and never absent, and not asked again until the back-off has passed', () => {
  legacy.set('k', bytes('v'));
  legacy.rules.errorShare = 1;
  expect(read('k')).toBe('source_unavailable');
  expect(read('k')).toBe('source_unavailable');
  expect(legacy.callCount).toBe(1);
  legacy.rules.errorShare = 0;
  scheduler.runUntil(scheduler.time + LEGACY_ERROR_BACKOFF_MS + 1);
  expect(read('k')).toBe('v');
});

test.each(['refusing', 'hanging'] as const)(
  'an outage (%s): every reader is answered by the deadline',
  (outage) => {
    legacy.rules.outage = outage;
    const answers = [begin('k'), begin('k')];
    scheduler.runUntil(FETCH_MS + 1);
    expect(answers).toEqual([['source_unavailable'], ['source_unavailable']]);
  },
);

test('the fill fails: readers get its failure, and legacy is not asked again at once', () => {
  legacy.set('k', bytes('v'));
  fillFailure = { kind: 'failed', failure: failure('owners_missing') };
  expect(read('k')).toBe('owners_missing');
  expect(read('k')).toBe('owners_missing');
  expect(legacy.callCount).toBe(1);
});

test('a key that cannot be named: said so, and neither asked nor filled', () => {
  expect(read('..')).toBe('key_unaddressable');
  expect(legacy.callCount + fillCount).toBe(0);
});

test('more readers of one key than may wait: the rest are refused, those waiting are served', () => {
  legacy.set('k', bytes('v'));
  const answers = Array.from({ length: FLIGHT_WAITERS_MAX + 5 }, () => begin('k'));
  scheduler.runUntil(1_000);
  expect(answers.filter(([answer]) => answer === 'v')).toHaveLength(FLIGHT_WAITERS_MAX);
  expect(answers.filter(([answer]) => answer === 'overloaded')).toHaveLength(5);
  expect(read('k')).toBe('v');
});

test('more flights than may wait in all: the rest are refused, and places come free again', () => {
  legacy.rules.outage = 'hanging';
  const answers = Array.from({ length: FLIGHT_WAITERS_MAX * 2 + 1 }, (_, n) => begin(`k${n}`));
  scheduler.runUntil(1);
  expect(answers.filter(([answer]) => answer === 'overloaded')).toHaveLength(1);
  scheduler.runUntil(10_000);
  legacy.rules.outage = 'none';
  expect(read('x')).toBe('absent');
});

test('more absences than are kept: the oldest is forgotten', () => {
  const asked: ((outcome: LegacyOutcome) => void)[] = [];
  const room = { inFlight: 0, waiting: 0, concurrencyMax: 0, retriesLeft: 0 };
  const health = { state: 'up', reason: '', calls: 0, failures: 0, ...room } as const;
  build({ fetch: (_key, _ms, done) => asked.push(done), health: () => health, close: (done) => done() });
  const isAsked = (key: string): boolean => {
    reader.read(key, () => {});
    const done = asked.pop();
    done?.({ kind: 'absent' });
    return done !== undefined;
  };
  for (let n = 0; n <= LEGACY_ABSENT_COUNT_MAX; n++) isAsked(`k${n}`);
  expect(isAsked('k1')).toBe(false);
  expect(isAsked('k0')).toBe(true);
  expect(isAsked('k1'), 'now the oldest').toBe(true);
  expect(isAsked(`k${LEGACY_ABSENT_COUNT_MAX}`)).toBe(false);
});

test('a seeded mixture of readers, writers and trouble: everyone is answered once, and the same seed repeats', () => {
  const run = (seed: number): string => {
    build();
    const log: string[] = [];
    const prng = new Prng(seed);
    for (let n = 0; n < 3_000; n++) {
      const key = `k${prng.below(20)}`;
      legacy.rules.errorShare = prng.chance(0.1) ? 0.5 : 0;
      legacy.rules.outage = prng.chance(0.02) ? 'hanging' : 'none';
      if (prng.chance(0.1)) legacy.set(key, bytes(`legacy ${n}`));
      if (prng.chance(0.05)) {
        held.set(key, recordOf(key, bytes(`client ${n}`), ORIGIN_CLIENT));
        reader.forget(key);
      }
      const native = held.get(key);
      reader.read(key, (result) => {
        log.push(`${n} ${show(result)}`);
        if (
          result.kind === 'value' &&
          native !== undefined &&
          native !== 'deleted' &&
          native.origin === ORIGIN_CLIENT
        ) {
          // A fill must never hide what a client wrote before the read began.
          expect(result.record.origin).toBe(ORIGIN_CLIENT);
        }
      });
      scheduler.runUntil(scheduler.time + prng.below(20));
    }
    scheduler.runUntil(scheduler.time + FETCH_MS + 100);
    expect(log).toHaveLength(3_000);
    return log.join('\n');
  };
  const first = run(9);
  expect(run(9)).toBe(first);
  expect(run(10)).not.toBe(first);
});
