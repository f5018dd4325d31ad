/** A system in the comparison: how it is reached, what it promises, and what it runs on. */
import { GeneratorProcess } from './load/generator-process.ts';
import { doorPorts } from './load/driver.ts';
import type { Target } from './load/driver.ts';
import type { World } from '../world.ts';

export const CONTENDERS = [
  'causeway',
  'causeway-disks',
  'redis',
  'redis-cluster',
  'etcd',
  'postgres-rows',
  'postgres-batches',
  'hand-written',
] as const;
export type ContenderId = (typeof CONTENDERS)[number];

export interface System {
  readonly id: ContenderId;
  readonly name: string;
  /** On what an acknowledged write is, and what a read is worth. */
  readonly promise: string;
  /** Disks that an acknowledged write is on, synced. */
  readonly disks: number;
  readonly target: Target;
  /** Processes whose time, with that of all below them, is the servers' time. */
  readonly pids: () => readonly number[];
  readonly directories: readonly string[];
}

/** Of Redis' doors only. */
export function portsOf({ target }: System): number[] {
  return target.kind === 'resp' ? doorPorts(target.ranges) : [];
}

export class Contender {
  readonly system: System;
  readonly generator: GeneratorProcess;

  constructor(world: World, system: System) {
    this.system = system;
    this.generator = new GeneratorProcess(world, system.target);
  }

  get id(): ContenderId {
    return this.system.id;
  }
}

/** One that is left out, and why. */
export interface Skipped {
  readonly name: string;
  readonly reason: string;
}
