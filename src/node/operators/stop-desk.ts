/**
 * Stops that are requested in advance. A stop is permitted if it costs nothing, and if every live member that
 * understands the question says yes; such a member then says yes to no other until the asker is gone. The asker votes
 * too, and is asked by everyone who asks in another epoch: having been told yes, it says no. The first member is asked
 * alone: of any number that ask at once it lets only one continue, where otherwise each might be permitted by some and
 * refused by others. (decisions 49 and 55)
 */
import { NO_MUTATIONS } from '../../core/mutations.ts';
import type { Mutations } from '../../core/mutations.ts';
import type { FrameHeader, PeerMessage } from '../../core/message.ts';
import { SINCE } from '../../core/membership/protocol-versions.ts';
import { StopBook } from '../../core/membership/stop-book.ts';
import { STOP_ASK_MS, STOP_RESERVED_MS, STOP_SAID_EVERY_MS } from '../../core/membership/stop-limits.ts';
import type { StopMessage } from '../../core/membership/stop-message.ts';
import { memberById } from '../../core/membership/topology.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Membership } from '../membership/membership.ts';

export interface StopDeskParts {
  readonly clock: Clock;
  readonly membership: Membership;
  readonly send: (memberId: number, message: PeerMessage) => void;
  readonly mutations?: Mutations;
}

/** The reasons against the stop; if there are none, it may begin within `reservedMs`. */
export interface StopVerdict {
  readonly costs: readonly string[];
  readonly reservedMs: number;
}

interface Attempt {
  readonly number: number;
  readonly epoch: number;
  /** Members not asked yet: all but the first. */
  readonly rest: number[];
  /** Members that were asked and have not answered. */
  readonly silent: Set<number>;
  readonly costs: () => readonly string[];
  readonly done: (verdict: StopVerdict) => void;
}

const MAY_STOP: StopVerdict = { costs: [], reservedMs: STOP_RESERVED_MS };
const MEMBERS_CHANGED = 'the members changed meanwhile: ask again';
/** The advice when a member that the epoch counts as alive does not answer. */
const WAIT_OR_END =
  'ask again in a few seconds, when it answers or an epoch goes on without it; if it is still silent then, restart it';

export class StopDesk {
  private readonly parts: StopDeskParts;
  private readonly book: StopBook;
  private attempt: Attempt | null = null;
  private attempts = 0;
  private saidAt = -Infinity;
  /** Monotonic ms until which this node may stop, or does; no later answer revokes that. */
  private stopsUntil = -Infinity;
  /**
   * Monotonic ms until which this node repeats that it does not stop: a member between two epochs may not have heard
   * it.
   */
  private deniesUntil = -Infinity;

  constructor(parts: StopDeskParts) {
    this.parts = parts;
    this.book = new StopBook(parts.mutations ?? NO_MUTATIONS);
  }

  /** Names of the other members that are about to stop. */
  others(): string[] {
    const { membership, clock } = this.parts;
    const { topology, selfId } = membership;
    if (topology === null) return [];
    return this.book.others(selfId, topology, clock.now()).map((id) => nameOf(topology, id));
  }

  /** `costs`: the reasons against stopping, as of each call. Calls back once. */
  reserve(costs: () => readonly string[], done: (verdict: StopVerdict) => void): void {
    const answer = (verdict: StopVerdict): void => this.parts.clock.defer(() => done(verdict));
    const { topology, phase } = this.parts.membership;
    const refused = costs();
    if (refused.length > 0) return answer({ costs: refused, reservedMs: 0 });
    // Nobody misses a process that has no part in a cluster, or none any more.
    if (topology === null || phase !== 'serving') return answer(MAY_STOP);
    if (this.attempt !== null) return answer({ costs: ['it is being asked for already'], reservedMs: 0 });
    const { voters, strangers } = this.electorateOf(topology);
    if (strangers.length > 0)
      return answer({
        costs: [
          `${namesOf(topology, strangers)} cannot be asked whether it is about to stop, too: ${WAIT_OR_END}`,
        ],
        reservedMs: 0,
      });
    const number = ++this.attempts;
    const attempt: Attempt = {
      number,
      epoch: topology.epoch,
      rest: voters.slice(1),
      silent: new Set(),
      costs,
      done: answer,
    };
    this.attempt = attempt;
    this.parts.clock.after(STOP_ASK_MS, () => this.onLate(number));
    this.ask(attempt, voters.slice(0, 1), topology);
  }

  /** This process ends, whoever else does. */
  announce(): void {
    const { membership, clock } = this.parts;
    const { selfId: id, incarnation } = membership;
    if (id === 0) return;
    const now = clock.now();
    this.stopsUntil = now + STOP_RESERVED_MS;
    this.book.said({ id, incarnation }, STOP_RESERVED_MS, now);
    this.tell(STOP_RESERVED_MS);
  }

