/**
 * Histories with a loss: after it the key holds what is left, whatever was acknowledged; and the loss excuses nothing
 * else.
 */
import { expect, test } from 'vitest';
import type { HistoryOperation, HistoryOutcome } from './history.ts';
import { checkKey } from './linearizability.ts';

const DONE = (version: number): HistoryOutcome => ({ kind: 'done', version });

function put(invokedAt: number, returnedAt: number, value: string, version: number): HistoryOperation {
  const outcome = DONE(version);
  return { key: 'k', client: invokedAt, call: { kind: 'put', value }, outcome, invokedAt, returnedAt };
}

function add(
  invokedAt: number,
  returnedAt: number,
  delta: number,
  number: number,
  version: number,
): HistoryOperation {
  const outcome: HistoryOutcome = { kind: 'done', version, number: BigInt(number) };
  const call = { kind: 'increment', delta: BigInt(delta) } as const;
  return { key: 'k', client: invokedAt, call, outcome, invokedAt, returnedAt };
}

function unknownAdd(invokedAt: number, delta: number): HistoryOperation {
  const call = { kind: 'increment', delta: BigInt(delta) } as const;
  return {
    ...{ key: 'k', client: invokedAt, call, outcome: { kind: 'indefinite' } },
    ...{ invokedAt, returnedAt: Infinity },
  };
}

function read(
  invokedAt: number,
  returnedAt: number,
  value: string | null,
  version?: number,
): HistoryOperation {
  const outcome: HistoryOutcome = {
    kind: 'value',
    value,
    ...(version === undefined ? {} : { version, expiresAt: 0 }),
  };
  return { key: 'k', client: invokedAt, call: { kind: 'get' }, outcome, invokedAt, returnedAt };
}

/** A loss that leaves this value and version. */
function loss(
  invokedAt: number,
  returnedAt: number,
  value: string | null,
  version: number,
): HistoryOperation {
  const left = [{ value, version, expiry: null, untouched: version === 0 }];
  return {
    ...{ key: 'k', client: 'loss', call: { kind: 'loss', left }, outcome: { kind: 'done' } },
    ...{ invokedAt, returnedAt },
  };
}

const BEFORE = [put(1, 2, 'a', 10), put(3, 4, 'b', 20)];

test.each<[string, HistoryOperation[]]>([
  ['what is left is read', [...BEFORE, loss(5, 6, 'a', 10), read(7, 8, 'a', 10)]],
  ['nothing is left', [...BEFORE, loss(5, 6, null, 0), read(7, 8, null)]],
  ['a deletion is left', [...BEFORE, loss(5, 6, null, 12), read(7, 8, null), put(9, 10, 'c', 13)]],
  [
    'the versions begin anew below those that were lost',
    [...BEFORE, loss(5, 6, 'a', 10), put(7, 8, 'c', 15), read(9, 10, 'c', 15)],
  ],
  ['nothing of this key is lost', [...BEFORE, loss(5, 6, 'b', 20), read(7, 8, 'b', 20)]],
  [
    'increments go on from what is left',
    [add(1, 2, 1, 1, 10), add(3, 4, 1, 2, 20), loss(5, 6, '1', 10), add(7, 8, 1, 2, 15)],
  ],
  [
    'a reader is answered late with what stood before',
    [...BEFORE, read(4.5, 9, 'b', 20), loss(5, 6, 'a', 10), put(7, 8, 'c', 15)],
  ],
  [
    'a write waits for the key to be served again, and gets a lower version than one that is lost',
    [put(1, 2, 'a', 10), put(3, 20, 'c', 15), put(4, 5, 'b', 18), loss(6, 9, 'a', 10), read(21, 22, 'c', 15)],
  ],
  [
    'an increment is answered behind the loss: it came before, counts from one that nobody knows of, and is what is left',
    [
      put(1, 2, '5', 10),
      unknownAdd(3, 2),
      add(3.5, 20, 1, 8, 12),
      loss(5, 6, '8', 12),
      read(21, 22, '8', 12),
    ],
  ],
  [
    'two losses, one after the other',
    [...BEFORE, loss(5, 6, 'a', 10), put(7, 8, 'c', 15), loss(9, 10, 'a', 10), read(11, 12, 'a', 10)],
  ],
])('%s: ok', (_what, history) => {
  expect(checkKey(history, { versionsOrder: true })).toEqual({ kind: 'ok' });
});

test.each<[string, HistoryOperation[]]>([
  ['without a loss', [...BEFORE, read(7, 8, 'a', 10)]],
  ['what is lost is read before the loss is', [...BEFORE, read(4.5, 4.8, 'a', 10), loss(5, 6, 'a', 10)]],
  ['what was lost is back', [...BEFORE, loss(5, 6, 'a', 10), read(7, 8, 'a', 10), read(9, 10, 'b', 20)]],
  ['less is there than is left', [...BEFORE, loss(5, 6, 'b', 20), read(7, 8, 'a', 10)]],
  [
    'one of two increments in a row that were lost counts after all',
    [
      add(1, 2, 1, 1, 10),
      add(3, 4, 1, 2, 20),
      add(4.5, 4.8, 4, 6, 22),
      loss(5, 6, '1', 10),
      add(7, 8, 1, 6, 15),
    ],
  ],
  ['what is left is read as another value', [...BEFORE, loss(5, 6, 'a', 10), read(7, 8, 'x', 10)]],
  [
    'the versions go back behind the loss',
    [...BEFORE, loss(5, 6, 'a', 10), put(7, 8, 'c', 15), put(9, 10, 'd', 14)],
  ],
])('%s: a violation', (_what, history) => {
  expect(checkKey(history, { versionsOrder: true }).kind).toBe('violation');
});
