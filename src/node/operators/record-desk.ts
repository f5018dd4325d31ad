/**
 * An operator's requests about adopting another PostgreSQL: what this node sees of it, and to adopt it. The database is
 * claimed before an epoch names it; until then nobody uses it, and the previous server stays in use. If this node dies
 * after claiming and before naming it, the database is simply claimed again. (PROTOCOL R30)
 */
import { failure } from '../../core/errors.ts';
import type { Failure } from '../../core/errors.ts';
import { isAdopted, judgeAdoption, lossByAdoption } from '../../core/system-of-record/record-adoption.ts';
import { driveOf, everythingDriven, isSameServer } from '../../core/system-of-record/record-standing.ts';
import type { RecordIdentity, Topology } from '../../core/membership/topology.ts';
import type { RecordError, RecordSurvey, SystemOfRecord } from '../../ports/system-of-record.ts';
import type { AdoptRecordOrder, ClusterAnswer, RecordServerFacts } from '../cluster-orders.ts';
import type { ClusterDeskParts } from './cluster-desk.ts';
import { drawClusterId } from '../membership/founding.ts';
import type { Wish } from '../membership/wishes.ts';

type Answer = (given: ClusterAnswer) => void;
/** Proposes the wish until an epoch fulfils it. */
type Change = (wish: Wish, isSaid: (topology: Topology) => boolean, then: Answer) => void;

/** Hexadecimal digits in the name of an adoption: 64 bits. */
const ADOPTION_DIGITS = 16;

export function tellServer(parts: ClusterDeskParts, topology: Topology, answer: Answer): void {
  withSurvey(parts, topology, answer, (_record, facts) => answer({ kind: 'recordServer', facts }));
}

export function adoptSeen(
  parts: ClusterDeskParts,
  topology: Topology,
  order: AdoptRecordOrder,
  timeoutMs: number,
  answer: Answer,
  change: Change,
): void {
  const once = answeringOnce(parts, timeoutMs, answer);
  if (!parts.membership.leaseHeld()) return once(failed(failure('not_ready')));
  withSurvey(parts, topology, once, (record, facts) => {
    const why = whyNotAdopt(facts, order);
    if (why !== null) return once(refused(why));
    const { clusterId, life } = topology;
    const adoption = drawClusterId(parts.random).slice(0, ADOPTION_DIGITS);
    const { ancestors } = parts.membership.succession;
    record.claim(facts.seen, { clusterId, life, ancestors, adoption }, (error, server) => {
      if (server === null) return once(failedClaim(error!));
      parts.telemetry.event('warn', 'record.claimed', { ...server });
      parts.membership.proposals.recordNews.saw(record.seen());
      name(server, clusterId, once, change, () => parts.membership.topology!);
    });
  });
}

function name(
  server: RecordIdentity,
  clusterId: string,
  answer: Answer,
  change: Change,
  topology: () => Topology,
): void {
  const isSaid = (now: Topology): boolean => isAdopted(now, server);
  change({ kind: 'adopt', claimed: { ...server, clusterId } }, isSaid, (given) => {
    if (given.kind === 'changed' && !isSaid(topology()))
      return answer(refused('this node does not see that server any more: look again'));
    answer(given);
  });
}

/** For people: why the order is not carried out; null if it is. */
function whyNotAdopt(facts: RecordServerFacts, order: AdoptRecordOrder): string | null {
  if (facts.verdict === 'refused') return `this PostgreSQL is not accepted: ${facts.why}`;
  if (facts.verdict === 'inUse') return 'this PostgreSQL is the one in use';
  if (!isSameServer(facts.seen, order.seen)) return 'the server is another than was shown: look again';
  if (facts.verdict === 'earlier' && !order.isBackup)
    return 'what stands in this PostgreSQL is not of this founding: it must be said that it is a backup of this cluster';
  if (facts.loses !== '' && !order.mayLose) return `it must be said that these may be lost: ${facts.loses}`;
  return null;
}

function withSurvey(
  { systemOfRecord }: ClusterDeskParts,
  topology: Topology,
  answer: Answer,
  then: (record: SystemOfRecord, facts: RecordServerFacts) => void,
): void {
  if (systemOfRecord === null) return answer(refused('this cluster has no PostgreSQL'));
  systemOfRecord.survey((error, survey) => {
    if (survey === null) return answer(failed(failure('record_unavailable', error!.message)));
    then(systemOfRecord, factsOf(topology, survey));
  });
}

function factsOf(topology: Topology, { server, ...counts }: RecordSurvey): RecordServerFacts {
  const { record, clusterId, life } = topology;
  const judged = judgeAdoption(topology, server, counts.hasRows);
  return {
    known: record === undefined ? null : { system: record.system, timeline: record.timeline },
    drive: driveOf(topology),
    isDriven: everythingDriven(topology),
    ...{ clusterId, life, seen: server },
    ...counts,
    verdict: judged.kind,
    why: judged.kind === 'refused' ? judged.why : '',
    loses: lossByAdoption(topology) ?? '',
  };
}

/** A claim may take as long as a schema change. */
function answeringOnce({ clock }: ClusterDeskParts, timeoutMs: number, answer: Answer): Answer {
  let isOver = false;
  const once: Answer = (given) => {
    if (isOver) return;
    isOver = true;
    stop();
    answer(given);
  };
  const stop = clock.after(timeoutMs, () => once(failed(failure('outcome_unknown'))));
  return once;
}

function failedClaim({ kind, message }: RecordError): ClusterAnswer {
  return failed(failure(kind === 'refused' ? 'record_unavailable' : 'outcome_unknown', message));
}

function refused(why: string): ClusterAnswer {
  return failed(failure('invalid_argument', why));
}

function failed(why: Failure): ClusterAnswer {
  return { kind: 'failed', failure: why };
}
