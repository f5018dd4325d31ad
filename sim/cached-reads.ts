/**
 * Clients that keep copies, as Redis clients with client-side caching do, and the checker of their copies. There are
 * three at each node: one keeps what it reads at that node and is told of changes to those keys; one listens to all
 * changes at that node and keeps what is read at any node; and one listens to all changes but its own, and keeps what
 * it writes there. Within a bound after a write was acknowledged, no copy may be older than that write: either its
 * client was told, or its connection is gone. (decisions 23 and 51)
 */
import type { KeyRecord } from '../src/core/record.ts';
import type { WatchListener } from '../src/core/clients/key-watch.ts';
import type { ReadResult, WriteResult } from '../src/core/operation.ts';
import { OwnWrites } from '../src/core/clients/own-writes.ts';
import { RESP_IDLE_LOOK_MS } from '../src/core/clients/redis-limits.ts';
import type { SimCluster, SimNode } from './cluster.ts';
import type { Life, Scheduler } from './scheduler.ts';
import { textOf } from './values.ts';

/** How long (ms) after a newer write was acknowledged a copy may remain, not counting the time that its node sleeps. */
export const STALE_MS_MAX = 3_000;
/** Fewer than there are keys, so that some are forgotten. */
const OWN_KEYS_MAX = 3;

/** What was read or written; version 0 means that nothing was there. */
interface Copy {
  readonly version: number;
  /** The value, if the client wrote it. */
  readonly value?: string;
}

/** The copies of one client. */
class Copies {
  readonly name: string;
  readonly life: Life;
  readonly kept = new Map<string, Copy>();
  /** Counts the drops; `droppedAs` and `allDroppedAs` hold its value when a key, or all keys, were last dropped. */
  dropCount = 0;
  private readonly droppedAs = new Map<string, number>();
  private allDroppedAs = 0;

  constructor(name: string, life: Life) {
    this.name = name;
    this.life = life;
  }

  /** Ends a read that began when `dropCount` was `began`. The copy is not kept if the key was dropped since. */
  end(key: string, copy: Copy | null, began: number): void {
    const isSpoilt = this.allDroppedAs > began || (this.droppedAs.get(key) ?? 0) > began;
    if (copy === null || isSpoilt) this.kept.delete(key);
    else this.kept.set(key, copy);
  }

  /**
   * Ends a write of the client's own, whose value it takes for the newest; only a drop of all keys since overrides
   * that.
   */
  wrote(key: string, copy: Copy | null, began: number): void {
    if (copy === null || this.allDroppedAs > began) this.kept.delete(key);
    else this.kept.set(key, copy);
  }

  drop(key: string): void {
    this.kept.delete(key);
    this.droppedAs.set(key, (this.dropCount += 1));
  }

  dropAll(): void {
    this.kept.clear();
    this.allDroppedAs = this.dropCount += 1;
  }
}

/** A read under way whose result a client may keep. */
interface Reading {
  readonly copies: Copies;
  /** The client's `dropCount` when the read began. */
  readonly began: number;
}

interface Due {
  readonly copies: Copies;
  readonly key: string;
  readonly copy: Copy;
  readonly acknowledged: number;
  at: number;
}

/** The clients at one node, for one life of its process. */
interface Keepers {
  readonly own: Copies;
  readonly all: Copies;
  readonly written: Copies;
  readonly ownWrites: OwnWrites;
  /** Keys that the third client is writing: one write per key at a time, as on a connection. */
  readonly writing: Set<string>;
  heldToldAt: number;
}

export interface CachedReadsParts {
  readonly scheduler: Scheduler;
  readonly cluster: SimCluster;
  readonly onViolation: (text: string) => void;
}

export class CachedReads {
  private readonly parts: CachedReadsParts;
  private readonly keepers = new Map<Life, Keepers>();
  private due: Due[] = [];

  constructor(parts: CachedReadsParts) {
    this.parts = parts;
  }

  /** To be called before a read begins at the node; returns a function to call with the answer. */
  begin(sim: SimNode, key: string): (result: ReadResult | null) => void {
    this.judgeDue();
    const readings: Reading[] = [];
    for (const each of this.parts.cluster.nodes) {
      const keepers = this.keepersOf(each);
      if (keepers === null) continue;
      readings.push({ copies: keepers.all, began: keepers.all.dropCount });
      if (each !== sim) continue;
      readings.push({ copies: keepers.own, began: keepers.own.dropCount });
      each.node!.keyWatch.watch(key);
    }
    return (result) => {
      const copy = copyOf(result);
      for (const { copies, began } of readings) copies.end(key, copy, began);
    };
  }

  /**
   * To be called before a write begins at the node; returns a function to call with the answer. `value` is what the key
   * will hold, if that is known.
   */
  beginWrite(sim: SimNode, key: string, value: string | null): (result: WriteResult) => void {
    const keepers = this.keepersOf(sim);
    if (keepers === null || keepers.writing.has(key)) return () => undefined;
    const { written, writing, ownWrites } = keepers;
    const began = written.dropCount;
    writing.add(key);
    ownWrites.begin(key);
    return (result) => {
      writing.delete(key);
      const copy = result.kind === 'done' && value !== null ? { version: result.version, value } : null;
      written.wrote(key, copy, began);
      if (ownWrites.end(key, result)) written.drop(key);
    };
  }

  acknowledged(key: string, version: number): void {
    for (const { own, all, written } of this.keepers.values()) {
      this.expectGone(own, key, version);
      this.expectGone(all, key, version);
      this.expectGone(written, key, version);
    }
    this.judgeDue();
  }

