/**
 * The verdict of a run once all is at rest: one copy per key could have answered every client, and every owner and
 * PostgreSQL hold what was acknowledged. Also what each owner's disk holds at a moment, for promises that are checked
 * when they are made.
 */
import type { KeyRecord } from '../src/core/record.ts';
import type { CausewayNode } from '../src/node/node.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import { claimOf, openRecord, sealRecord } from '../src/wire/record-codec.ts';
import { decodeSpoolMark, spoolKey } from '../src/wire/spool-codec.ts';
import { recordKey } from '../src/wire/store-codec.ts';
import { findDivergence } from './checkers/convergence.ts';
import type { RowDump } from './checkers/convergence.ts';
import type { OwnerDisk } from './checkers/durability.ts';
import { narrowExpiries } from './checkers/expiries.ts';
import { checkHistory } from './checkers/linearizability.ts';
import type { HistoryVerdict } from './checkers/linearizability.ts';
import type { SimClients } from './clients.ts';
import type { SimNode } from './cluster.ts';
import type { SimDisk } from './disk.ts';
import type { SimWorld } from './world.ts';

/** Beyond this, a history with very many lost answers on one key counts as undecided. */
const CHECK_STEPS_MAX = 1_000_000;

export function judgeHistory(world: SimWorld, clients: SimClients): HistoryVerdict {
  const history = [...narrowExpiries(clients.history), ...world.fills.values(), ...world.losses.history];
  return checkHistory(history, { stepsMax: CHECK_STEPS_MAX, versionsOrder: true });
}

/** How the copies differ from one another or from what was acknowledged; null if they do not. */
export function judgeCopies(world: SimWorld, clients: SimClients): string | null {
  const rows = new Map<string, RowDump>();
  const asked = new Set(world.plan.keys);
  // Keys outside the plan are checked separately in `still-records.ts`.
  for (const { record, checksum } of world.database.allRows())
    if (asked.has(record.key) && !isBackUnnoticed(world, record))
      rows.set(record.key, { version: record.version, checksum, tombstone: record.tombstone });
  const divergence = findDivergence({
    owners: world.cluster.nodes
      .filter((sim) => !sim.isGone)
      .map((sim) => ({
        name: sim.name,
        records: recordsOf(sim, world.plan.keys),
        owns: (key) => sim.node!.inspect(key).owner && (world.scrubPauseMs > 0 || !hasRotted(sim, key)),
      })),
    record: {
      rows,
      writtenThrough: () => true,
      checksumOf: (record) => sealRecord(record).checksum,
      removed: (key) => world.database.server.removedOf(key),
    },
    acknowledged: clients.acknowledged,
    forgotten: (key) => world.forgotten.highest(slotOf(key)),
  });
  return divergence.length === 0 ? null : JSON.stringify(divergence.slice(0, 4));
}

/**
 * A deleted value that is back and that a scrubber has not had deleted again yet; null if there is none, or no
 * scrubber.
 */
export function valueBack(world: SimWorld): string | null {
  if (world.scrubPauseMs === 0) return null;
  for (const { record } of world.database.allRows())
    if (isBack(world, record)) return `${record.key} in PostgreSQL`;
  return null;
}

/**
 * PostgreSQL was set back to before a deletion that every process has forgotten, and none remembers making it: only a
 * scrubber that looks at the rows finds the value there. (decision 14)
 */
function isBackUnnoticed(world: SimWorld, record: KeyRecord): boolean {
  return world.scrubPauseMs === 0 && isBack(world, record);
}

function isBack({ database, forgotten, cluster }: SimWorld, { key, version, tombstone }: KeyRecord): boolean {
  if (!database.wasSetBack || tombstone || version >= forgotten.highest(slotOf(key))) return false;
  return cluster.nodes.every(
    ({ node }) => node?.inspect(key).owner !== true || node.inspect(key).record === undefined,
  );
}

