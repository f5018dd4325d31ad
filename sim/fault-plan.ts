/**
 * What goes wrong in a run, drawn from its seed before it begins. Each fault has a moment, a kind and a generator of
 * its own, so that a run can be repeated without some of them. Not every run has every kind: what some kinds hide,
 * others find alone. (Groce and others, "Swarm testing", 2012; PROTOCOL, "Mutants")
 */
import { Prng } from '../src/base/prng.ts';
import type { LagFault } from './lag-faults.ts';
import type { LegacyFault } from './legacy-faults.ts';
import type { LossFault } from './loss-faults.ts';
import type { MembershipFault } from './membership-faults.ts';
import type { RecordFault } from './record-faults.ts';
import type { MoveFault } from './record-move.ts';
import type { ReturnFault } from './returns.ts';

export type FaultKind =
  // Processes.
  | 'kill'
  | 'killAll'
  /** Just after a disk or PostgreSQL has done its part, before the process is told, or a moment later. */
  | 'killAtStep'
  /** Stopped gracefully, and started again. */
  | 'stop'
  /** All are stopped and started one after another, and come back with the later program or the earlier one. */
  | 'upgrade'
  | 'downgrade'
  /** An operator enables the protocol version that one node speaks, whether all others speak it or not. */
  | 'finishUpgrade'
  | 'pause'
  /** Runs in bursts, as on a saturated core or with a blocked event loop. */
  | 'stall'
  /** The machine sleeps, and its monotonic clock with it. */
  | 'suspend'
  | 'wallJump'
  /** Alive, but far slower than the others for seconds: by its disk, its links or its processor. */
  | 'slowMember'
  // Network.
  | 'breakLinks'
  /** Between two members that all others can reach. */
  | 'cut'
  | 'cutOneWay'
  | 'isolate'
  /** Into two sides that cannot reach each other. */
  | 'split'
  | 'slowPeer'
  // Disks.
  | 'wipe'
  | 'oldDisk'
  | 'slowDisk'
  /** Some writes of its store take up to seconds, the others no longer than usual. */
  | 'syncStalls'
  /** Full or broken: the process ends by itself. */
  | 'diskFault'
  /** Little room is left on the disk until somebody frees some. */
  | 'diskFills'
  /** Killed during a write, which arrives with one of its values damaged. */
  | 'tornWrite'
  | 'bitRot'
  /** A record that nobody asks for silently gets lost, out of date or damaged on one disk or in PostgreSQL. */
  | 'silentLoss'
  /** A row of such a record gets another value under its old version and checksum. */
  | 'rowRots'
  // PostgreSQL.
  | 'databaseDown'
  /** For seconds, longer than writes can go without: for all members, or for one. */
  | 'databaseAway'
  | 'databaseSlow'
  | LagFault
  | LegacyFault
  | MembershipFault
  | RecordFault
  | LossFault
  | MoveFault
  | ReturnFault;

export interface FaultEvent {
  readonly index: number;
  /** Milliseconds after the load began. */
  readonly at: number;
  readonly kind: FaultKind;
  /** Seed of the generator from which everything else about the fault is drawn. */
  readonly seed: number;
}

const WEIGHTS: Readonly<Record<FaultKind, number>> = {
  kill: 8,
  killAll: 1.5,
  killAtStep: 6,
  stop: 2,
  upgrade: 0.5,
  pause: 3,
  stall: 2,
  suspend: 2,
  wallJump: 1,
  slowMember: 1.5,
  breakLinks: 3,
  cut: 2,
  cutOneWay: 2,
  isolate: 2,
  split: 1,
  slowPeer: 3,
  wipe: 1,
  oldDisk: 1,
  slowDisk: 2,
  diskFault: 1,
  tornWrite: 2,
  bitRot: 1,
  databaseDown: 2,
  databaseSlow: 2,
  legacyDown: 1,
  legacySlow: 1,
  legacyErrors: 1,
  legacyChanges: 1,
  legacyLies: 1,
  join: 1.5,
  leave: 1.5,
  replace: 0.7,
  flap: 2,
  syncStalls: 2,
  diskFills: 1.5,
  silentLoss: 4,
  rowRots: 3,
  databaseFailsOver: 1,
  databaseSetBack: 1,
  databaseAway: 2,
  downgrade: 0.5,
  finishUpgrade: 1,
  ownersLost: 6,
  councilLost: 4,
  lag: 2,
  databaseMoved: 3,
  relapse: 6,
};

export const FAULT_KINDS = Object.keys(WEIGHTS) as FaultKind[];

