/**
 * The topology's register, first its parts and then the whole: proposers compete over lossy links, and one proposer
 * that breaks the rule must be caught by the check.
 */
import { describe, expect, it } from 'vitest';
import { Prng } from '../../base/prng.ts';
import { ACCEPTOR_BLANK, Attempt, acceptorAccept, acceptorPrepare, electorateOf } from './register.ts';
import type { AcceptorState } from './register.ts';
import type { Topology } from './topology.ts';

function topologyAt(epoch: number, council: readonly number[] = [1, 2, 3], mark = 0): Topology {
  const members = council.map((id, index) => ({
    id,
    name: 'abc'[index]!,
    address: '',
    incarnation: 1,
    alive: true,
    zone: '',
    host: '',
    weight: 1,
  }));
  return {
    epoch,
    clusterId: 'c',
    life: 1,
    replicaCount: 3,
    ownerCountMin: 2,
    leaseMs: 600,
    clockDrift: 0.01,
    healAfterMs: 0,
    members,
    council,
    nextId: 9,
    rows: [],
    slotRow: new Uint16Array(0),
    placed: [],
    floorCounter: mark,
    loaded: true,
  };
}

const ballot = (number: number, proposer = 'a') => ({ number, proposer });
const voter = (name: string, id: number, abstains = false) => ({ name, id, abstains });

describe('what a proposer takes for the value that may have been chosen', () => {
  const read = (...accepted: [number, Topology][]): Topology | null => {
    const attempt = new Attempt(ballot(9_000), electorateOf(topologyAt(1)));
    accepted.forEach(([number, topology], index) => {
      attempt.onPromise(voter('abc'[index]!, index + 1), true, ballot(9_000), {
        ballot: ballot(number),
        topology,
      });
    });
    return attempt.state.kind === 'deciding' ? attempt.state.read : null;
  };

  it('of one epoch: the one of the highest ballot', () => {
    expect(read([7, topologyAt(4, [1, 2, 3], 1)], [8, topologyAt(4, [1, 2, 3], 2)])?.floorCounter).toBe(2);
    expect(read([8, topologyAt(4, [1, 2, 3], 1)], [7, topologyAt(4, [1, 2, 3], 2)])?.floorCounter).toBe(1);
  });

  it('an old epoch that somebody proposed in vain under ever higher ballots: the later epoch', () => {
    expect(read([31, topologyAt(6)], [5_000, topologyAt(3)])?.epoch).toBe(6);
    expect(read([5_000, topologyAt(3)], [31, topologyAt(6)])?.epoch).toBe(6);
  });
});

describe('acceptor', () => {
  it('a promise: lower and equal ballots are refused from then on', () => {
    const { state } = acceptorPrepare(ACCEPTOR_BLANK, ballot(5));
    expect(acceptorPrepare(state, ballot(5)).granted).toBe(false);
    expect(acceptorPrepare(state, ballot(4, 'z')).granted).toBe(false);
    expect(acceptorPrepare(state, ballot(5, 'b')).granted).toBe(true);
    expect(acceptorAccept(state, ballot(4), topologyAt(2), topologyAt(1)).granted).toBe(false);
  });

  it('an epoch whose predecessor is not known to be chosen, or another life: not accepted', () => {
    const { state } = acceptorPrepare(ACCEPTOR_BLANK, ballot(5));
    expect(acceptorAccept(state, ballot(5), topologyAt(4), topologyAt(2)).granted).toBe(false);
    expect(acceptorAccept(state, ballot(5), topologyAt(1), topologyAt(2)).granted).toBe(false);
    expect(acceptorAccept(state, ballot(5), { ...topologyAt(3), life: 2 }, topologyAt(2)).granted).toBe(
      false,
    );
    expect(acceptorAccept(state, ballot(5), topologyAt(3), topologyAt(2)).granted).toBe(true);
    expect(acceptorAccept(state, ballot(5), topologyAt(2), null).granted).toBe(false);
    expect(acceptorAccept(state, ballot(5), topologyAt(1), null).granted).toBe(true);
  });
});

