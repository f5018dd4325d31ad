/**
 * The wall clocks of all machines, seen from outside: the range of times that an operation may have seen. A clock that
 * is set counts with its times before and after.
 */
import type { WallRange } from './checkers/history.ts';
import type { MachineClocks } from './scheduler.ts';

export interface WallMark {
  readonly lowest: number;
  readonly dips: number;
}

export class WallWatch {
  private readonly machines: MachineClocks[];
  /** The lowest clock after each time that it was set. */
  private readonly dips: number[] = [];
  private highestEver = -Infinity;

  constructor(machines: readonly MachineClocks[]) {
    this.machines = [...machines];
  }

  /** Adds a machine, whose clock may be lower than all others. */
  add(machine: MachineClocks): void {
    this.machines.push(machine);
    this.dips.push(this.lowest());
  }

  /** Sets one clock by `ms`. */
  jump(machine: MachineClocks, ms: number): void {
    this.highest();
    machine.wallOffset += ms;
    this.highest();
    this.dips.push(this.lowest());
  }

  mark(): WallMark {
    return { lowest: this.lowest(), dips: this.dips.length };
  }

  since(mark: WallMark): WallRange {
    let { lowest } = mark;
    for (let index = mark.dips; index < this.dips.length; index += 1)
      lowest = Math.min(lowest, this.dips[index]!);
    return { lowest, highest: this.highest() };
  }

  lowest(): number {
    let lowest = Infinity;
    for (const machine of this.machines) lowest = Math.min(lowest, machine.wall());
    return lowest;
  }

  /** The highest ever: what one clock considered expired may have been removed for good. */
  private highest(): number {
    for (const machine of this.machines) this.highestEver = Math.max(this.highestEver, machine.wall());
    return this.highestEver;
  }
}
