/** The final outcome of a call that lost against other transactions, depending on its attempts. */
import { expect, test, vi } from 'vitest';
import { RecordFailure } from './record-failure.ts';
import { retrying } from './retrying.ts';

const LOST = new RecordFailure('unknown', 'could not serialize', { isRetryable: true, isOutage: false });
const NOT_SENT = new RecordFailure('refused', 'no time was left to send it', { isOutage: false });
const FENCED = new RecordFailure('refused', 'fenced', { fenced: true, isOutage: false });

async function endOf(...ends: readonly RecordFailure[]): Promise<{ end: unknown; retries: number }> {
  let tries = 0;
  let retries = 0;
  const around = { random: () => 0, onRetry: () => (retries += 1) };
  const attempt = (): Promise<string> => {
    const failed = ends[tries++];
    return failed === undefined ? Promise.resolve('done') : Promise.reject(failed);
  };
  const end = await retrying({ retriesMax: 2, firstMs: 0, pauseMsMax: 0 }, around, attempt).catch(
    (error: unknown) => error,
  );
  return { end, retries };
}

test('lost, and done at the next try: done', async () => {
  expect(await endOf(LOST)).toEqual({ end: 'done', retries: 1 });
});

test('lost each time, or refused at once: told as it is', async () => {
  expect(await endOf(LOST, LOST, LOST)).toEqual({ end: LOST, retries: 2 });
  expect(await endOf(NOT_SENT)).toEqual({ end: NOT_SENT, retries: 0 });
});

test('lost, and not sent again for want of time: of unknown outcome, as the first try was', async () => {
  expect((await endOf(LOST, NOT_SENT)).end).toBe(LOST);
});

test('lost, and then fenced: told as fenced, for this process is to end', async () => {
  expect((await endOf(LOST, FENCED)).end).toBe(FENCED);
});

test('lost over and over: pauses between the tries, each twice the last, up to the longest', async () => {
  vi.useFakeTimers();
  try {
    const triedAt: number[] = [];
    const attempt = (): Promise<never> => {
      triedAt.push(performance.now() - startedAt);
      return Promise.reject(LOST);
    };
    const startedAt = performance.now();
    const bounds = { retriesMax: 4, firstMs: 100, pauseMsMax: 300 };
    const ended = retrying(bounds, { random: () => 1, onRetry: () => undefined }, attempt);
    ended.catch(() => undefined);
    await vi.advanceTimersByTimeAsync(10_000);
    await expect(ended).rejects.toBe(LOST);
    expect(triedAt).toEqual([0, 100, 300, 600, 900]);
  } finally {
    vi.useRealTimers();
  }
});
