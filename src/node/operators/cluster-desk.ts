/**
 * Operators' requests about the whole cluster, made at this node: the cluster's description for a joining process, what
 * a change would move, and changes themselves, which are proposed until an epoch makes them. (DESIGN 3)
 */
import { failure } from '../../core/errors.ts';
import { rebalance, whyNotLeave } from '../../core/membership/housekeeping.ts';
import { PLAN_MEMBERS_MAX, SLOT_COUNT } from '../../core/limits.ts';
import type { Mutations } from '../../core/mutations.ts';
import { protocolInForce, whyNotRaise } from '../../core/membership/protocol-versions.ts';
import { lossOf } from '../../core/lives/recovery.ts';
import { ringMapOf } from '../../core/placement/ring-map.ts';
import { slotMapOf } from '../../core/clients/slot-map.ts';
import { destinations } from '../../core/placement/slot-moves.ts';
import type { Place } from '../../core/membership/topology-change.ts';
import { memberByName, placeable } from '../../core/membership/topology.ts';
import type { Member, Topology } from '../../core/membership/topology.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { SystemOfRecord } from '../../ports/system-of-record.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { PeerHello } from '../../ports/transport.ts';
import type { Admission } from '../admission.ts';
import type {
  ClusterAnswer,
  ClusterDescription,
  ClusterOrder,
  MovePlan,
  PlannedJoin,
} from '../cluster-orders.ts';
import type { DoorBook } from '../../core/clients/door-book.ts';
import { startCount } from '../key-count.ts';
import { beginNextLife, tellQuorum } from './life-desk.ts';
import type { Membership } from '../membership/membership.ts';
import type { Wish } from '../membership/wishes.ts';
import type { NodeParts } from '../node-parts.ts';
import { adoptSeen, tellServer } from './record-desk.ts';
import { tellLoss } from '../recovery/record-loss.ts';
import type { Scrubber } from '../scrub/scrubber.ts';
import type { Serving } from '../serving.ts';
import type { SlotDigests } from '../store/slot-digests.ts';
import type { RestedTurns } from './rested-turns.ts';
import type { StopDesk } from './stop-desk.ts';

export interface ClusterDeskParts {
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly admission: Admission;
  readonly membership: Membership;
  readonly hello: PeerHello;
  readonly doors: DoorBook;
  readonly digests: SlotDigests;
  readonly serving: Serving;
  readonly systemOfRecord: SystemOfRecord | null;
  readonly writeThrough: NodeParts['writeThrough'];
  readonly place: Place;
  readonly scrubber: Scrubber;
  readonly stops: StopDesk;
  readonly stopCosts: () => readonly string[];
  readonly random: Random;
  readonly mutations?: Mutations;
  readonly planTurns: RestedTurns;
  /** Runs the function on one of the next ticks. */
  readonly later: (run: () => void) => void;
}

export class ClusterDesk {
  private readonly parts: ClusterDeskParts;

  constructor(parts: ClusterDeskParts) {
    this.parts = parts;
  }

  /** Requests that cannot be answered from memory count against the limit on operators' commands. */
  operate(order: ClusterOrder, timeoutMs: number, done: (answer: ClusterAnswer) => void): void {
    const { admission, clock, stops, stopCosts } = this.parts;
    if (order.kind === 'reserveStop')
      return stops.reserve(stopCosts, (verdict) => done({ kind: 'stop', ...verdict }));
    const isAtHand = order.kind === 'slots' || order.kind === 'ring' || order.kind === 'count';
    if (isAtHand) return this.begin(order, timeoutMs, done);
    if (!admission.beginOrder())
      return clock.defer(() => done({ kind: 'failed', failure: failure('overloaded') }));
    this.begin(order, timeoutMs, (answer) => {
      admission.endOrder();
      done(answer);
    });
  }

