/** What the operating system reports about this machine, and how evenly it schedules a process. Nothing is changed. */
import { readFile } from 'node:fs/promises';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { KernelFacts } from './doctor-kernel-rules.ts';
import type { ClockFacts, LoopFacts, MachineFacts } from './doctor-machine-rules.ts';

const LOOK_AT_LOOP_MS = 500;
const LOOP_RESOLUTION_MS = 5;
const NANOSECONDS = 1e6;
/** If there is no limit, the kernel reports a number that no machine has. */
const UNLIMITED_BYTES = 2 ** 60;
const BLOCK_BYTES = 512;

export async function machineFacts(env: NodeJS.ProcessEnv): Promise<MachineFacts> {
  const report = reportOf();
  const limits = (report['userLimits'] ?? {}) as Record<string, { soft?: unknown } | undefined>;
  const limit = (name: string, unit = 1): number | null => {
    const soft = limits[name]?.soft;
    if (soft === 'unlimited') return Infinity;
    return typeof soft === 'number' ? soft * unit : null;
  };
  const header = (report['header'] ?? {}) as Record<string, unknown>;
  const constrained = process.constrainedMemory();
  const isConstrained = constrained > 0 && constrained < UNLIMITED_BYTES;
  const processes = [limit('max_user_processes'), numberIn(await read('/sys/fs/cgroup/pids.max'))];
  return {
    nodeVersion: process.version,
    cores: availableParallelism(),
    coreQuota: quotaIn(await read('/sys/fs/cgroup/cpu.max')),
    memoryBytes: isConstrained ? Math.min(constrained, totalmem()) : totalmem(),
    memoryFreeBytes: isConstrained ? Math.min(constrained, freemem()) : freemem(),
    openFilesMax: limit('open_files'),
    processesMax: Math.min(...processes.map((each) => each ?? Infinity)),
    fileBytesMax: limit('file_size_blocks', BLOCK_BYTES),
    addressSpaceBytesMax: limit('virtual_memory_kbytes', 1024),
    arenasMax: env['MALLOC_ARENA_MAX'],
    usesGlibc: header['glibcVersionRuntime'] !== undefined,
  };
}

function reportOf(): Record<string, unknown> {
  // Otherwise the report would do a DNS lookup for every connection.
  (process.report as { excludeNetwork?: boolean }).excludeNetwork = true;
  return process.report.getReport() as unknown as Record<string, unknown>;
}

export async function loopFacts(): Promise<LoopFacts> {
  const delays = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  delays.enable();
  await delay(LOOK_AT_LOOP_MS);
  delays.disable();
  // The histogram counts a timer that is on time as late by its own interval.
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / NANOSECONDS - LOOP_RESOLUTION_MS);
  return { p99Ms: late(delays.percentile(99)), maxMs: late(delays.max) };
}

/** Returns a function that tells how far the wall clock and the monotonic clock have drifted apart since this call. */
export function watchClock(): () => Promise<ClockFacts> {
  const apart = (): number => Date.now() - performance.now();
  const before = apart();
  return async () => {
    const stepMs = apart() - before;
    const source = await read('/sys/devices/system/clocksource/clocksource0/current_clocksource');
    return { stepMs, source: source?.trim() ?? null };
  };
}

export async function kernelFacts(): Promise<KernelFacts> {
  const range = (await read('/proc/sys/net/ipv4/ip_local_port_range'))?.trim().split(/\s+/).map(Number);
  const hugePages = await read('/sys/kernel/mm/transparent_hugepage/enabled');
  const swap = /^SwapTotal:\s+(\d+) kB/m.exec((await read('/proc/meminfo')) ?? '');
  return {
    mapsMax: numberIn(await read('/proc/sys/vm/max_map_count')),
    backlogMax: numberIn(await read('/proc/sys/net/core/somaxconn')),
    overcommit: numberIn(await read('/proc/sys/vm/overcommit_memory')),
    hugePages: /\[(\w+)\]/.exec(hugePages ?? '')?.[1] ?? null,
    swapBytes: swap === null ? null : Number(swap[1]) * 1024,
    swappiness: numberIn(await read('/proc/sys/vm/swappiness')),
    portRange: range?.length === 2 ? [range[0]!, range[1]!] : null,
    portsReserved: (await read('/proc/sys/net/ipv4/ip_local_reserved_ports'))?.trim() ?? null,
  };
}

async function read(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return null;
  }
}

function numberIn(text: string | null): number | null {
  return text !== null && /^\s*\d+\s*$/.test(text) ? Number(text) : null;
}

/** For example `50000 100000` for half a core, or `max 100000` for no limit. */
function quotaIn(text: string | null): number | null {
  const match = /^(\d+) (\d+)/.exec(text ?? '');
  return match === null ? null : Number(match[1]) / Number(match[2]);
}
