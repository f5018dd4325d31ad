/** When a pipeline gives its node up for lost, and when it has room, on a stream that answers when the test says so. */
import { EventEmitter } from 'node:events';
import { Metadata } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { causeway } from '../gen/protocol.js';
import type { CausewayError } from './causeway-error.ts';
import { Pipeline } from './pipeline.ts';

const TIMEOUT_MS = 1_000;

class Stream extends EventEmitter {
  readonly frames: causeway.v1.PipelineRequestFields[] = [];
  readonly write = (frame: causeway.v1.PipelineRequestFields): boolean => this.frames.push(frame) > 0;
  readonly cancel = vi.fn();

  /** Answers everything that was asked for as written, with version 7. */
  answer(): void {
    const numbers = this.frames.flatMap(({ operations }) => operations!.map(({ number }) => number));
    this.emit('data', {
      results: numbers.map((number) => ({ number, failure: null, put: { version: 7 } })),
    });
  }
}

let stream: Stream;
let pipeline: Pipeline;

beforeEach(() => {
  vi.useFakeTimers();
  stream = new Stream();
  const real = stream as unknown as ConstructorParameters<typeof Pipeline>[0];
  const { signal } = new AbortController();
  pipeline = new Pipeline(real, { timeoutMs: TIMEOUT_MS, unansweredMax: 2 }, signal);
});
afterEach(() => vi.useRealTimers());

test('the wall clock is set an hour ahead: what is under way is not late for that', async () => {
  const written = pipeline.set('key', 'value');
  written.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(100);
  vi.setSystemTime(Date.now() + 3_600_000);
  await vi.advanceTimersByTimeAsync(TIMEOUT_MS);
  stream.answer();
  expect(await written).toBe(7);
});

test('the wall clock is set an hour back, and the node says nothing: its writes are indefinite soon after their time', async () => {
  const written = pipeline.set('key', 'value');
  written.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(100);
  vi.setSystemTime(Date.now() - 3_600_000);
  await vi.advanceTimersByTimeAsync(TIMEOUT_MS + 3_000);
  expect(stream.cancel).toHaveBeenCalledOnce();
  await expect(written).rejects.toMatchObject({ code: 'transport', certainty: 'indefinite' });
});

test('many wait for room: each is told when there is some for it, and who lets it be leaves it to the next', async () => {
  const asked = Promise.all(
    Array.from({ length: 40 }, async (_, at) => {
      await pipeline.room();
      if (at % 4 !== 3) await pipeline.set(`key-${at}`, 'value');
    }),
  );
  asked.catch(() => undefined);
  for (let turn = 0; turn < 100; turn += 1) {
    await vi.advanceTimersByTimeAsync(1);
    stream.answer();
  }
  await asked;
  expect(stream.frames.flatMap(({ operations }) => operations)).toHaveLength(30);
});

test('places that are reserved and not used: free again in the next turn', async () => {
  for (let turn = 0; turn < 5; turn += 1) {
    await pipeline.room();
    await vi.advanceTimersByTimeAsync(1);
  }
});

test.each([
  ['breaks', [], ['indefinite', 'indefinite', 'definite', 'definite']],
  [
    'is refused, the node having too many',
    ['overloaded', 'definite'],
    ['definite', 'definite', 'definite', 'definite'],
  ],
])('the stream %s: who waits for room goes on, and nothing is left open', async (_, [code, told], ends) => {
  const asked: Promise<unknown>[] = [];
  for (const key of ['a', 'b', 'c', 'd']) {
    asked.push(pipeline.set(key, 'x').catch((error: CausewayError) => error.certainty));
    await vi.advanceTimersByTimeAsync(1);
  }
  const waiting = pipeline.room();
  const metadata = new Metadata();
  if (code !== undefined) metadata.set('causeway-code', code);
  if (told !== undefined) metadata.set('causeway-certainty', told);
  stream.emit('error', Object.assign(new Error('gone'), { details: 'gone', metadata }));
  await waiting;
  expect(await Promise.all(asked)).toEqual(ends);
  await expect(pipeline.set('e', 'x')).rejects.toMatchObject({ certainty: 'definite' });
  await pipeline.close();
  await vi.advanceTimersByTimeAsync(1);
  expect(vi.getTimerCount()).toBe(0);
});
