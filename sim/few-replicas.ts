/**
 * Runs in which each slot has only two owners among four members. A write needs both, so that every death, stop and
 * return decides whether a slot can be written; a member that returns learns from a single owner. Nobody leaves: of two
 * members that are left none may lose its disk, for then no epoch could be chosen. (PROTOCOL R7, R20, R21, R29)
 */
import type { RunProfile } from './run-profile.ts';

export const FEW_REPLICAS: RunProfile = {
  nodeCount: 4,
  replicaCount: 2,
  plan: {
    clientCount: 6,
    operationsPerClient: 150,
    keys: ['key:0', 'count:1', 'key:2', 'key:3'],
    hotShare: 0.4,
    thinkMsMax: 40,
    timeoutMs: 3_000,
    conditionalShare: 0.4,
    readShare: 0.4,
    ttlShare: 0.2,
    ttlMsMax: 200,
  },
  weather: { delayMsMax: 5, spikeShare: 0.05, spikeMsMax: 100 },
  faultKinds: [
    ...['kill', 'killAtStep', 'killAll', 'stop', 'upgrade', 'pause', 'suspend', 'flap', 'wipe', 'join'],
    ...['slowPeer', 'isolate', 'cutOneWay', 'slowDisk', 'databaseDown', 'databaseAway', 'databaseFailsOver'],
  ] as const,
  faultMsMean: 700,
  versions: 'latest',
};
