/** Durable puts that a node generates itself: a closed loop, a steady rate, or each key of a range once. */
import type { NodeApi } from '../src/node/api.ts';
import { benchKey, benchValue } from './keys.ts';

export type PutOrder =
  /** A closed loop on random keys. */
  | { readonly kind: 'put'; readonly inFlight: number; readonly keyCount: number; readonly forMs: number }
  /** A fixed rate on random keys, whether or not earlier puts were answered. */
  | {
      readonly kind: 'putSteadily';
      readonly perSecond: number;
      readonly keyCount: number;
      readonly forMs: number;
    }
  /** Each key of the range once. */
  | { readonly kind: 'load'; readonly inFlight: number; readonly from: number; readonly to: number };

export interface PutOutcome {
  readonly count: number;
  readonly failed: number;
  readonly latenciesMs: readonly number[];
}

type Steadily = Extract<PutOrder, { kind: 'putSteadily' }>;

const WRITE_TIMEOUT_MS = 20_000;
/** Of every this many puts, the time of one is recorded. */
const SAMPLE_EVERY = 16;
/** Milliseconds between two checks of what is due. */
const STEADY_TICK_MS = 5;

export function putAsOrdered(api: NodeApi, order: PutOrder): Promise<PutOutcome> {
  if (order.kind === 'putSteadily') return putSteadily(api, order);
  if (order.kind === 'load') {
    let next = order.from;
    return putAll(api, order.inFlight, () => (next < order.to ? next++ : -1));
  }
  const endAt = performance.now() + order.forMs;
  const more = (): number => (performance.now() >= endAt ? -1 : Math.floor(Math.random() * order.keyCount));
  return putAll(api, order.inFlight, more);
}

/** Every few milliseconds, all puts that are due by then begin. */
function putSteadily(api: NodeApi, { perSecond, keyCount, forMs }: Steadily): Promise<PutOutcome> {
  const startedAt = performance.now();
  const begun = new PutCount(api);
  let sent = 0;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const passedMs = performance.now() - startedAt;
      const due = passedMs >= forMs ? 0 : Math.floor((passedMs / 1000) * perSecond);
      for (; sent < due; sent += 1) begun.put(Math.floor(Math.random() * keyCount));
      if (passedMs < forMs || begun.running > 0) return;
      clearInterval(timer);
      resolve(begun.outcome);
    }, STEADY_TICK_MS);
  });
}

/** `more` returns the next key, -1 at the end. */
function putAll(api: NodeApi, inFlight: number, more: () => number): Promise<PutOutcome> {
  const begun = new PutCount(api);
  return new Promise((resolve) => {
    const next = (): void => {
      const index = more();
      if (index >= 0) begun.put(index, next);
      else if (begun.running === 0) resolve(begun.outcome);
    };
    for (let started = 0; started < inFlight; started += 1) next();
  });
}

class PutCount {
  readonly outcome = { count: 0, failed: 0, latenciesMs: [] as number[] };
  running = 0;
  private readonly api: NodeApi;

  constructor(api: NodeApi) {
    this.api = api;
  }

  put(index: number, done: () => void = () => undefined): void {
    this.running += 1;
    const sentAt = performance.now();
    const key = benchKey(index);
    const operation = { kind: 'put', key, value: benchValue(), ttlMs: 0, operationId: null } as const;
    this.api.write(operation, WRITE_TIMEOUT_MS, (result) => {
      const { outcome } = this;
      this.running -= 1;
      if (result.kind === 'done') outcome.count += 1;
      else outcome.failed += 1;
      if (outcome.count % SAMPLE_EVERY === 0) outcome.latenciesMs.push(performance.now() - sentAt);
      done();
    });
  }
}
