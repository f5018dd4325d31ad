/**
 * Is everything bounded? The sizes of all queues and tables of a node are sampled throughout the run: none may be
 * larger than what this many clients on this many keys can cause, and at rest each must be empty again. A leak of one
 * entry per fault, or per lost answer, shows long before it could fill a memory.
 */

/** How many entries each queue holds, by its name. */
export type QueueSizes = Readonly<Record<string, number>>;

export interface QueueLoad {
  readonly clientCount: number;
  readonly keys: readonly string[];
}

/** Operations that one client may have under way, including those that it has given up on. */
const PER_CLIENT = 24;
/**
 * What the cluster does by itself on one key: replays, expiries, fills, repairs, in-flight entries of its last batches.
 */
const PER_KEY = 24;

/** Size of the values that simulated clients put. */
const VALUE_BYTES = 20;

export class QueueWatch {
  /** The first violation found. */
  violation: string | null = null;
  /** The largest size seen of each queue. */
  readonly largest = new Map<string, number>();
  private readonly sizeMax: number;

  constructor(load: QueueLoad) {
    this.sizeMax = load.clientCount * PER_CLIENT + load.keys.length * PER_KEY;
  }

  look(name: string, sizes: QueueSizes): void {
    for (const queue of Object.keys(sizes)) {
      const size = sizes[queue]!;
      if (size <= (this.largest.get(queue) ?? -1)) continue;
      this.largest.set(queue, size);
      if (size > (queue.endsWith('Bytes') ? this.sizeMax * VALUE_BYTES : this.sizeMax))
        this.violation ??= `${queue} of ${name} holds ${size}, more than ${this.sizeMax} that the load can cause`;
    }
  }
}

/** Names a queue that is not empty although nothing is under way; null if all are empty. */
export function leftAtRest(name: string, sizes: QueueSizes): string | null {
  for (const [queue, size] of Object.entries(sizes))
    if (size !== 0) return `${size} left in ${queue} of ${name}`;
  return null;
}
