/** What the metrics need to know about the process itself and about its doors. */
import { readdirSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { EventLoopUtilization } from 'node:perf_hooks';
import type { MemoryUse } from '../../../core/observability/recent-activity.ts';

/** What one door counts; a door leaves out what it does not count. */
export interface DoorFacts {
  readonly door: 'grpc' | 'resp' | 'http';
  readonly requests: number;
  readonly connections?: number;
  readonly rejected?: number;
  readonly receivedBytes?: number;
  readonly sentBytes?: number;
  /** Bytes of answers that clients have not taken yet. */
  readonly waitingBytes?: number;
}

export interface ProcessFacts {
  readonly memory: MemoryUse;
  readonly cpuSeconds: number;
  readonly uptimeSeconds: number;
  /** The share of time that the event loop was busy since metrics were last read. */
  readonly loopBusyShare: number;
  /** Null if the operating system does not provide it. */
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
