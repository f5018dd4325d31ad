/**
 * What may be lost when machines are lost for good while PostgreSQL lacks something (PROTOCOL R28, R30, R34): of a key,
 * everything above both what the PostgreSQL in use has and what is left on the disk of the member that rebuilds the
 * slot, and only if every complete owner was lost. Such a write was marked on each of them, or was committed to a
 * server that has lost it since. After the loss the key holds one complete version that existed before, nothing above
 * it ever comes back, and the history of the key goes on from there.
 */
import type { KeyRecord } from '../src/core/record.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import { memberById, rowOfSlot } from '../src/core/membership/topology.ts';
import type { Topology } from '../src/core/membership/topology.ts';
import { counterOf } from '../src/core/version.ts';
import type { CausewayNode } from '../src/node/node.ts';
import { openRecord } from '../src/wire/record-codec.ts';
import { decodeFloor, floorKey, forgottenKey, recordKey, supersededKey } from '../src/wire/store-codec.ts';
import type { OwnerDisk } from './checkers/durability.ts';
import type { ForgottenWatch } from './checkers/forgotten.ts';
import type { HistoryLeft, HistoryOperation } from './checkers/history.ts';
import type { Acknowledged } from './clients.ts';
import type { SimCluster, SimNode } from './cluster.ts';
import type { SimRecordServer } from './record-server.ts';
import type { SimDatabase } from './system-of-record.ts';
import { textOf } from './values.ts';

export interface LossWatchParts {
  readonly cluster: SimCluster;
  readonly database: SimDatabase;
  readonly keys: readonly string[];
  readonly forgotten: ForgottenWatch;
  /** PostgreSQL no longer knows below which version deletions of the slot were forgotten. */
  readonly onFloorLost: (slot: number) => void;
  /** Something of the key may be lost. */
  readonly onLoss: (key: string) => void;
  readonly ownerDisks: (key: string) => readonly OwnerDisk[];
}

/** What the clients know. */
interface Told {
  /** The present moment on the clock that they share. */
  readonly now: number;
  readonly acknowledged: readonly Acknowledged[];
  /** Nobody has to find writes of the key above that version any more. */
  forgive(key: string, above: number): void;
}

/** A key since machines were lost. */
interface Open {
  readonly since: number;
  /** By machine: the version that was on its disk then. */
  readonly leftOver: Map<string, number>;
  /** Machines whose disk has a note that its copy dates from before the slot was last given up, and does not count. */
  readonly superseded: Set<string>;
  /** Writes that were in flight at survivors and not acknowledged: they may still complete. */
  readonly inFlight: KeyRecord[];
  /** The version at a surviving owner that had everything that was acknowledged; 0 if there is none. */
  owned: number;
  /**
   * Nodes with a topology from before this epoch, in which the slot was given up, do not count. Infinity: not given up.
   */
  epochMin: number;
}

export class LossWatch {
  /** The first violation found. */
  violation: string | null = null;
  /** How many acknowledged writes were lost, and how many keys were set back (some more than once). */
  writeCount = 0;
  keyCount = 0;
  /** How often machines were lost while PostgreSQL lacked something of a key that had been committed. */
  lackingCount = 0;
  readonly history: HistoryOperation[] = [];
  clients: Told | null = null;
  private readonly parts: LossWatchParts;
  private readonly open = new Map<string, Open>();
  /** Versions that were acknowledged and lost, by key. */
  private readonly lost = new Map<string, ReadonlySet<number>>();

  constructor(parts: LossWatchParts) {
    this.parts = parts;
  }

  /** To be called just before machines are lost. */
  lose(victims: readonly SimNode[]): void {
    if (this.parts.keys.some((key) => this.isLacking(key))) this.lackingCount += 1;
    for (const key of this.parts.keys) {
      this.expectMarked(key, victims);
      const before = this.open.get(key);
      const leftOver = before?.leftOver ?? new Map<string, number>();
      for (const sim of this.parts.cluster.nodes)
        if (!victims.includes(sim) && !leftOver.has(sim.name)) leftOver.set(sim.name, versionOn(sim, key));
      for (const { name } of victims) leftOver.delete(name);
      const owned = this.ownedBySurvivor(key, victims);
      const since = before?.since ?? this.clients?.now ?? 0;
      const inFlight = [...(before?.inFlight ?? []), ...this.inFlightAt(key, victims)];
      const superseded = new Set<string>();
      const epochMin = before?.epochMin ?? Infinity;
      this.open.set(key, { since, leftOver, superseded, inFlight, owned, epochMin });
    }
  }

