/**
 * The kind of run that a seed makes. Without a profile everything is drawn. A profile fixes what makes one sort of
 * fault likely, because some need a coincidence that an evenly drawn run meets once in tens of thousands of seeds.
 * (PROTOCOL, "Mutants")
 */
import { FEW_REPLICAS } from './few-replicas.ts';
import { BY_HAND, BY_HAND_LOST } from './hand.ts';
import { LOST_TAIL } from './lacking-record.ts';
import { LISTINGS } from './lister.ts';
import { ONE_SLOT, ONE_SLOT_AWAY } from './one-slot.ts';
import { RELAPSES, RETURNS } from './returns.ts';
import type { RunProfile } from './run-profile.ts';
import { SIM_DATABASE_CALM, SIM_DATABASE_ROUGH } from './system-of-record.ts';

/** Two plain writers, a conditional one and readers meet on one key, while some peers get messages late. */
const HOT_KEY: RunProfile = {
  plan: {
    clientCount: 5,
    operationsPerClient: 150,
    keys: ['key:0'],
    hotShare: 1,
    thinkMsMax: 6,
    timeoutMs: 5_000,
    conditionalShare: 0.35,
    readShare: 0.4,
    idShare: 0,
    staleShare: 0,
  },
  weather: { delayMsMax: 6, spikeShare: 0.1, spikeMsMax: 60, linkLifeMsMean: 0 },
  faultKinds: ['slowPeer'],
  faultMsMean: 120,
};

/** Like `hotKey`, with most writes as lists of changes. */
const LISTS: RunProfile = { ...HOT_KEY, plan: { ...HOT_KEY.plan, modifyShare: 0.6 } };

/** Processes die at the steps of the protocol: just after a disk or PostgreSQL has done its part. */
const CRASHES: RunProfile = {
  plan: {
    clientCount: 5,
    operationsPerClient: 120,
    keys: ['key:0', 'count:1'],
    hotShare: 0.7,
    thinkMsMax: 10,
    timeoutMs: 3_000,
    conditionalShare: 0.4,
    readShare: 0.4,
    idShare: 0,
    staleShare: 0,
  },
  weather: { delayMsMax: 5, spikeShare: 0.05, spikeMsMax: 40 },
  faultKinds: ['killAtStep', 'kill', 'killAll', 'slowPeer', 'pause'],
  faultMsMean: 700,
};

/** Links that break and delay, members that leave and return: old messages meet new epochs. */
const EPOCHS: RunProfile = {
  plan: {
    clientCount: 5,
    operationsPerClient: 150,
    keys: ['key:0', 'count:1'],
    hotShare: 0.7,
    thinkMsMax: 10,
    timeoutMs: 3_000,
    conditionalShare: 0.4,
    readShare: 0.4,
    idShare: 0,
    staleShare: 0,
  },
  weather: { delayMsMax: 5, spikeShare: 0.1, spikeMsMax: 200 },
  faultKinds: ['isolate', 'cut', 'cutOneWay', 'slowPeer', 'pause', 'kill', 'wipe'],
  faultMsMean: 400,
};

/** Members join, leave and are replaced, one after another, while some die and links delay. */
const MOVES: RunProfile = {
  plan: {
    clientCount: 5,
    operationsPerClient: 200,
    keys: ['key:0', 'count:1', 'key:2', 'key:3'],
    hotShare: 0.4,
    thinkMsMax: 40,
    timeoutMs: 5_000,
    conditionalShare: 0.4,
    readShare: 0.4,
    staleShare: 0,
  },
  weather: { delayMsMax: 5, spikeShare: 0.05, spikeMsMax: 100 },
  faultKinds: ['join', 'leave', 'replace', 'join', 'leave', 'kill', 'pause', 'slowPeer', 'isolate'],
  faultMsMean: 500,
};

/** Increments with operation ids, repeated while their outcome is unknown; processes die, members come and go. */
const REPEATS: RunProfile = {
  plan: {
    clientCount: 5,
    operationsPerClient: 100,
    keys: ['key:0', 'count:1', 'key:2'],
    hotShare: 0.4,
    thinkMsMax: 15,
    timeoutMs: 1_500,
    conditionalShare: 0.7,
    readShare: 0.2,
    idShare: 0.8,
    staleShare: 0,
  },
  weather: { delayMsMax: 5, spikeShare: 0.1, spikeMsMax: 100 },
  faultKinds: ['kill', 'killAll', 'killAtStep', 'isolate', 'cutOneWay', 'pause', 'slowPeer', 'wipe'],
  faultMsMean: 500,
};

