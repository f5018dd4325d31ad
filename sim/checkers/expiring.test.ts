/**
 * Expiring values as the checker sees them: they may be gone as soon as the first clock has passed their time, and
 * present until the last one has; never present after that, and never gone before.
 */
import { expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import type { Expiry, HistoryCall, HistoryOperation, HistoryOutcome } from './history.ts';
import { checkKey } from './linearizability.ts';

const DONE: HistoryOutcome = { kind: 'done' };
/** Each clock differs from the mean by at most this many milliseconds. */
const SKEW_MS = 5;

/** One operation at wall times around 1000, each as long as its number on the clock that all clients share. */
function op(
  invokedAt: number,
  returnedAt: number,
  call: HistoryCall,
  outcome: HistoryOutcome,
): HistoryOperation {
  const wall = { lowest: 1_000 + invokedAt - SKEW_MS, highest: 1_000 + returnedAt + SKEW_MS };
  return { key: 'k', client: invokedAt, call, outcome, invokedAt, returnedAt, wall };
}
const at = (from: number, by = from): Expiry => ({ from: 1_000 + from, by: 1_000 + by });
const put = (value: string, expiry?: Expiry): HistoryCall => ({
  kind: 'put',
  value,
  ...(expiry === undefined ? {} : { expiry }),
});
const add = (delta: number): HistoryCall => ({ kind: 'increment', delta: BigInt(delta) });
const now = (number: number): HistoryOutcome => ({ kind: 'done', number: BigInt(number) });
const read = (invokedAt: number, value: string | null, expiresAt?: number): HistoryOperation =>
  op(
    invokedAt,
    invokedAt + 1,
    { kind: 'get' },
    { kind: 'value', value, ...(expiresAt === undefined ? {} : { expiresAt: 1_000 + expiresAt }) },
  );
const lost = (invokedAt: number, call: HistoryCall): HistoryOperation =>
  op(invokedAt, invokedAt + 1, call, { kind: 'indefinite' });
const swapAbsent = (value: string): HistoryCall => ({
  kind: 'compareAndPut',
  expect: { kind: 'absent' },
  value,
});

const set = (value: string, expiresAt: number | 'keep'): HistoryCall => ({
  kind: 'modify',
  changes: [
    {
      kind: 'set',
      value,
      condition: 'always',
      expiresAt: expiresAt === 'keep' ? expiresAt : 1_000 + expiresAt,
    },
  ],
});

const good: Record<string, HistoryOperation[]> = {
  'there before its time, gone after it': [
    op(1, 2, put('a', at(50)), DONE),
    read(10, 'a', 50),
    read(60, null),
  ],
  'between the first clock and the last one it is there and gone in any order': [
    op(1, 2, put('a', at(50)), DONE),
    read(47, null),
    read(49, 'a'),
    read(51, null),
    read(53, 'a'),
    read(60, null),
  ],
  'an increment before its time keeps the time': [
    op(1, 2, put('5', at(50)), DONE),
    op(10, 11, add(1), now(6)),
    read(20, '6', 50),
    read(70, null),
  ],
  'an increment after its time counts from nothing and stays': [
    op(1, 2, put('5', at(50)), DONE),
    op(70, 71, add(1), now(1)),
    read(900, '1', -1_000),
  ],
  'a condition of absence holds after its time': [
    op(1, 2, put('a', at(50)), DONE),
    op(60, 61, swapAbsent('b'), DONE),
    read(62, 'b'),
  ],
  'a write of unknown outcome is what made the key absent': [
    op(1, 2, put('a'), DONE),
    lost(3, put('b', at(50, Infinity))),
    read(10, 'a'),
    read(60, null),
  ],
  'of a write that took long the time is known from a reader alone': [
    op(1, 30, put('a', at(40, 80)), DONE),
    read(45, null),
    read(75, 'a', 80),
  ],
};

const bad: Record<string, HistoryOperation[]> = {
  'gone before any clock has passed its time': [op(1, 2, put('a', at(50)), DONE), read(40, null)],
  'there although every clock has passed its time': [op(1, 2, put('a', at(50)), DONE), read(56, 'a')],
  'another time than was given': [op(1, 2, put('a', at(50)), DONE), read(10, 'a', 51)],
  'a time where none was given': [op(1, 2, put('a'), DONE), read(10, 'a', 51)],
  'a value without a time is gone': [op(1, 2, put('a'), DONE), read(9_000, null)],
  'an increment takes the time away': [
    op(1, 2, put('5', at(50)), DONE),
    op(10, 11, add(1), now(6)),
    read(70, '6'),
  ],
  'an increment after its time counts on': [op(1, 2, put('5', at(50)), DONE), op(70, 71, add(1), now(6))],
  'a later write brings the expired one back': [
    op(1, 2, put('a', at(50)), DONE),
    op(60, 61, put('b'), DONE),
    read(62, null),
  ],
  'a condition of absence holds before its time': [
    op(1, 2, put('a', at(50)), DONE),
    op(10, 11, swapAbsent('b'), DONE),
  ],
};

for (const [name, history] of Object.entries(good))
  test(`no fault: ${name}`, () => expect(checkKey(history)).toEqual({ kind: 'ok' }));
for (const [name, history] of Object.entries(bad))
  test(`a fault: ${name}`, () => expect(checkKey(history).kind).toBe('violation'));

/**
 * A single copy that nodes look at with their own clocks, any of them at each look. Writes are numbered as they take
 * effect; some are lost to their clients, and some of those never happened.
 */
function makeHistory(prng: Prng, lostShare = 0): HistoryOperation[] {
  let value: string | null = null;
  let endsAt = Infinity;
  let version = 1;
  const history: HistoryOperation[] = [];
  for (let time = 10, count = 1; count <= 60; count += 1) {
    const invokedAt = time;
    const clock = (time += 1 + prng.below(3)) + prng.between(-SKEW_MS, SKEW_MS);
    const returnedAt = (time += 1 + prng.below(3));
    const seen: string | null = endsAt <= clock ? null : value;
    const isLost = prng.chance(lostShare);
    const happens = !isLost || prng.chance(0.5);
    const note = (call: HistoryCall, outcome: HistoryOutcome): void =>
      void history.push(op(invokedAt, returnedAt, call, isLost ? { kind: 'indefinite' } : outcome));
    const draw = prng.next();
    if (draw < 0.5) {
      if (!isLost)
        note({ kind: 'get' }, { kind: 'value', value: seen, ...(seen === null ? {} : { version }) });
      continue;
    }
    if (happens) version += 1;
    if (draw < 0.75) {
      const ttl = prng.chance(0.7) ? 5 + prng.below(40) : Infinity;
      const text = String(count * 1_000);
      const by = isLost ? Infinity : returnedAt + SKEW_MS + ttl;
      if (happens) [value, endsAt] = [text, clock + ttl];
      note(put(text, ttl === Infinity ? undefined : at(invokedAt - SKEW_MS + ttl, by)), {
        kind: 'done',
        version,
      });
    } else if (draw < 0.85) {
      if (happens) [value, endsAt] = [null, Infinity];
      note({ kind: 'delete' }, { kind: 'done', version });
    } else {
      const number: bigint = BigInt(seen ?? '0') + 1n;
      if (happens) [value, endsAt] = [String(number), seen === null ? Infinity : endsAt];
      note(add(1), { kind: 'done', number, version });
    }
  }
  return history;
}

test('random histories of a copy whose values expire by differing clocks: no fault', () => {
  for (let seed = 1; seed <= 300; seed += 1)
    for (const versionsOrder of [false, true])
      expect(checkKey(makeHistory(new Prng(seed)), { versionsOrder }), `seed ${seed}`).toEqual({
        kind: 'ok',
      });
});

test('the same, with many lost answers: no fault, and always decided', () => {
  for (let seed = 1; seed <= 600; seed += 1) {
    const history = makeHistory(new Prng(seed), seed % 2 === 0 ? 0.4 : 0.15);
    expect(checkKey(history, { versionsOrder: true }), `seed ${seed}`).toEqual({ kind: 'ok' });
  }
});

test('one read of an expired value long after: always a fault', () => {
  let broken = 0;
  for (let seed = 1; seed <= 300; seed += 1) {
    const history = makeHistory(new Prng(seed));
    const index = history.findIndex(
      ({ call }, place) => place > 5 && call.kind === 'put' && call.expiry !== undefined,
    );
    if (index < 0) continue;
    const { call, returnedAt } = history[index]!;
    const cut = history.slice(0, index + 1);
    const late = 'value' in call ? read(returnedAt + 100, call.value) : null;
    expect(checkKey([...cut, late!]).kind, `seed ${seed}`).toBe('violation');
    broken += 1;
  }
  expect(broken).toBeGreaterThan(200);
});

test('nobody knows of two writes, and the second kept the end that the first had given: told by versions, too', () => {
  const seen = { kind: 'value', value: 'c', version: 30, expiresAt: 1_050 } as const;
  const history = [
    op(1, 2, put('a'), { kind: 'done', version: 10 }),
    lost(3, set('b', 50)),
    lost(5, set('c', 'keep')),
    op(10, 11, { kind: 'get' }, seen),
  ];
  expect(checkKey(history, { versionsOrder: true })).toEqual({ kind: 'ok' });
  const another = [...history.slice(0, 3), op(10, 11, { kind: 'get' }, { ...seen, expiresAt: 1_040 })];
  expect(checkKey(another, { versionsOrder: true }).kind).toBe('violation');
});
