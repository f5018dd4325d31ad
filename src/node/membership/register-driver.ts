/**
 * Drives the topology's register from one node. It writes its acceptor's state to disk before each reply, and runs one
 * attempt of its own at a time, which it gives up after a while and repeats after growing random pauses, so that
 * proposers do not starve one another. (PROTOCOL R29)
 */
import { startsOf } from '../../core/membership/incarnation.ts';
import type { Ballot, MembershipMessage } from '../../core/membership/membership-message.ts';
import type { FrameHeader } from '../../core/message.ts';
import {
  Attempt,
  BALLOT_NONE,
  acceptorAccept,
  acceptorPrepare,
  compareBallots,
  electorateOf,
  sameLife,
} from '../../core/membership/register.ts';
import type { AcceptorState, Electorate } from '../../core/membership/register.ts';
import { inOneShape, memberById } from '../../core/membership/topology.ts';
import type { Mutations } from '../../core/mutations.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { Random } from '../../ports/random.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { MembershipDisk } from './disk.ts';

/** Milliseconds that an attempt may take, doubled after each that took too long: links may be slow. */
const ATTEMPT_TIMEOUT_MS_MIN = 400;
const ATTEMPT_TIMEOUT_MS_MAX = 5_000;
/** Milliseconds for a founding, from the moment it asks PostgreSQL, which may take its time. */
const FOUNDING_TIMEOUT_MS = 20_000;
/** Milliseconds between attempts of one proposer. */
const PAUSE_MS_MIN = 10;
const PAUSE_MS_MAX = 1_000;

/** What the driver needs from its node. */
export interface RegisterHost {
  readonly name: string;
  readonly mutations: Mutations;
  header(): FrameHeader;
  now(): number;
  topology(): Topology | null;
  send(name: string, message: MembershipMessage): void;
  /** A topology that this voter accepted is on its disk. */
  onAccepted(): void;
  onChosen(topology: Topology): void;
}

/**
 * Decides on the next value, at once or later. `base` is known to be chosen, or null at a founding that nobody has
 * begun; `propose(null)` ends the attempt without a change.
 */
export type Decide = (base: Topology | null, propose: (next: Topology | null) => void) => void;

export interface FoundingElectorate {
  readonly electorate: Electorate;
  readonly votesNeeded: number;
}

interface Running {
  readonly number: number;
  readonly attempt: Attempt;
  readonly decide: Decide;
  /** The epoch it started from: once the node knows a later one the attempt is pointless. */
  readonly epoch: number;
  readonly founding: boolean;
  deadline: number;
}

export class RegisterDriver {
  private readonly host: RegisterHost;
  private readonly disk: MembershipDisk;
  private readonly random: Random;
  private readonly telemetry: Telemetry;
  private acceptor: AcceptorState;
  private running: Running | null = null;
  private attemptNumber = 0;
  private ballotNumber = 0;
  private timeoutMs = ATTEMPT_TIMEOUT_MS_MIN;
  private pauseMs = PAUSE_MS_MIN;
  private notBefore = 0;

  constructor(
    host: RegisterHost,
    disk: MembershipDisk,
    state: AcceptorState,
    random: Random,
    telemetry: Telemetry,
  ) {
    this.host = host;
    this.disk = disk;
    this.random = random;
    this.telemetry = telemetry;
    this.acceptor = state;
  }

  /** What this voter has accepted, which restricts its lease grants. */
  get accepted(): Topology | null {
    return this.acceptor.accepted?.topology ?? null;
  }

  /**
   * Begins another life: promises and acceptances of the previous one do not bind anybody in it. Its first topology
   * counts as accepted here, under a ballot below all others. (R14)
   */
  beginLife(topology: Topology): void {
    this.running = null;
    this.acceptor = { promised: BALLOT_NONE, accepted: { ballot: BALLOT_NONE, topology } };
    this.keep(this.acceptor, true, () => undefined);
  }

  isFree(now: number): boolean {
    return this.running === null && now >= this.notBefore;
  }

