/**
 * What a change of members moves, seen from outside: is every member's share in place, how much did the new members
 * copy and how fast, and what is the minimum for any change that ends with equal shares?
 */
import { setTimeout as delay } from 'node:timers/promises';
import { SLOT_COUNT } from '../src/core/limits.ts';
import type { NodeStatus } from '../src/node/status.ts';
import { statusOf, type WorldNode } from './world.ts';

/** How far a member may be off, relative to its share. */
const SHARE_TOLERANCE = 0.05;
const SAMPLE_EVERY_MS = 50;

/** Exactly these are members, all alive, each with its share, and nothing is under way. */
function isShared({ members, slotsMoving }: NodeStatus, names: readonly string[], replicas: number): boolean {
  const share = (replicas * SLOT_COUNT) / names.length;
  return (
    slotsMoving === 0 &&
    members.length === names.length &&
    members.every(
      (member) =>
        names.includes(member.name) &&
        member.alive &&
        member.slotsLearning === 0 &&
        Math.abs(member.slotsComplete - share) <= share * SHARE_TOLERANCE,
    )
  );
}

/** As each of these nodes reports. */
export async function isSharedAtAll(nodes: readonly WorldNode[], replicas: number): Promise<boolean> {
  const names = nodes.map(({ name }) => name);
  for (const node of nodes) {
    const status = await statusOf(node);
    if (status === null || !status.leaseHeld || !isShared(status, names, replicas)) return false;
  }
  return true;
}

/** The minimum number of copies per key, on average, for a change between equal shares of all members. */
export function leastCopies(replicas: number, before: readonly string[], after: readonly string[]): number {
  const shareOf = (names: readonly string[]): number => Math.min(replicas, names.length) / names.length;
  return after.reduce(
    (sum, name) => sum + Math.max(0, shareOf(after) - (before.includes(name) ? shareOf(before) : 0)),
    0,
  );
}

export interface Copied {
  readonly records: number;
  readonly bytes: number;
  /** Milliseconds from the last sample in which nothing had arrived to the first in which everything had. */
  readonly forMs: number;
}

/** Repeatedly samples how much nodes report to have copied. Nodes may come and go meanwhile. */
export class CopyWatch {
  private readonly nodes: () => readonly WorldNode[];
  private readonly everyMs: number;
  /** What each node had copied when it was first and last seen. */
  private readonly seen = new Map<string, { readonly first: Totals; last: Totals }>();
  private readonly ended = new AbortController();
  private records = 0;
  private beganAt = 0;
  private endedAt = 0;
  private running: Promise<void> = Promise.resolve();

  /** `everyMs` between two samples; each costs the nodes, and this process, some processor time. */
  constructor(nodes: () => readonly WorldNode[], everyMs = SAMPLE_EVERY_MS) {
    this.nodes = nodes;
    this.everyMs = everyMs;
  }

  /** Resolves when every node has been sampled once: whatever is copied from then on is seen. */
  async start(): Promise<void> {
    await this.look(true);
    this.running = this.watch();
  }

  async stop(): Promise<Copied> {
    this.ended.abort();
    await this.running;
    await this.look(false);
    let bytes = 0;
    for (const { first, last } of this.seen.values()) bytes += last.bytes - first.bytes;
    return { records: this.records, bytes, forMs: Math.max(0, this.endedAt - this.beganAt) };
  }

  private async watch(): Promise<void> {
    const { signal } = this.ended;
    while (!signal.aborted) {
      await this.look(false);
      await delay(this.everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private async look(isFirst: boolean): Promise<void> {
    const at = performance.now();
    const found = await Promise.all(
      this.nodes().map(async (node) => ({ name: node.name, status: await statusOf(node) })),
    );
    for (const { name, status } of found) {
      if (status === null) continue;
      const { recordsCopied: records, bytesCopied: bytes } = status.copy;
      const last: Totals = { records, bytes };
      const known = this.seen.get(name);
      // A node that joins later has copied nothing before.
      if (known === undefined)
        this.seen.set(name, { first: isFirst ? last : { records: 0, bytes: 0 }, last });
      else known.last = last;
    }
    this.note(at);
  }

  private note(at: number): void {
    let records = 0;
    for (const { first, last } of this.seen.values()) records += last.records - first.records;
    if (records === 0) this.beganAt = at;
    if (records > this.records) this.endedAt = performance.now();
    this.records = records;
  }
}

interface Totals {
  readonly records: number;
  readonly bytes: number;
}
