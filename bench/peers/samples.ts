/** The result of one run of one workload on one system. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Contender, ContenderId } from './contender.ts';
import type { LoadAnswer, LoadOrder } from './load/orders.ts';
import { cpuMsOf } from './process-times.ts';

export interface Sample {
  /** Operations per second. */
  readonly rate: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** CPU microseconds per operation, of all servers together and of the generator. NaN if not available. */
  readonly serverMicros: number;
  readonly clientMicros: number;
  /** How many operations got an unexpected answer, and the first such answer. */
  readonly failed: number;
  readonly fault: string;
  readonly lateMs: number;
}

/** The results of one workload, with the repeats in the same order for all systems. */
export type Samples = ReadonlyMap<ContenderId, readonly Sample[]>;

/** Milliseconds between two systems, so that the after-effects of one do not fall on the other. */
const PAUSE_MS = 60;

/** Runs each of them once per round, with a different one first each time. */
export async function interleaved(
  contenders: readonly Contender[],
  rounds: number,
  orderFor: (contender: Contender) => LoadOrder,
  tell: (round: number, contender: Contender) => void,
): Promise<Samples> {
  const samples = new Map<ContenderId, Sample[]>(contenders.map(({ id }) => [id, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (let each = 0; each < contenders.length; each += 1) {
      const contender = contenders[(each + round) % contenders.length]!;
      tell(round, contender);
      samples.get(contender.id)!.push(await sampleOf(contender, orderFor(contender)));
      await delay(PAUSE_MS);
    }
  }
  return samples;
}

async function sampleOf({ generator, system }: Contender, order: LoadOrder): Promise<Sample> {
  const before = cpuMsOf(system.pids());
  const answer: LoadAnswer = await generator.order(order);
  const cpuMs = cpuMsOf(system.pids()) - before;
  const { rate, count, p50, p99, p999, failed, fault, lateMs } = answer;
  const perOperation = (ms: number): number => (count === 0 ? NaN : (ms * 1000) / count);
  return {
    ...{ rate, p50, p99, p999, failed, fault, lateMs },
    serverMicros: perOperation(cpuMs),
    clientMicros: perOperation(answer.cpuMs),
  };
}
