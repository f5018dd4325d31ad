/** What one run of one workload on one system gave. */
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
  /** Microseconds on a core per operation: of all servers together, and of the one generator. NaN: nobody tells. */
  readonly serverMicros: number;
  readonly clientMicros: number;
  /** Answered otherwise than asked, and with what first. */
  readonly failed: number;
  readonly fault: string;
  readonly lateMs: number;
}

/** Of one workload; repeats in their order, which is the same for all. */
export type Samples = ReadonlyMap<ContenderId, readonly Sample[]>;

/** Milliseconds between two systems: what the one leaves behind is not to fall upon the other. */
const PAUSE_MS = 60;

/** Each of them once in each round, another one first each time. */
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
