/** Hand-written histories, good and bad: each fault that the cluster could have, as a client would see it. */
import { expect, test } from 'vitest';
import type { HistoryCall, HistoryOperation, HistoryOutcome } from './history.ts';
import { checkHistory, checkKey } from './linearizability.ts';
import type { HistoryChange } from './modifications.ts';

const DONE: HistoryOutcome = { kind: 'done' };
const LOST: HistoryOutcome = { kind: 'indefinite' };
const FAILED: HistoryOutcome = { kind: 'definiteFailure' };

/** One operation: when it began and ended, what was asked and what was told. */
function op(
  invokedAt: number,
  returnedAt: number,
  call: HistoryCall,
  outcome: HistoryOutcome,
  client: string | number = invokedAt,
): HistoryOperation {
  return { key: 'k', client, call, outcome, invokedAt, returnedAt };
}
const put = (value: string): HistoryCall => ({ kind: 'put', value });
const swap = (from: string | null, value: string): HistoryCall => ({
  kind: 'compareAndPut',
  expect: from === null ? { kind: 'absent' } : { kind: 'value', value: from },
  value,
});
const add = (delta: number): HistoryCall => ({ kind: 'increment', delta: BigInt(delta) });
const now = (number: number): HistoryOutcome => ({ kind: 'done', number: BigInt(number) });
const read = (invokedAt: number, returnedAt: number, value: string | null): HistoryOperation =>
  op(invokedAt, returnedAt, { kind: 'get' }, { kind: 'value', value });
const remove: HistoryCall = { kind: 'delete' };

const good: Record<string, HistoryOperation[]> = {
  'nothing at all': [],
  'one after the other': [
    op(1, 2, put('a'), DONE),
    read(3, 4, 'a'),
    op(5, 6, remove, DONE),
    read(7, 8, null),
  ],
  'a read beside a write sees the old value and a later one the new': [
    op(1, 10, put('a'), DONE),
    read(2, 3, null),
    read(4, 5, 'a'),
  ],
  'two operations that touch at one moment, which is overlap': [op(1, 2, put('a'), DONE), read(2, 3, null)],
  'two writes side by side in the order that the reads tell': [
    op(1, 10, put('a'), DONE),
    op(2, 9, put('b'), DONE),
    read(11, 12, 'a'),
  ],
  'a write of unknown outcome that is never seen': [
    op(1, 2, put('a'), DONE),
    op(3, 4, put('b'), LOST),
    read(5, 6, 'a'),
  ],
  'a write of unknown outcome that is seen late': [
    op(1, 2, put('a'), DONE),
    op(3, 4, put('b'), LOST),
    read(5, 6, 'a'),
    read(100, 101, 'b'),
  ],
  'a condition of unknown outcome that others build on': [
    op(1, 2, swap(null, 'a'), LOST),
    op(3, 4, swap('a', 'b'), DONE),
    read(5, 6, 'b'),
  ],
  'increments side by side, each with its own number': [
    op(1, 9, add(1), now(2)),
    op(2, 8, add(1), now(1)),
    read(10, 11, '2'),
  ],
  'two lost increments of which one happened': [
    op(1, 2, add(1), LOST),
    op(3, 4, add(1), LOST),
    op(5, 6, add(1), now(2)),
    read(7, 8, '2'),
  ],
  'an increment of a text is refused because of a lost put': [
    op(1, 2, put('7'), DONE),
    op(3, 4, put('text'), LOST),
    op(5, 6, add(1), { kind: 'notAnInteger' }),
  ],
  'a condition failed and told nothing, because of a lost put': [
    op(1, 2, put('a'), DONE),
    op(3, 4, put('b'), LOST),
    op(5, 6, swap('a', 'c'), { kind: 'conditionFailed' }),
    read(7, 8, 'b'),
  ],
  'a read that failed says nothing': [
    op(1, 2, put('a'), DONE),
    op(3, 4, { kind: 'get' }, LOST),
    read(5, 6, 'a'),
  ],
  'a fill stands where nothing stood': [
    op(0, 0, { kind: 'fill', value: 'old' }, LOST),
    read(1, 2, null),
    read(3, 4, 'old'),
  ],
};

test.each(Object.entries(good))('%s: is accepted', (_, history) => {
  expect(checkKey(history)).toEqual({ kind: 'ok' });
});

