/**
 * What goes wrong in a run, drawn from its seed before it begins: each fault has its moment, its kind and a generator
 * of its own, so that a run can be repeated without some of them. Not every run has every kind: what some kinds hide,
 * others find alone. (Groce and others, "Swarm testing", 2012; PROTOCOL, "Mutants")
 */
import { Prng } from '../src/base/prng.ts';
import type { LagFault } from './lag-faults.ts';
import type { LegacyFault } from './legacy-faults.ts';
import type { LossFault } from './loss-faults.ts';
import type { MembershipFault } from './membership-faults.ts';
import type { RecordFault } from './record-faults.ts';
import type { MoveFault } from './record-move.ts';

export type FaultKind =
  // Processes.
  | 'kill'
  | 'killAll'
  /** Just after a disk or PostgreSQL has done its part, before the process hears of it, or a moment later. */
  | 'killAtStep'
  /** Stopped in order, and started again. */
  | 'stop'
  /** All are stopped and started one after another, and come back with the later program, or the earlier one. */
  | 'upgrade'
  | 'downgrade'
  /** An operator puts in force what one node speaks, whether all do or not. */
  | 'finishUpgrade'
  | 'pause'
  /** Goes and is back at once, again and again: a new process, or the same one after an exclusion. */
  | 'flap'
  /** Runs in gasps: a saturated core, a loop that is held up. */
  | 'stall'
  /** The machine sleeps, and its monotonic clock with it. */
  | 'suspend'
  | 'wallJump'
  /** Alive, and far slower than the others for seconds: by its disk, its links or its processor. */
  | 'slowMember'
  // Network.
  | 'breakLinks'
  /** Between two that others reach both. */
  | 'cut'
  | 'cutOneWay'
  | 'isolate'
  /** Two sides that do not reach each other. */
  | 'split'
  | 'slowPeer'
  // Disks.
  | 'wipe'
  | 'oldDisk'
  | 'slowDisk'
  /** Some writes of its store take up to seconds, the others no longer than ever. */
  | 'syncStalls'
  /** Full or broken: the process ends by itself. */
  | 'diskFault'
  /** Little room is left on it, until somebody frees it. */
  | 'diskFills'
  /** Killed amid a write, which arrives with one of its values damaged. */
  | 'tornWrite'
  | 'bitRot'
  /** A record that nobody asks for is lost, older or rotten on one disk or in PostgreSQL, and nothing says so. */
  | 'silentLoss'
  /** Another value stands in a row of such a record, below the version and the checksum that it had. */
  | 'rowRots'
  // PostgreSQL.
  | 'databaseDown'
  /** For seconds, longer than writes may do with: from all members, or from one. */
  | 'databaseAway'
  | 'databaseSlow'
  | LagFault
  | LegacyFault
  | MembershipFault
  | RecordFault
  | LossFault
  | MoveFault;

export interface FaultEvent {
  readonly index: number;
  /** Milliseconds after the load began. */
  readonly at: number;
  readonly kind: FaultKind;
  /** Of the generator from which everything else about it is drawn. */
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
};

export const FAULT_KINDS = Object.keys(WEIGHTS) as FaultKind[];

/** Drawn apart, so that a seed or a profile without them leads the life that it always led. */
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
/** Only in lives of their own: what they take away must be in PostgreSQL. */
const LOSSES: ReadonlySet<FaultKind> = new Set(['ownersLost', 'councilLost']);
/** Drawn apart, too: an operator is at work for the whole life, one time after another. */
const MOVES: ReadonlySet<FaultKind> = new Set(['databaseMoved']);
const MOVE_SHARE = 0.06;
/** And this one, in half of the lives in which anybody looks. */
const ROTS: ReadonlySet<FaultKind> = new Set(['rowRots']);
/** What leaves PostgreSQL without something that was acknowledged, and tells of it. */
const TAIL_LOSSES: ReadonlySet<FaultKind> = new Set(['databaseFailsOver', 'databaseSetBack']);
/** What may leave PostgreSQL without something that was acknowledged. */
const NOT_WITH_LOSSES: ReadonlySet<FaultKind> = new Set(['silentLoss', 'rowRots', ...TAIL_LOSSES]);
const LOSS_SHARE = 0.06;
/** Of all lives: machines are lost for good in a tenth of the others as well, while PostgreSQL loses rows beside that. */
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
  /** Only these, and all of them; left out: drawn from all there are. */
  readonly kinds?: readonly FaultKind[];
}

/** Are machines lost for good in the life of this seed, more than a cluster survives by itself? Drawn apart, too. */
function drawLosses(seed: number): boolean {
  return new Prng(seed ^ 0x1055).chance(LOSS_SHARE);
}

/** And are they lost while PostgreSQL lacks something? `kinds`: of a profile; left out: as drawn. */
export function drawLacking(seed: number, kinds?: readonly FaultKind[]): boolean {
  if (kinds !== undefined)
    return kinds.some((kind) => LOSSES.has(kind)) && kinds.some((kind) => TAIL_LOSSES.has(kind));
  return !drawLosses(seed) && new Prng(seed ^ 0x7a11).chance(LACKING_SHARE);
}

export function drawFaults(prng: Prng, options: FaultPlanOptions): FaultEvent[] {
  const { lastsMs, meanMs, hasLegacy, hasScrubber } = options;
  const isLater = (kind: FaultKind): boolean => LATER_KINDS.has(kind);
  const isApart = (kind: FaultKind): boolean => LOSSES.has(kind) || MOVES.has(kind) || ROTS.has(kind);
  const first = FAULT_KINDS.filter((kind) => !isLater(kind) && !isApart(kind)).filter((kind) =>
    prng.chance(kind === 'kill' ? KILL_SHARE : KIND_SHARE),
  );
  const apart = new Prng(options.seed ^ 0xd15c);
  const loses = drawLosses(options.seed);
  const rots = new Prng(options.seed ^ 0x907).chance(KIND_SHARE);
  const moves = new Prng(options.seed ^ 0x30e5).chance(MOVE_SHARE);
  const lacks = drawLacking(options.seed);
  const drawn = [...first, ...FAULT_KINDS.filter(isLater).filter(() => apart.chance(KIND_SHARE))]
    .concat(rots ? [...ROTS] : [])
    .filter((kind) => !(loses || lacks) || !NOT_WITH_LOSSES.has(kind))
    .concat(loses || lacks ? [...LOSSES] : [])
    .concat(lacks ? [...TAIL_LOSSES] : [])
    .concat(!loses && moves ? [...MOVES] : []);
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
