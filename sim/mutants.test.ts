/**
 * The negation of each rule must be caught: a checker that has never failed has proved nothing. One table names, for
 * every switch, the scenario that fails with it, and the profile with which random seeds find it, too; the type of the
 * table ensures that none is left out. (PROTOCOL, "Mutants"; docs/RULES.md lists those that tests next to this one
 * break)
 */
import { expect, test } from 'vitest';
import type { Mutations } from '../src/core/mutations.ts';
import { PROFILES } from './profiles.ts';
import type { RunProfile } from './run-profile.ts';
import { runSeed } from './run.ts';
import { abortedAndLeftOut } from './scenarios/aborting.ts';
import { conditionWhileExpiring, expiryAskedTooEarly } from './scenarios/expiring.ts';
import {
  copiedMeanwhile,
  inFlightBelow,
  incrementBesideRaise,
  lateCopy,
  putAtFormerLearner,
  putBeforeIncrementArrives,
  putJustAbove,
  writtenAgain,
} from './scenarios/forgetting.ts';
import {
  deletedMeanwhile,
  fillAfterDelete,
  higherLeftover,
  leftoverOfUnknownKey,
  loweredWhileCompared,
  pendingIsCopied,
  promotedLearner,
  storedBeforeGivenUp,
  taughtBeforeStored,
  versionTakenTwice,
} from './scenarios/learning.ts';
import { modificationBesidePut, setAndAppended } from './scenarios/modifying.ts';
import {
  repeatedAfterCoordinatorDied,
  repeatedAfterRefusal,
  repeatedAtFormerLearner,
  writtenOverWhileOpen,
} from './scenarios/operation-ids.ts';
import { allDieInFlight, diesBeforeItsOwnDisk, readerBetweenTwoWrites } from './scenarios/returning.ts';
import {
  acknowledgedAndLost,
  acknowledgementOfEarlierProcess,
  acknowledgementOfLostDisk,
  incrementOvertaken,
  incrementOvertakenAfterRestart,
  readBeforeRecorded,
  setLostBetweenSetAndIncrement,
  storedElsewhereFirst,
  writeBesideTheEpoch,
} from './scenarios/writing.ts';

type Elsewhere =
  | 'leaseFromReceipt'
  | 'grantByLearned'
  | 'noWaitOut'
  | 'restartSameIncarnation'
  | 'voteUnstored'
  | 'blankMajorityFounds'
  | 'keepSlow'
  | 'admitSlow'
  | 'noWaitForMoved'
  | 'dropUnretired'
  | 'trustMovedSlots'
  | 'recoverUnread'
  | 'recoverRowsAlone'
  | 'recoverBelowFloor'
  | 'recoverForgotten'
  | 'recoverSuperseded'
  | 'trustGivenUp'
  | 'trustOldFloor'
  | 'nameFloorUnleased'
  | 'keepBelowInDrive'
  | 'recoverUnturned'
  | 'passUnreadable'
  | 'trustLeftOperations'
  | 'leaveFloorsLow'
  | 'deleteUnasked'
  | 'removeRowsAtOnce'
  | 'passRecordFloor'
  | 'succeedUnfenced'
  | 'foundBesideLiving'
  | 'foundAnew'
  | 'trustOldNote'
  | 'trustLaterLife'
  | 'ignoreLaterLife'
  | 'succeedComplete'
  | 'succeedUndriven'
  | 'staleUnfinished'
  | 'staleFromLearner'
  | 'ignoreFullDisk'
  | 'scrubTrustsKeptDigest'
  | 'scrubTrustsRow'
  | 'scrubOverwritesInFlight'
  | 'admitEverything'
  | 'keepQuietAfterFailover'
  | 'editIgnoresBase'
  | 'editUnnamed'
  | 'editAsItStands'
  | 'keepRecorded'
  | 'adoptUndriven'
  | 'keepFormerServer'
  | 'passInFlight'
  | 'spoolByOneNode'
  | 'acknowledgeUnmarked'
  | 'forgetSpoolMarkAtRestart'
  | 'dropMarkBeforeCommit'
  | 'spoolMarksNotLearned'
  | 'raiseUnheard'
  | 'ignoreLinkProtocol'
  | 'keepTypeEarly'
  | 'learnUntyped'
  | 'letAllStop'
  | 'watchUnheard'
  | 'watchUnanswered'
  | 'watchOverEpochs'
  | 'sharedAsOwn';
type Mutant = Exclude<keyof Mutations, Elsewhere>;