const bad: Record<string, HistoryOperation[]> = {
  'a stale read': [op(1, 2, put('a'), DONE), op(3, 4, put('b'), DONE), read(5, 6, 'a')],
  'a value from nowhere': [op(1, 2, put('a'), DONE), read(3, 4, 'z')],
  'two reads that disagree on the order': [
    op(1, 20, put('a'), DONE),
    op(1, 20, put('b'), DONE),
    read(2, 3, 'a'),
    read(4, 5, 'b'),
    read(6, 7, 'a'),
  ],
  'a read back in time beside the write': [op(1, 10, put('a'), DONE), read(2, 3, 'a'), read(4, 5, null)],
  'a lost update': [op(1, 2, put('a'), DONE), op(3, 9, swap('a', 'b'), DONE), op(4, 8, swap('a', 'c'), DONE)],
  'an acknowledged write that was lost': [op(1, 2, put('a'), DONE), read(3, 4, null)],
  'a deleted key that came back': [
    op(1, 2, put('a'), DONE),
    op(3, 4, remove, DONE),
    read(5, 6, null),
    read(7, 8, 'a'),
  ],
  'a double increment': [op(1, 2, add(1), now(1)), read(3, 4, '2')],
  'a lost increment that happened twice': [op(1, 2, add(1), LOST), read(3, 4, '1'), read(5, 6, '2')],
  'two increments with one number': [op(1, 9, add(1), now(1)), op(2, 8, add(1), now(1))],
  'a value of a condition that failed': [
    op(1, 2, put('a'), DONE),
    op(3, 4, swap('x', 'b'), { kind: 'conditionFailed', current: 'a' }),
    read(5, 6, 'b'),
  ],
  'a value of a write that certainly failed': [op(1, 2, put('a'), FAILED), read(3, 4, 'a')],
  'a condition that failed although it held': [
    op(1, 2, put('a'), DONE),
    op(3, 4, swap('a', 'b'), { kind: 'conditionFailed' }),
  ],
  'a condition that held on what was not there': [op(1, 2, put('a'), DONE), op(3, 4, swap('b', 'c'), DONE)],
  'a condition that names a value never there': [
    op(1, 2, put('a'), DONE),
    op(3, 4, swap('x', 'b'), { kind: 'conditionFailed', current: 'q' }),
  ],
  'a lost write seen before it was asked for': [read(1, 2, 'a'), op(3, 4, put('a'), LOST)],
  'a lost write that took effect twice': [
    op(1, 2, put('a'), LOST),
    read(3, 4, 'a'),
    op(5, 6, put('b'), DONE),
    read(7, 8, 'b'),
    read(9, 10, 'a'),
  ],
  'an increment of an integer refused': [
    op(1, 2, put('7'), DONE),
    op(3, 4, add(1), { kind: 'notAnInteger' }),
  ],
  'an increment past 64 bits': [
    op(1, 2, put('9223372036854775807'), DONE),
    op(3, 4, add(1), { kind: 'done' }),
  ],
  'a fill over a deletion': [
    op(0, 0, { kind: 'fill', value: 'old' }, LOST),
    op(1, 2, remove, DONE),
    read(3, 4, null),
    read(5, 6, 'old'),
  ],
  'a fill over a value': [
    op(0, 0, { kind: 'fill', value: 'old' }, LOST),
    op(1, 2, put('new'), DONE),
    read(3, 4, 'old'),
  ],
};

test.each(Object.entries(bad))('%s: is a violation', (_, history) => {
  expect(checkKey(history).kind).toBe('violation');
});

test('versions that clients were told: tell equal values apart and judge conditions', () => {
  const first = op(1, 2, put('a'), { kind: 'done', version: 10 });
  const second = op(3, 4, put('a'), { kind: 'done', version: 20 });
  const seen = (version: number): HistoryOperation =>
    op(5, 6, { kind: 'get' }, { kind: 'value', value: 'a', version });
  expect(checkKey([first, second, seen(20)]).kind).toBe('ok');
  expect(checkKey([first, second, seen(10)]).kind).toBe('violation');
  const ifTen: HistoryCall = { kind: 'compareAndPut', expect: { kind: 'version', version: 10 }, value: 'b' };
  expect(checkKey([first, second, op(5, 6, ifTen, DONE)]).kind).toBe('violation');
  expect(checkKey([first, second, op(5, 6, ifTen, { kind: 'conditionFailed' })]).kind).toBe('ok');
  expect(checkKey([first, op(5, 6, ifTen, { kind: 'conditionFailed' })]).kind).toBe('violation');
  // A lost put has a version that nobody was told, so the condition may or may not hold on it.
  const lost = op(3, 4, put('c'), LOST);
  expect(checkKey([first, lost, op(5, 6, ifTen, { kind: 'conditionFailed' })]).kind).toBe('ok');
});

test('a key that held something before: is checked from there', () => {
  expect(checkKey([read(1, 2, 'before')], { initialValue: 'before' }).kind).toBe('ok');
  expect(checkKey([read(1, 2, null)], { initialValue: 'before' }).kind).toBe('violation');
});

