/**
 * An operator's requests when the council's majority is gone: who is up, and to continue with those members alone. The
 * next life is taken from PostgreSQL before anything changes here. From then on PostgreSQL accepts nothing of the
 * previous life, so there is no way back: a life that was taken is carried through. (DESIGN 3, PROTOCOL R27)
 */
import { failure } from '../../core/errors.ts';
import type { Failure } from '../../core/errors.ts';
import { FoundingLook } from '../../core/lives/founding-look.ts';
import { LIFE_ASK_CHOSEN_MS, LIFE_LOOK_AGAIN_MS } from '../../core/lives/life-limits.ts';
import { whyLifeGoesOn } from '../../core/lives/lives.ts';
import type { StandingLife } from '../../core/lives/lives.ts';
import type { LifeName } from '../../core/membership/membership-message.ts';
import { promotedServer, serverOf } from '../../core/system-of-record/record-standing.ts';
import { sameLife } from '../../core/membership/register.ts';
import { hasMajority, succeed } from '../../core/lives/succession.ts';
import type { NextLife, Survivor } from '../../core/lives/succession.ts';
import { ownersNeeded } from '../../core/membership/topology.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { ClusterAnswer, ClusterQuorum } from '../cluster-orders.ts';
import type { ClusterDeskParts } from './cluster-desk.ts';
import { drawClusterId, readLife, takeFounding } from '../membership/founding.ts';

const NOT_WATCHED =
  'a later life of the cluster is in force, and it takes some seven seconds to see that nobody lives in it: ask with more time';

/** What is remembered of an order to continue while it is tried. */
interface Tries {
  readonly look: FoundingLook;
  readonly until: number;
  /** Cluster id of the founding that may have been taken; '' if none was tried yet. */
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
    // Members that have come up meanwhile still count as lost, and come back as learners.
    const survivors = parts.membership.succession.survivors(topology);
    const next = nextTopology(parts, topology, survivors, taken);
    parts.membership.succession.begin(next);
    answer({ kind: 'changed', epoch: next.epoch });
  });
}

/**
 * Like `readLifeKept`. If a later life is in force in which no member is reported to be up, it is observed for a while:
 * PostgreSQL may have been away, and living members may not have noted themselves again. Null if there was no time for
 * that. (founding-look.ts)
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
    // The operator will have been answered by then, and nothing may begin that nobody waits for.
    if (now + LIFE_LOOK_AGAIN_MS > tries.until) return done(null);
    clock.after(LIFE_LOOK_AGAIN_MS, () => whenNobodyLives(parts, topology, tries, done));
  });
}

/** Why the operator cannot continue with another life; null if the members that are up have no other way. */
function whyNotSucceed(parts: ClusterDeskParts, topology: Topology, lifeKept: number): string | null {
  const { selfId, succession } = parts.membership;
  const up = succession.survivors(topology);
  if (!up.some((each) => each.id === selfId)) return 'this node is no member of the cluster';
  // An earlier attempt took a life and was cut short: this life cannot write any more.
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
 * The life in force, or a text that says why it is unknown. Without PostgreSQL this node's own life counts. A
 * PostgreSQL that has failed over is not queried before it may be used, but its connection tells which life is in force
 * there.
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
 * Takes the life after the one shown to the operator, by compare-and-set. If it is unknown whether it was taken, it is
 * tried again while there is time: otherwise it would later have to be observed that nobody lives in it, and be given
 * up for yet another one.
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
    // An attempt that takes as long as this one did would find nobody waiting for its answer.
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

/**
 * Reports the life taken or, as a text, why it is not known to have been taken, and whether that is final. Trying the
 * same founding twice is harmless.
 */
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
  // No epoch can name the promoted server. Members that could still write elsewhere are lost, according to the
  // operator.
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
