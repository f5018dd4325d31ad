/**
 * The replicated register that holds the topology: CASPaxos (Rystsov, "CASPaxos: Replicated State Machines
 * without logs", 2018), acceptor and proposer as synchronous state machines. One attempt reads the value from
 * a majority (prepare), lets a pure function make the next one, and has it accepted by a majority.
 *
 * Three rules keep it right while voters are exchanged (R29):
 * - A change is only ever made of a value that is known to be chosen. A value read that is not is first
 *   proposed again, unchanged. An acceptor therefore takes epoch e + 1 only when it knows e to be chosen, and
 *   whoever finds e + 1 there can learn e from it.
 * - A value is chosen when majorities of the council before it and of its own council have accepted it.
 * - Votes count by member id: a voter whose disk was lost has no id until an epoch gives it a new one.
 *
 * The state must be on disk before the reply that was made of it is sent.
 */
import { firstEpochOf } from '../lives/life-epochs.ts';
import type { Ballot, LifeName } from './membership-message.ts';
import { majorityOf } from './topology.ts';
import type { Topology } from './topology.ts';

export const BALLOT_NONE: Ballot = { number: 0, proposer: '' };

export function compareBallots(a: Ballot, b: Ballot): number {
  if (a.number !== b.number) return a.number - b.number;
  return a.proposer === b.proposer ? 0 : a.proposer < b.proposer ? -1 : 1;
}

export interface AcceptedValue {
  readonly ballot: Ballot;
  readonly topology: Topology;
}

export interface AcceptorState {
  readonly promised: Ballot;
  readonly accepted: AcceptedValue | null;
}

export const ACCEPTOR_BLANK: AcceptorState = { promised: BALLOT_NONE, accepted: null };

/** What an acceptor does with a request. If it `granted`, `state` must be durable before the reply is sent. */
export interface AcceptorStep {
  readonly state: AcceptorState;
  readonly granted: boolean;
}

export function acceptorPrepare(state: AcceptorState, ballot: Ballot): AcceptorStep {
  if (compareBallots(ballot, state.promised) <= 0) return { state, granted: false };
  return { state: { ...state, promised: ballot }, granted: true };
}

/** `learned` is the highest topology that this voter knows to be chosen. */
export function acceptorAccept(
  state: AcceptorState,
  ballot: Ballot,
  topology: Topology,
  learned: Topology | null,
): AcceptorStep {
  const follows =
    learned === null
      ? topology.epoch === firstEpochOf(topology.life)
      : sameLife(topology, learned) &&
        (topology.epoch === learned.epoch || topology.epoch === learned.epoch + 1);
  if (!follows || compareBallots(ballot, state.promised) < 0) return { state, granted: false };
  return { state: { promised: ballot, accepted: { ballot, topology } }, granted: true };
}

/**
 * True if `a` may have been chosen later than `b`. An epoch is accepted only by a voter that knows the previous epoch
 * to be chosen, so the later epoch wins, whatever the ballots: while councils change, an old value may have been
 * proposed again and again, in vain, under ever higher ballots.
 */
function isLater(a: AcceptedValue, b: AcceptedValue): boolean {
  if (a.topology.epoch !== b.topology.epoch) return a.topology.epoch > b.topology.epoch;
  return compareBallots(a.ballot, b.ballot) > 0;
}

export function sameLife(a: LifeName, b: LifeName): boolean {
  return a.clusterId === b.clusterId && a.life === b.life;
}

/** A council: its voters' ids by name. */
export type Electorate = ReadonlyMap<string, number>;

export function electorateOf(topology: Topology): Electorate {
  const voters = new Map<string, number>();
  for (const member of topology.members) {
    if (topology.council.includes(member.id)) voters.set(member.name, member.id);
  }
  return voters;
}

/** The sender of an answer: its name from the link, its id from the frame, and whether it says that it has no vote. */
export interface Voter {
  readonly name: string;
  readonly id: number;
  readonly abstains: boolean;
}

export type AttemptState =
  | { readonly kind: 'preparing' }
  /** A majority has promised; `read` is the highest value they had accepted. Next, call `propose`. */
  | { readonly kind: 'deciding'; readonly read: Topology | null }
  | { readonly kind: 'accepting'; readonly topology: Topology }
  | { readonly kind: 'chosen'; readonly topology: Topology }
  /** The next attempt must use a ballot above `seen`. */
  | { readonly kind: 'failed'; readonly seen: Ballot };

/** One attempt of a proposer, under a ballot that no other attempt of any proposer ever uses. */
export class Attempt {
  state: AttemptState = { kind: 'preparing' };
  readonly ballot: Ballot;
  private readonly electorates: Electorate[];
  /** Votes needed at a founding, where nobody has an id yet: votes count by name, and all of them are needed. (R27) */
  private readonly foundingVotes: number | null;
  private readonly promises = new Map<string, number>();
  private readonly accepts = new Map<string, number>();
  private highest: AcceptedValue | null = null;

  constructor(ballot: Ballot, electorate: Electorate, foundingVotes: number | null = null) {
    this.ballot = ballot;
    this.electorates = [electorate];
    this.foundingVotes = foundingVotes;
  }

  /** Names of all voters that are asked. */
  voters(): string[] {
    return [...new Set(this.electorates.flatMap((electorate) => [...electorate.keys()]))];
  }

  onPromise(voter: Voter, granted: boolean, seen: Ballot, accepted: AcceptedValue | null): void {
    if (this.state.kind !== 'preparing') return;
    if (!granted) return this.refused(seen);
    if (compareBallots(seen, this.ballot) !== 0 || !this.counts(voter)) return;
    this.promises.set(voter.name, voter.id);
    if (accepted !== null && (this.highest === null || isLater(accepted, this.highest)))
      this.highest = accepted;
    if (this.enough(this.promises)) {
      this.state = { kind: 'deciding', read: this.highest?.topology ?? null };
    }
  }

  /** Call only while deciding. `next` is the value read or, if that is known to be chosen, one made from it. */
  propose(next: Topology): void {
    if (this.state.kind !== 'deciding') return;
    if (this.foundingVotes === null) this.electorates.push(electorateOf(next));
    this.state = { kind: 'accepting', topology: next };
  }

  onAccepted(voter: Voter, granted: boolean, seen: Ballot): void {
    if (this.state.kind !== 'accepting') return;
    if (!granted) return this.refused(seen);
    if (compareBallots(seen, this.ballot) !== 0 || !this.counts(voter)) return;
    this.accepts.set(voter.name, voter.id);
    if (this.enough(this.accepts)) this.state = { kind: 'chosen', topology: this.state.topology };
  }

  fail(): void {
    if (this.state.kind !== 'chosen') this.state = { kind: 'failed', seen: this.ballot };
  }

  /** A voter that promised a later ballot ends the attempt; one that only lags behind just gives no vote. */
  private refused(seen: Ballot): void {
    if (compareBallots(seen, this.ballot) > 0) this.state = { kind: 'failed', seen };
  }

  private counts(voter: Voter): boolean {
    return this.foundingVotes !== null || (!voter.abstains && voter.id > 0);
  }

  private enough(votes: ReadonlyMap<string, number>): boolean {
    return this.electorates.every((electorate) => {
      let count = 0;
      for (const [name, id] of electorate) {
        if (this.foundingVotes !== null ? votes.has(name) : votes.get(name) === id) count += 1;
      }
      return count >= (this.foundingVotes ?? majorityOf(electorate.size));
    });
  }
}
