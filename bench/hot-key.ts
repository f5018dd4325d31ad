/**
 * The load of one node while a single key is hot: increments of that key in a closed loop, readers of it, and puts of
 * other keys. Each increment must return a different number.
 */
import { WAIT } from '../src/node/api.ts';
import type { NodeApi } from '../src/node/api.ts';
import { benchKey, benchValue } from './keys.ts';

const HOT_KEY = 'bench:hot';
const TIMEOUT_MS = 20_000;
const READERS = 2;

export interface HotOrder {
  readonly kind: 'hot';
  /** Increments of the hot key under way; 0 leaves it alone, for comparison. */
  readonly inFlight: number;
  /** Puts of other keys under way. */
  readonly putsInFlight: number;
  readonly keyCount: number;
  readonly forMs: number;
}

export interface HotCounted {
  readonly count: number;
  readonly failed: number;
  readonly latenciesMs: readonly number[];
  readonly readsMs: readonly number[];
  readonly putsMs: readonly number[];
}

export async function hotFor(api: NodeApi, order: HotOrder): Promise<HotCounted> {
  const endAt = performance.now() + order.forMs;
  const numbers = new Set<bigint>();
  const latenciesMs: number[] = [];
  const readsMs: number[] = [];
  const putsMs: number[] = [];
  let failed = 0;
  const loops: Promise<void>[] = [];
  const begin = (count: number, tookMs: number[], ask: (done: (isDone: boolean) => void) => void): void => {
    for (let started = 0; started < count; started += 1) {
      loops.push(
        closedLoop(endAt, ask, (ms, isDone) => {
          tookMs.push(ms);
          if (!isDone) failed += 1;
        }),
      );
    }
  };
  begin(order.inFlight, latenciesMs, (done) => {
    const operation = { kind: 'increment', key: HOT_KEY, delta: 1n, operationId: null } as const;
    api.write(operation, TIMEOUT_MS, (result) => {
      const isOwn = result.kind === 'done' && result.number !== null && !numbers.has(result.number);
      if (isOwn) numbers.add(result.number);
      done(isOwn);
    });
  });
  begin(order.inFlight === 0 ? 0 : READERS, readsMs, (done) => {
    const record = api.tryGet(HOT_KEY);
    // Waits for another turn of the event loop: a loop of cache hits would occupy the core.
    if (record !== WAIT) setTimeout(() => done(true), 1);
    else api.get(HOT_KEY, TIMEOUT_MS, (result) => done(result.kind === 'value'));
  });
  begin(order.putsInFlight, putsMs, (done) => {
    const key = benchKey(Math.floor(Math.random() * order.keyCount));
    const operation = { kind: 'put', key, value: benchValue(), ttlMs: 0, operationId: null } as const;
    api.write(operation, TIMEOUT_MS, (result) => done(result.kind === 'done'));
  });
  await Promise.all(loops);
  return { count: latenciesMs.length, failed, latenciesMs, readsMs, putsMs };
}

function closedLoop(
  endAt: number,
  ask: (done: (isDone: boolean) => void) => void,
  note: (ms: number, isDone: boolean) => void,
): Promise<void> {
  return new Promise((resolve) => {
    const next = (): void => {
      const sentAt = performance.now();
      if (sentAt >= endAt) return resolve();
      ask((isDone) => {
        note(performance.now() - sentAt, isDone);
        next();
      });
    };
    next();
  });
}