  private begin(
    order: Exclude<ClusterOrder, { kind: 'reserveStop' }>,
    timeoutMs: number,
    done: (answer: ClusterAnswer) => void,
  ): void {
    const { topology } = this.parts.membership;
    const answer = (given: ClusterAnswer): void => this.parts.clock.defer(() => done(given));
    if (topology === null) return answer({ kind: 'failed', failure: failure('not_ready') });
    switch (order.kind) {
      case 'describe':
        return answer({ kind: 'described', description: this.describe(topology) });
      case 'slots':
        return this.tellSlots(topology, timeoutMs, answer);
      case 'ring':
        return answer({ kind: 'ring', ring: ringMapOf(topology) });
      case 'count':
        return startCount(this.parts.serving, timeoutMs, answer, this.parts.serving.traces?.active);
      case 'plan':
        return this.plan(order.joins, order.leaves, timeoutMs, answer);
      case 'leave': {
        const why = whyNotLeave(topology, order.name);
        if (why !== null) return answer({ kind: 'failed', failure: failure('invalid_argument', why) });
        const isSaid = (now: Topology): boolean => memberByName(now, order.name)?.standing !== undefined;
        return this.change({ kind: 'leave', name: order.name }, isSaid, timeoutMs, answer);
      }
      case 'loss':
        return tellLoss(this.parts, topology, (loss) => answer({ kind: 'lost', loss }));
      case 'scrub':
        return answer({ kind: 'scrubbing', number: this.parts.scrubber.order(order) });
      case 'recover':
        return this.recover(topology, order.slotCount, timeoutMs, answer);
      case 'recordServer':
        return tellServer(this.parts, topology, answer);
      case 'adoptRecord':
        return adoptSeen(this.parts, topology, order, timeoutMs, answer, (wish, isSaid, then) =>
          this.change(wish, isSaid, timeoutMs, then),
        );
      case 'quorum':
        return tellQuorum(this.parts, topology, (quorum) => answer({ kind: 'quorum', quorum }));
      case 'succeed':
        return beginNextLife(this.parts, order, timeoutMs, answer);
      case 'finishUpgrade':
        return this.finishUpgrade(topology, timeoutMs, answer);
      case 'rebalance': {
        const begun = topology.epoch;
        if (rebalance(topology, this.parts.place) === null) return answer({ kind: 'changed', epoch: begun });
        return this.change({ kind: 'rebalance' }, () => false, timeoutMs, answer);
      }
    }
  }

  /**
   * Soon after the start, waits until the other members have been heard: a client that is told only half of it would go
   * by that for long.
   */
  private tellSlots(topology: Topology, timeoutMs: number, answer: (given: ClusterAnswer) => void): void {
    const { doors, clock, membership, later } = this.parts;
    const until = clock.now() + timeoutMs;
    const look = (known: Topology): void => {
      const now = clock.now();
      if (!doors.awaits(known.members, now)) return answer({ kind: 'slots', map: slotMapOf(known, doors) });
      if (now >= until) return answer({ kind: 'failed', failure: failure('not_ready') });
      later(() => look(membership.topology ?? known));
    };
    look(topology);
  }

  private recover(
    topology: Topology,
    slotCount: number,
    timeoutMs: number,
    answer: (given: ClusterAnswer) => void,
  ): void {
    const refuse = (why: string): void =>
      answer({ kind: 'failed', failure: failure('invalid_argument', why) });
    const lost = lossOf(topology).slots.length;
    if (lost === 0) return refuse('no slot is lost');
    if (lost !== slotCount) return refuse(`${lost} slots are lost, and not ${slotCount}: look again`);
    this.change(
      { kind: 'giveUp', slotCount },
      () => false,
      timeoutMs,
      (given) => {
        const left = lossOf(this.parts.membership.topology!).slots.length;
        if (given.kind === 'changed' && left > 0) return refuse(`${left} slots are lost by now: look again`);
        answer(given);
      },
    );
  }

  /** Refused if some members have to be upgraded first; the refusal names them. (decision 19) */
  private finishUpgrade(topology: Topology, timeoutMs: number, answer: (given: ClusterAnswer) => void): void {
    const { hello, membership } = this.parts;
    const why = (at: Topology): string | null =>
      whyNotRaise(at, hello.protocolMax, membership.proposals.spoken());
    const isSaid = (now: Topology): boolean => protocolInForce(now) >= hello.protocolMax;
    const refuse = (reason: string): void =>
      answer({ kind: 'failed', failure: failure('upgrade_unfinished', reason) });
    if (isSaid(topology)) return answer({ kind: 'changed', epoch: topology.epoch });
    const obstacle = why(topology);
    if (obstacle !== null) return refuse(obstacle);
    this.change({ kind: 'raiseProtocol' }, isSaid, timeoutMs, (given) => {
      const now = membership.topology!;
      if (given.kind === 'changed' && !isSaid(now))
        return refuse(why(now) ?? 'the members changed: ask again');
      answer(given);
    });
  }

