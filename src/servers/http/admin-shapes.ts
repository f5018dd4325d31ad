/**
 * Schemas of what operators send and receive, field by field. The same types, with their fields explained,
 * are in `src/node/status.ts` and `src/node/cluster-orders.ts`.
 */
import { z } from 'zod';
import { PHASES } from '../../core/membership/phases.ts';
import type {
  ClusterDescription,
  ClusterLoss,
  ClusterQuorum,
  MovePlan,
  RecordServerFacts,
} from '../../node/cluster-orders.ts';
import type { SlotMap } from '../../core/clients/slot-map.ts';
import { RECORD } from './kv-record.ts';

type Frozen<Told> = Told extends readonly (infer One)[]
  ? readonly Frozen<One>[]
  : Told extends object
    ? { readonly [Name in keyof Told]: Frozen<Told[Name]> }
    : Told;

/** A schema that must fit the node's own type; otherwise it does not compile. */
function shapeOf<Told>() {
  return <Shape extends z.ZodType>(shape: Told extends Frozen<z.infer<Shape>> ? Shape : never): Shape =>
    shape;
}

export const NAME = z.string().min(1).max(255);
const COUNTED = z.int().min(0);
const TEXTS = z.array(z.string());

export const EPOCH = z.strictObject({ epoch: COUNTED });
export const SCRUB_NUMBER = z.strictObject({ number: COUNTED });
export const SCRUB_RATE = z.strictObject({
  recordsPerSecondMax: COUNTED.default(0).describe('0: without limit'),
  bytesPerSecondMax: COUNTED.default(0).describe('0: without limit'),
});
export const LEVEL = z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']) });
export type Level = z.infer<typeof LEVEL>['level'];

export const JOIN = z.strictObject({
  name: NAME,
  zone: z.string().default(''),
  host: z.string().default(''),
  weight: z.number().min(0).max(1000).default(1),
});

export const CLUSTER = shapeOf<ClusterDescription>()(
  z.strictObject({
    clusterName: z.string(),
    settings: z.record(z.string(), z.string()),
    members: z.array(
      z.strictObject({
        name: z.string(),
        address: z.string(),
        zone: z.string(),
        host: z.string(),
        alive: z.boolean(),
      }),
    ),
  }),
);

const DOOR = z.string().describe('host:port at which clients reach it; empty: not known, or there is none');

export const SLOTS = shapeOf<SlotMap>()(
  z.strictObject({
    epoch: COUNTED,
    members: z.array(
      z.strictObject({
        name: z.string(),
        alive: z.boolean(),
        grpc: DOOR,
        http: DOOR,
        resp: DOOR,
      }),
    ),
    ranges: z.array(z.strictObject({ from: COUNTED, to: COUNTED, owners: TEXTS })),
  }),
);

export const COUNT = z.strictObject({ count: COUNTED, incomplete: z.boolean() });

export const PLAN = shapeOf<MovePlan>()(
  z.strictObject({
    shares: z.array(
      z.strictObject({
        name: z.string(),
        slotsBefore: COUNTED,
        slotsAfter: COUNTED,
        slotsGained: COUNTED,
      }),
    ),
    slotsCopied: COUNTED,
    recordsCopied: COUNTED,
    obstacle: z.string().describe('why the change is not possible; empty: it is'),
  }),
);

export const LOSS = shapeOf<ClusterLoss & { readonly slotCount: number }>()(
  z.strictObject({
    slots: z.array(COUNTED),
    slotCount: COUNTED.describe('to be said to POST /v1/admin/recover'),
    holders: z.array(z.strictObject({ name: z.string(), slots: COUNTED, isMember: z.boolean() })),
    recordsHere: COUNTED,
    recordsKept: COUNTED.nullable(),
    hasMoreKept: z.boolean(),
    notWrittenThrough: TEXTS,
    recovering: COUNTED,
  }),
);

export const QUORUM = shapeOf<ClusterQuorum>()(
  z.strictObject({
    epoch: COUNTED,
    life: COUNTED,
    lifeKept: COUNTED.nullable(),
    members: z.array(z.strictObject({ name: z.string(), isUp: z.boolean(), votes: z.boolean() })),
    isLost: z.boolean(),
    ownersNeeded: COUNTED,
    notWrittenThrough: TEXTS,
  }),
);

const SEEN = z.strictObject({
  system: z.string(),
  timeline: COUNTED,
  clusterId: z.string(),
  life: COUNTED,
});

export const RECORD_SERVER = shapeOf<RecordServerFacts>()(
  z.strictObject({
    known: z.strictObject({ system: z.string(), timeline: COUNTED }).nullable(),
    drive: COUNTED,
    isDriven: z.boolean(),
    clusterId: z.string(),
    life: COUNTED,
    seen: SEEN,
    hasRows: z.boolean(),
    rowCount: COUNTED.nullable(),
    newestAt: z.number(),
    verdict: z.enum(['inUse', 'ready', 'earlier', 'refused']),
    why: z.string(),
    loses: z.string(),
  }),
);

export const ADOPTION = z.strictObject({
  seen: SEEN,
  isBackup: z
    .boolean()
    .default(false)
    .describe('where the verdict is earlier: it is a backup of this cluster'),
  mayLose: z.boolean().default(false).describe('where something is lost by it: so be it'),
});

export const INSPECTION = z.strictObject({
  owner: z.boolean().describe('is this node a complete, live owner of the key'),
  slot: COUNTED,
  valid: z.boolean(),
  record: RECORD.extend({ tombstone: z.boolean() }).nullable(),
});

/** Only part of `NodeStatus`; the answer contains all of it. */
export const STATUS = z.looseObject({
  name: z.string(),
  phase: z.enum(PHASES),
  epoch: COUNTED,
  leaseHeld: z.boolean(),
  members: z.array(z.looseObject({ name: z.string(), alive: z.boolean() })),
});
