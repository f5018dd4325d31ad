/** A system in the comparison: how it is reached, what it guarantees, and what it runs on. */
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
  /** What an acknowledged write means, and what a read guarantees. */
  readonly promise: string;
  /** The number of disks on which an acknowledged write is synced. */
  readonly disks: number;
  readonly target: Target;
  /** Processes whose CPU time, including all their descendants, counts as the servers' time. */
  readonly pids: () => readonly number[];
  readonly directories: readonly string[];
}

/** Only for systems with a Redis protocol. */
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

/** A system that is left out, and why. */
export interface Skipped {
  readonly name: string;
  readonly reason: string;
}