  /**
   * Repeats the wish until an epoch makes the change. This node must be serving, because only serving members propose.
   */
  private change(
    wish: Wish,
    isSaid: (topology: Topology) => boolean,
    timeoutMs: number,
    answer: (given: ClusterAnswer) => void,
  ): void {
    const { clock, membership, later } = this.parts;
    const deadline = clock.now() + timeoutMs;
    if (!membership.leaseHeld()) return answer({ kind: 'failed', failure: failure('not_ready') });
    membership.proposals.wishes.add(wish);
    const look = (): void => {
      const topology = membership.topology!;
      if (isSaid(topology) || !membership.proposals.wishes.isOpen(wish)) {
        return answer({ kind: 'changed', epoch: topology.epoch });
      }
      if (clock.now() >= deadline) return answer({ kind: 'failed', failure: failure('outcome_unknown') });
      later(look);
    };
    look();
  }

  private describe(topology: Topology): ClusterDescription {
    const { hello } = this.parts;
    const members = topology.members
      .filter((member) => member.standing !== 'leaving')
      .map(({ name, address, zone, host, alive }) => ({ name, address, zone, host, alive }));
    return { clusterName: hello.clusterName, settings: hello.settings, members };
  }

  private plan(
    joins: readonly PlannedJoin[],
    leaves: readonly string[],
    timeoutMs: number,
    answer: (given: ClusterAnswer) => void,
  ): void {
    for (const [what, { length }] of Object.entries({ joins, leaves })) {
      const why = `a plan has at most ${PLAN_MEMBERS_MAX} ${what}, and not ${length}`;
      if (length > PLAN_MEMBERS_MAX)
        return answer({ kind: 'failed', failure: failure('invalid_argument', why) });
    }
    const { clock, membership, planTurns } = this.parts;
    const deadline = clock.now() + timeoutMs;
    planTurns.begin(() => {
      if (clock.now() > deadline)
        return answer({ kind: 'failed', failure: failure('deadline_before_start') });
      answer({ kind: 'planned', plan: this.planned(membership.topology!, joins, leaves) });
    });
  }

  private planned(topology: Topology, joins: readonly PlannedJoin[], leaves: readonly string[]): MovePlan {
    const to = destinations(topology);
    const members: Member[] = placeable(topology).filter((member) => !leaves.includes(member.name));
    const isMember = (name: string): boolean => topology.members.some((member) => member.name === name);
    const taken = joins.find(
      ({ name }, index) => isMember(name) || joins.findIndex((join) => join.name === name) < index,
    );
    joins.forEach((join, index) => {
      const id = topology.nextId + index;
      members.push({ ...join, id, address: '', incarnation: 0, alive: true });
    });
    const table = this.parts.place(members, to);
    const names = new Map([...topology.members, ...members].map((member) => [member.id, member.name]));
    const shares = new Map<string, { slotsBefore: number; slotsAfter: number; slotsGained: number }>();
    const shareOf = (id: number): { slotsBefore: number; slotsAfter: number; slotsGained: number } => {
      const name = names.get(id) ?? `member ${id}`;
      const share = shares.get(name) ?? { slotsBefore: 0, slotsAfter: 0, slotsGained: 0 };
      shares.set(name, share);
      return share;
    };
    const gains = new Uint8Array(SLOT_COUNT);
    for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
      const before = to(slot);
      const after = table.rows[table.slotRow[slot]!]!.owners;
      for (const id of before) shareOf(id).slotsBefore += 1;
      for (const id of after) {
        shareOf(id).slotsAfter += 1;
        if (before.includes(id)) continue;
        shareOf(id).slotsGained += 1;
        gains[slot]! += 1;
      }
    }
    const slotsCopied = gains.reduce((sum, count) => sum + count, 0);
    const isTaken =
      taken === undefined
        ? null
        : `${taken.name} ${isMember(taken.name) ? 'is a member already' : 'would join twice'}`;
    const obstacle = isTaken ?? (leaves.length === 0 ? null : whyNotLeave(topology, ...leaves));
    return {
      shares: [...shares].map(([name, share]) => ({ name, ...share })),
      slotsCopied,
      recordsCopied: this.recordsIn(gains),
      obstacle: obstacle ?? '',
    };
  }

  /** Slots that this node does not hold are counted as the average of those that it does. */
  private recordsIn(gains: Uint8Array): number {
    const { digests, membership } = this.parts;
    const { topology, selfId } = membership;
    let heldSlots = 0;
    let told = 0;
    let untold = 0;
    for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
      const isHeld = topology!.rows[topology!.slotRow[slot]!]!.complete.includes(selfId);
      if (isHeld) heldSlots += 1;
      if (isHeld) told += digests.countOf(slot) * gains[slot]!;
      else untold += gains[slot]!;
    }
    return Math.round(told + (heldSlots === 0 ? 0 : (untold * digests.recordCount) / heldSlots));
  }
}
