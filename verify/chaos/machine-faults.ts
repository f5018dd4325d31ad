/** Faults of a node's machine: its disk is full, its syncs are slow or fail, its wall clock jumps. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { statusOf, until } from '../world.ts';
import type { SpecOf } from './fault-spec.ts';
import type { Scene } from './scene.ts';

/** Below the reserve of a node on a small disk, and enough for what it writes until it has left the write path. */
const DISK_LEFT_BYTES = 16 * 1024 * 1024;
const ATTACH_TIMEOUT_MS = 5_000;

export async function diskFull(spec: SpecOf<'disk-full'>, scene: Scene): Promise<boolean> {
  const names = scene.takeNodes(spec.nodes);
  const disks = scene.rig.disks!;
  scene.began(names, `the disk of ${names.join(', ')} is full`);
  try {
    const filled = names.map((name) => disks.fill(name));
    await scene.hold(spec.lastsMs);
    return filled.length > 0 && filled.every((isFull) => isFull);
  } finally {
    for (const name of names) disks.free(name);
  }
}

/** It took effect if each of the nodes reports it by the end. */
export async function diskFills(spec: SpecOf<'disk-fills'>, scene: Scene): Promise<boolean> {
  const names = scene.takeNodes(spec.nodes);
  const disks = scene.rig.disks!;
  scene.began(names, `the disk of ${names.join(', ')} is nearly full`);
  try {
    await Promise.all(names.map((name) => disks.leave(name, DISK_LEFT_BYTES)));
    await scene.hold(spec.lastsMs);
    const nodes = scene.world.nodes.filter(({ name }) => names.includes(name));
    const told = await Promise.all(nodes.map(statusOf));
    return told.length > 0 && told.every((status) => status !== null && status.disk.state !== 'enough');
  } finally {
    for (const name of names) disks.free(name);
  }
}

export async function syncSlow(spec: SpecOf<'sync-slow'>, scene: Scene): Promise<boolean> {
  const delayMs = scene.number(spec.delayMs);
  return underTrace(
    spec,
    scene,
    `delay_enter=${delayMs * 1_000}`,
    'DELAYED',
    `each sync takes ${delayMs} ms`,
  );
}

export async function syncFails(spec: SpecOf<'sync-fails'>, scene: Scene): Promise<boolean> {
  return underTrace(spec, scene, 'error=EIO', 'INJECTED', 'syncs fail');
}

export async function clock(spec: SpecOf<'clock'>, scene: Scene): Promise<boolean> {
  const { clocks } = scene.rig;
  const names = scene.takeNodes(spec.nodes);
  const jumpMs = scene.number(spec.jumpMs);
  scene.began(names, `the clock of ${names.join(', ')} jumps by ${jumpMs} ms`);
  try {
    for (const name of names) clocks!.set(name, jumpMs);
    await scene.hold(spec.lastsMs);
    const pids = names.map((name) => scene.rig.processOf(name)?.pid);
    return names.length > 0 && pids.every((pid) => pid === undefined || clocks!.isWornBy(pid));
  } finally {
    for (const name of names) clocks!.set(name, 0);
  }
}

/** Why syncs cannot be manipulated here; null if they can. */
export function whyNoTrace(): string | null {
  if (process.platform !== 'linux') return 'syncs are tampered with on Linux only';
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const isThere = folders.some((folder) => existsSync(join(folder, 'strace')));
  return isThere ? null : 'syncs are tampered with by strace, which is not installed';
}

async function underTrace(
  spec: SpecOf<'sync-slow' | 'sync-fails'>,
  scene: Scene,
  inject: string,
  mark: string,
  told: string,
): Promise<boolean> {
  const names = scene.takeNodes(spec.nodes);
  const pids = names.map((name) => scene.rig.processOf(name)?.pid).filter((pid) => pid !== undefined);
  const traces = await Promise.all(pids.map((pid) => attach(pid, inject)));
  scene.began(names, `${names.join(', ')}: ${told}`);
  try {
    await scene.hold(spec.lastsMs);
  } finally {
    for (const trace of traces) await trace.detach();
  }
  return traces.length > 0 && traces.every(({ seen }) => seen().includes(mark));
}

/** The process continues untouched once detached; when it ends, so does the trace. */
async function attach(pid: number, inject: string): Promise<{ detach(): Promise<void>; seen(): string }> {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-trace-'));
  const file = join(folder, 'trace');
  const calls = 'fdatasync,fsync';
  const what = ['-e', `trace=${calls}`, '-e', `inject=${calls}:${inject}`];
  const child = spawn('strace', ['-f', '-qq', ...what, '-o', file, '-p', String(pid)], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const isAttached = async (): Promise<boolean> =>
    child.exitCode !== null || /^TracerPid:\s*[1-9]/m.test(textOf(`/proc/${pid}/status`));
  await until(`process ${pid} is traced`, isAttached, ATTACH_TIMEOUT_MS);
  let text = '';
  return {
    async detach() {
      child.kill('SIGINT');
      await ended;
      text = textOf(file);
      rmSync(folder, { recursive: true, force: true });
    },
    seen: () => text,
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
