/**
 * Looks at the cluster once a second while there are listeners, and tells all of them the same: this node's own state,
 * and what the other members answer within the time limit of a look. Without listeners it does nothing and asks nobody.
 */
import { performance } from 'node:perf_hooks';
import {
  LIVE_ANSWER_MS_MAX,
  LIVE_EVERY_MS,
  LIVE_KEPT_BYTES_MAX,
  LIVE_KEPT_MAX,
  LIVE_MEMBERS_MAX,
} from '../../core/clients/http-limits.ts';
import type { NodeApi } from '../../node/api.ts';
import type { NodeStatus } from '../../node/status.ts';
import { countedOf, factsOf, nodeOf, outsiderOf, ratesOf, statusIn } from './live-facts.ts';
import type { Counted } from './live-facts.ts';
import type { LiveFacts, LiveSnapshot } from './live-shape.ts';

/** Asks other members for their status. */
export interface AskPeers {
  /** Calls `done` exactly once within `timeoutMs`: with a NodeStatus as JSON, or null. */
  ask(name: string, address: string, timeoutMs: number, done: (json: string | null) => void): void;
  /** Closes connections; no member will be asked for a while. */
  close(): void;
}

export interface Look {
  /** Counts the looks of this process. */
  readonly number: number;
  readonly atMs: number;
  /** A LiveSnapshot. */
  readonly json: string;
}

export type Listener = (look: Look) => void;

export class LiveLooks {
  private readonly api: NodeApi;
  private readonly peers: AskPeers;
  private readonly clusterName: string;
  private readonly everyMs: number;
  private readonly listeners = new Set<Listener>();
  private readonly counted = new Map<string, Counted>();
  private kept: Look[] = [];
  private keptBytes = 0;
  private lookCount = 0;
  private timer: NodeJS.Timeout | null = null;
  private isLooking = false;

  constructor(api: NodeApi, peers: AskPeers, clusterName: string, everyMs = LIVE_EVERY_MS) {
    this.api = api;
    this.peers = peers;
    this.clusterName = clusterName;
    this.everyMs = everyMs;
  }

  get listenerCount(): number {
    return this.listeners.size;
  }

  /** Looks after `number` that are recent enough for a page to show. */
  keptAfter(number: number): readonly Look[] {
    const oldestMs = performance.now() - LIVE_KEPT_MAX * this.everyMs;
    return this.kept.filter((look) => look.number > number && look.atMs >= oldestMs);
  }

  listen(listener: Listener): void {
    this.listeners.add(listener);
    if (this.timer !== null) return;
    this.timer = setInterval(() => this.look(), this.everyMs);
    this.look();
  }

  /** Looking stops when the last listener leaves. */
  leave(listener: Listener): void {
    if (!this.listeners.delete(listener) || this.listeners.size > 0) return;
    clearInterval(this.timer!);
    this.timer = null;
    this.counted.clear();
    this.peers.close();
  }

  private look(): void {
    // The previous look is still waiting for answers: the machine is slow, and more questions would not help.
    if (this.isLooking) return;
    this.isLooking = true;
    const own = this.api.status();
    const others = own.members.slice(0, LIVE_MEMBERS_MAX).filter(({ name }) => name !== own.name);
    const told = new Map<string, LiveFacts | null>([[own.name, this.understood(own.name, own)]]);
    let waiting = others.length;
    const end = (): void => {
      this.isLooking = false;
      this.tell(own, told);
    };
    if (waiting === 0) return end();
    for (const { name, address } of others) {
      this.peers.ask(name, address, LIVE_ANSWER_MS_MAX, (json) => {
        told.set(name, this.understood(name, statusIn(json)));
        waiting -= 1;
        if (waiting === 0) end();
      });
    }
  }

  /** Null for a status with another name than the member's: another node answers at its address. */
  private understood(name: string, status: NodeStatus | null): LiveFacts | null {
    if (status === null || status.name !== name) {
      this.counted.delete(name);
      return null;
    }
    try {
      const now = countedOf(status, performance.now());
      const facts = factsOf(status, ratesOf(this.counted.get(name), now));
      this.counted.set(name, now);
      return facts;
    } catch {
      return null;
    }
  }

  private tell(own: NodeStatus, told: ReadonlyMap<string, LiveFacts | null>): void {
    if (this.listeners.size === 0) return;
    this.lookCount += 1;
    const json = JSON.stringify(snapshotOf(this.clusterName, own, told));
    const look = { number: this.lookCount, atMs: performance.now(), json };
    this.keep(look);
    for (const listener of [...this.listeners]) listener(look);
  }

  private keep(look: Look): void {
    this.kept.push(look);
    this.keptBytes += look.json.length;
    while (this.kept.length > LIVE_KEPT_MAX || this.keptBytes > LIVE_KEPT_BYTES_MAX)
      this.keptBytes -= this.kept.shift()!.json.length;
  }
}

function snapshotOf(
  name: string,
  own: NodeStatus,
  told: ReadonlyMap<string, LiveFacts | null>,
): LiveSnapshot {
  const { name: asked, members, epoch } = own;
  const shown = [...members].slice(0, LIVE_MEMBERS_MAX).sort((a, b) => a.id - b.id);
  const nodes = shown.map((member) => nodeOf(member, told.get(member.name) ?? null));
  const isMember = shown.some(({ name }) => name === asked);
  if (!isMember) nodes.unshift(outsiderOf(own, told.get(asked) ?? null));
  const cluster = {
    ...{ name, id: own.clusterId, epoch, life: own.life, memberCount: members.length },
    ...{ slotsMoving: own.slotsMoving, slotsLost: own.slotsLost },
    notWrittenThrough: own.notWrittenThrough.length,
  };
  return { at: Date.now(), asked, cluster: epoch === 0 ? null : cluster, nodes };
}
