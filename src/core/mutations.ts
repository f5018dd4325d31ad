/**
 * The negation of single rules, as switches: a test breaks one rule on purpose and must see its checker fail.
 * The table is handed in by tests only; no setting reaches it, and everywhere else it is empty.
 * (PROTOCOL, "Mutants")
 */
export interface Mutations {
  /** A lease counts from the receipt of its grant and not from the sending of its heartbeat. (R14) */
  readonly leaseFromReceipt?: boolean;
  /** Voters grant for the epoch they learned although they accepted a later one. (R14) */
  readonly grantByLearned?: boolean;
  /** Nobody waits for the leases of members that went. (R15) */
  readonly noWaitOut?: boolean;
  /** Nobody waits for the lease of a live member whose slots were placed elsewhere. (R15) */
  readonly noWaitForMoved?: boolean;
  /** Former owners are dropped before they have finished what they coordinate. */
  readonly dropUnretired?: boolean;
  /** Slots that a node gave up still count as verified when it comes to learn them again. (R17, R19) */
  readonly trustMovedSlots?: boolean;
  /** A restarted process goes on under the number of the one before it. (R11) */
  readonly restartSameIncarnation?: boolean;
  /** Blank members found a cluster when they are most and not all. (R27) */
  readonly blankMajorityFounds?: boolean;
  /** A version is put in force that one member speaks, and not all. (decision 19) */
  readonly raiseUnheard?: boolean;
  /** Frames are written as this node would like to, whatever version the link has. (decision 19) */
  readonly ignoreLinkProtocol?: boolean;
  /** A content type is kept before the version that it came with is in force. (decision 34) */
  readonly keepTypeEarly?: boolean;
  /** Nobody keeps in mind who was let stop. (decision 49) */
  readonly letAllStop?: boolean;
  /** Nobody is taken out for being slow. (R31) */
  readonly keepSlow?: boolean;
  /** Who was taken out as slow comes back at once, however slow it is. (R31) */
  readonly admitSlow?: boolean;

