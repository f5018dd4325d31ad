/** What is reported of a write that was repeated under its id, depending on how its attempts went. */
import { expect, test, vi } from 'vitest';
import { CausewayError } from './causeway-error.ts';
import { newOperationId, repeatUnderId } from './repeat.ts';

const UNKNOWN = new CausewayError('outcome_unknown', 'indefinite', 'not known');
const CUT_OFF = new CausewayError('transport', 'indefinite', 'no answer in time');

const within = (timeoutMs: number) => ({ timeoutMs, signal: undefined });

test.each([
  ['that nobody knows', UNKNOWN, UNKNOWN],
  ['so first, and nothing later, as where the client itself cuts the last attempt off', UNKNOWN, CUT_OFF],
])('every attempt is told %s: indefinite, as the last one was told', async (_, first, later) => {
  let attempts = 0;
  const attempt = (): Promise<never> => Promise.reject(attempts++ === 0 ? first : later);
  await expect(repeatUnderId(within(300), attempt, () => true)).rejects.toMatchObject({
    ...{ code: later.code, certainty: 'indefinite' },
    message: `${later.message} (repeated under its id: the time is over)`,
  });
  expect(attempts).toBeGreaterThan(1);
});

test('the id is too old for anybody to know what became of it: told at once, for it only gets older', async () => {
  const expired = new CausewayError('operation_id_expired', 'indefinite', 'too old');
  let attempts = 0;
  const attempt = (): Promise<never> => {
    attempts += 1;
    return Promise.reject(expired);
  };
  await expect(repeatUnderId(within(60_000), attempt, () => true)).rejects.toBe(expired);
  expect(attempts).toBe(1);
});

test('ids are UUIDs of version 7, as other programs read them, and no two are alike', () => {
  const ids = Array.from({ length: 200 }, () => Buffer.from(newOperationId()).toString('hex'));
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  expect(new Set(ids).size).toBe(ids.length);
});

test('the wall clock is set an hour ahead between two attempts: the time for the write is not over', async () => {
  vi.useFakeTimers();
  try {
    let attempts = 0;
    const attempt = (): Promise<string> => {
      attempts += 1;
      if (attempts > 1) return Promise.resolve('done');
      vi.setSystemTime(Date.now() + 3_600_000);
      return Promise.reject(UNKNOWN);
    };
    const answer = repeatUnderId(within(10_000), attempt, () => true);
    answer.catch(() => undefined);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await answer).toBe('done');
  } finally {
    vi.useRealTimers();
  }
});