  /** An operator goes on without the owners of these slots; null means all slots. */
  givenUp(slots: readonly number[] | null): void {
    const epochs = this.parts.cluster.nodes.map(({ node }) => node?.membership.topology?.epoch ?? 0);
    for (const [key, open] of this.open) {
      if (slots !== null && !slots.includes(slotOf(key))) continue;
      // Given up again, and the member that was to rebuild it is down: its disk is not waited for.
      if (open.epochMin !== Infinity) open.owned = 0;
      // A forgotten deletion is known only by floors, and those of PostgreSQL may be lost.
      if (this.parts.forgotten.highest(slotOf(key)) >= open.owned) open.owned = 0;
      open.epochMin = Math.max(...epochs);
      this.lower(key, open.leftOver);
      for (const sim of this.parts.cluster.nodes) if (isSuperseded(sim, key)) open.superseded.add(sim.name);
      open.inFlight.push(...this.inFlightAt(key, []));
    }
  }

  /** A learner may since have replaced a higher version by what a lost owner had sent. (R19) */
  private lower(key: string, leftOver: Map<string, number>): void {
    for (const sim of this.parts.cluster.nodes) {
      const version = leftOver.get(sim.name);
      if (version !== undefined) leftOver.set(sim.name, Math.min(version, versionOn(sim, key)));
    }
  }

  /** No machine is lost any more, and nothing more will be given up. */
  allBack(): void {
    for (const [key, { epochMin }] of this.open) if (epochMin === Infinity) this.open.delete(key);
  }

  get isOpen(): boolean {
    return this.open.size > 0;
  }

  /** To be called whenever an epoch may have made a slot whole, before anybody is served. */
  look(): void {
    for (const [key, open] of this.open) {
      const owner = this.parts.cluster.nodes.find(
        ({ node }) => (node?.membership.topology?.epoch ?? 0) >= open.epochMin && node!.inspect(key).owner,
      );
      if (owner === undefined) continue;
      this.open.delete(key);
      this.isWhole(key, open, owner);
    }
  }

  private isWhole(key: string, open: Open, sim: SimNode): void {
    const { since, leftOver, superseded, inFlight, owned } = open;
    const { database } = this.parts;
    const { name, node } = sim;
    const { record } = node!.inspect(key);
    const version = record?.version ?? 0;
    const told = `${key} is at version ${version} at ${name}`;
    const slot = slotOf(key);
    const server = this.serverOf(node!);
    const row = server?.standing(key)?.record;
    // Absence stands for a forgotten deletion, until its row is removed as well, and also if an earlier value is back.
    const isBelow = (row?.version ?? 0) <= this.parts.forgotten.highest(slot);
    const isForgotten = record === undefined && isBelow;
    const stood = isForgotten ? 0 : Math.max(row?.version ?? 0, server?.removedOf(key) ?? 0);
    const floor = server?.floorOf(slot) ?? 0;
    const isUnderFloor = (least: number): boolean => record === undefined && counterOf(least) <= floor;
    const expect = (least: number, where: string): void => {
      if (version < least && !isUnderFloor(least)) this.violation ??= `${told}, and ${least} ${where}`;
    };
    expect(stood, 'was in PostgreSQL');
    const isBack = record !== undefined && leftOver.get(name) === 0 && !record.tombstone;
    if (isBack && counterOf(version) <= counterOn(sim, slot, forgottenKey))
      this.violation ??= `${told}, which knew that its deletion was forgotten`;
    // What was not acknowledged may have come to nothing.
    const highest = this.highestAcknowledged(key);
    const counted = superseded.has(name) ? 0 : (leftOver.get(name) ?? 0);
    expect(Math.min(highest, counted), 'was left over there');
    if (superseded.has(name) && this.lost.get(key)?.has(version) === true && version > highest)
      this.violation ??= `${told}, which was lost before, as was noted there`;
    expect(Math.min(highest, owned), 'was at an owner that lives');
    const lost = this.acknowledgedAbove(key, version);
    this.writeCount += lost.size;
    if (lost.size > 0) this.keyCount += 1;
    this.lost.set(key, new Set([...(this.lost.get(key) ?? []), ...lost]));
    this.clients?.forgive(key, version);
    database.forgive(key, version);
    this.parts.onLoss(key);
    // With its newest changes PostgreSQL also loses its floors. A member that has a floor respects it, and knows what
    // was deleted.
    const fence = counterOf(this.parts.forgotten.highest(slot));
    const isUnknown = record !== undefined || counterOn(sim, slot, floorKey) < fence;
    if (isUnknown && fence > floor) this.parts.onFloorLost(slot);
    const others = inFlight.filter((each) => each.version > version);
    const left = [record, ...others].map(leftOf);
    this.history.push({
      ...{ key, client: 'loss', call: { kind: 'loss', left }, outcome: { kind: 'done' } },
      ...{ invokedAt: since, returnedAt: this.clients?.now ?? 0 },
    });
  }