/** Members are cut off while clients keep writing elsewhere, and read old answers on both sides. */
const STALE: RunProfile = {
  plan: {
    clientCount: 6,
    operationsPerClient: 120,
    keys: ['key:0', 'count:1', 'key:2'],
    hotShare: 0.5,
    thinkMsMax: 40,
    timeoutMs: 2_000,
    conditionalShare: 0.4,
    readShare: 0.6,
    idShare: 0,
    staleShare: 0.8,
  },
  weather: { delayMsMax: 5, spikeShare: 0.05, spikeMsMax: 100 },
  faultKinds: [
    'isolate',
    'split',
    'cutOneWay',
    'kill',
    'pause',
    'suspend',
    'slowPeer',
    'databaseSlow',
    'wipe',
  ],
  faultMsMean: 400,
};

/** Records that nobody asks for are lost silently, while members leave and return and are wiped. */
const LOSSES: RunProfile = {
  plan: {
    clientCount: 4,
    operationsPerClient: 100,
    keys: ['key:0', 'count:1', 'key:2'],
    hotShare: 0.4,
    thinkMsMax: 40,
    timeoutMs: 2_000,
    conditionalShare: 0.4,
    readShare: 0.4,
    idShare: 0,
    staleShare: 0,
  },
  weather: { delayMsMax: 5, spikeShare: 0.05, spikeMsMax: 100 },
  faultKinds: [
    ...['silentLoss', 'rowRots', 'kill', 'killAll', 'pause', 'isolate', 'slowPeer', 'wipe', 'oldDisk'],
    ...['databaseSlow', 'databaseDown', 'breakLinks', 'slowDisk'],
  ] as const,
  faultMsMean: 700,
  scrubPauseMs: 200,
};

/** PostgreSQL loses its newest rows again and again, while processes and links fail. */
const FAILOVERS: RunProfile = {
  plan: {
    clientCount: 6,
    operationsPerClient: 120,
    keys: Array.from({ length: 12 }, (_, index) => (index === 1 ? 'count:1' : `key:${index}`)),
    hotShare: 0.3,
    thinkMsMax: 40,
    timeoutMs: 3_000,
    conditionalShare: 0.4,
    readShare: 0.4,
    staleShare: 0,
  },
  weather: { delayMsMax: 5, spikeShare: 0.1, spikeMsMax: 100 },
  faultKinds: [
    'databaseFailsOver',
    'databaseSetBack',
    'databaseFailsOver',
    'kill',
    'killAtStep',
    'killAll',
    'pause',
    'slowPeer',
    'cutOneWay',
    'join',
    'leave',
  ],
  faultMsMean: 900,
};

/**
 * An operator adopts one PostgreSQL after another, while PostgreSQL, processes and links fail, members join, leave, are
 * replaced and lose their disks, and disks fill.
 */
const ADOPTIONS: RunProfile = {
  ...FAILOVERS,
  faultKinds: [
    ...['databaseMoved', 'databaseMoved', 'databaseFailsOver', 'databaseSetBack', 'databaseDown'],
    ...['kill', 'killAtStep', 'pause', 'slowPeer', 'cutOneWay', 'isolate'],
    ...['join', 'leave', 'replace', 'wipe', 'diskFills'],
  ] as const,
};

/** PostgreSQL is away for seconds, for all or for one, and writes do without it; processes die, members join. */
const OUTAGES: RunProfile = {
  plan: {
    clientCount: 5,
    operationsPerClient: 250,
    keys: Array.from({ length: 12 }, (_, index) => (index === 1 ? 'count:1' : `key:${index}`)),
    hotShare: 0.2,
    thinkMsMax: 150,
    timeoutMs: 5_000,
    conditionalShare: 0.3,
    readShare: 0.3,
    idShare: 0.2,
    staleShare: 0,
  },
  weather: { delayMsMax: 5, spikeShare: 0.05, spikeMsMax: 100 },
  faultKinds: ['databaseAway', 'kill', 'killAll', 'killAtStep', 'databaseDown', 'wipe', 'slowPeer', 'stop'],
  faultMsMean: 1_200,
  record: { outage: 'spool', spoolBytesMax: 1_000_000, spoolEntriesMax: 1_000 },
};

/** Programs of two versions replace one another, and what the later one brings is enabled, while processes die. */
const VERSIONS: RunProfile = {
  plan: {
    clientCount: 5,
    operationsPerClient: 150,
    keys: ['key:0', 'count:1', 'key:2'],
    hotShare: 0.4,
    thinkMsMax: 60,
    timeoutMs: 3_000,
    conditionalShare: 0.4,
    readShare: 0.4,
    staleShare: 0,
  },
  weather: { delayMsMax: 5, spikeShare: 0.05, spikeMsMax: 100 },
  faultKinds: [
    'upgrade',
    'downgrade',
    'finishUpgrade',
    'kill',
    'killAll',
    'isolate',
    'wipe',
    'join',
    'oldDisk',
  ],
  faultMsMean: 600,
};

