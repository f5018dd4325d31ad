/**
 * The load of `causeway bench`: a number of callers, each of which runs one operation after the other until the time is
 * over, and the times that the operations took. Counting begins after a warm-up.
 */
import { Histogram } from '../base/histogram.ts';
import type { CausewayClient, Pipeline } from '../client/index.ts';

export type Verb = 'put' | 'get';
export type Mode = 'unary' | 'pipelined';

export interface LoadSettings {
  readonly verb: Verb;
  readonly mode: Mode;
  readonly keys: readonly string[];
  readonly value: Uint8Array;
  readonly concurrency: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  readonly signal: AbortSignal;
  /** Called now and then. */
  readonly progress: (progress: LoadProgress) => void;
}

/** 'warmingUp': nothing is counted yet. */
export type LoadProgress =
  'warmingUp' | { readonly done: number; readonly failed: number; readonly share: number };

export interface LoadResult {
  readonly verb: Verb;
  readonly mode: Mode;
  readonly seconds: number;
  readonly operations: number;
  readonly perSecond: number;
  /** Milliseconds of the successful operations; null if there were none. */
  readonly ms: {
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  } | null;
  /** Counts by error code. */
  readonly failures: Readonly<Record<string, number>>;
}

/** Bucket bounds in milliseconds, each 1 % above the previous one. */
const BOUNDS = Array.from({ length: 2_000 }, (_, range) => 0.001 * 1.01 ** range);
const PROGRESS_MS = 250;
const REFUSED_PAUSE_MS = 10;

/** A histogram with buckets of 1 %: any number of operations in 16 kB. */
export class Times {
  readonly #histogram = new Histogram(BOUNDS);
  max = 0;

  get count(): number {
    return this.#histogram.count;
  }

  record(ms: number): void {
    this.#histogram.record(ms);
    if (ms > this.max) this.max = ms;
  }

  quantile(share: number): number {
    return Math.min(this.max, this.#histogram.quantileOfAll(share));
  }
}

type Operation = (key: string) => Promise<unknown>;

export async function runLoad(client: CausewayClient, settings: LoadSettings): Promise<LoadResult> {
  const { verb, mode, concurrency, durationMs, warmUpMs } = settings;
  const { operations, close } = await operationsOf(client, settings);
  const times = new Times();
  const failures: Record<string, number> = {};
  const countFrom = performance.now() + warmUpMs;
  const end = countFrom + durationMs;
  let failed = 0;
  const tell = setInterval(() => {
    const share = Math.min(1, (performance.now() - countFrom) / (end - countFrom));
    settings.progress(share < 0 ? 'warmingUp' : { done: times.count, failed, share });
  }, PROGRESS_MS);
  const caller = async (number: number): Promise<void> => {
    const operation = operations[number % operations.length]!;
    // Each caller starts at a different key, so that no two go over the same keys in step.
    let at = Math.floor((number * settings.keys.length) / concurrency);
    for (;;) {
      const from = performance.now();
      if (from >= end || settings.signal.aborted) return;
      const key = settings.keys[at++ % settings.keys.length]!;
      let code = '';
      try {
        await operation(key);
      } catch (error) {
        code = (error as { code?: string }).code ?? 'internal';
      }
      const isCounted = from >= countFrom;
      if (code === '') {
        if (isCounted) times.record(performance.now() - from);
        continue;
      }
      if (isCounted) {
        failures[code] = (failures[code] ?? 0) + 1;
        failed += 1;
      }
      // Operations that are refused at once must not turn into a busy loop.
      await new Promise((resolve) => setTimeout(resolve, REFUSED_PAUSE_MS));
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, (_, number) => caller(number)));
  } finally {
    clearInterval(tell);
    await close();
  }
  const seconds = Math.max(0.001, (performance.now() - countFrom) / 1_000);
  const perSecond = times.count / seconds;
  return { verb, mode, seconds, operations: times.count, perSecond, ms: quantilesOf(times), failures };
}

function quantilesOf(times: Times): LoadResult['ms'] {
  if (times.count === 0) return null;
  const at = (share: number): number => times.quantile(share);
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: times.max };
}

/** For unary calls a single function, because the client distributes them; otherwise one pipeline per address. */
async function operationsOf(
  client: CausewayClient,
  { verb, mode, value, concurrency }: LoadSettings,
): Promise<{ operations: Operation[]; close: () => Promise<void> }> {
  if (mode === 'unary') {
    const operation: Operation = verb === 'put' ? (key) => client.set(key, value) : (key) => client.get(key);
    return { operations: [operation], close: () => Promise.resolve() };
  }
  const count = Math.min(client.nodes.length, concurrency);
  const unansweredMax = Math.ceil(concurrency / count);
  const pipelines: Pipeline[] = [];
  for (let number = 0; number < count; number++) pipelines.push(await client.pipeline({ unansweredMax }));
  return {
    operations: pipelines.map((pipeline): Operation =>
      verb === 'put' ? (key) => pipeline.set(key, value) : (key) => pipeline.get(key),
    ),
    close: async () => {
      await Promise.all(pipelines.map((pipeline) => pipeline.close()));
    },
  };
}
