/** causeway.v1.Admin: what operators and tests ask of this particular node. */
import type { Server } from '@grpc/grpc-js';
import { keyFault } from '../../core/clients/check-key.ts';
import { failure } from '../../core/errors.ts';
import type { Failure } from '../../core/errors.ts';
import { causeway } from '../../gen/protocol.js';
import type { NodeApi } from '../../node/api.ts';
import type { ClusterAnswer } from '../../node/cluster-orders.ts';
import { recordAnswer } from './answer.ts';
import { unary } from './method.ts';
import type { Done } from './method.ts';

export function addAdminService(server: Server, api: NodeApi): void {
  const { v1 } = causeway;
  unary(
    server,
    '/causeway.v1.Admin/Inspect',
    v1.InspectRequest,
    v1.InspectResponse,
    ({ key }, _timeoutMs, done) => {
      const fault = keyFault(key);
      if (fault !== undefined) return done(failure('invalid_argument', fault), null);
      const { owner, slot, valid, record } = api.inspect(key);
      if (record === undefined) return done(null, { owner, slot, valid });
      done(null, { owner, slot, valid, tombstone: record.tombstone, record: recordAnswer(record) });
    },
  );

  unary(
    server,
    '/causeway.v1.Admin/Status',
    v1.StatusRequest,
    v1.StatusResponse,
    (_request, _timeoutMs, done) => {
      done(null, { json: JSON.stringify(api.status()) });
    },
  );
  unary(server, '/causeway.v1.Admin/Scrub', v1.ScrubRequest, v1.ScrubResponse, (rate, timeoutMs, done) => {
    const { recordsPerSecondMax, bytesPerSecondMax } = rate;
    api.operate({ kind: 'scrub', recordsPerSecondMax, bytesPerSecondMax }, timeoutMs, (answer) =>
      answer.kind === 'scrubbing' ? done(null, { number: answer.number }) : done(refusalOf(answer), null),
    );
  });
  addClusterMethods(server, api);
  addRecoveryMethods(server, api);
  addSuccessionMethods(server, api);
  addUpgradeMethods(server, api);
  addRecordMethods(server, api);
}

const SERVER_NOT_NAMED = 'the request names no server: it must repeat what RecordServer answered as `seen`';

/** Answers an order that takes effect by an epoch. */
function changed(done: Done<{ readonly epoch: number }>): (answer: ClusterAnswer) => void {
  return (answer) => (answer.kind === 'changed' ? done(null, answer) : done(refusalOf(answer), null));
}

/** Methods about the cluster as a whole. */
function addClusterMethods(server: Server, api: NodeApi): void {
  const { v1 } = causeway;
  unary(
    server,
    '/causeway.v1.Admin/Describe',
    v1.DescribeRequest,
    v1.DescribeResponse,
    (_request, timeoutMs, done) =>
      api.operate({ kind: 'describe' }, timeoutMs, (answer) => {
        if (answer.kind !== 'described') return done(refusalOf(answer), null);
        const { clusterName, members } = answer.description;
        const settings = Object.entries(answer.description.settings).map(([name, value]) => ({
          name,
          value,
        }));
        done(null, { clusterName, settings, members });
      }),
  );
  unary(server, '/causeway.v1.Admin/Leave', v1.LeaveRequest, v1.ChangeResponse, ({ name }, timeoutMs, done) =>
    api.operate({ kind: 'leave', name }, timeoutMs, changed(done)),
  );
  unary(
    server,
    '/causeway.v1.Admin/Rebalance',
    v1.RebalanceRequest,
    v1.ChangeResponse,
    (_request, timeoutMs, done) => api.operate({ kind: 'rebalance' }, timeoutMs, changed(done)),
  );
  unary(
    server,
    '/causeway.v1.Admin/Plan',
    v1.PlanRequest,
    v1.PlanResponse,
    ({ joins, leaves }, timeoutMs, done) => {
      const planned = joins.map(({ name, zone, host, weight }) => ({
        name,
        zone,
        host,
        weight: weight || 1,
      }));
      api.operate({ kind: 'plan', joins: planned, leaves }, timeoutMs, (answer) =>
        answer.kind === 'planned' ? done(null, answer.plan) : done(refusalOf(answer), null),
      );
    },
  );
}