test('the story of a violation: names the operation, what could have stood, and ends where the fault ends', () => {
  const verdict = checkKey([
    op(1, 2, put('a'), DONE, 'ann'),
    op(3, 4, put('b'), DONE, 'bob'),
    { ...read(5, 6, 'a'), client: 'carl' },
    op(7, 8, put('after'), DONE, 'dora'),
  ]);
  expect(verdict).toMatchObject({ kind: 'violation', operation: { client: 'carl' } });
  const story = verdict.kind === 'violation' ? verdict.explanation : '';
  expect(story).toBe(
    [
      "key 'k': no single copy could have answered",
      "  [5 - 6] client carl: get -> 'a'",
      "It could only have stood at: 'b'.",
      'Before it and beside it:',
      "  [1 - 2] client ann: put 'a' -> done",
      "  [3 - 4] client bob: put 'b' -> done",
    ].join('\n'),
  );
});

test('many keys: each is judged by itself, and the one with the fault is named', () => {
  const fine = [op(1, 2, put('a'), DONE), read(3, 4, 'a')].map((operation) => ({
    ...operation,
    key: 'fine',
  }));
  const faulty = [op(1, 2, put('a'), DONE), read(3, 4, null)].map((operation) => ({
    ...operation,
    key: 'faulty',
  }));
  expect(checkHistory(fine)).toEqual({ kind: 'ok' });
  expect(checkHistory([...fine, ...faulty])).toMatchObject({ kind: 'violation', key: 'faulty' });
});

test('a history beyond the steps allowed: is undecided, and neither accepted nor blamed', () => {
  const writes = Array.from({ length: 14 }, (_, n) => op(1, 100, put(`v${n}`), DONE, n));
  const reads = writes.map((_, n) => op(1, 200, { kind: 'get' }, { kind: 'value', value: `v${n}` }, `r${n}`));
  const verdict = checkHistory([...writes, ...reads, read(101, 102, 'z')], { stepsMax: 500 });
  expect(verdict).toMatchObject({ kind: 'undecided', key: 'k' });
});

test('hundreds of lost writes that were never seen: cost nothing', () => {
  const history: HistoryOperation[] = [];
  for (let n = 0; n < 150; n++) {
    history.push(
      op(n * 10, n * 10 + 1, put(`lost${n}`), LOST),
      op(n * 10 + 2, n * 10 + 3, put(`v${n}`), DONE),
    );
    history.push(
      op(n * 10 + 4, n * 10 + 5, remove, LOST),
      op(n * 10 + 4, n * 10 + 5, add(1), { kind: 'notAnInteger' }),
    );
    history.push(read(n * 10 + 6, n * 10 + 7, `v${n}`));
  }
  expect(checkKey(history, { stepsMax: 2_000_000 }).kind).toBe('ok');
});

const ordered = { versionsOrder: true };
const done = (version: number): HistoryOutcome => ({ kind: 'done', version });
const seen = (invokedAt: number, returnedAt: number, value: string, version: number): HistoryOperation =>
  op(invokedAt, returnedAt, { kind: 'get' }, { kind: 'value', value, version });

test('versions against real time: are a violation even where the values would fit', () => {
  const later = [op(1, 2, put('a'), done(20)), op(3, 4, put('b'), done(10)), seen(5, 6, 'b', 10)];
  expect(checkKey(later)).toEqual({ kind: 'ok' });
  expect(checkKey(later, ordered)).toMatchObject({ kind: 'violation', operation: later[1] });
  const back = [op(1, 9, put('a'), done(20)), op(2, 8, put('a'), done(10)), seen(10, 11, 'a', 10)];
  expect(checkKey(back)).toEqual({ kind: 'ok' });
  expect(checkKey(back, ordered)).toMatchObject({ kind: 'violation', operation: back[2] });
  const twice = [
    op(1, 9, put('a'), done(10)),
    op(2, 8, put('b'), done(10)),
    seen(3, 8, 'a', 10),
    seen(4, 8, 'b', 10),
  ];
  expect(checkKey(twice)).toEqual({ kind: 'ok' });
  expect(checkKey(twice, ordered).kind).toBe('violation');
});

test('operations of one round: share a version, in a row', () => {
  const round = [
    op(1, 9, put('7'), done(10)),
    op(2, 9, add(1), { kind: 'done', number: 8n, version: 10 }),
    op(3, 9, swap('6', 'x'), { kind: 'conditionFailed', current: '8', version: 10 }),
    seen(10, 11, '8', 10),
  ];
  expect(checkKey(round, ordered)).toEqual({ kind: 'ok' });
  const torn = [...round.slice(0, 2), op(1, 9, put('9'), done(10)), seen(10, 11, '10', 10)];
  expect(checkKey(torn, ordered).kind).toBe('violation');
});