describe('attempt', () => {
  it('voters that abstain, have no id, or another id than the council names: no majority', () => {
    const attempt = new Attempt(ballot(1), electorateOf(topologyAt(1)));
    attempt.onPromise(voter('a', 1), true, ballot(1), null);
    attempt.onPromise(voter('b', 2, true), true, ballot(1), null);
    attempt.onPromise(voter('b', 0), true, ballot(1), null);
    attempt.onPromise(voter('b', 9), true, ballot(1), null);
    expect(attempt.state.kind).toBe('preparing');
    attempt.onPromise(voter('b', 2), true, ballot(1), null);
    expect(attempt.state.kind).toBe('deciding');
  });

  it('a voter changes: majorities of the old and of the new council are needed', () => {
    const attempt = new Attempt(ballot(1), electorateOf(topologyAt(1)));
    attempt.onPromise(voter('a', 1), true, ballot(1), null);
    attempt.onPromise(voter('b', 2), true, ballot(1), null);
    attempt.propose(topologyAt(2, [1, 2, 4]));
    attempt.onAccepted(voter('a', 1), true, ballot(1));
    attempt.onAccepted(voter('c', 4), true, ballot(1));
    expect(attempt.state.kind).toBe('accepting');
    attempt.onAccepted(voter('b', 2), true, ballot(1));
    expect(attempt.state.kind).toBe('chosen');
  });

  it('refused for a higher ballot: failed; refused for lagging behind: merely no vote', () => {
    const attempt = new Attempt(ballot(3), electorateOf(topologyAt(1)));
    attempt.onPromise(voter('a', 1), false, ballot(2), null);
    expect(attempt.state.kind).toBe('preparing');
    attempt.onPromise(voter('a', 1), false, ballot(8), null);
    expect(attempt.state).toEqual({ kind: 'failed', seen: ballot(8) });
  });

  it('a founding: everybody is needed, and ids are not', () => {
    const attempt = new Attempt(
      ballot(1),
      new Map([
        ['a', 0],
        ['b', 0],
      ]),
      2,
    );
    attempt.onPromise(voter('a', 0, true), true, ballot(1), null);
    expect(attempt.state.kind).toBe('preparing');
    attempt.onPromise(voter('b', 0, true), true, ballot(1), null);
    expect(attempt.state.kind).toBe('deciding');
  });

  it('duelling proposers, lost messages: one value per epoch, whatever the order', () => {
    for (let seed = 1; seed <= 300; seed++) expect(duel(seed)).toBeLessThanOrEqual(1);
  });

  it('a proposer that ignores what it read: caught', () => {
    let worst = 0;
    for (let seed = 1; seed <= 300; seed++) worst = Math.max(worst, duel(seed, true));
    expect(worst).toBeGreaterThan(1);
  });
});

/** All proposers start at epoch 1 and want different successors. Returns how many different ones are chosen. */
function duel(seed: number, ignoreRead = false): number {
  const random = new Prng(seed);
  const known = topologyAt(1);
  const acceptors: AcceptorState[] = known.council.map(() => ({
    promised: ballot(0, ''),
    accepted: { ballot: ballot(0, ''), topology: known },
  }));
  const chosen = new Set<number>();
  const pending: (() => void)[] = [];
  for (let proposer = 1; proposer <= 4; proposer++) {
    const own = ballot(1 + random.below(4), `p${proposer}`);
    const attempt = new Attempt(own, electorateOf(known));
    const accept = (index: number, value: Topology) => (): void => {
      const step = acceptorAccept(acceptors[index]!, own, value, known);
      acceptors[index] = step.state;
      attempt.onAccepted(voter('abc'[index]!, index + 1), step.granted, step.state.promised);
      if (attempt.state.kind === 'chosen') chosen.add(attempt.state.topology.floorCounter);
    };
    const prepare = (index: number) => (): void => {
      const step = acceptorPrepare(acceptors[index]!, own);
      acceptors[index] = step.state;
      attempt.onPromise(
        voter('abc'[index]!, index + 1),
        step.granted,
        step.state.promised,
        step.state.accepted,
      );
      if (attempt.state.kind !== 'deciding') return;
      const { read } = attempt.state;
      const next = read !== null && read.epoch > 1 && !ignoreRead ? read : topologyAt(2, [1, 2, 3], proposer);
      attempt.propose(next);
      for (let each = 0; each < 3; each++) pending.push(accept(each, next));
    };
    for (let each = 0; each < 3; each++) pending.push(prepare(each));
  }
  while (pending.length > 0) {
    const [run] = pending.splice(random.below(pending.length), 1);
    if (!random.chance(0.15)) run!();
  }
  return chosen.size;
}