  onMessage(header: FrameHeader, message: StopMessage): void {
    const { membership, clock } = this.parts;
    const { topology } = membership;
    const sender = { id: header.from, incarnation: header.incarnation };
    if (message.kind === 'stopWord') return this.book.said(sender, message.leftMs, clock.now());
    if (message.kind === 'stopAnswer') return this.onVote(header.from, message.attempt, message.holder);
    const holder = this.book.vote(sender, topology!, clock.now());
    this.parts.send(header.from, { kind: 'stopAnswer', attempt: message.attempt, holder });
  }

  tick(): void {
    const { clock, membership } = this.parts;
    const { attempt } = this;
    const now = clock.now();
    if (attempt !== null && membership.topology?.epoch !== attempt.epoch) return this.give([MEMBERS_CHANGED]);
    // While the others are being asked there is only this node's own vote.
    if (attempt !== null || now - this.saidAt < STOP_SAID_EVERY_MS) return;
    const leftMs = this.book.leftMs(membership.selfId, now);
    if (leftMs > 0 || now < this.deniesUntil) this.tell(leftMs);
  }

  /**
   * Members that understand the question, in id order, which is the same for all askers. An earlier program does not
   * understand it and cannot say no. `strangers`: members whose version is unknown; they may have been permitted to
   * stop.
   */
  private electorateOf(topology: Topology): {
    readonly voters: readonly number[];
    readonly strangers: readonly number[];
  } {
    const { selfId, proposals } = this.parts.membership;
    const spoken = proposals.spoken();
    const voters: number[] = [];
    const strangers: number[] = [];
    for (const member of topology.members) {
      const version = spoken(member);
      if (member.id === selfId || version >= SINCE.stopReservation) voters.push(member.id);
      else if (member.alive && version === 0) strangers.push(member.id);
    }
    return { voters: voters.sort((a, b) => a - b), strangers };
  }

  private ask(attempt: Attempt, voters: readonly number[], topology: Topology): void {
    const { membership, clock, send } = this.parts;
    const { selfId: id, incarnation } = membership;
    const { number, silent } = attempt;
    for (const voter of voters) silent.add(voter);
    for (const voter of voters) {
      if (this.attempt !== attempt) return;
      if (voter === id) this.onVote(id, number, this.book.vote({ id, incarnation }, topology, clock.now()));
      else send(voter, { kind: 'stopAsk', attempt: number });
    }
  }

  private onVote(voter: number, number: number, holder: number): void {
    const { attempt, parts } = this;
    const { topology } = parts.membership;
    if (attempt?.number !== number || topology?.epoch !== attempt.epoch) return;
    if (holder !== 0) return this.give([`${nameOf(topology, holder)} is about to stop`]);
    if (!attempt.silent.delete(voter) || attempt.silent.size > 0) return;
    const rest = attempt.rest.splice(0);
    if (rest.length > 0) this.ask(attempt, rest, topology);
    else this.decide(attempt);
  }

  private decide(attempt: Attempt): void {
    const costs = attempt.costs();
    if (costs.length > 0) return this.give(costs);
    this.attempt = null;
    this.announce();
    attempt.done(MAY_STOP);
  }

  private onLate(number: number): void {
    const { attempt } = this;
    if (attempt?.number !== number) return;
    const { topology } = this.parts.membership;
    const isNew = topology === null || topology.epoch !== attempt.epoch;
    this.give([
      isNew
        ? MEMBERS_CHANGED
        : `${namesOf(topology, [...attempt.silent])} did not say whether it may stop: ${WAIT_OR_END}`,
    ]);
  }

  /**
   * The answer is no: members that voted for this stop may vote for another. Not if this process was told to end
   * meanwhile, or was permitted before: that asker relies on it.
   */
  private give(costs: readonly string[]): void {
    const { done } = this.attempt!;
    const { selfId: id, incarnation } = this.parts.membership;
    const now = this.parts.clock.now();
    const leftMs = Math.max(0, this.stopsUntil - now);
    this.attempt = null;
    this.deniesUntil = now + STOP_ASK_MS;
    this.book.said({ id, incarnation }, leftMs, now);
    this.tell(leftMs);
    done({ costs, reservedMs: 0 });
  }

  private tell(leftMs: number): void {
    const { clock, membership, send } = this.parts;
    const { topology, selfId } = membership;
    this.saidAt = clock.now();
    for (const { id, alive } of topology?.members ?? [])
      if (alive && id !== selfId && this.understands(topology!, id)) send(id, { kind: 'stopWord', leftMs });
  }

  private understands(topology: Topology, id: number): boolean {
    const spoken = this.parts.membership.proposals.spoken()(memberById(topology, id)!);
    return spoken >= SINCE.stopReservation;
  }
}

function nameOf(topology: Topology, id: number): string {
  return memberById(topology, id)?.name ?? String(id);
}

function namesOf(topology: Topology, ids: readonly number[]): string {
  return ids.map((id) => nameOf(topology, id)).join(', ');
}
