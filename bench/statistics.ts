/** Simple statistics of samples, and the load of the machine while they were taken. */
import { cpus } from 'node:os';

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** 0 if there are no samples. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Starts watching the machine; the returned function tells how many cores have been busy since, whoever used them. */
export function watchCores(): () => number {
  const before = coreTimes();
  return () => {
    const after = coreTimes();
    const all = after.all - before.all;
    return all === 0 ? 0 : ((all - (after.idle - before.idle)) / all) * cpus().length;
  };
}

function coreTimes(): { idle: number; all: number } {
  let idle = 0;
  let all = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    all += times.idle + times.user + times.sys + times.nice + times.irq;
  }
  return { idle, all };
}
