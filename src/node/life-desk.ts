/**
 * What an operator asks where the council's majority is gone: who is up, and to go on with them alone. The next life is
 * taken from PostgreSQL before anything changes here; from then on it takes nothing of the life before, so there is no
 * way back to that: what was taken is carried through. (DESIGN 3, PROTOCOL R27)
 */
import { failure } from '../core/errors.ts';
import type { Failure } from '../core/errors.ts';
import { FoundingLook } from '../core/founding-look.ts';
import { LIFE_ASK_CHOSEN_MS, LIFE_LOOK_AGAIN_MS } from '../core/life-limits.ts';
import { whyLifeGoesOn } from '../core/lives.ts';
import type { StandingLife } from '../core/lives.ts';
import type { LifeName } from '../core/membership-message.ts';
import { promotedServer, serverOf } from '../core/record-standing.ts';
import { sameLife } from '../core/register.ts';
import { hasMajority, succeed } from '../core/succession.ts';
import type { NextLife, Survivor } from '../core/succession.ts';
import { ownersNeeded } from '../core/topology.ts';
import type { Topology } from '../core/topology.ts';
import type { ClusterAnswer, ClusterQuorum } from './api.ts';
import type { ClusterDeskParts } from './cluster-desk.ts';
import { drawClusterId, readLife, takeFounding } from './founding.ts';

const NOT_WATCHED =
  'a later life of the cluster is in force, and it takes some seven seconds to see that nobody lives in it: ask with more time';

/** What is kept of an order to go on while it is tried. */
interface Tries {
  readonly look: FoundingLook;
  readonly until: number;
  /** Of the founding that may have been taken; '': none was tried yet. */
  clusterId: string;
}

export function tellQuorum(
  parts: ClusterDeskParts,
  topology: Topology,
  done: (quorum: ClusterQuorum) => void,
): void {
  readLifeKept(parts, topology, (kept) => {
    const lifeKept = typeof kept === 'string' ? null : kept.life;
    const up = parts.membership.succession.survivors(topology);
    const isUp = (id: number): boolean => up.some((each) => each.id === id);
    done({
      epoch: topology.epoch,
      life: topology.life,
      lifeKept,
      members: topology.members.map(({ id, name }) => {
        return { name, isUp: isUp(id), votes: topology.council.includes(id) };
      }),
      isLost: whyNotSucceed(parts, topology, lifeKept ?? 0) === null,
      ownersNeeded: ownersNeeded(topology),
      notWrittenThrough: parts.writeThrough.filter((rule) => !rule.writeThrough).map((rule) => rule.prefix),
    });
  });
}

export function beginNextLife(
  parts: ClusterDeskParts,
  order: { readonly lost: readonly string[]; readonly lifeKept: number },
  timeoutMs: number,
  answer: (given: ClusterAnswer) => void,
): void {
  const fail = (why: Failure): void => answer({ kind: 'failed', failure: why });
  const refuse = (why: string): void => fail(failure('invalid_argument', why));
  const topology = parts.membership.topology!;
  const isAsShown = namesLost(parts, topology).join() === [...order.lost].sort().join();
  const whyNot = whyNotSucceed(parts, topology, order.lifeKept);
  if (whyNot !== null) return refuse(whyNot);
  if (parts.systemOfRecord !== null && order.lifeKept < topology.life)
    return refuse(
      `PostgreSQL knows life ${order.lifeKept} of the cluster, this node knows life ${topology.life}`,
    );
  if (!isAsShown) return refuse('others are up by now than were shown: look again');
  const tries: Tries = { look: new FoundingLook(), until: parts.clock.now() + timeoutMs, clusterId: '' };
  takeLife(parts, topology, order.lifeKept, tries, (taken) => {
    if ('code' in taken) return fail(taken);
    // Whoever has come up meanwhile is among the lost all the same, and comes back as a learner.
    const survivors = parts.membership.succession.survivors(topology);
    const next = nextTopology(parts, topology, survivors, taken);
    parts.membership.succession.begin(next);
    answer({ kind: 'changed', epoch: next.epoch });
  });
}

/**
 * As `readLifeKept`. Where a later life is in force, of which nobody is told to be up, that is watched for a while: PostgreSQL may have
 * been away, and who lives may not have noted it anew. Null: there was no time for that. (founding-look.ts)
 */
function whenNobodyLives(
  parts: ClusterDeskParts,
  topology: Topology,
  tries: Tries,
  done: (kept: StandingLife | string | null) => void,
): void {
  const { clock, mutations } = parts;
  readLifeKept(parts, topology, (kept) => {
    const isTold =
      typeof kept === 'string' || kept.life <= topology.life || whyLifeGoesOn(topology, kept) !== null;
    const now = clock.now();
    if (isTold || mutations?.trustOldNote === true || tries.look.isClear(kept, tries.clusterId, now))
      return done(kept);
    // Who has asked is told by then, and nothing is begun that nobody waits for.
    if (now + LIFE_LOOK_AGAIN_MS > tries.until) return done(null);
    clock.after(LIFE_LOOK_AGAIN_MS, () => whenNobodyLives(parts, topology, tries, done));
  });
}