const STORIES: Readonly<Record<Mutant, (mutations: Mutations) => string>> = {
  acknowledgeBeforeStore: acknowledgedAndLost,
  leaveOutOwnDisk: storedElsewhereFirst,
  liftConditional: incrementOvertakenAfterRestart,
  liftUnagreed: incrementBesideRaise,
  raiseBesidePlain: putJustAbove,
  keepAgreed: putAtFormerLearner,
  promiseNothing: putBeforeIncrementArrives,
  retakeCounters: diesBeforeItsOwnDisk,
  validateDespiteHigher: setLostBetweenSetAndIncrement,
  releaseReadersByAnyValidate: readerBetweenTwoWrites,
  // Without it no false answer is given, because the overtaking write answers *higher*, too; but the overtaken one
  // never ends.
  noSelfAbort: incrementOvertaken,
  undoneAtOnce: abortedAndLeftOut,
  keepAcknowledgements: acknowledgementOfLostDisk,
  acknowledgeEarlierEpoch: acknowledgementOfEarlierProcess,
  forgetInFlight: allDieInFlight,
  dropEpochCheck: writeBesideTheEpoch,
  validateBeforeRecord: readBeforeRecorded,
  promoteEarly: promotedLearner,
  promoteUnasked: versionTakenTwice,
  tellUnstored: taughtBeforeStored,
  countEveryStore: storedBeforeGivenUp,
  keepHigherLeftovers: higherLeftover,
  keepUnknownLeftovers: leftoverOfUnknownKey,
  trustLowered: loweredWhileCompared,
  learnNoTombstones: deletedMeanwhile,
  learnPendingAsValid: pendingIsCopied,
  takeEarlyExpiry: expiryAskedTooEarly,
  judgeUnasked: conditionWhileExpiring,
  modifyUnrefused: modificationBesidePut,
  modifyFirstAlone: setAndAppended,
  fillWithoutCondition: fillAfterDelete,
  operationIdsAtCoordinatorOnly: repeatedAfterCoordinatorDied,
  keepVoidOperations: repeatedAfterRefusal,
  passOpenOperations: writtenOverWhileOpen,
  operationsNotLearned: repeatedAtFormerLearner,
  raiseNoFloor: writtenAgain,
  raiseUnquiet: inFlightBelow,
  forgetWhileCopying: copiedMeanwhile,
  passFence: lateCopy,
};