test('many puts of one round, of which only the last is seen: are decided in few steps', () => {
  const puts = Array.from({ length: 28 }, (_, index) =>
    op(index + 1, 100 + index, put(`value-${index}`), done(10)),
  );
  const after = [
    seen(200, 201, 'value-9', 10),
    op(202, 203, put('later'), done(20)),
    seen(204, 205, 'later', 20),
  ];
  expect(checkKey([...puts, ...after], { ...ordered, stepsMax: 20_000 })).toEqual({ kind: 'ok' });
  const beside = [seen(50, 60, 'value-9', 10), seen(150, 160, 'value-9', 10)];
  expect(checkKey([...puts, ...beside, ...after], { ...ordered, stepsMax: 20_000 })).toEqual({ kind: 'ok' });
  const lost = [...puts, op(140, 150, put('own'), done(10)), seen(200, 201, 'value-9', 10)];
  expect(checkKey(lost, { ...ordered, stepsMax: 20_000 }).kind).toBe('violation');
});

test('many puts of integers in one round, and a lost increment that none of the values seen can come of: few steps', () => {
  const valueOf = (index: number): string => String(index * 10_000_000);
  const lost = [op(1, 2, add(1009), LOST), op(3, 4, add(-17), LOST)];
  const puts = Array.from({ length: 14 }, (_, index) =>
    op(index + 10, 100 + index, put(valueOf(index + 1)), done(10)),
  );
  const after = (value: string): HistoryOperation[] => [
    ...[seen(200, 201, value, 20), op(202, 203, put('later'), done(30))],
    seen(204, 205, 'later', 30),
  ];
  const few = { ...ordered, stepsMax: 2_000 };
  const rest = after(valueOf(14));
  expect(checkKey([...puts, seen(150, 151, valueOf(14), 10), ...rest.slice(1)], few)).toEqual({ kind: 'ok' });
  expect(checkKey([...lost, ...puts, seen(150, 151, valueOf(14), 10), ...rest.slice(1)], few)).toEqual({
    kind: 'ok',
  });
  const added = after(String(3 * 10_000_000 + 1009));
  expect(checkKey([...lost, ...puts, ...added], few)).toEqual({ kind: 'ok' });
  const other = after(String(3 * 10_000_000 + 1010));
  expect(checkKey([...lost, ...puts, ...other], few).kind).toBe('violation');
});

test('many lost increments and puts on a key with versions: are decided in few steps', () => {
  const history: HistoryOperation[] = [];
  for (let index = 1; index <= 40; index += 1) {
    const at = index * 10;
    history.push(op(at, at + 1, put(String(index * 10_000_000)), LOST));
    history.push(op(at + 2, at + 3, add(index * 1009), LOST));
    history.push(op(at + 4, at + 5, put(`${index * 10_000_000 + 5_000_000}`), done(at)));
    history.push(seen(at + 6, at + 7, String(index * 10_000_000 + 5_000_000), at));
  }
  history.push(seen(500, 501, String(40 * 10_000_000 + 3 * 1009 + 7 * 1009), 500));
  expect(checkKey(history, { ...ordered, stepsMax: 20_000 })).toEqual({ kind: 'ok' });
  expect(checkKey(history, { stepsMax: 20_000 }).kind).toBe('undecided');
});

/**
 * Lists of changes with unknown outcome, each of which could be what set a value's expiry, next to writes with known
 * outcomes.
 */
function manyLostLists(): HistoryOperation[] {
  const list = (changes: readonly HistoryChange[]): HistoryCall => ({ kind: 'modify', changes });
  const history: HistoryOperation[] = [];
  const add = (invokedAt: number, call: HistoryCall, outcome: HistoryOutcome): void => {
    const wall = { lowest: 1_000 + invokedAt, highest: 1_001 + invokedAt };
    history.push({ ...op(invokedAt, invokedAt + 1, call, outcome), wall });
  };
  for (let index = 1; index <= 14; index += 1) {
    const at = index * 20;
    const value = String(index * 10_000_000);
    add(at, list([{ kind: 'expire', expiresAt: 1_100 + at, condition: 'ifNone' }]), LOST);
    add(at + 2, list([{ kind: 'set', value: `${value}x`, condition: 'ifPresent', expiresAt: 'keep' }]), LOST);
    add(at + 4, list([{ kind: 'read' }, { kind: 'append', value: `+${index}` }]), LOST);
    add(at + 6, list([{ kind: 'persist' }]), LOST);
    add(at + 8, { kind: 'put', value }, done(at));
    add(at + 10, { kind: 'get' }, { kind: 'value', value, version: at });
  }
  add(500, { kind: 'get' }, { kind: 'value', value: null });
  add(502, { kind: 'put', value: 'last' }, done(500));
  return history;
}

test('many lost lists of changes on a key with versions: one order is found in few steps, where all of them are too many', () => {
  const few = { ...ordered, stepsMax: 20_000 };
  expect(checkKey(manyLostLists(), few)).toEqual({ kind: 'ok' });
  expect(checkKey(manyLostLists(), { ...few, widths: [Infinity] }).kind).toBe('undecided');
});
