/** A node's report about itself, gathered from its parts. */
import { protocolInForce } from '../core/protocol-versions.ts';
import { isForeign, serverOf } from '../core/record-standing.ts';
import type { Replica } from '../core/replication/replica.ts';
import { slotOf } from '../core/slots.ts';
import { movesOf } from '../core/slot-moves.ts';
import { slotsOfRow } from '../core/slot-index.ts';
import { costsOfStopping } from '../core/safe-to-stop.ts';
import { liveOwners, memberById } from '../core/topology.ts';
import type { RecordIdentity, Topology } from '../core/topology.ts';
import type { Admission } from './admission.ts';
import type { Inspection, NodeStatus } from './api.ts';
import type { LoadWatch } from './load-watch.ts';
import type { Membership } from './membership/membership.ts';
import type { NodeParts } from './node-parts.ts';
import type { RecordShelf } from './store/record-shelf.ts';
import type { ByHandStatus, DriveStatus } from './status-parts.ts';
import type { StoreWriter } from './store/store-writer.ts';

export interface StatusParts {
  readonly membership: Membership;
  readonly replica: Replica | null;
  readonly parts: NodeParts;
  readonly disk: Omit<NodeStatus['disk'], 'state'>;
  readonly load: NodeStatus['load'];
  readonly keysHeld: number;
  readonly learnedShare: number;
  readonly copy: NodeStatus['copy'];
  readonly scrub: NodeStatus['scrub'];
  readonly drive: DriveStatus | null;
  readonly byHand: ByHandStatus | null;
  readonly spool: NodeStatus['spool'];
  /** Names of other members that are about to stop. */
  readonly stopping: readonly string[];
  readonly operations: NodeStatus['operations'];
  readonly recent: NodeStatus['recent'];
  readonly loadWatch: LoadWatch;
  readonly writer: StoreWriter;
  readonly tombstones: NodeStatus['tombstones'];
}

export function statusOf(from: StatusParts): NodeStatus {
  const { membership, replica, parts } = from;
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
    members: membersOf(from),
    protocol: {
      speaks: parts.hello.protocolMax,
      inForce: topology === null ? 0 : protocolInForce(topology),
    },
    store: {
      setAside: parts.setAside.paths,
      reason: parts.setAside.reason,
      inDoubt: parts.setAside.paths.length > 0 && membership.selfId === 0,
    },
    disk: { state: membership.room.room, ...from.disk },
    load: from.load,
    refusals: parts.refusals?.() ?? [],
    record: recordOf(from),
    legacy:
      legacy === undefined
        ? { state: 'unused', reason: '', calls: 0 }
        : { state: legacy.state, reason: legacy.reason, calls: legacy.calls },
    slotsMoving: topology === null ? 0 : movesOf(topology).slotCount,
    slotsLost: topology === null ? 0 : slotsUnowned(topology),
    keysInFlight: replica?.keysInFlight ?? 0,
    oldestUnfinishedMs: since === undefined ? 0 : Math.round(now - since),
    keysHeld: from.keysHeld,
    tombstones: from.tombstones,
    learnedShare: from.learnedShare,
    copy: from.copy,
    scrub: from.scrub,
    spool: from.spool,
    operations: from.operations,
    recent: from.recent,
    progress: {
      tickAgoMs: from.loadWatch.tickAgoMs(now),
      storeBatchMs: from.writer.pulse.underWayMs(now),
    },
    stopCosts: stopCostsOf(from),
    notWrittenThrough: parts.writeThrough.filter((rule) => !rule.writeThrough).map((rule) => rule.prefix),
  };
}

function stopCostsOf({ membership, spool, stopping }: StatusParts): string[] {
  const { topology, selfId, phase } = membership;
  return costsOfStopping({
    ...{ topology, selfId, phase, stopping, spooled: spool.entries, leaseHeld: membership.leaseHeld() },
    isLinked: (id) => {
      const member = topology === null ? undefined : memberById(topology, id);
      return member !== undefined && membership.isLinked(member.name);
    },
  });
}

function recordOf({ membership, parts, drive, byHand }: StatusParts): NodeStatus['record'] {
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
    ...(drive === null ? {} : { drive }),
    ...(byHand === null ? {} : { byHand }),
    ...(parts.record.readyNeedsIt === true ? { isNeeded: true } : {}),
  };
}

function identityOf({ system, timeline }: RecordIdentity): RecordIdentity {
  return { system, timeline };
}

export function loadOf({ read, write, handedOn }: Admission): NodeStatus['load'] {
  return {
    state: read.limit === Infinity && write.limit === Infinity ? 'calm' : 'refusing',
    readsInFlight: read.inFlight,
    writesInFlight: write.inFlight,
    refused: read.refused + write.refused,
    handedOn,
  };
}

function membersOf(from: StatusParts): NodeStatus['members'] {
  const { membership, parts } = from;
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
