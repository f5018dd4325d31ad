/**
 * Runs in which machines are lost for good after PostgreSQL has failed over, was set back or replaced, and before it
 * was given back what it lacks. What existed only in the old PostgreSQL and on the lost machines is lost with them;
 * nothing else may be (`loss-watch.ts`).
 */
import type { Prng } from '../src/base/prng.ts';
import type { LossFault } from './loss-faults.ts';
import { loseTail } from './record-faults.ts';
import { moveRecord } from './record-move.ts';
import type { RunProfile } from './run-profile.ts';
import type { SimWorld } from './world.ts';

/**
 * The usual case: the machines are lost within milliseconds, before the first fault is known or while the server is
 * being filled.
 */
const LACKING_SHARE = 0.7;
const FOLLOWS_MS = [0, 50, 400, 1_500] as const;
/** Share of cases in which the new server is away or slow at first, so that nobody can fill it. */
const UNFILLED_SHARE = 0.4;
const UNFILLED_MS_MIN = 300;
const UNFILLED_MS_MAX = 3_000;
const UNFILLED_SLOW_MS = 150;
const MOVED_SHARE = 0.3;

export const LOST_TAIL: RunProfile = {
  plan: {
    clientCount: 5,
    operationsPerClient: 250,
    keys: ['key:0', 'count:1', 'key:2', 'key:3'],
    hotShare: 0.4,
    thinkMsMax: 120,
    timeoutMs: 5_000,
    conditionalShare: 0.4,
    readShare: 0.4,
    staleShare: 0,
  },
  weather: { delayMsMax: 5, spikeShare: 0.05, spikeMsMax: 100 },
  faultKinds: [
    ...['ownersLost', 'councilLost', 'ownersLost', 'councilLost', 'databaseFailsOver', 'databaseSetBack'],
    ...['databaseMoved', 'kill', 'killAtStep', 'pause', 'slowPeer', 'databaseDown', 'databaseAway'],
  ] as const,
  faultMsMean: 2_500,
};

/** What happened to PostgreSQL, and after how many milliseconds the machines follow; null for nothing. */
export function lackFirst(
  kind: LossFault,
  world: SimWorld,
  prng: Prng,
): { told: string; followMs: number } | null {
  const { database, scheduler } = world;
  if (!world.lacks || database.isMoving || !prng.chance(LACKING_SHARE)) return null;
  const followMs = prng.between(0, prng.pick(FOLLOWS_MS));
  const moves = prng.chance(MOVED_SHARE) && kind !== 'councilLost';
  const moved = moves ? moveRecord(world, prng) : null;
  const told = moved ?? loseTail(prng.pick(['databaseFailsOver', 'databaseSetBack']), database, prng);
  if (prng.chance(UNFILLED_SHARE)) {
    const ms = prng.between(UNFILLED_MS_MIN, UNFILLED_MS_MAX);
    database.slowMs = UNFILLED_SLOW_MS;
    scheduler.after(ms, () => (database.slowMs = 0));
  }
  return { told, followMs };
}
