/**
 * No storm of epochs: counts how often each member was removed for being slow. A member that comes back must wait
 * longer each time, so only few removals are possible within one run, whatever the faults. (PROTOCOL R31)
 */

/**
 * With the wait doubling from 3 s, and 2 s to be found slow: 5 within a minute, plus one for judges that have
 * restarted.
 */
const REMOVALS_MAX = 6;

export class RemovalWatch {
  violation: string | null = null;
  private readonly epochsOf = new Map<string, Set<number>>();

  /** Called by every node that learns of the epoch. */
  removed(member: string, epoch: number): void {
    const epochs = this.epochsOf.get(member) ?? new Set();
    this.epochsOf.set(member, epochs.add(epoch));
    if (epochs.size <= REMOVALS_MAX) return;
    this.violation ??= `${member} was taken out as slow in the epochs ${[...epochs].join()}`;
  }

  get count(): number {
    let sum = 0;
    for (const epochs of this.epochsOf.values()) sum += epochs.size;
    return sum;
  }
}