  /** Begins an attempt; the caller must have checked that the driver is free. */
  begin(decide: Decide, founding: FoundingElectorate | null, now: number): void {
    const known = this.host.topology();
    if (known === null && founding === null) return;
    this.ballotNumber = Math.max(this.ballotNumber, this.acceptor.promised.number) + 1;
    // The incarnation makes the ballot unique to this process, whatever an earlier one has used.
    const ballot = {
      number: this.ballotNumber,
      proposer: `${this.host.name}#${this.host.header().incarnation}`,
    };
    const electorate = founding?.electorate ?? electorateOf(known!);
    const attempt = new Attempt(ballot, electorate, founding?.votesNeeded ?? null);
    this.attemptNumber += 1;
    const deadline = now + this.timeoutMs;
    const number = this.attemptNumber;
    const epoch = known?.epoch ?? 0;
    this.running = { number, attempt, decide, epoch, founding: founding !== null, deadline };
    this.telemetry.count('membership.attempts');
    this.ask({ kind: 'prepare', attempt: number, ballot });
  }

  /**
   * A founding needs every vote: a request lost on a broken link is repeated as soon as the link is up again, not at
   * the end of the attempt's long time.
   */
  onLinkUp(name: string): void {
    const { running } = this;
    if (running === null || !running.founding || running.attempt.state.kind === 'deciding') return;
    if (!running.attempt.voters().includes(name)) return;
    this.timeoutMs = ATTEMPT_TIMEOUT_MS_MIN;
    running.attempt.fail();
  }

  tick(now: number): void {
    const running = this.running;
    if (running === null) return;
    if ((this.host.topology()?.epoch ?? 0) > running.epoch) {
      this.running = null;
      this.pauseMs = PAUSE_MS_MIN;
    } else if (now >= running.deadline) {
      this.timeoutMs = Math.min(this.timeoutMs * 2, ATTEMPT_TIMEOUT_MS_MAX);
      running.attempt.fail();
    }
    if (running.attempt.state.kind === 'failed') this.pause(running.attempt.state.seen, now);
  }

  onMessage(name: string, header: FrameHeader, message: MembershipMessage): void {
    switch (message.kind) {
      case 'prepare':
        return this.onPrepare(name, message.attempt, message.ballot);
      case 'accept':
        return this.onAccept(name, message.attempt, message.ballot, message.topology);
      case 'promise': {
        const running = this.running;
        if (running?.number !== message.attempt) return;
        // Some peer knows a cluster: there is nothing to found, and its topology is on the way.
        if (running.founding && header.epoch > 0) running.attempt.fail();
        const voter = { name, id: header.from, abstains: message.abstains || this.isOlder(header) };
        running.attempt.onPromise(voter, message.granted, message.seen, message.accepted);
        return this.advance(running);
      }
      case 'accepted': {
        const running = this.running;
        if (running?.number !== message.attempt) return;
        const voter = { name, id: header.from, abstains: this.isOlder(header) };
        if (running.founding && !message.granted && compareBallots(message.seen, running.attempt.ballot) <= 0)
          this.telemetry.event('error', 'membership.founding.refused', { peer: name });
        running.attempt.onAccepted(voter, message.granted, message.seen);
        return this.advance(running);
      }
      default:
        return;
    }
  }

  /** A process started before the one that the cluster remembers runs on an older disk and has no vote. (R29) */
  private isOlder(header: FrameHeader): boolean {
    const topology = this.host.topology();
    const member = topology === null ? undefined : memberById(topology, header.from);
    return member !== undefined && startsOf(header.incarnation) < startsOf(member.incarnation);
  }

  private onPrepare(name: string, attempt: number, ballot: Ballot): void {
    const step = acceptorPrepare(this.acceptor, ballot);
    const reply = (): void => {
      const { promised, accepted } = step.state;
      const abstains = this.host.header().from === 0;
      this.reply(name, {
        kind: 'promise',
        attempt,
        granted: step.granted,
        seen: promised,
        accepted,
        abstains,
      });
    };
    this.keep(step.state, step.granted, reply);
  }

