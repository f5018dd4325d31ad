/**
 * What the load generator asks of a system, in the same terms for all: operations by the number of a key, sent over
 * lanes. A lane corresponds to one client of the system.
 */

/** `fault` is what was answered instead; undefined if all is well. `token` is what the operation was issued with. */
export type OnAnswer = (token: number, fault?: string) => void;

export interface Driver {
  /** Makes lanes 0 to `count` - 1 ready. */
  prepare(count: number): Promise<void>;
  /** The operation may be buffered until `flush`. */
  issue(lane: number, isPut: boolean, key: number, token: number): void;
  flush(lane: number): void;
  /** Sets the size of the values from the next operation on; each size has its own keys. */
  use(valueBytes: number): void;
  close(): void;
}

/** How a generator reaches a system. */
export type Target =
  /** The Redis protocol, with the map of slots. */
  | { readonly kind: 'resp'; readonly ranges: readonly SlotRange[] }
  | { readonly kind: 'etcd'; readonly addresses: readonly string[] }
  | { readonly kind: 'postgres'; readonly url: string; readonly isBatched: boolean }
  | { readonly kind: 'hand-written'; readonly url: string; readonly redisPort: number };

export interface SlotRange {
  readonly from: number;
  readonly to: number;
  readonly port: number;
}

export function doorPorts(ranges: readonly SlotRange[]): number[] {
  return [...new Set(ranges.map(({ port }) => port))];
}

export const SLOTS_ALL = { from: 0, to: 16_383 } as const;

export function keyName(valueBytes: number, key: number): string {
  return `bench:${valueBytes}:${key}`;
}

const VALUES_PER_SIZE = 64;

/** Distinct values used in turn: equal ones would compress, and random ones cost more to make than to store. */
export class Values {
  private readonly values: Buffer[];
  private taken = 0;

  constructor(valueBytes: number) {
    this.values = Array.from({ length: VALUES_PER_SIZE }, () =>
      Buffer.from(Uint8Array.from({ length: valueBytes }, () => Math.floor(Math.random() * 256))),
    );
  }

  next(): Buffer {
    this.taken = (this.taken + 1) % VALUES_PER_SIZE;
    return this.values[this.taken]!;
  }
}
