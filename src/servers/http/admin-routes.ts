/**
 * `/v1/admin`: what operators look up at a particular node, and the orders they give it. A GET changes nothing. An
 * order that gives something up for good must repeat what its GET has shown, and does nothing if that has changed
 * since.
 */
import { z } from 'zod';
import { failure } from '../../core/errors.ts';
import type { NodeApi } from '../../node/api.ts';
import type { ClusterAnswer, ClusterOrder } from '../../node/cluster-orders.ts';
import {
  ADOPTION,
  CLUSTER,
  COUNT,
  EPOCH,
  INSPECTION,
  JOIN,
  LEVEL,
  LOSS,
  NAME,
  PLAN,
  QUORUM,
  RECORD_SERVER,
  SCRUB_NUMBER,
  SCRUB_RATE,
  SLOTS,
  STATUS,
} from './admin-shapes.ts';
import type { Level } from './admin-shapes.ts';
import { operate } from './asked.ts';
import { shownRecord } from './kv-record.ts';
import { problemOf } from './problem.ts';
import { route } from './route.ts';
import type { Reply, Route, RouteFacts } from './route.ts';

/** The log level of this process. A change lasts as long as the process runs. */
export interface LogLevels {
  level(): Level;
  setLevel(level: Level): void;
}

const BODY_BYTES_MAX = 64 * 1024;

export function adminRoutes(api: NodeApi, log: LogLevels): Route[] {
  return [...looks(api), ...orders(api), ...gravestOrders(api), ...ofTheProcess(api, log)];
}

type Answered<Kind extends ClusterAnswer['kind']> = Extract<ClusterAnswer, { kind: Kind }>;

/** Any answer of another kind than `kind` is a refusal. */
async function ask<Kind extends ClusterAnswer['kind']>(
  api: NodeApi,
  order: ClusterOrder,
  timeoutMs: number,
  kind: Kind,
  shown: (answer: Answered<Kind>) => unknown,
): Promise<Reply> {
  const answer = await operate(api, order, timeoutMs);
  if (answer.kind === kind) return { status: 200, json: shown(answer as Answered<Kind>) };
  return { problem: problemOf(answer.kind === 'failed' ? answer.failure : failure('internal')) };
}

function look<Kind extends ClusterAnswer['kind']>(
  api: NodeApi,
  [path, id, summary, schema]: readonly [string, string, string, z.ZodType],
  order: ClusterOrder,
  kind: Kind,
  shown: (answer: Answered<Kind>) => unknown,
): Route {
  return route({
    ...{ method: 'GET', path: `/v1/admin/${path}`, id, summary },
    answers: { 200: { description: 'As this node knows it.', schema } },
    handle: ({ timeoutMs }) => ask(api, order, timeoutMs(), kind, shown),
  });
}

function looks(api: NodeApi): Route[] {
  return [
    look(
      api,
      ['cluster', 'describeCluster', 'The members, and what all have alike', CLUSTER],
      { kind: 'describe' },
      'described',
      ({ description }) => description,
    ),
    look(
      api,
      ['slots', 'slots', 'Who owns which slots', SLOTS],
      { kind: 'slots' },
      'slots',
      ({ map }) => map,
    ),
    look(
      api,
      ['count', 'count', 'How many keys there are', COUNT],
      { kind: 'count' },
      'counted',
      ({ count, incomplete }) => ({ count, incomplete }),
    ),
    look(
      api,
      ['loss', 'loss', 'Slots of which no complete owner lives', LOSS],
      { kind: 'loss' },
      'lost',
      ({ loss }) => ({ ...loss, slotCount: loss.slots.length }),
    ),
    look(
      api,
      ['quorum', 'quorum', 'Whether those who are up can decide anything', QUORUM],
      { kind: 'quorum' },
      'quorum',
      ({ quorum }) => quorum,
    ),
    look(
      api,
      [
        'record-server',
        'recordServer',
        'Which PostgreSQL is in use, and which this node sees',
        RECORD_SERVER,
      ],
      { kind: 'recordServer' },
      'recordServer',
      ({ facts }) => facts,
    ),
  ];
}

const CHANGED: RouteFacts['answers'] = {
  200: { description: 'The epoch that says it, or in which there was nothing to change.', schema: EPOCH },
};

function change<Body extends z.ZodType>(
  api: NodeApi,
  [path, id, summary]: readonly [string, string, string],
  body: Body,
  order: (body: z.infer<Body>) => ClusterOrder,
): Route {
  return route({
    ...{ method: 'POST', path: `/v1/admin/${path}`, id, summary, body, bodyBytesMax: BODY_BYTES_MAX },
    answers: CHANGED,
    handle: (call) => ask(api, order(call.body), call.timeoutMs(), 'changed', ({ epoch }) => ({ epoch })),
  });
}

