/**
 * A stop that is asked for beforehand: it is let begin where it costs nothing, and where a majority of the council votes for it, which
 * votes for no other until this one is gone. The first of the voters is asked alone: of any number that ask at once it lets one go
 * on, where each might win some of the votes, and none of them most. While some of the council run a program that knows of no such
 * vote, and so lets everybody, all of the others must grant it: else two would have no voter in common. (decision 49)
 */
import { NO_MUTATIONS } from '../core/mutations.ts';
import type { Mutations } from '../core/mutations.ts';
import type { FrameHeader, PeerMessage } from '../core/message.ts';
import { SINCE } from '../core/protocol-versions.ts';
import { StopBook } from '../core/stop-book.ts';
import { STOP_ASK_MS, STOP_RESERVED_MS, STOP_SAID_EVERY_MS } from '../core/stop-limits.ts';
import type { StopMessage } from '../core/stop-message.ts';
import { isAlive, majorityOf, memberById } from '../core/topology.ts';
import type { Topology } from '../core/topology.ts';
import type { Clock } from '../ports/clock.ts';
import type { Membership } from './membership.ts';

export interface StopDeskParts {
  readonly clock: Clock;
  readonly membership: Membership;
  readonly send: (memberId: number, message: PeerMessage) => void;
  readonly mutations?: Mutations;
}

/** What speaks against the stop; nothing: it may begin, within `reservedMs`. */
export interface StopVerdict {
  readonly costs: readonly string[];
  readonly reservedMs: number;
}

interface Attempt {
  readonly number: number;
  readonly epoch: number;
  /** Those within reach. */
  readonly voters: readonly number[];
  /** Those that have a vote in this at all. */
  readonly knowing: readonly number[];
  readonly granted: Set<number>;
  readonly costs: () => readonly string[];
  readonly done: (verdict: StopVerdict) => void;
}

const MAY_STOP: StopVerdict = { costs: [], reservedMs: STOP_RESERVED_MS };

export class StopDesk {
  private readonly parts: StopDeskParts;
  private readonly book: StopBook;
  private attempt: Attempt | null = null;
  private attempts = 0;
  private saidAt = -Infinity;
  /** Monotonic ms: until then it may stop, or does; no later answer takes that back. */
  private stopsUntil = -Infinity;

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

  /** `costs`: of the stop, as they are when it is called. Calls back once. */
  reserve(costs: () => readonly string[], done: (verdict: StopVerdict) => void): void {
    const answer = (verdict: StopVerdict): void => this.parts.clock.defer(() => done(verdict));
    const { topology, phase } = this.parts.membership;
    const refused = costs();
    if (refused.length > 0) return answer({ costs: refused, reservedMs: 0 });
    // Who has no part in a cluster, or none any more, is missed by nobody.
    if (topology === null || phase !== 'serving') return answer(MAY_STOP);
    if (this.attempt !== null) return answer({ costs: ['it is being asked for already'], reservedMs: 0 });
    const number = ++this.attempts;
    const electorate = this.electorateOf(topology);
    const voters = this.votersOf(topology, electorate);
    const knowing = electorate.filter((id) => this.keepsVote(topology, id));
    this.attempt = {
      number,
      epoch: topology.epoch,
      voters,
      knowing,
      granted: new Set(),
      costs,
      done: answer,
    };
    this.parts.clock.after(STOP_ASK_MS, () => this.onLate(number));
    this.ask(voters.slice(0, 1), topology);
  }

  /** The process ends, whoever else does. */
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
    const now = clock.now();
    if (now - this.saidAt < STOP_SAID_EVERY_MS) return;
    const leftMs = this.book.leftMs(membership.selfId, now);
    // While the voters are asked this is only this node's own vote.
    if (leftMs > 0 && this.attempt === null) this.tell(leftMs);
  }

  /** The council; all members, where nobody in it knows of the vote: those outside it may, who are upgraded first. */
  private electorateOf(topology: Topology): readonly number[] {
    const { council, members } = topology;
    return council.some((id) => this.keepsVote(topology, id)) ? council : members.map(({ id }) => id);
  }

  private keepsVote(topology: Topology, id: number): boolean {
    return isAlive(topology, id) && this.hasVote(topology, id);
  }

  /**
   * In the order of their ids, which is the same for all who ask, but who knows of the vote first. Who is out of reach has no voice.
   */
  private votersOf(topology: Topology, electorate: readonly number[]): number[] {
    const { membership } = this.parts;
    const isThere = (id: number): boolean =>
      id === membership.selfId || (isAlive(topology, id) && membership.isLinked(nameOf(topology, id)));
    const rank = (id: number): number => (this.hasVote(topology, id) ? 0 : 1);
    return electorate.filter(isThere).sort((a, b) => rank(a) - rank(b) || a - b);
  }

  private hasVote(topology: Topology, id: number): boolean {
    return id === this.parts.membership.selfId || this.understands(topology, id);
  }

  private ask(voters: readonly number[], topology: Topology): void {
    const { membership, clock, send } = this.parts;
    const { selfId: id, incarnation } = membership;
    const number = this.attempt!.number;
    for (const voter of voters) {
      // An earlier answer may have ended the attempt.
      if (this.attempt?.number !== number) return;
      if (voter === id) this.onVote(id, number, this.book.vote({ id, incarnation }, topology, clock.now()));
      else if (this.understands(topology, voter)) send(voter, { kind: 'stopAsk', attempt: number });
      // It knows of no such vote, as nobody did before: it cannot say no.
      else this.onVote(voter, number, 0);
    }
  }

  private onVote(voter: number, number: number, holder: number): void {
    const { attempt, parts } = this;
    const { topology } = parts.membership;
    if (attempt?.number !== number || topology?.epoch !== attempt.epoch) return;
    if (holder !== 0) return this.give([`${nameOf(topology, holder)} is about to stop`]);
    if (attempt.granted.has(voter)) return;
    attempt.granted.add(voter);
    const { granted, voters } = attempt;
    if (this.isEnough(attempt, topology)) return this.decide(attempt);
    if (granted.size === 1)
      this.ask(
        voters.filter((id) => id !== voter),
        topology,
      );
  }

  /** Any two sets of grants that are enough have a voter in common that knows of the vote. */
  private isEnough({ granted, knowing }: Attempt, { council }: Topology): boolean {
    const majority = majorityOf(council.length);
    if (granted.size < majority) return false;
    const { length } = knowing.filter((id) => granted.has(id));
    return length >= majority || length === knowing.length;
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
    // Those out of reach, too, who were not asked.
    const asked = new Set([...attempt.knowing, ...(topology?.council ?? [])]);
    const silent = [...asked].filter((id) => !attempt.granted.has(id));
    const names = isNew ? '' : silent.map((id) => nameOf(topology, id)).join(', ');
    this.give([
      isNew ? 'the members changed meanwhile: ask again' : `${names} did not say whether it may stop`,
    ]);
  }

  /**
   * No: whoever has voted for it is free to vote for another. Not where it was told to end meanwhile, or was told yes before: whoever
   * asked then goes by that.
   */
  private give(costs: readonly string[]): void {
    const { done } = this.attempt!;
    const { selfId: id, incarnation } = this.parts.membership;
    const now = this.parts.clock.now();
    const leftMs = Math.max(0, this.stopsUntil - now);
    this.attempt = null;
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
