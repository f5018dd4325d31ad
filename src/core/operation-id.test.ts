/** Which ids can be told from repeated ones, and what is known of a write that was attempted more than once. */
import { expect, test } from 'vitest';
import { failure } from './errors.ts';
import { OPERATION_ID_AHEAD_MS_MAX, OPERATION_ID_WINDOW_MS } from './limits.ts';
import { isSameId, operationIdRefusal, operationIdTime, resultAfterDoubt } from './operation-id.ts';

const NOW = 1_700_000_000_000;

function idOf(time: number, rest = 0): Uint8Array {
  const id = Buffer.alloc(16, rest);
  id.writeUIntBE(time, 0, 6);
  return id;
}

test('the time of an id: its first 48 bits', () => {
  expect(operationIdTime(idOf(NOW, 0xff))).toBe(NOW);
  expect(operationIdTime(idOf(2 ** 48 - 1))).toBe(2 ** 48 - 1);
});

test('an id within the window: taken; one older: indefinite, for it may have been used', () => {
  expect(operationIdRefusal(idOf(NOW), NOW, 0)).toBeNull();
  expect(operationIdRefusal(idOf(NOW - OPERATION_ID_WINDOW_MS + 1), NOW, 0)).toBeNull();
  expect(operationIdRefusal(idOf(NOW - OPERATION_ID_WINDOW_MS), NOW, 0)?.code).toBe('operation_id_expired');
});

test('an id older than what the node has forgotten: indefinite, whatever its clock says now', () => {
  const wentBack = NOW - 60_000;
  expect(operationIdRefusal(idOf(NOW), wentBack, NOW)?.code).toBe('operation_id_expired');
  expect(operationIdRefusal(idOf(NOW + 1), wentBack + 1, NOW)).toBeNull();
});

test('an id from the future, as chance alone would give: refused for certain', () => {
  expect(operationIdRefusal(idOf(NOW + OPERATION_ID_AHEAD_MS_MAX), NOW, 0)).toBeNull();
  const refusal = operationIdRefusal(idOf(NOW + OPERATION_ID_AHEAD_MS_MAX + 1), NOW, 0);
  expect(refusal?.code).toBe('invalid_argument');
  // A node whose clock is behind refuses every id in this way.
  expect(refusal?.message).toContain('one of the two clocks is wrong');
});

test('after an open attempt only what took effect is certain', () => {
  const done = { kind: 'done', version: 1, number: 5n } as const;
  expect(resultAfterDoubt(done)).toBe(done);
  const unknown = { kind: 'failed', failure: { code: 'outcome_unknown' } };
  expect(resultAfterDoubt({ kind: 'conditionFailed', current: undefined })).toMatchObject(unknown);
  for (const code of ['not_an_integer', 'not_ready', 'contended', 'invalid_argument'] as const)
    expect(resultAfterDoubt({ kind: 'failed', failure: failure(code) })).toMatchObject(unknown);
  const expired = { kind: 'failed', failure: failure('operation_id_expired') } as const;
  expect(resultAfterDoubt(expired)).toBe(expired);
});

test('two ids are the same: byte for byte', () => {
  expect(isSameId(idOf(NOW, 1), idOf(NOW, 1))).toBe(true);
  expect(isSameId(idOf(NOW, 1), idOf(NOW, 2))).toBe(false);
});