const NOTHING = z.strictObject({});

function orders(api: NodeApi): Route[] {
  return [
    change(
      api,
      ['leave', 'leave', 'Have a member leave for good, when its slots are taken over'],
      z.strictObject({ name: NAME }),
      ({ name }) => ({ kind: 'leave', name }),
    ),
    change(api, ['rebalance', 'rebalance', 'Share the slots out anew'], NOTHING, () => ({
      kind: 'rebalance',
    })),
    route({
      ...{ method: 'POST', path: '/v1/admin/plan', id: 'plan' },
      summary: 'Show what a change of members would move, without doing it',
      body: z.strictObject({ joins: z.array(JOIN).default([]), leaves: z.array(NAME).default([]) }),
      bodyBytesMax: BODY_BYTES_MAX,
      answers: { 200: { description: 'The moves.', schema: PLAN } },
      handle: ({ body, timeoutMs }) =>
        ask(api, { kind: 'plan', ...body }, timeoutMs(), 'planned', ({ plan }) => plan),
    }),
    route({
      ...{ method: 'POST', path: '/v1/admin/scrub', id: 'scrub' },
      summary: 'Begin a round of scrubbing over all slots of this node',
      body: SCRUB_RATE,
      bodyBytesMax: BODY_BYTES_MAX,
      answers: { 200: { description: 'Its number; the status tells how far it is.', schema: SCRUB_NUMBER } },
      handle: ({ body, timeoutMs }) =>
        ask(api, { kind: 'scrub', ...body }, timeoutMs(), 'scrubbing', ({ number }) => ({ number })),
    }),
  ];
}

/** Orders that cannot be undone. */
function gravestOrders(api: NodeApi): Route[] {
  return [
    change(
      api,
      ['recover', 'recover', 'Give lost slots up; slotCount as GET /v1/admin/loss has told it'],
      z.strictObject({ slotCount: z.int().min(1) }),
      ({ slotCount }) => ({ kind: 'recover', slotCount }),
    ),
    change(
      api,
      [
        'succeed',
        'succeed',
        'Go on without lost voters; lost and lifeKept as GET /v1/admin/quorum has told them',
      ],
      z.strictObject({ lost: z.array(NAME), lifeKept: z.int().min(0) }),
      ({ lost, lifeKept }) => ({ kind: 'succeed', lost, lifeKept }),
    ),
    change(
      api,
      [
        'adopt-record',
        'adoptRecord',
        'Take another PostgreSQL into use; seen as GET /v1/admin/record-server has told it',
      ],
      ADOPTION,
      (body) => ({ kind: 'adoptRecord', ...body }),
    ),
    change(
      api,
      [
        'finish-upgrade',
        'finishUpgrade',
        'Put the version of the members’ protocol that this node speaks in force',
      ],
      NOTHING,
      () => ({ kind: 'finishUpgrade' }),
    ),
  ];
}

function ofTheProcess(api: NodeApi, log: LogLevels): Route[] {
  return [
    route({
      ...{ method: 'GET', path: '/v1/admin/status', id: 'status', summary: 'What this node is at' },
      answers: { 200: { description: 'As causeway status --json has it for one node.', schema: STATUS } },
      handle: () => Promise.resolve({ status: 200, json: api.status() }),
    }),
    route({
      ...{ method: 'GET', path: '/v1/admin/inspect', id: 'inspect' },
      summary: 'What the store of this very node holds for a key',
      query: { key: z.string().min(1) },
      answers: { 200: { description: 'Validated or not.', schema: INSPECTION } },
      handle: ({ key }) => Promise.resolve({ status: 200, json: inspected(api, key) }),
    }),
    route({
      ...{ method: 'GET', path: '/v1/admin/log-level', id: 'logLevel', summary: 'What this process logs' },
      answers: { 200: { description: 'The least grave that is written.', schema: LEVEL } },
      handle: () => Promise.resolve({ status: 200, json: { level: log.level() } }),
    }),
    route({
      ...{ method: 'PUT', path: '/v1/admin/log-level', id: 'setLogLevel' },
      summary: 'Have this process log more or less, until it ends',
      body: LEVEL,
      bodyBytesMax: BODY_BYTES_MAX,
      answers: { 200: { description: 'From now on.', schema: LEVEL } },
      handle: ({ body }) => {
        log.setLevel(body.level);
        return Promise.resolve({ status: 200, json: { level: log.level() } });
      },
    }),
  ];
}

function inspected(api: NodeApi, key: string): z.infer<typeof INSPECTION> {
  const { owner, slot, valid, record } = api.inspect(key);
  if (record === undefined) return { owner, slot, valid, record: null };
  return { owner, slot, valid, record: { ...shownRecord(record), tombstone: record.tombstone } };
}
