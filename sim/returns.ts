/**
 * Members that go away and return at once. The new process reuses round numbers of the old one while requests of the old
 * one are still unanswered.
 */
import type { Prng } from '../src/base/prng.ts';
import { TICK_MS } from '../src/core/limits.ts';
import type { SimNode } from './cluster.ts';
import type { RunProfile } from './run-profile.ts';
import type { SimWorld } from './world.ts';

export type ReturnFault =
  /** Goes away and returns at once, again and again: as a new process, or as the same one after an exclusion. */
  | 'flap'
  /** Dies twice: the second time with writes that the stalled disk of another member acknowledges only after its return. */
  | 'relapse';

export interface ReturningParts {
  readonly world: SimWorld;
  /** Faults are over. */
  readonly isStopped: () => boolean;
  /** False: it is down already. */
  readonly killFor: (sim: SimNode, ms: number) => boolean;
}

/** Milliseconds within which a member must be back to go away again. */
const BACK_MS_MAX = 4_000;

/** Of a relapse, in milliseconds: how long the member is down, and how long it serves before the other's disk stalls. */
const DOWN_MS_MIN = 5;
const DOWN_MS_MAX = 30;
const SERVES_MS_MAX = 20;
/** The other's disk first collects requests for so many milliseconds, and then takes much longer to write them in one batch. */
const GATHERS_MS = 100;
const STALL_MS_MIN = 1_500;
const STALL_MS_MAX = 2_500;
const STALLS_FOR_MS_MAX = 4_000;

/**
 * Members go away and return at once while another's disk is slow for seconds: the answer to a request of the old
 * process arrives when the new one asks. With many keys, because the new process's rounds have small numbers.
 */
export const RETURNS: RunProfile = {
  plan: {
    clientCount: 24,
    operationsPerClient: 80,
    keys: Array.from({ length: 64 }, (_, index) => `key:${index}`),
    hotShare: 0.05,
    thinkMsMax: 30,
    timeoutMs: 300,
    conditionalShare: 0.1,
    readShare: 0.1,
    batchShare: 0,
    ttlShare: 0,
    idShare: 0,
  },
  weather: { delayMsMax: 20, spikeShare: 0.1, spikeMsMax: 100, linkLifeMsMean: 0 },
  faultKinds: ['flap', 'syncStalls', 'slowPeer'],
  faultMsMean: 500,
};

/**
 * One member relapses at a time, and nothing else fails. A process that has used up just a few round numbers dies while
 * more of its writes wait for the stalled disk of another member, and the next process starts its own writes meanwhile.
 */
export const RELAPSES: RunProfile = {
  ...RETURNS,
  nodeCount: 3,
  plan: { ...RETURNS.plan, clientCount: 40, operationsPerClient: 100, timeoutMs: 1_000 },
  weather: { ...RETURNS.weather, spikeShare: 0 },
  faultKinds: ['relapse'],
  faultMsMean: 1_000,
};

/** Each time it is gone for about as long as the others need to go on without it, and then serves for a moment. */
export function flap(parts: ReturningParts, sim: SimNode, prng: Prng): boolean {
  if (sim.life === null) return false;
  const { world, isStopped, killFor } = parts;
  const { network, scheduler } = world;
  const isKilled = prng.chance(0.7);
  let timesLeft = 2 + prng.below(4);
  const go = (): void => {
    if (isStopped() || sim.isGone || timesLeft === 0) return;
    timesLeft -= 1;
    const goneMs = isKilled ? prng.between(5, 200) : prng.between(400, 1_000);
    if (isKilled) killFor(sim, goneMs);
    else {
      network.isolate(sim.name, 'silent');
      scheduler.after(goneMs, () => network.heal(sim.name));
    }
    const servesMs = prng.between(5, 300);
    whenBack(parts, sim, goneMs, () => scheduler.after(servesMs, go));
  };
  go();
  return true;
}

/** Only while every member is complete. Returns what was done, or null if it was not possible. */
export function relapse(parts: ReturningParts, sim: SimNode, other: SimNode, prng: Prng): string | null {
  const { world, isStopped, killFor } = parts;
  const { scheduler, cluster } = world;
  const { disk } = other;
  if (sim.life === null || !cluster.isWhole() || disk.stalls !== null) return null;
  const die = (then: () => void): void => {
    const downMs = prng.between(DOWN_MS_MIN, DOWN_MS_MAX);
    if (killFor(sim, downMs)) whenBack(parts, sim, downMs, then);
  };
  const stall = (): void => {
    if (isStopped()) return;
    disk.stalls = { share: 1, msMin: GATHERS_MS, msMax: GATHERS_MS };
    scheduler.after(GATHERS_MS / 2, () => {
      if (!isStopped()) disk.stalls = { share: 1, msMin: STALL_MS_MIN, msMax: STALL_MS_MAX };
    });
    scheduler.after(prng.between(STALL_MS_MIN, STALLS_FOR_MS_MAX), () => (disk.stalls = null));
    const diesInMs = GATHERS_MS + prng.between(0, GATHERS_MS);
    scheduler.after(diesInMs, () => isStopped() || die(() => undefined));
  };
  die(() => scheduler.after(prng.between(0, SERVES_MS_MAX), stall));
  return `${sim.name}, at the disk of ${other.name}`;
}

/** Calls back once the member serves, unless that takes too long. */
function whenBack(
  { world, isStopped }: ReturningParts,
  sim: SimNode,
  downMs: number,
  then: () => void,
): void {
  const { scheduler } = world;
  const until = scheduler.time + BACK_MS_MAX;
  const look = (): void => {
    const isBack = sim.node?.membership.phase === 'serving' && sim.node.membership.leaseHeld();
    if (isBack) then();
    else if (scheduler.time < until && !isStopped()) scheduler.after(TICK_MS, look);
  };
  scheduler.after(downMs + TICK_MS, look);
}
