/** The ProcessUse port on Node's own statistics. Frequent callers get a recent result. */
import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { ProcessUse } from '../../ports/process-use.ts';

/** How long (ms) a result stays fresh. */
const FRESH_MS = 500;

export function systemProcessUse(): ProcessUse {
  let memory = memoryNow();
  let memoryAt = performance.now();
  let cpu = process.cpuUsage();
  let cpuAt = memoryAt;
  let share = 0;
  return {
    memory: () => {
      const now = performance.now();
      if (now - memoryAt >= FRESH_MS) [memory, memoryAt] = [memoryNow(), now];
      return memory;
    },
    cpuShare: () => {
      const now = performance.now();
      if (now - cpuAt < FRESH_MS) return share;
      const { user, system } = process.cpuUsage(cpu);
      share = (user + system) / 1000 / (now - cpuAt);
      cpu = process.cpuUsage();
      cpuAt = now;
      return share;
    },
  };
}

function memoryNow(): ReturnType<ProcessUse['memory']> {
  const { rss, heapUsed, external } = process.memoryUsage();
  return {
    residentBytes: rss,
    heapUsedBytes: heapUsed,
    heapLimitBytes: getHeapStatistics().heap_size_limit,
    externalBytes: external,
  };
}