  /** What was acknowledged and is not in PostgreSQL must be marked at every owner that may serve it. (R34) */
  private expectMarked(key: string, victims: readonly SimNode[]): void {
    const { database, ownerDisks } = this.parts;
    const highest = this.highestAcknowledged(key);
    if (highest <= (database.stood.get(key) ?? 0)) return;
    for (const { name, version, marked } of ownerDisks(key)) {
      const isLost = victims.some((sim) => sim.name === name);
      if (isLost && (version < highest || marked() < highest))
        this.violation ??= `${key}: version ${highest} is lost with ${name}, which had ${version} and a mark for ${marked()}`;
    }
  }

  private inFlightAt(key: string, victims: readonly SimNode[]): KeyRecord[] {
    const highest = this.highestAcknowledged(key);
    return this.parts.cluster.nodes.flatMap((sim) => {
      if (victims.includes(sim)) return [];
      const record = sim.node === null ? recordOn(sim, key) : sim.node.inspect(key).record;
      return record !== undefined && record.version > highest ? [record] : [];
    });
  }

  /** By the latest topology that any node knows. */
  private ownedBySurvivor(key: string, victims: readonly SimNode[]): number {
    const { cluster } = this.parts;
    let latest: Topology | null = null;
    for (const { node } of cluster.nodes) {
      const topology = node?.membership.topology ?? null;
      if (topology !== null && topology.epoch > (latest?.epoch ?? 0)) latest = topology;
    }
    if (latest === null) return 0;
    const names = rowOfSlot(latest, slotOf(key)).complete.map((id) => memberById(latest, id)?.name);
    const left = cluster.nodes.filter((sim) => names.includes(sim.name) && !victims.includes(sim));
    return Math.max(0, ...left.map((sim) => versionOn(sim, key)));
  }

  private highestAcknowledged(key: string): number {
    const versions = (this.clients?.acknowledged ?? []).filter((each) => each.key === key);
    return versions.reduce((highest, { version }) => Math.max(highest, version), 0);
  }

  private acknowledgedAbove(key: string, version: number): Set<number> {
    const lost = (this.clients?.acknowledged ?? []).filter(
      (each) => each.key === key && each.version > version,
    );
    return new Set(lost.map((each) => each.version));
  }

  /** The PostgreSQL that the node's topology names. */
  private serverOf({ membership }: CausewayNode): SimRecordServer | undefined {
    const named = membership.topology!.record;
    return named === undefined ? undefined : this.parts.database.named(named);
  }

  private isLacking(key: string): boolean {
    const { stood, server } = this.parts.database;
    const stands = Math.max(server.standing(key)?.record.version ?? 0, server.removedOf(key));
    return stands < Math.min(this.highestAcknowledged(key), stood.get(key) ?? 0);
  }
}

function versionOn(sim: SimNode, key: string): number {
  return recordOn(sim, key)?.version ?? 0;
}

/** The disk has a note that the slot is superseded, and nothing of the key was written there since. */
function isSuperseded({ disk }: SimNode, key: string): boolean {
  const slot = slotOf(key);
  const isNoted = disk.get(supersededKey(slot, '')) !== undefined;
  return isNoted && disk.get(supersededKey(slot, key)) === undefined;
}

/**
 * The floor of the slot on the disk, or the counter up to which deletions were forgotten there, depending on `keyOf`.
 */
function counterOn({ disk }: SimNode, slot: number, keyOf: (slot: number) => string): number {
  const stored = keyOf(slot);
  const bytes = disk.get(stored);
  return bytes === undefined ? 0 : (decodeFloor(stored, bytes)?.counter ?? 0);
}

function recordOn({ disk }: SimNode, key: string): KeyRecord | undefined {
  const bytes = disk.get(recordKey(slotOf(key), key));
  return bytes === undefined ? undefined : openRecord(bytes)?.record;
}

function leftOf(record: KeyRecord | undefined): HistoryLeft {
  if (record === undefined) return { value: null, version: 0, expiry: null, untouched: true };
  const { version, tombstone, expiresAt } = record;
  if (tombstone) return { value: null, version, expiry: null, untouched: false };
  const expiry = expiresAt === 0 ? null : { from: expiresAt, by: expiresAt };
  return { value: textOf(record.value), version, expiry, untouched: false };
}