/** Methods to inspect lost slots and to give them up. */
function addRecoveryMethods(server: Server, api: NodeApi): void {
  const { v1 } = causeway;
  unary(server, '/causeway.v1.Admin/Loss', v1.LossRequest, v1.LossResponse, (_request, timeoutMs, done) =>
    api.operate({ kind: 'loss' }, timeoutMs, (answer) => {
      if (answer.kind !== 'lost') return done(refusalOf(answer), null);
      const { slots, holders, recordsKept, notWrittenThrough, ...rest } = answer.loss;
      const lists = { slots: [...slots], holders: [...holders], notWrittenThrough: [...notWrittenThrough] };
      done(null, { ...rest, ...lists, recordsKept: recordsKept ?? 0, isCounted: recordsKept !== null });
    }),
  );
  unary(
    server,
    '/causeway.v1.Admin/Recover',
    v1.RecoverRequest,
    v1.ChangeResponse,
    ({ slots }, timeoutMs, done) =>
      api.operate({ kind: 'recover', slotCount: slots }, timeoutMs, changed(done)),
  );
}

/** Methods for when the council has lost its majority: inspecting the quorum, and going on without it. */
function addSuccessionMethods(server: Server, api: NodeApi): void {
  const { v1 } = causeway;
  unary(
    server,
    '/causeway.v1.Admin/Quorum',
    v1.QuorumRequest,
    v1.QuorumResponse,
    (_request, timeoutMs, done) =>
      api.operate({ kind: 'quorum' }, timeoutMs, (answer) => {
        if (answer.kind !== 'quorum') return done(refusalOf(answer), null);
        const { lifeKept, members, notWrittenThrough, ...rest } = answer.quorum;
        const lists = { members: [...members], notWrittenThrough: [...notWrittenThrough] };
        done(null, { ...rest, ...lists, lifeKept: lifeKept ?? 0, isLifeKnown: lifeKept !== null });
      }),
  );
  unary(
    server,
    '/causeway.v1.Admin/Succeed',
    v1.SucceedRequest,
    v1.ChangeResponse,
    ({ lost, lifeKept }, timeoutMs, done) =>
      api.operate({ kind: 'succeed', lost, lifeKept }, timeoutMs, changed(done)),
  );
}

/** Methods to move to another PostgreSQL than the one in use. */
function addRecordMethods(server: Server, api: NodeApi): void {
  const { v1 } = causeway;
  unary(
    server,
    '/causeway.v1.Admin/RecordServer',
    v1.RecordServerRequest,
    v1.RecordServerResponse,
    (_request, timeoutMs, done) =>
      api.operate({ kind: 'recordServer' }, timeoutMs, (answer) => {
        if (answer.kind !== 'recordServer') return done(refusalOf(answer), null);
        const { known, clusterId, life, rowCount, newestAt, ...rest } = answer.facts;
        const inUse = { ...(known ?? { system: '', timeline: 0 }), clusterId, life };
        const counted = { rowCount: rowCount ?? 0, isCounted: rowCount !== null, newestAtMs: newestAt };
        done(null, { ...rest, ...counted, known: inUse });
      }),
  );
  unary(
    server,
    '/causeway.v1.Admin/AdoptRecord',
    v1.AdoptRecordRequest,
    v1.ChangeResponse,
    ({ seen: told, isBackup, mayLose }, timeoutMs, done) => {
      if (told === null) return done(failure('invalid_argument', SERVER_NOT_NAMED), null);
      const { system, timeline, clusterId, life } = told;
      const seen = { system, timeline, clusterId, life };
      api.operate({ kind: 'adoptRecord', seen, isBackup, mayLose }, timeoutMs, changed(done));
    },
  );
}

/** Methods to put a later version of the peer protocol in force. */
function addUpgradeMethods(server: Server, api: NodeApi): void {
  const { v1 } = causeway;
  unary(
    server,
    '/causeway.v1.Admin/FinishUpgrade',
    v1.FinishUpgradeRequest,
    v1.ChangeResponse,
    (_request, timeoutMs, done) => api.operate({ kind: 'finishUpgrade' }, timeoutMs, changed(done)),
  );
}

function refusalOf(answer: ClusterAnswer): Failure {
  return answer.kind === 'failed' ? answer.failure : failure('internal');
}
