/**
 * Runs in which keys share a slot. Its floor rises above most of them, at one owner after the other, while plain and
 * conditional writes to them meet at different nodes. (PROTOCOL R5, R22; decision 13)
 */
import { Prng } from '../src/base/prng.ts';
import type { ClientPlan } from './clients.ts';
import type { RunProfile } from './run-profile.ts';
import type { SimVersions } from './versions.ts';

/** Many keys are deleted and soon forgotten, and their versions are far apart. */
export const ONE_SLOT: RunProfile = {
  plan: {
    clientCount: 8,
    operationsPerClient: 150,
    keys: Array.from({ length: 12 }, (_, index) => `${index % 3 === 1 ? 'count' : 'key'}:${index}{slot}`),
    hotShare: 0.3,
    thinkMsMax: 40,
    timeoutMs: 3_000,
    conditionalShare: 0.4,
    readShare: 0.2,
    ttlShare: 0.4,
    ttlMsMax: 60,
    idShare: 0,
    staleShare: 0,
  },
  weather: { delayMsMax: 6, spikeShare: 0.1, spikeMsMax: 100 },
  faultKinds: ['slowPeer', 'kill', 'isolate', 'wipe', 'pause', 'slowDisk', 'join', 'leave'],
  faultMsMean: 900,
  // Members of earlier versions do not get past a floor while a slot is copied. (decision 13)
  versions: 'latest',
  tombstoneKeepMs: 20,
};

/**
 * The same while members are cut off, PostgreSQL is away for all or for one of them, loses its newest rows, and writes do
 * without it: a member comes back to PostgreSQL with a write of a key that was deleted meanwhile. (R24, R34)
 */
export const ONE_SLOT_AWAY: RunProfile = {
  ...ONE_SLOT,
  plan: { ...ONE_SLOT.plan, operationsPerClient: 250, thinkMsMax: 100, timeoutMs: 5_000, idShare: 0.3 },
  faultKinds: [
    ...['databaseAway', 'databaseFailsOver', 'databaseSetBack', 'upgrade', 'stop', 'kill', 'killAtStep'],
    ...['slowPeer', 'isolate', 'join', 'leave'],
  ] as const,
  faultMsMean: 1_200,
  record: { outage: 'spool', spoolBytesMax: 1_000_000, spoolEntriesMax: 1_000 },
  scrubPauseMs: 300,
};

/**
 * Moves the same keys into one slot now and then; not in runs with members of earlier versions, which do not wait for
 * each other there.
 */
export function inDrawnSlots<T extends Pick<ClientPlan, 'keys'>>(
  seed: number,
  versions: SimVersions,
  plan: T,
): T {
  const isShared = versions.areLatest && new Prng(seed ^ 0x9ace).chance(0.4);
  return isShared ? { ...plan, keys: plan.keys.map((key) => `${key}{shared}`) } : plan;
}