/** All owners of a slot, or most voters, are lost for good with their disks; an operator goes on with PostgreSQL. */
const LOST: RunProfile = {
  plan: {
    clientCount: 5,
    operationsPerClient: 150,
    keys: ['key:0', 'count:1', 'key:2', 'key:3'],
    hotShare: 0.4,
    thinkMsMax: 60,
    timeoutMs: 3_000,
    conditionalShare: 0.4,
    readShare: 0.4,
    staleShare: 0,
  },
  weather: { delayMsMax: 5, spikeShare: 0.05, spikeMsMax: 100 },
  faultKinds: [
    ...['ownersLost', 'councilLost', 'ownersLost', 'councilLost', 'kill', 'killAtStep', 'pause', 'stop'],
    ...['slowPeer', 'slowDisk', 'breakLinks', 'databaseSlow', 'databaseDown', 'wipe', 'join'],
  ] as const,
  faultMsMean: 1_500,
  record: { outage: 'reject', spoolBytesMax: 1_000_000, spoolEntriesMax: 1_000 },
};

/** The same where writes are spooled while PostgreSQL is away: then something is lost, but no more than may be. */
const LOST_SPOOL: RunProfile = {
  ...LOST,
  plan: { ...LOST.plan, operationsPerClient: 300, timeoutMs: 5_000, thinkMsMax: 150 },
  faultKinds: [
    ...['ownersLost', 'councilLost', 'ownersLost', 'councilLost', 'databaseAway', 'kill', 'killAtStep'],
    ...['pause', 'slowPeer', 'databaseDown'],
  ] as const,
  faultMsMean: 3_000,
  record: OUTAGES.record!,
};

/** Many keys are deleted and soon forgotten, while many statements to PostgreSQL hang for seconds. */
const REMOVALS: RunProfile = {
  plan: {
    clientCount: 6,
    operationsPerClient: 150,
    keys: Array.from({ length: 40 }, (_, index) => `key:${index}`),
    hotShare: 0.05,
    thinkMsMax: 120,
    timeoutMs: 3_000,
    conditionalShare: 0.2,
    readShare: 0.1,
    ttlShare: 0.7,
    ttlMsMax: 60,
    idShare: 0,
    staleShare: 0,
  },
  weather: { delayMsMax: 3, spikeShare: 0.02, spikeMsMax: 40, linkLifeMsMean: 0 },
  faultKinds: ['databaseSlow', 'kill', 'killAtStep', 'databaseSetBack'],
  faultMsMean: 4_000,
  database: { ...SIM_DATABASE_ROUGH, lateShare: 0.15, lateMsMax: 5_000, statementMsMax: 400 },
  tombstoneKeepMs: 50,
};

/**
 * Messages from one member to another take a second or more, while their keys are deleted elsewhere and soon forgotten.
 * Statements end within milliseconds, so that nobody has to wait for them.
 */
const LAGS: RunProfile = {
  plan: {
    clientCount: 20,
    operationsPerClient: 100,
    keys: Array.from({ length: 24 }, (_, index) => `key:${index}`),
    hotShare: 0.1,
    thinkMsMax: 400,
    timeoutMs: 3_000,
    conditionalShare: 0,
    readShare: 0.1,
    ttlShare: 0.3,
    ttlMsMax: 100,
    idShare: 0,
    staleShare: 0,
  },
  weather: { delayMsMax: 3, spikeShare: 0, linkLifeMsMean: 0 },
  faultKinds: ['lag'],
  faultMsMean: 6_000,
  database: { ...SIM_DATABASE_CALM, statementMsMax: 20 },
  tombstoneKeepMs: 20,
};

/** Three hundred operations per simulated second on five healthy members: shows how fast the simulator is. */
const STEADY: RunProfile = {
  nodeCount: 5,
  plan: {
    clientCount: 70,
    operationsPerClient: 2_000,
    keys: Array.from({ length: 64 }, (_, index) => `key:${index}`),
    hotShare: 0.1,
    thinkMsMax: 320,
    timeoutMs: 5_000,
    conditionalShare: 0.3,
    readShare: 0.5,
    batchShare: 0,
    ttlShare: 0.1,
    ttlMsMax: 3_000,
  },
  weather: {},
  faultKinds: [],
};

export const PROFILES: Readonly<Record<string, RunProfile>> = {
  hotKey: HOT_KEY,
  lists: LISTS,
  crashes: CRASHES,
  epochs: EPOCHS,
  moves: MOVES,
  repeats: REPEATS,
  stale: STALE,
  losses: LOSSES,
  lost: LOST,
  lostSpool: LOST_SPOOL,
  lostTail: LOST_TAIL,
  returns: RETURNS,
  relapses: RELAPSES,
  failovers: FAILOVERS,
  adoptions: ADOPTIONS,
  outages: OUTAGES,
  versions: VERSIONS,
  removals: REMOVALS,
  lags: LAGS,
  oneSlot: ONE_SLOT,
  oneSlotAway: ONE_SLOT_AWAY,
  fewReplicas: FEW_REPLICAS,
  byHand: BY_HAND,
  byHandLost: BY_HAND_LOST,
  listings: LISTINGS,
  steady: STEADY,
};
