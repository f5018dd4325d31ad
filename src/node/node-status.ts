/** A node's report about itself, gathered from its parts. */
import { protocolInForce } from '../core/membership/protocol-versions.ts';
import { isForeign, serverOf } from '../core/system-of-record/record-standing.ts';
import type { Replica } from '../core/replication/replica.ts';
import { slotOf } from '../core/placement/slots.ts';
import { movesOf } from '../core/placement/slot-moves.ts';
import { slotsOfRow } from '../core/placement/slot-index.ts';
import { costsOfStopping } from '../core/membership/safe-to-stop.ts';
import { liveOwners, memberById } from '../core/membership/topology.ts';
import type { RecordIdentity, Topology } from '../core/membership/topology.ts';
import type { Admission } from './admission.ts';
import type { Inspection } from './api.ts';
import type { NodeStatus } from './status.ts';
import type { NodeAssembly } from './assembly/assembly.ts';
import type { Background } from './background.ts';
import type { Membership } from './membership/membership.ts';
import type { NodeParts } from './node-parts.ts';
import type { RecordShelf } from './store/record-shelf.ts';

export function statusOf(parts: NodeParts, assembly: NodeAssembly): NodeStatus {
  const { membership, background, learner, shelf, writer } = assembly;
  const { replica } = assembly.keeper;
  const now = parts.clock.now();
  const topology = membership.topology;
  const legacy = parts.legacySource?.health();
  const since = replica?.oldestUnfinishedSince();
  return {
    name: parts.self.name,
    id: membership.selfId,
    incarnation: membership.incarnation,
    phase: membership.phase,
    epoch: topology?.epoch ?? 0,
    life: topology?.life ?? 0,
    clusterId: topology?.clusterId ?? '',
    outside: membership.lives.outside,
    leaseHeld: membership.leaseHeld(),
    leaseLeftMs: Math.max(0, Math.round(Math.max(membership.leaseUntil, 0) - now)),
    members: membersOf(parts, membership),
    protocol: {
      speaks: parts.hello.protocolMax,
      inForce: topology === null ? 0 : protocolInForce(topology),
    },
    store: {
      setAside: parts.setAside.paths,
      reason: parts.setAside.reason,
      inDoubt: parts.setAside.paths.length > 0 && membership.selfId === 0,
    },
    disk: { state: membership.room.room, ...assembly.diskWatch.seen },
    load: loadOf(assembly.admission),
    refusals: parts.refusals?.() ?? [],
    unlinked: membership.neighbours.unlinked(),
    record: recordOf(parts, membership, background),
    legacy:
      legacy === undefined
        ? { state: 'unused', reason: '', calls: 0 }
        : { state: legacy.state, reason: legacy.reason, calls: legacy.calls },
    slotsMoving: topology === null ? 0 : movesOf(topology).slotCount,
    slotsLost: topology === null ? 0 : slotsUnowned(topology),
    keysInFlight: replica?.keysInFlight ?? 0,
    oldestUnfinishedMs: since === undefined ? 0 : Math.round(now - since),
    keysHeld: shelf.digests.recordCount,
    tombstones: background.collector.status(),
    learnedShare: learner.share,
    copy: learner.copyStatus(),
    scrub: background.scrubber.status(),
    spool: assembly.spool.status(),
    operations: { ...assembly.counts },
    recent: assembly.recent.activity(),
    progress: {
      tickAgoMs: assembly.loadWatch.tickAgoMs(now),
      storeBatchMs: writer.pulse.underWayMs(now),
    },
    stopCosts: stopCostsOf(assembly),
    notWrittenThrough: parts.writeThrough.filter((rule) => !rule.writeThrough).map((rule) => rule.prefix),
  };
}

/** Reasons against stopping this node now, for people. */
export function stopCostsOf({ membership, spool, background }: NodeAssembly): string[] {
  const { topology, selfId, phase } = membership;
  const spooled = spool.marks.entries;
  const stopping = background.stops.others();
  return costsOfStopping({
    ...{ topology, selfId, phase, stopping, spooled, leaseHeld: membership.leaseHeld() },
    isLinked: (id) => {
      const member = topology === null ? undefined : memberById(topology, id);
      return member !== undefined && membership.isLinked(member.name);
    },
  });
}

function recordOf(
  parts: NodeParts,
  membership: Membership,
  { driver, outside }: Background,
): NodeStatus['record'] {
  const { systemOfRecord } = parts;
  if (systemOfRecord === null) return { state: 'unused', reason: '' };
  const health = systemOfRecord.health();
  const seen = systemOfRecord.seen();
  const chosen = membership.topology === null ? undefined : serverOf(membership.topology);
  return {
    state: health.state,
    reason: health.state === 'down' ? health.reason : '',
    ...(chosen === undefined ? {} : { known: identityOf(chosen) }),
    ...(seen === null ? {} : { seen: identityOf(seen) }),
    ...(chosen === undefined || seen === null ? {} : { isForeign: isForeign(chosen, seen) }),
    ...(driver === null ? {} : { drive: driver.status() }),
    ...(outside === null ? {} : { byHand: outside.status() }),
    ...(parts.record.readyNeedsIt === true ? { isNeeded: true } : {}),
  };
}

function identityOf({ system, timeline }: RecordIdentity): RecordIdentity {
  return { system, timeline };
}

function loadOf({ read, write, forwardedHere }: Admission): NodeStatus['load'] {
  return {
    state: read.limit === Infinity && write.limit === Infinity ? 'calm' : 'refusing',
    readsInFlight: read.inFlight,
    writesInFlight: write.inFlight,
    refused: read.refused + write.refused,
    forwardedHere,
  };
}

function membersOf(parts: NodeParts, membership: Membership): NodeStatus['members'] {
  const topology = membership.topology;
  if (topology === null) return [];
  const spoken = membership.proposals.spoken();
  return topology.members.map((member) => {
    const { complete, learning } = slotsHeld(topology, member.id);
    return {
      id: member.id,
      name: member.name,
      address: member.address,
      alive: member.alive,
      standing: member.standing ?? 'in',
      protocol: spoken(member),
      slotsComplete: complete,
      slotsLearning: member.alive ? learning : 0,
      linkUp: member.name === parts.self.name || membership.isLinked(member.name),
      slow: membership.watch.slowness.why(member.name, parts.clock.now()),
    };
  });
}

/** Slots that the member holds completely, and those that it is to copy. */
export function slotsHeld(topology: Topology, id: number): { complete: number; learning: number } {
  let complete = 0;
  let learning = 0;
  topology.rows.forEach((row, index) => {
    if (!row.owners.includes(id)) return;
    const count = slotsOfRow(topology, index).length;
    if (row.complete.includes(id)) complete += count;
    else learning += count;
  });
  return { complete, learning };
}

function slotsUnowned(topology: Topology): number {
  let count = 0;
  topology.rows.forEach((row, index) => {
    if (liveOwners(topology, row).length === 0) count += slotsOfRow(topology, index).length;
  });
  return count;
}

/** What this node's store holds of a key, whether it counts or not. */
export function inspectionOf(key: string, replica: Replica | null, shelf: RecordShelf): Inspection {
  const slot = slotOf(key);
  const state = replica?.stateOf(key);
  const held = state === undefined ? shelf.read(key, slot) : (state.held ?? undefined);
  return {
    owner: replica !== null && replica.view.row(slot).owns,
    record: held === undefined || held === 'damaged' ? undefined : held.record,
    valid: state === undefined ? held !== undefined : state.valid,
    slot,
  };
}
