/**
 * Switches that each negate a single rule: a test breaks one rule on purpose and must see its checker fail. Only tests
 * pass these in; no setting reaches them, and everywhere else the table is empty. (PROTOCOL, "Mutants")
 */
export interface Mutations {
  /** A lease counts from the receipt of its grant instead of the sending of its heartbeat. (R14) */
  readonly leaseFromReceipt?: boolean;
  /** Voters grant leases for the epoch they have learned although they have accepted a later one. (R14) */
  readonly grantByLearned?: boolean;
  /** Nobody waits out the leases of removed members. (R15) */
  readonly noWaitOut?: boolean;
  /** Nobody waits out the lease of a live member whose slots were placed elsewhere. (R15) */
  readonly noWaitForMoved?: boolean;
  /** Former owners are dropped before they have finished what they coordinate. */
  readonly dropUnretired?: boolean;
  /** Slots that a node gave up still count as verified when it comes to learn them again. (R17, R19) */
  readonly trustMovedSlots?: boolean;
  /** A restarted process continues under the incarnation of the one before it. (R11) */
  readonly restartSameIncarnation?: boolean;
  /** Blank members found a cluster when most of them are there instead of all. (R27) */
  readonly blankMajorityFounds?: boolean;
  /** A protocol version is put in force although only one member speaks it. (decision 19) */
  readonly raiseUnheard?: boolean;
  /** Frames are encoded in this node's own protocol version, whatever version the link has. (decision 19) */
  readonly ignoreLinkProtocol?: boolean;
  /** A content type is stored before the version that introduced it is in force. (decision 34) */
  readonly keepTypeEarly?: boolean;
  /** Nobody remembers which members were allowed to stop. (decision 49) */
  readonly letAllStop?: boolean;
  /** No member is ever removed for being slow. (R31) */
  readonly keepSlow?: boolean;
  /** A member removed as slow comes back at once, however slow it is. (R31) */
  readonly admitSlow?: boolean;