const SEEDS: readonly {
  readonly mutant: keyof Mutations;
  readonly profile: string;
  readonly seedsMax: number;
}[] = [
  { mutant: 'acknowledgeBeforeStore', profile: 'crashes', seedsMax: 20 },
  { mutant: 'validateDespiteHigher', profile: 'hotKey', seedsMax: 120 },
  { mutant: 'releaseReadersByAnyValidate', profile: 'hotKey', seedsMax: 10 },
  { mutant: 'leaveOutOwnDisk', profile: 'relapses', seedsMax: 10 },
  { mutant: 'keepAcknowledgements', profile: 'relapses', seedsMax: 30 },
  { mutant: 'acknowledgeEarlierEpoch', profile: 'relapses', seedsMax: 20 },
  { mutant: 'noWaitOut', profile: 'epochs', seedsMax: 20 },
  { mutant: 'keepHigherLeftovers', profile: 'epochs', seedsMax: 10 },
  { mutant: 'keepUnknownLeftovers', profile: 'epochs', seedsMax: 40 },
  { mutant: 'liftConditional', profile: 'oneSlot', seedsMax: 10 },
  { mutant: 'forgetInFlight', profile: 'crashes', seedsMax: 30 },
  { mutant: 'validateBeforeRecord', profile: 'hotKey', seedsMax: 5 },
  { mutant: 'promoteEarly', profile: 'crashes', seedsMax: 30 },
  { mutant: 'learnNoTombstones', profile: 'epochs', seedsMax: 60 },
  { mutant: 'raiseNoFloor', profile: 'crashes', seedsMax: 20 },
  { mutant: 'forgetWhileCopying', profile: 'copies', seedsMax: 60 },
  { mutant: 'learnPendingAsValid', profile: 'outages', seedsMax: 40 },
  { mutant: 'fillWithoutCondition', profile: 'hotKey', seedsMax: 80 },
  { mutant: 'modifyUnrefused', profile: 'lists', seedsMax: 10 },
  { mutant: 'modifyFirstAlone', profile: 'lists', seedsMax: 5 },
  { mutant: 'operationIdsAtCoordinatorOnly', profile: 'repeats', seedsMax: 20 },
  { mutant: 'operationsNotLearned', profile: 'repeats', seedsMax: 20 },
  { mutant: 'keepVoidOperations', profile: 'repeats', seedsMax: 60 },
  { mutant: 'passOpenOperations', profile: 'repeats', seedsMax: 60 },
  { mutant: 'recoverUnread', profile: 'lost', seedsMax: 10 },
  { mutant: 'recoverRowsAlone', profile: 'lostSpool', seedsMax: 5 },
  { mutant: 'succeedComplete', profile: 'lost', seedsMax: 10 },
  { mutant: 'succeedUnfenced', profile: 'lost', seedsMax: 10 },
  { mutant: 'keepQuietAfterFailover', profile: 'lostTail', seedsMax: 10 },
  { mutant: 'passRecordFloor', profile: 'removals', seedsMax: 10 },
  { mutant: 'removeRowsAtOnce', profile: 'removals', seedsMax: 20 },
  { mutant: 'liftUnagreed', profile: 'oneSlot', seedsMax: 40 },
  { mutant: 'staleUnfinished', profile: 'stale', seedsMax: 10 },
  { mutant: 'staleFromLearner', profile: 'stale', seedsMax: 20 },
  { mutant: 'spoolMarksNotLearned', profile: 'outages', seedsMax: 20 },
  { mutant: 'forgetSpoolMarkAtRestart', profile: 'outages', seedsMax: 20 },
  { mutant: 'dropMarkBeforeCommit', profile: 'outages', seedsMax: 20 },
  { mutant: 'acknowledgeUnmarked', profile: 'outages', seedsMax: 20 },
  { mutant: 'spoolByOneNode', profile: 'outages', seedsMax: 10 },
  { mutant: 'editUnnamed', profile: 'byHand', seedsMax: 10 },
  { mutant: 'scrubTrustsRow', profile: 'losses', seedsMax: 20 },
  { mutant: 'keepFormerServer', profile: 'adoptions', seedsMax: 10 },
  { mutant: 'passFence', profile: 'lags', seedsMax: 30 },
  { mutant: 'raiseUnquiet', profile: 'lags', seedsMax: 30 },
];

/**
 * Like `removals`, while members are wiped and copy their slots anew: they never hear of what is forgotten meanwhile.
 */
const COPIES: RunProfile = {
  plan: PROFILES['removals']!.plan,
  weather: PROFILES['removals']!.weather,
  faultKinds: ['wipe', 'kill', 'slowPeer', 'killAtStep'],
  faultMsMean: 700,
  tombstoneKeepMs: 50,
};

for (const [mutant, story] of Object.entries(STORIES)) {
  test(`${mutant}: its story fails, and only with it`, () => {
    expect(story({})).toBe('ok');
    expect(story({ [mutant]: true })).not.toBe('ok');
  });
}

/** Where a search begins if the seeds before show nothing. */
const FIRST: Readonly<Partial<Record<keyof Mutations, number>>> = {
  liftConditional: 3,
  keepAcknowledgements: 6,
  keepUnknownLeftovers: 14,
  noWaitOut: 3,
  staleFromLearner: 35,
  spoolMarksNotLearned: 2,
  forgetSpoolMarkAtRestart: 2,
  dropMarkBeforeCommit: 2,
  acknowledgeUnmarked: 2,
  scrubTrustsRow: 2,
  validateDespiteHigher: 12,
  learnNoTombstones: 121,
  learnPendingAsValid: 30,
  forgetWhileCopying: 25,
  keepVoidOperations: 6,
  passOpenOperations: 33,
  recoverUnread: 3,
  succeedUnfenced: 2,
  passRecordFloor: 2,
  removeRowsAtOnce: 6,
  liftUnagreed: 4,
  raiseUnquiet: 30,
  succeedComplete: 3,
  keepQuietAfterFailover: 17,
};

for (const { mutant, profile, seedsMax } of SEEDS) {
  test(`${mutant}: a seed of the profile ${profile} fails`, () => {
    let caught: string | null = null;
    const first = FIRST[mutant] ?? 1;
    for (let seed = first; seed < first + seedsMax && caught === null; seed += 1) {
      caught = runSeed(seed, {
        profile: PROFILES[profile] ?? COPIES,
        mutations: { [mutant]: true },
      }).violation;
    }
    expect(caught).not.toBeNull();
  });
}