  /** A voter answers before its promise, or what it accepts, is on its disk. (R29) */
  readonly voteUnstored?: boolean;
  /** A follower acknowledges before its store has the record. */
  readonly acknowledgeBeforeStore?: boolean;
  /** A round is complete although its coordinator's own disk does not have the version yet. (R2) */
  readonly leaveOutOwnDisk?: boolean;
  /** Counters that an earlier process on the same disk had put by are taken again. (R8) */
  readonly retakeCounters?: boolean;
  /** Counters that a node has put by lift its conditional versions, too. (R5, R8) */
  readonly liftConditional?: boolean;
  /** A floor lifts conditional versions before all owners are past it. (R5, R22) */
  readonly liftUnagreed?: boolean;
  /** An owner says that it is past a floor while a plain version just above that is in flight. (R5, R22) */
  readonly raiseBesidePlain?: boolean;
  /** What the owners of one epoch have agreed on counts in the next, whoever owns the slot then. (R5, R22) */
  readonly keepAgreed?: boolean;
  /** A learner says that it takes nothing from below a floor once it is an owner, and does. (R5, R22) */
  readonly promiseNothing?: boolean;
  /** A round is validated although somebody held a higher version. (R1) */
  readonly validateDespiteHigher?: boolean;
  /** Any Validate releases every waiting reader. (R9) */
  readonly releaseReadersByAnyValidate?: boolean;
  /** A conditional write goes on although its own node holds a higher version. (R2) */
  readonly noSelfAbort?: boolean;
  /** A round goes on with the acknowledgements of an earlier epoch. (R4) */
  readonly keepAcknowledgements?: boolean;
  /** What the store says of a version handed to it before the slot was given up counts for what is held since. */
  readonly countEveryStore?: boolean;
  /** What was asked in an earlier epoch is acknowledged in this one, once it is stored. (R4, R11) */
  readonly acknowledgeEarlierEpoch?: boolean;
  /** After a restart nothing is remembered of what was in flight. (R12) */
  readonly forgetInFlight?: boolean;
  /** Messages of another epoch are taken. (R4) */
  readonly dropEpochCheck?: boolean;
  /** Validate is sent before PostgreSQL has the row. */
  readonly validateBeforeRecord?: boolean;
  /** A learner copies values without their content type. (R19) */
  readonly learnUntyped?: boolean;
  /** A learner is promoted before it has copied everything. (R20) */
  readonly promoteEarly?: boolean;
  /** A learner keeps what it had where that is higher than what its source tells. (R19) */
  readonly keepHigherLeftovers?: boolean;
  /** A learner keeps the keys that its source lacks. (R19) */
  readonly keepUnknownLeftovers?: boolean;
  /** A slot counts by its digest although something lower took the place of what was compared. (R19) */
  readonly trustLowered?: boolean;
  /** A learner does not copy deletions. (R19, R22) */
  readonly learnNoTombstones?: boolean;
  /** What a learner copies counts as valid, although it is in flight at the source. (R19) */
  readonly learnPendingAsValid?: boolean;
  /** Who teaches or repairs tells of what is in flight before its own disk has it. (R8, R19) */
  readonly tellUnstored?: boolean;
  /** A learner is promoted although what it began as an earlier process may be in flight elsewhere. (R8, R20) */
  readonly promoteUnasked?: boolean;
  /** Only a write's coordinator remembers its operation id. (R33) */
  readonly operationIdsAtCoordinatorOnly?: boolean;
  /** Operations that were refused stay remembered as if they had taken effect. (R33) */
  readonly keepVoidOperations?: boolean;
  /** A version is taken above one with operation ids whose fate is open. (R33) */
  readonly passOpenOperations?: boolean;
  /** What a learner has copied of a slot still counts when that was given up and somebody else makes it whole. (R19, R28) */
  readonly trustGivenUp?: boolean;
  /** Slots that were given up are made whole without asking PostgreSQL. (R28) */
  readonly recoverUnread?: boolean;
  /** Slots that were given up are made whole without the rows that cannot be read in PostgreSQL. (R28) */
  readonly passUnreadable?: boolean;
  /** Rows of PostgreSQL take the place of what is higher on the disk of who makes such a slot whole. (R28, R34) */
  readonly recoverRowsAlone?: boolean;
  /** Another life is begun without taking it from PostgreSQL: who is given up can still write there. (R27) */
  readonly succeedUnfenced?: boolean;
  /** Blank members found a cluster although somebody has noted a moment ago that he lives in one. (R27) */
  readonly foundBesideLiving?: boolean;
  /** A founder takes another life where the first one that it took came to nothing. (R27) */
  readonly foundAnew?: boolean;
  /** A founding, or an operator, puts an end to a life as soon as what was noted in it is old, although PostgreSQL was away. (R27) */
  readonly trustOldNote?: boolean;
  /** A later life counts as one that came of this node's, whatever PostgreSQL has noted. (R27) */
  readonly trustLaterLife?: boolean;
  /** Whose life of the cluster is over goes on, and starts, whatever PostgreSQL says. (R27) */
  readonly ignoreLaterLife?: boolean;
  /** A PostgreSQL that has failed over is taken to have everything in the life that is begun there. (R27, R30) */
  readonly succeedUndriven?: boolean;
  /** In another life the slots count as complete where they were in the one before. (R28) */
  readonly succeedComplete?: boolean;
  /** Deletions are forgotten although the floor was not raised above them. (R22) */
  readonly raiseNoFloor?: boolean;
  /** An owner says that it is past a floor while something at or below it is in flight there. (R22) */
  readonly raiseUnquiet?: boolean;
  /** Deletions are forgotten while a learner copies their slot. (R22) */
  readonly forgetWhileCopying?: boolean;
  /** What arrives from below the fence is stored, although its key's deletion may have been forgotten. (R22) */
  readonly passFence?: boolean;
  /** Rows of deletions are removed in PostgreSQL without waiting for statements that do not see the floor. (R24) */
  readonly removeRowsAtOnce?: boolean;
  /** Whoever writes to PostgreSQL claims to know every floor there. (R24) */
  readonly passRecordFloor?: boolean;
  /** Nobody compares the floors of its disk with PostgreSQL's: whoever holds a version claims to know the floor. (R24) */
  readonly trustOldFloor?: boolean;
  /** Slots that were given up keep what is left over on a disk below the floor that PostgreSQL has. (R24, R28) */
  readonly recoverBelowFloor?: boolean;
  /** Slots that were given up take rows over whose deletion this disk has forgotten. (R22, R28) */
  readonly recoverForgotten?: boolean;
  /** What a disk has left over from before its slot was given up counts where it is given up once more. (R28) */
  readonly recoverSuperseded?: boolean;
  /** A PostgreSQL that lost its tail, or was accepted, keeps the floors that it came with. (R24, R30) */
  readonly leaveFloorsLow?: boolean;
  /** Slots that are given up while PostgreSQL is compared keep what is left over below its floor. (R24, R28) */
  readonly keepBelowInDrive?: boolean;
  /** Who makes given-up slots whole leaves the floors of PostgreSQL to whatever still hangs. (R24, R28) */
  readonly recoverUnturned?: boolean;
  /** Who makes given-up slots whole goes by whatever its disk remembers of operations. (R28, R33) */
  readonly trustLeftOperations?: boolean;
  /** A learner is promoted without the operations that its owners remember. (R20) */
  readonly operationsNotLearned?: boolean;
  /** Who takes an old answer is told what is in flight. */
  readonly staleUnfinished?: boolean;
  /** Who takes an old answer gets one from a member that is no complete owner. (R19) */
  readonly staleFromLearner?: boolean;
  /** A node does without PostgreSQL by its own sight, and not by the epoch. (R34) */
  readonly spoolByOneNode?: boolean;
  /** What was stored before the epoch that spools is acknowledged in it without a mark. (R34) */
  readonly acknowledgeUnmarked?: boolean;
  /** After a restart nothing is remembered of what PostgreSQL lacks. (R34) */
  readonly forgetSpoolMarkAtRestart?: boolean;
  /** A mark goes when its record is sent to PostgreSQL, and not when it is known to be there. (R34) */
  readonly dropMarkBeforeCommit?: boolean;
  /** A learner is promoted without the marks of its owners. (R34) */
  readonly spoolMarksNotLearned?: boolean;
  /** A node goes on with its part in writes whatever room its disk has. (R32) */
  readonly ignoreFullDisk?: boolean;
  /** A scrubber takes its word for what is on the disk from the digest that it remembers. */
  readonly scrubTrustsKeptDigest?: boolean;
  /** A scrubber takes its word for what is in a row of PostgreSQL from the checksum that stands beside it. */
  readonly scrubTrustsRow?: boolean;
  /** A scrubber puts another owner's copy in the place of one that is in flight here. (R2) */
  readonly scrubOverwritesInFlight?: boolean;
  /** Whatever waits, nothing is refused: neither for a queue that stands nor for the number in flight. */
  readonly admitEverything?: boolean;
  /** Nothing is compared with a PostgreSQL that failed over or was restored, and all is said to be. (R30) */
  readonly keepQuietAfterFailover?: boolean;
  /** Another PostgreSQL that an operator accepts is taken to have everything. (R30) */
  readonly adoptUndriven?: boolean;
  /** A node goes on with the PostgreSQL of before when an epoch has named another one. (R30) */
  readonly keepFormerServer?: boolean;
  /** What PostgreSQL has said of a write in flight still counts when it has failed over since. (R6, R30) */
  readonly keepRecorded?: boolean;
  /** A value of PostgreSQL that its slot's first owner lacks below the floor was deleted, whatever the others hold. (R23, R30) */
  readonly deleteUnasked?: boolean;
  /** What is in flight while its slot is compared with PostgreSQL is passed over. (R30) */
  readonly passInFlight?: boolean;
  /** A modification is judged on whatever is held, and no higher version refuses it. (R2) */
  readonly modifyUnrefused?: boolean;
  /** Of a modification the first change alone is written, and all are told. */
  readonly modifyFirstAlone?: boolean;
  /** A condition is judged where only the legacy source can tell what stands, without asking it. (R25) */
  readonly judgeUnasked?: boolean;
  /** A change by hand is written over whatever stands. (decision 43) */
  readonly editIgnoresBase?: boolean;
  /** It is written without an operation id. (decision 43) */
  readonly editUnnamed?: boolean;
  /** What a row shows that was changed by hand is taken for the record of its version. (decision 43) */
  readonly editAsItStands?: boolean;
  /** A fill replaces whatever stands. (R25) */
  readonly fillWithoutCondition?: boolean;
  /** An owner takes the deletion of what has not expired by its own clock. (R26) */
  readonly takeEarlyExpiry?: boolean;
  /** A copy counts as watched although its key was read at another node. (decision 23) */
  readonly watchUnheard?: boolean;
  /** Who has others watch keys trusts them, whatever they say and whether they say anything. (decision 23) */
  readonly watchUnanswered?: boolean;
  /** Copies are kept over a change of epoch. (decision 23) */
  readonly watchOverEpochs?: boolean;
  /** Who wrote a part of a version is told that it is its own alone. (decision 51) */
  readonly sharedAsOwn?: boolean;
}

export const NO_MUTATIONS: Mutations = {};