  private expectGone(copies: Copies, key: string, acknowledged: number): void {
    const copy = copies.kept.get(key);
    if (copy === undefined || copy.version === 0 || copy.version >= acknowledged) return;
    this.due.push({ copies, key, copy, acknowledged, at: this.parts.scheduler.time + STALE_MS_MAX });
  }

  /** To be called when everything is at rest and notices have had `STALE_MS_MAX` to arrive. */
  judgeAtRest(): void {
    const amiss = this.amiss();
    if (amiss !== null) this.parts.onViolation(amiss);
  }

  /**
   * Describes a copy that differs from what is stored; null if there is none. That is a violation only after the
   * notices have had their time: a notice from an owner to a node that does not own the key waits behind everything
   * else on their link, and neither a write nor rest waits for it.
   */
  amiss(): string | null {
    return this.olderCopy() ?? this.anothersValue();
  }

  /** A copy of what was read at one node must be what is stored. */
  private olderCopy(): string | null {
    for (const { own } of this.keepers.values()) {
      if (!own.life.alive) continue;
      for (const [key, copy] of own.kept) {
        const told = this.besideStanding(own.name, key, copy);
        if (told !== null) return told;
      }
    }
    return null;
  }

  /**
   * A copy of a client's own write whose version is the stored one must have the stored value: that version may belong
   * to another client's write. Members with an earlier protocol do not tell the node of all changes; in that case the
   * node says once a second that any key may have changed.
   */
  private anothersValue(): string | null {
    for (const { written } of this.keepers.values()) {
      if (!written.life.alive) continue;
      for (const [key, { version, value }] of written.kept) {
        const record = this.standing(key);
        if (record === undefined || record === 'unknown' || record.version !== version) continue;
        const standing = textOf(record.value);
        if (standing !== value)
          return `${written.name} keeps ${key} as ${value}, and ${standing} stands as version ${version}`;
      }
    }
    return null;
  }

  private besideStanding(name: string, key: string, { version }: Copy): string | null {
    const record = this.standing(key);
    if (record === 'unknown' || (record?.version ?? 0) === version) return null;
    // For whoever has read the key since, a value that may have expired counts as absent.
    const mayBeNothing = record === undefined || record.tombstone || record.expiresAt !== 0;
    if (version === 0 && mayBeNothing) return null;
    return `${name} keeps ${key} as of version ${version}, and ${record?.version} stands`;
  }

  /** The highest record of all owners: an owner whose copy has rotted says nothing until that is found. */
  private standing(key: string): KeyRecord | undefined | 'unknown' {
    const seen = this.parts.cluster.nodes.flatMap(({ node }) =>
      node?.membership.leaseHeld() === true ? [node.inspect(key)] : [],
    );
    const told = seen.filter(({ owner, valid }) => owner && valid);
    if (told.length === 0) return 'unknown';
    const versionOf = (record: KeyRecord | undefined): number => record?.version ?? 0;
    return told.map(({ record }) => record).reduce((a, b) => (versionOf(b) > versionOf(a) ? b : a));
  }

  private keepersOf({ name, node, life }: SimNode): Keepers | null {
    if (node === null || life === null) return null;
    const known = this.keepers.get(life);
    if (known !== undefined) return known;
    const keepers = {
      own: new Copies(`a client of ${name}`, life),
      all: new Copies(`a listener at ${name}`, life),
      written: new Copies(`a writer at ${name}`, life),
      ownWrites: new OwnWrites(OWN_KEYS_MAX),
      writing: new Set<string>(),
      heldToldAt: 0,
    };
    this.keepers.set(life, keepers);
    node.keyWatch.listen(listenerOf(keepers));
    node.keyWatch.watchAll(true);
    return keepers;
  }

  /** A life that ended took its clients' connections with it; a sleeping one sends its notices when it is awake. */
  private judgeDue(): void {
    const { time } = this.parts.scheduler;
    for (const each of this.keepers.values()) tellHeld(each, time);
    if (this.due.length === 0 || this.due[0]!.at > time) return;
    const left: Due[] = [];
    for (const each of this.due) {
      const { copies, key, copy, acknowledged } = each;
      const { life, kept, name } = copies;
      if (!life.alive || kept.get(key) !== copy) continue;
      each.at = Math.max(each.at, life.pausedUntil + STALE_MS_MAX);
      if (each.at > time) left.push(each);
      else {
        this.parts.onViolation(
          `${name} keeps ${key} as of version ${copy.version}, ${STALE_MS_MAX} ms after ${acknowledged} was acknowledged`,
        );
      }
    }
    this.due = left;
  }
}

function copyOf(result: ReadResult | null): Copy | null {
  if (result === null || result.kind === 'failed') return null;
  return { version: result.kind === 'value' ? result.record.version : 0 };
}

function listenerOf({ own, all, written, ownWrites }: Keepers): WatchListener {
  return {
    changed: (key) => own.drop(key),
    allChanged: () => own.dropAll(),
    settled: (key, version) => {
      all.drop(key);
      if (ownWrites.settled(key, version)) written.drop(key);
    },
    unsure: () => {
      all.dropAll();
      written.dropAll();
    },
  };
}

/** As the door does periodically, for clients whose own writes take long to be answered. */
function tellHeld(keepers: Keepers, time: number): void {
  const { written, ownWrites, heldToldAt } = keepers;
  if (time - heldToldAt < RESP_IDLE_LOOK_MS || written.life.pausedUntil > time) return;
  keepers.heldToldAt = time;
  for (const key of ownWrites.takeHeld()) written.drop(key);
}