/** Keys that have expired by every clock and are not deleted everywhere yet. */
export function keysNotExpired(world: SimWorld): string[] {
  const lowest = world.wall.lowest();
  const isOver = (record: KeyRecord | undefined): boolean =>
    record !== undefined && !record.tombstone && record.expiresAt !== 0 && record.expiresAt <= lowest;
  return world.plan.keys.filter(
    (key) =>
      isOver(world.database.standing(key)?.record) ||
      world.cluster.nodes.some((sim) => sim.node?.inspect(key).owner && isOver(sim.node.inspect(key).record)),
  );
}

/** All complete owners of the key that may serve it at this moment. */
export function ownerDisks(world: SimWorld, key: string): OwnerDisk[] {
  const disks: OwnerDisk[] = [];
  const slot = slotOf(key);
  const stored = recordKey(slot, key);
  for (const { name, node, disk, life } of world.cluster.nodes) {
    // A node that sleeps, clock included, does not know that its lease is over, but it does not answer anybody either.
    if (life !== null && life.pausedUntil > world.scheduler.time) continue;
    if (node === null || !ownsSlot(node, slot) || !node.membership.leaseHeld()) continue;
    const bytes = disk.get(stored);
    // A record that has rotted was there.
    const isThere = bytes !== undefined && !disk.isDamaged(bytes);
    const lacking = bytes === undefined ? world.forgotten.highest(slot) : Infinity;
    const version = isThere ? claimOf(bytes).version : lacking;
    disks.push({ name, version, marked: () => markOf(disk, slot, key) });
  }
  return disks;
}

/** Checks that a node that may serve knows the floors of what was forgotten. */
export function lookAtFloors(world: SimWorld, name: string, node: CausewayNode): void {
  const view = node['keeper'].replica?.view;
  const { floors } = node['assembly'].floors;
  world.forgotten.look(
    name,
    view?.topology.epoch ?? 0,
    (slot) => ownsSlot(node, slot),
    (slot) => floors.of(slot),
    (slot) => lowestHeld(world, node, slot),
  );
}

/**
 * The lowest version that the node holds of the plan's keys in the slot; 0 if it holds nothing of one, or if there are
 * none.
 */
function lowestHeld({ plan }: SimWorld, node: CausewayNode, slot: number): number {
  const versions = plan.keys
    .filter((key) => slotOf(key) === slot)
    .map((key) => node.inspect(key).record?.version ?? 0);
  return versions.length === 0 ? 0 : Math.min(...versions);
}

/** Describes an owner's copy that is damaged and not repaired; null if there is none. */
export function rottenCopy(world: SimWorld): string | null {
  for (const sim of world.cluster.nodes) {
    if (sim.node === null) continue;
    const key = world.plan.keys.find((each) => sim.node!.inspect(each).owner && hasRotted(sim, each));
    if (key !== undefined) return `${key} at ${sim.name}`;
  }
  return null;
}

/** Like `inspect`, without reading the record. */
function ownsSlot(node: CausewayNode, slot: number): boolean {
  return node['keeper'].replica?.view.row(slot).owns === true;
}

/** The version for which the key is marked as lacking in PostgreSQL. */
function markOf(disk: SimDisk, slot: number, key: string): number {
  const stored = spoolKey(slot, key);
  const mark = disk.get(stored);
  return mark === undefined ? 0 : (decodeSpoolMark(stored, mark)?.version ?? Infinity);
}

/** The record was served from memory all along, so nobody has noticed yet; a scrubber will. */
function hasRotted({ disk }: SimNode, key: string): boolean {
  const bytes = disk.get(recordKey(slotOf(key), key));
  return bytes !== undefined && openRecord(bytes) === undefined;
}

function recordsOf({ node }: SimNode, keys: readonly string[]): Map<string, KeyRecord> {
  const records = new Map<string, KeyRecord>();
  for (const key of keys) {
    const record = node!.inspect(key).record;
    if (record !== undefined) records.set(key, record);
  }
  return records;
}
