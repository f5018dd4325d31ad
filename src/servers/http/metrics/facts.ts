/** What metrics tell of the process itself and of its doors. */
import { readdirSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { EventLoopUtilization } from 'node:perf_hooks';
import type { MemoryUse } from '../../../core/recent-activity.ts';

/** What one door counts; left out: it does not. */
export interface DoorFacts {
  readonly door: 'grpc' | 'resp' | 'http';
  readonly requests: number;
  readonly connections?: number;
  readonly rejected?: number;
  readonly receivedBytes?: number;
  readonly sentBytes?: number;
  /** Of answers that clients have not taken. */
  readonly waitingBytes?: number;
}

export interface ProcessFacts {
  readonly memory: MemoryUse;
  readonly cpuSeconds: number;
  readonly uptimeSeconds: number;
  /** Of the time since metrics were asked for last. */
  readonly loopBusyShare: number;
  /** null: this system does not tell. */
  readonly openFiles: number | null;
}

export class ProcessWatch {
  private before: EventLoopUtilization = performance.eventLoopUtilization();
  private readonly memory: () => MemoryUse;

  constructor(memory: () => MemoryUse) {
    this.memory = memory;
  }

  facts(): ProcessFacts {
    const { user, system } = process.cpuUsage();
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.before);
    this.before = now;
    return {
      memory: this.memory(),
      cpuSeconds: (user + system) / 1e6,
      uptimeSeconds: process.uptime(),
      loopBusyShare: utilization,
      openFiles: openFiles(),
    };
  }
}

function openFiles(): number | null {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return null;
  }
}
