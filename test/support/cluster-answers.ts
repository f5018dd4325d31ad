/** One answer of each kind that a node gives to operators, with every field filled. */
import { makeVersion } from '../../src/core/version.ts';
import type { ClusterAnswer } from '../../src/node/cluster-orders.ts';

/** The version of the first write to a `FakeNodeApi`. */
export const VERSION_ONE = makeVersion(1, 1);

const PLACE = { address: '127.0.0.1:50051', zone: 'a', host: 'rack-1', alive: true };

export const clusterAnswers = {
  described: {
    kind: 'described',
    description: {
      clusterName: 'shop',
      settings: { 'cluster.replicas': '3' },
      members: [{ name: 'node-1', ...PLACE }],
    },
  },
  slots: {
    kind: 'slots',
    map: {
      epoch: 3,
      members: [
        {
          ...{ name: 'node-1', alive: true, grpc: '127.0.0.1:50051' },
          ...{ http: '127.0.0.1:8080', resp: '' },
        },
      ],
      ranges: [{ from: 0, to: 16_383, owners: ['node-1'] }],
    },
  },
  lost: {
    kind: 'lost',
    loss: {
      slots: [7, 9],
      holders: [{ name: 'node-2', slots: 2, isMember: true }],
      recordsHere: 5,
      recordsKept: null,
      hasMoreKept: false,
      notWrittenThrough: ['session:'],
      recovering: 0,
    },
  },
  quorum: {
    kind: 'quorum',
    quorum: {
      epoch: 3,
      life: 1,
      lifeKept: null,
      members: [{ name: 'node-1', isUp: true, votes: true }],
      isLost: true,
      ownersNeeded: 2,
      notWrittenThrough: [],
    },
  },
  recordServer: {
    kind: 'recordServer',
    facts: {
      known: { system: '7301', timeline: 1 },
      drive: 0,
      isDriven: true,
      clusterId: 'c0ffee',
      life: 1,
      seen: { system: '7302', timeline: 1, clusterId: '', life: 0 },
      hasRows: false,
      rowCount: 0,
      newestAt: 0,
      verdict: 'ready',
      why: '',
      loses: '',
    },
  },
  planned: {
    kind: 'planned',
    plan: {
      shares: [{ name: 'node-4', slotsBefore: 0, slotsAfter: 4096, slotsGained: 4096 }],
      slotsCopied: 4096,
      recordsCopied: 100,
      obstacle: '',
    },
  },
} as const satisfies Record<string, ClusterAnswer>;
