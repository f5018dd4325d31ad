/**
 * The faults that a scenario may contain, as data: one schema for each kind. Numbers are fixed or drawn from a range,
 * `[least, most]`. Nodes are drawn too: a given number of them, fewer than half, or all.
 */
import { z } from 'zod';

const rangeFrom = (least: number) => {
  const number = z.number().min(least);
  const isOrdered = ([from, to]: readonly [number, number]): boolean => from <= to;
  return z.union([
    number,
    z.tuple([number, number]).refine(isOrdered, 'a range goes from the lower to the higher'),
  ]);
};
const range = rangeFrom(0);
const DAY_MS = 86_400_000;
export type Range = z.infer<typeof range>;

const nodes = z.union([z.int().min(1).max(9), z.enum(['minority', 'all'])]).default(1);
export type NodeCount = z.infer<typeof nodes>;

/** How many milliseconds it is in force. */
const lastsMs = range;
const share = z.number().min(0).max(0.9);

/**
 * Which connections between members: `one`: between a node and all others; `pair`: between two nodes, which all others
 * still reach; `halves`: between fewer than half and the rest; `bridge`: between two halves that one node still
 * connects; `ring`: every node reaches only its neighbours, so that each sees another majority; `all`.
 */
const shape = z.enum(['one', 'pair', 'halves', 'bridge', 'ring', 'all']);
export type Shape = z.infer<typeof shape>;
/** For `one`, `pair` and `halves`: what the cut-off side sends (`out`), what it receives (`in`), or both. */
const direction = z.enum(['both', 'out', 'in']).default('both');
const wires = { shape, direction };

const processFaults = [
  z.strictObject({ fault: z.literal('kill'), nodes, downMs: range.default(250) }),
  z.strictObject({ fault: z.literal('kill-beside-learner') }),
  z.strictObject({ fault: z.literal('stop'), nodes }),
  z.strictObject({ fault: z.literal('rolling-restart') }),
  z.strictObject({ fault: z.literal('pause'), nodes, lastsMs }),
  /** It runs only for `share` of the time, in slices, as on a saturated core. */
  z.strictObject({ fault: z.literal('slow'), nodes, share: z.number().min(0.02).max(0.9), lastsMs }),
  z.strictObject({ fault: z.literal('wipe') }),
  /**
   * This many members join, one after the other, and as many leave again, some of the new ones and some of the old
   * ones.
   */
  z.strictObject({
    fault: z.literal('scale'),
    by: z.int().min(1).max(4).default(2),
    /** Milliseconds under load before, between and after the changes. */
    calmMs: range.default(1_000),
  }),
] as const;

const networkFaults = [
  z.strictObject({
    fault: z.literal('cut'),
    ...wires,
    /** `silence`: bytes are held back, as when a cable is pulled; `reset`: connections are reset and refused. */
    by: z.enum(['silence', 'reset']).default('silence'),
    lastsMs,
  }),
  z.strictObject({
    fault: z.literal('delay'),
    ...wires,
    delayMs: range,
    jitterMs: range.default(0),
    lastsMs,
  }),
  z.strictObject({ fault: z.literal('loss'), ...wires, share, lastsMs }),
  z.strictObject({ fault: z.literal('throttle'), ...wires, bytesPerSecond: range, lastsMs }),
  z.strictObject({ fault: z.literal('resets'), ...wires, everyMs: range, lastsMs }),
  z.strictObject({ fault: z.literal('half-close'), ...wires }),
] as const;

const postgresFaults = [
  z.strictObject({ fault: z.literal('postgres-kill'), downMs: range }),
  z.strictObject({ fault: z.literal('postgres-restart') }),
  z.strictObject({ fault: z.literal('postgres-pause'), lastsMs }),
  /** A standby that has everything takes over, on a new timeline. */
  z.strictObject({ fault: z.literal('postgres-failover') }),
  /** A standby takes over that lacks what was committed in the last `behindMs` milliseconds. */
  z.strictObject({ fault: z.literal('postgres-lost-tail'), behindMs: range }),
  /** The server is set back to a backup from `behindMs` milliseconds ago, noticeable only by missing rows. */
  z.strictObject({ fault: z.literal('postgres-restored'), behindMs: range }),
  /** Statements arrive and commit, but their replies vanish. */
  z.strictObject({ fault: z.literal('postgres-mute'), nodes, lastsMs }),
  z.strictObject({ fault: z.literal('postgres-cut'), nodes, lastsMs }),
  z.strictObject({ fault: z.literal('postgres-delay'), nodes, delayMs: range, lastsMs }),
] as const;

const clientFaults = [
  /** Clients that do not wait for answers send `times` as many puts as can be handled. */
  z.strictObject({ fault: z.literal('flood'), times: z.number().min(1.2).max(20).default(3), lastsMs }),
  /** For each node, this many clients request large values and never read them. */
  z.strictObject({ fault: z.literal('slow-reader'), clients: z.int().min(1).max(50).default(4), lastsMs }),
] as const;

const otherFaults = [
  z.strictObject({
    fault: z.literal('legacy'),
    behaves: z.enum(['slow', 'down', 'hangs', 'errors', 'error-page', 'other-key', 'truncated', 'resets']),
    lastsMs,
  }),
  z.strictObject({ fault: z.literal('disk-full'), nodes, lastsMs }),
  /** Little room is left on it until it is freed: the node must notice, and no harm must be done. */
  z.strictObject({ fault: z.literal('disk-fills'), nodes, lastsMs }),
  z.strictObject({ fault: z.literal('sync-slow'), nodes, delayMs: range, lastsMs }),
  z.strictObject({ fault: z.literal('sync-fails'), nodes, lastsMs }),
  /** The wall clock jumps by this much (positive: ahead), and back at the end. */
  z.strictObject({ fault: z.literal('clock'), nodes, jumpMs: rangeFrom(-DAY_MS), lastsMs }),
] as const;

export const faultSpec = z.discriminatedUnion('fault', [
  ...processFaults,
  ...networkFaults,
  ...postgresFaults,
  ...clientFaults,
  ...otherFaults,
]);

export type FaultSpec = z.infer<typeof faultSpec>;
export type FaultKind = FaultSpec['fault'];
export type SpecOf<Kind extends FaultKind> = Extract<FaultSpec, { fault: Kind }>;

/** For example `cut halves out`: distinguishes faults of one kind in a report. */
export function labelOf(spec: FaultSpec): string {
  const words: string[] = [spec.fault];
  if ('shape' in spec) words.push(spec.shape);
  if ('direction' in spec && spec.direction !== 'both') words.push(spec.direction);
  if ('by' in spec && spec.by === 'reset') words.push('by reset');
  if ('behaves' in spec) words.push(spec.behaves);
  if ('nodes' in spec && spec.nodes !== 1) words.push(String(spec.nodes));
  return words.join(' ');
}