/** Drawn separately, so that a seed or a profile without them runs as it always did. */
const LATER_KINDS: ReadonlySet<FaultKind> = new Set([
  'diskFills',
  'silentLoss',
  'databaseFailsOver',
  'databaseSetBack',
  'databaseAway',
  'downgrade',
  'finishUpgrade',
  'lag',
]);
/** Only in runs of their own: everything that they take away must be in PostgreSQL. */
const LOSSES: ReadonlySet<FaultKind> = new Set(['ownersLost', 'councilLost']);
/** Drawn separately, too: an operator is at work during the whole run, again and again. */
const MOVES: ReadonlySet<FaultKind> = new Set(['databaseMoved']);
const MOVE_SHARE = 0.06;
/** Also drawn separately, because it needs all members complete. */
const RELAPSES: ReadonlySet<FaultKind> = new Set(['relapse']);
const RELAPSE_SHARE = 0.1;
/** Also drawn separately, in half of the runs in which a scrubber looks. */
const ROTS: ReadonlySet<FaultKind> = new Set(['rowRots']);
/** PostgreSQL then lacks something that was acknowledged, and this can be noticed. */
const TAIL_LOSSES: ReadonlySet<FaultKind> = new Set(['databaseFailsOver', 'databaseSetBack']);
/** PostgreSQL may then lack something that was acknowledged. */
const NOT_WITH_LOSSES: ReadonlySet<FaultKind> = new Set(['silentLoss', 'rowRots', ...TAIL_LOSSES]);
const LOSS_SHARE = 0.06;
/**
 * Share of all runs. In a tenth of the others, too, machines are lost for good, while PostgreSQL in addition loses
 * rows.
 */
const LACKING_SHARE = 0.12;
const KILL_SHARE = 0.8;
const KIND_SHARE = 0.5;

export interface FaultPlanOptions {
  readonly seed: number;
  readonly lastsMs: number;
  /** Mean time between two faults. */
  readonly meanMs: number;
  readonly hasLegacy: boolean;
  readonly hasScrubber: boolean;
  /** Exactly these kinds; default: a random choice of all kinds. */
  readonly kinds?: readonly FaultKind[];
}

/** Whether this seed's run loses more machines for good than a cluster survives by itself. Drawn separately, too. */
function drawLosses(seed: number): boolean {
  return new Prng(seed ^ 0x1055).chance(LOSS_SHARE);
}

/** Whether they are lost while PostgreSQL lacks something. `kinds`: those of a profile; default: as drawn. */
export function drawLacking(seed: number, kinds?: readonly FaultKind[]): boolean {
  if (kinds !== undefined)
    return kinds.some((kind) => LOSSES.has(kind)) && kinds.some((kind) => TAIL_LOSSES.has(kind));
  return !drawLosses(seed) && new Prng(seed ^ 0x7a11).chance(LACKING_SHARE);
}

export function drawFaults(prng: Prng, options: FaultPlanOptions): FaultEvent[] {
  const { lastsMs, meanMs, hasLegacy, hasScrubber } = options;
  const isLater = (kind: FaultKind): boolean => LATER_KINDS.has(kind);
  const isApart = (kind: FaultKind): boolean =>
    [LOSSES, MOVES, ROTS, RELAPSES].some((each) => each.has(kind));
  const first = FAULT_KINDS.filter((kind) => !isLater(kind) && !isApart(kind)).filter((kind) =>
    prng.chance(kind === 'kill' ? KILL_SHARE : KIND_SHARE),
  );
  const apart = new Prng(options.seed ^ 0xd15c);
  const loses = drawLosses(options.seed);
  const rots = new Prng(options.seed ^ 0x907).chance(KIND_SHARE);
  const moves = new Prng(options.seed ^ 0x30e5).chance(MOVE_SHARE);
  const relapses = new Prng(options.seed ^ 0x4e1a).chance(RELAPSE_SHARE);
  const lacks = drawLacking(options.seed);
  const drawn = [...first, ...FAULT_KINDS.filter(isLater).filter(() => apart.chance(KIND_SHARE))]
    .concat(rots ? [...ROTS] : [])
    .filter((kind) => !(loses || lacks) || !NOT_WITH_LOSSES.has(kind))
    .concat(loses || lacks ? [...LOSSES] : [])
    .concat(lacks ? [...TAIL_LOSSES] : [])
    .concat(!loses && moves ? [...MOVES] : [])
    .concat(relapses ? [...RELAPSES] : []);
  const kinds = (options.kinds ?? drawn)
    .filter((kind) => hasLegacy || !kind.startsWith('legacy'))
    .filter((kind) => hasScrubber || (kind !== 'silentLoss' && kind !== 'rowRots'));
  const total = kinds.reduce((sum, kind) => sum + WEIGHTS[kind], 0);
  const events: FaultEvent[] = [];
  let at = meanMs * prng.between(0.2, 1.8);
  for (; at < lastsMs && total > 0; at += meanMs * prng.between(0.2, 1.8)) {
    let draw = prng.next() * total;
    const kind = kinds.find((each) => (draw -= WEIGHTS[each]) < 0) ?? kinds[0]!;
    events.push({ index: events.length, at, kind, seed: prng.uint32() });
  }
  return events;
}