  /** A voter answers before its promise, or the value it accepts, is on disk. (R29) */
  readonly voteUnstored?: boolean;
  /** A follower acknowledges before its store has the record. */
  readonly acknowledgeBeforeStore?: boolean;
  /** A round completes although its coordinator's own disk does not have the version yet. (R2) */
  readonly leaveOutOwnDisk?: boolean;
  /** Counters that an earlier process on the same disk had reserved are used again. (R8) */
  readonly retakeCounters?: boolean;
  /** The counters that a node has reserved raise its conditional versions too. (R5, R8) */
  readonly liftConditional?: boolean;
  /** A floor raises conditional versions before all owners have passed it. (R5, R22) */
  readonly liftUnagreed?: boolean;
  /** An owner confirms a floor while an unconditional version just above it is in flight. (R5, R22) */
  readonly raiseBesidePlain?: boolean;
  /** Floors agreed on in one epoch count in the next one, whoever owns the slot then. (R5, R22) */
  readonly keepAgreed?: boolean;
  /** A learner promises to take nothing below a floor once it is an owner, and breaks the promise. (R5, R22) */
  readonly promiseNothing?: boolean;
  /** A round is validated although some member held a higher version. (R1) */
  readonly validateDespiteHigher?: boolean;
  /** Any Validate releases every waiting reader. (R9) */
  readonly releaseReadersByAnyValidate?: boolean;
  /** A conditional write continues although its own node holds a higher version. (R2) */
  readonly noSelfAbort?: boolean;
  /** An aborted write counts as undone before a higher version is valid. (R3) */
  readonly undoneAtOnce?: boolean;
  /** A round continues with the acknowledgements of an earlier epoch. (R4) */
  readonly keepAcknowledgements?: boolean;
  /** The store's confirmation of a version handed to it before the slot was given up counts for what is held since. */
  readonly countEveryStore?: boolean;
  /** A request from an earlier epoch is acknowledged in this one once the record is stored. (R4, R11) */
  readonly acknowledgeEarlierEpoch?: boolean;
  /** After a restart a node has forgotten what was in flight. (R12) */
  readonly forgetInFlight?: boolean;
  /** Messages from other epochs are accepted. (R4) */
  readonly dropEpochCheck?: boolean;
  /** Validate is sent before PostgreSQL has the row. */
  readonly validateBeforeRecord?: boolean;
  /** A learner copies values without their content type. (R19) */
  readonly learnUntyped?: boolean;
  /** A learner is promoted before it has copied everything. (R20) */
  readonly promoteEarly?: boolean;
  /** A learner keeps its own version if it is higher than its source's. (R19) */
  readonly keepHigherLeftovers?: boolean;
  /** A learner keeps the keys that its source lacks. (R19) */
  readonly keepUnknownLeftovers?: boolean;
  /** A slot still counts as equal by its digest although something lower has replaced what was compared. (R19) */
  readonly trustLowered?: boolean;
  /** A learner does not copy deletions. (R19, R22) */
  readonly learnNoTombstones?: boolean;
  /** A learner takes what it copies as valid although it is in flight at the source. (R19) */
  readonly learnPendingAsValid?: boolean;
  /** A teaching or repairing node sends what is in flight before its own disk has it. (R8, R19) */
  readonly tellUnstored?: boolean;
  /** A learner is promoted although versions it took as an earlier process may be in flight elsewhere. (R8, R20) */
  readonly promoteUnasked?: boolean;
  /** Only a write's coordinator remembers its operation id. (R33) */
  readonly operationIdsAtCoordinatorOnly?: boolean;
  /** Refused operations stay remembered as if they had taken effect. (R33) */
  readonly keepVoidOperations?: boolean;
  /** A version is taken above one with operation ids whose fate is undecided. (R33) */
  readonly passOpenOperations?: boolean;
  /**
   * What a learner has copied of a slot still counts after the slot was given up and another node makes it whole. (R19,
   * R28)
   */
  readonly trustGivenUp?: boolean;
  /** Slots that were given up are made whole without reading PostgreSQL. (R28) */
  readonly recoverUnread?: boolean;
  /** Slots that were given up are made whole without the rows that PostgreSQL cannot read. (R28) */
  readonly passUnreadable?: boolean;
  /** Rows of PostgreSQL replace higher versions on the disk of the node that makes such a slot whole. (R28, R34) */
  readonly recoverRowsAlone?: boolean;
  /**
   * Another life begins without being taken from PostgreSQL: members that were given up can still write there. (R27)
   */
  readonly succeedUnfenced?: boolean;
  /** Blank members found a cluster although a node has just noted that it lives in one. (R27) */
  readonly foundBesideLiving?: boolean;
  /** A founder whose first life came to nothing takes another one. (R27) */
  readonly foundAnew?: boolean;
  /** A founding, or an operator, ends a life as soon as its last note is old, although PostgreSQL was away. (R27) */
  readonly trustOldNote?: boolean;
  /** A later life counts as a descendant of this node's, whatever PostgreSQL has noted. (R27) */
  readonly trustLaterLife?: boolean;
  /** A node whose life is over starts and continues, whatever PostgreSQL says. (R27) */
  readonly ignoreLaterLife?: boolean;
  /** A PostgreSQL that has failed over is assumed to have everything in the life that begins there. (R27, R30) */
  readonly succeedUndriven?: boolean;
  /** In another life, slots count as complete where they were complete in the previous one. (R28) */
  readonly succeedComplete?: boolean;
  /** Deletions are forgotten without a floor having been raised above them. (R22) */
  readonly raiseNoFloor?: boolean;
  /** An owner confirms a floor while something at or below it is in flight there. (R22) */
  readonly raiseUnquiet?: boolean;
  /** Deletions are forgotten while a learner copies their slot. (R22) */
  readonly forgetWhileCopying?: boolean;
  /** A version from below the fence is stored although its key's deletion may have been forgotten. (R22) */
  readonly passFence?: boolean;
  /** Rows of deletions are removed from PostgreSQL without waiting for statements that do not see the floor. (R24) */
  readonly removeRowsAtOnce?: boolean;
  /** Every writer to PostgreSQL claims to know all floors there. (R24) */
  readonly passRecordFloor?: boolean;
  /**
   * No node compares the floors on its disk with PostgreSQL's: every holder of a version claims to know the floor.
   * (R24)
   */
  readonly trustOldFloor?: boolean;
  /** A node without a lease names PostgreSQL's floor for what it holds. (R24) */
  readonly nameFloorUnleased?: boolean;
  /** Slots that were given up keep leftovers on a disk below the floor that PostgreSQL has. (R24, R28) */
  readonly recoverBelowFloor?: boolean;
  /** Slots that were given up take over rows whose deletion this disk has forgotten. (R22, R28) */
  readonly recoverForgotten?: boolean;
  /** A disk's leftovers from before its slot was given up count when the slot is given up once more. (R28) */
  readonly recoverSuperseded?: boolean;
  /** A PostgreSQL that lost its latest rows, or was adopted, keeps the floors that it came with. (R24, R30) */
  readonly leaveFloorsLow?: boolean;
  /** Slots that are given up during a drive keep leftovers below PostgreSQL's floor. (R24, R28) */
  readonly keepBelowInDrive?: boolean;
  /**
   * A node that makes given-up slots whole does not protect PostgreSQL's floors from statements that still hang. (R24,
   * R28)
   */
  readonly recoverUnturned?: boolean;
  /** A node that makes given-up slots whole trusts whatever its disk remembers of operations. (R28, R33) */
  readonly trustLeftOperations?: boolean;
  /** A learner is promoted without the operation ids that its owners remember. (R20) */
  readonly operationsNotLearned?: boolean;
  /** A read that accepts old answers is given what is in flight. */
  readonly staleUnfinished?: boolean;
  /** A read that accepts old answers is answered by a member that is not a complete owner. (R19) */
  readonly staleFromLearner?: boolean;
  /** A node goes on without PostgreSQL by its own view instead of the epoch's. (R34) */
  readonly spoolByOneNode?: boolean;
  /** What was stored before the epoch began to spool is acknowledged in it without a mark. (R34) */
  readonly acknowledgeUnmarked?: boolean;
  /** After a restart a node has forgotten what PostgreSQL lacks. (R34) */
  readonly forgetSpoolMarkAtRestart?: boolean;
  /** A mark is dropped when its record is sent to PostgreSQL, instead of when it is known to be there. (R34) */
  readonly dropMarkBeforeCommit?: boolean;
  /** A learner is promoted without the marks of its owners. (R34) */
  readonly spoolMarksNotLearned?: boolean;
  /** A node keeps taking part in writes however full its disk is. (R32) */
  readonly ignoreFullDisk?: boolean;
  /** A scrubber takes the remembered digest for what is on disk. */
  readonly scrubTrustsKeptDigest?: boolean;
  /** A scrubber takes the checksum stored beside a row of PostgreSQL for that of its content. */
  readonly scrubTrustsRow?: boolean;
  /** A scrubber replaces a record that is in flight here by another owner's copy. (R2) */
  readonly scrubOverwritesInFlight?: boolean;
  /** Nothing is refused, neither because of a standing queue nor because of the number in flight. */
  readonly admitEverything?: boolean;
  /**
   * Nothing is compared with a PostgreSQL that failed over or was restored, but the drive is reported as done. (R30)
   */
  readonly keepQuietAfterFailover?: boolean;
  /** Another PostgreSQL that an operator adopts is assumed to have everything. (R30) */
  readonly adoptUndriven?: boolean;
  /** A node stays with the previous PostgreSQL after an epoch has named another one. (R30) */
  readonly keepFormerServer?: boolean;
  /** PostgreSQL's answer about a write in flight still counts after it has failed over. (R6, R30) */
  readonly keepRecorded?: boolean;
  /** A row below the floor that its slot's first owner lacks is deleted, whatever the other owners hold. (R23, R30) */
  readonly deleteUnasked?: boolean;
  /** What is in flight while its slot is compared with PostgreSQL is skipped. (R30) */
  readonly passInFlight?: boolean;
  /** A modification is judged on whatever is held, and no higher version refuses it. (R2) */
  readonly modifyUnrefused?: boolean;
  /** Only the first change of a modification is written, but all are reported. */
  readonly modifyFirstAlone?: boolean;
  /** A condition is judged without asking the legacy source where only that can tell what stands. (R25) */
  readonly judgeUnasked?: boolean;
  /** A manual change is written over whatever stands. (decision 43) */
  readonly editIgnoresBase?: boolean;
  /** A manual change is written without an operation id. (decision 43) */
  readonly editUnnamed?: boolean;
  /** A row that was changed by hand is taken as the record of its version. (decision 43) */
  readonly editAsItStands?: boolean;
  /** A fill replaces whatever stands. (R25) */
  readonly fillWithoutCondition?: boolean;
  /** An owner accepts the deletion of a record that has not expired by its own clock. (R26) */
  readonly takeEarlyExpiry?: boolean;
  /** A copy counts as watched although its key was read at another node. (decision 23) */
  readonly watchUnheard?: boolean;
  /** A node trusts the peers that watch keys for it, whatever they say and whether they answer at all. (decision 23) */
  readonly watchUnanswered?: boolean;
  /** Copies are kept over a change of epoch. (decision 23) */
  readonly watchOverEpochs?: boolean;
  /** A client whose write is only part of a version is told that the version is its own alone. (decision 51) */
  readonly sharedAsOwn?: boolean;
}

export const NO_MUTATIONS: Mutations = {};