  private onAccept(name: string, attempt: number, ballot: Ballot, topology: Topology): void {
    const step = acceptorAccept(this.acceptor, ballot, topology, this.host.topology());
    const reply = (): void => {
      // Before the vote, so that the proposer has the grants when it counts the vote.
      if (step.granted) this.host.onAccepted();
      this.reply(name, { kind: 'accepted', attempt, granted: step.granted, seen: step.state.promised });
    };
    this.keep(step.state, step.granted, reply);
  }

  private keep(state: AcceptorState, changed: boolean, reply: () => void): void {
    if (!changed) return reply();
    this.acceptor = state;
    const isEarly = this.host.mutations.voteUnstored === true;
    if (isEarly) reply();
    this.disk.saveRegister(state, (error) => {
      if (error === null) return isEarly ? undefined : reply();
      this.telemetry.event('error', 'membership.store.failed', { reason: error.message });
    });
  }

  private advance(running: Running): void {
    const state = running.attempt.state;
    if (state.kind === 'failed') this.pause(state.seen, this.host.now());
    else if (state.kind === 'deciding') this.decide(running, state.read);
    else if (state.kind === 'chosen') {
      this.running = null;
      this.pauseMs = PAUSE_MS_MIN;
      this.timeoutMs = ATTEMPT_TIMEOUT_MS_MIN;
      this.host.onChosen(state.topology);
    }
  }

  private decide(running: Running, read: Topology | null): void {
    const known = this.host.topology();
    if ((known?.epoch ?? 0) !== running.epoch) return;
    if (known === null) {
      // An unfinished founding is finished as it was begun, whoever began it.
      if (read !== null) return this.propose(running, read);
      running.deadline = this.host.now() + FOUNDING_TIMEOUT_MS;
      return running.decide(null, (next) => this.propose(running, next));
    }
    if (read !== null && !sameLife(read, known)) {
      this.telemetry.event('error', 'membership.register.foreign', { clusterId: read.clusterId });
      return running.attempt.fail();
    }
    // Not known to be chosen yet: finish it before anything is derived from it. (R29)
    if (read !== null && read.epoch === known.epoch + 1) return this.propose(running, read);
    // An even later value: news of its predecessor is on the way to us.
    if (read !== null && read.epoch > known.epoch) return running.attempt.fail();
    running.decide(known, (next) => this.propose(running, next));
  }

  private propose(running: Running, next: Topology | null): void {
    if (this.running !== running || running.attempt.state.kind !== 'deciding') return;
    if (next === null) {
      // There is nothing to change after all. The pause leaves room for others when a node keeps asking.
      this.running = null;
      this.notBefore = this.host.now() + PAUSE_MS_MIN * (0.5 + this.random.next());
      return;
    }
    const topology = inOneShape(next);
    running.attempt.propose(topology);
    // The long wait was for PostgreSQL; votes have the usual time.
    running.deadline = this.host.now() + this.timeoutMs;
    this.ask({ kind: 'accept', attempt: running.number, ballot: running.attempt.ballot, topology });
  }

  private ask(message: MembershipMessage): void {
    for (const name of this.running?.attempt.voters() ?? []) {
      if (name !== this.host.name) this.host.send(name, message);
    }
    // Our own vote comes last, so that the others' disks work meanwhile.
    if (this.running?.attempt.voters().includes(this.host.name) === true) {
      this.onMessage(this.host.name, this.host.header(), message);
    }
  }

  private reply(name: string, message: MembershipMessage): void {
    if (name === this.host.name) this.onMessage(name, this.host.header(), message);
    else this.host.send(name, message);
  }

  /** The next attempt starts after a random pause, above every ballot seen. */
  private pause(seen: Ballot, now: number): void {
    this.running = null;
    if (compareBallots(seen, { number: this.ballotNumber, proposer: '' }) > 0)
      this.ballotNumber = seen.number;
    this.notBefore = now + this.pauseMs * (0.5 + this.random.next());
    this.pauseMs = Math.min(this.pauseMs * 2, PAUSE_MS_MAX);
  }
}