/** null: those who are up have no other way to go on. */
function whyNotSucceed(parts: ClusterDeskParts, topology: Topology, lifeKept: number): string | null {
  const { selfId, succession } = parts.membership;
  const up = succession.survivors(topology);
  if (!up.some((each) => each.id === selfId)) return 'this node is no member of the cluster';
  // An earlier try has taken a life and was cut short: nothing of this one can be written any more.
  const isFenced = lifeKept > topology.life;
  if (!isFenced && hasMajority(topology, up))
    return 'the voters that are up are enough: nobody has to be given up';
  return null;
}

function namesLost(parts: ClusterDeskParts, topology: Topology): string[] {
  const up = parts.membership.succession.survivors(topology);
  const isLost = ({ id }: { id: number }): boolean => !up.some((each) => each.id === id);
  return topology.members
    .filter(isLost)
    .map(({ name }) => name)
    .sort();
}

/**
 * The life in force; in words why it is not known. A cluster without PostgreSQL has its own word alone; and one that has failed over
 * is not asked before it is to be used, but it says which life is in force there.
 */
function readLifeKept(
  { systemOfRecord }: ClusterDeskParts,
  topology: Topology,
  done: (kept: StandingLife | string) => void,
): void {
  const inForce = ({ clusterId, life }: LifeName): StandingLife => ({
    clusterId,
    life,
    lineage: [],
    sign: null,
  });
  if (systemOfRecord === null) return done(inForce(topology));
  readLife(systemOfRecord, (standing) => {
    const promoted = promotedServer(topology, systemOfRecord.seen());
    if (typeof standing === 'string' && promoted !== null) return done(inForce(promoted));
    done(standing ?? inForce({ clusterId: '', life: 0 }));
  });
}

/**
 * The life after the one that was shown, by compare-and-set. Where nobody knows whether it was taken it is tried again for as
 * long as there is time: left as it is it would have to be watched that nobody lives in it, and given up for one more.
 */
function takeLife(
  parts: ClusterDeskParts,
  topology: Topology,
  lifeKept: number,
  tries: Tries,
  done: (taken: NextLife | Failure) => void,
): void {
  const { systemOfRecord, clock } = parts;
  const end = (reason: string): void => {
    if (promotedServer(topology, systemOfRecord?.seen() ?? null) !== null)
      systemOfRecord!.choose(serverOf(topology)!);
    done(failure('outcome_unknown', reason));
  };
  const beganAt = clock.now();
  const again = (reason: string): void => {
    // One that takes as long as this one did would be answered to nobody.
    const tookMs = clock.now() - beganAt;
    if (clock.now() + LIFE_ASK_CHOSEN_MS + tookMs >= tries.until) return end(reason);
    clock.after(LIFE_ASK_CHOSEN_MS, () => takeLife(parts, topology, lifeKept, tries, done));
  };
  whenNobodyLives(parts, topology, tries, (kept) => {
    const whyNot = whyNotTake(parts, topology, kept);
    if (whyNot !== null && tries.clusterId === '') return done(whyNot);
    if (whyNot !== null) return (isTold(kept) ? end : again)(whyNot.message);
    tries.clusterId ||= drawClusterId(parts.random);
    found(parts, topology, lifeKept, tries.clusterId, (taken, isKnown) => {
      if (typeof taken !== 'string') done(taken);
      else if (isKnown) end(taken);
      else again(taken);
    });
  });
}

function isTold(kept: StandingLife | string | null): kept is StandingLife {
  return kept !== null && typeof kept !== 'string';
}

function whyNotTake(
  { membership }: ClusterDeskParts,
  topology: Topology,
  kept: StandingLife | string | null,
): Failure | null {
  if (kept === null) return failure('not_ready', NOT_WATCHED);
  if (typeof kept === 'string') return failure('record_unavailable', kept);
  const whyGoesOn = whyLifeGoesOn(topology, kept);
  if (whyGoesOn !== null) return failure('invalid_argument', whyGoesOn);
  if (sameLife(membership.topology!, topology)) return null;
  return failure('invalid_argument', 'this node is of another life by now: look again');
}

/** In words, and whether that is final, where the founding is not known to have been taken. One that is tried twice is the same. */
function found(
  { systemOfRecord, mutations }: ClusterDeskParts,
  topology: Topology,
  lifeKept: number,
  clusterId: string,
  done: (taken: NextLife | string, isKnown: boolean) => void,
): void {
  if (systemOfRecord === null || mutations?.succeedUnfenced === true) {
    const { life, floorCounter } = topology;
    return done({ clusterId, life: life + 1, floorCounter, record: null }, true);
  }
  const promoted = promotedServer(topology, systemOfRecord.seen());
  // No epoch can name it. Those who could still write elsewhere are the lost ones, by the operator's word.
  if (promoted !== null) systemOfRecord.choose(promoted);
  takeFounding(systemOfRecord, lifeKept, clusterId, done);
}

function nextTopology(
  { place, mutations }: ClusterDeskParts,
  topology: Topology,
  survivors: readonly Survivor[],
  taken: NextLife,
): Topology {
  const next = succeed(topology, survivors, taken, place);
  if (mutations?.succeedUndriven === true && next.record !== undefined)
    return { ...next, record: { ...next.record, driven: true } };
  if (mutations?.succeedComplete !== true) return next;
  return { ...next, rows: topology.rows, slotRow: topology.slotRow };
}
