/** What a client is told of the whole cluster. */

export interface ClusterFacts {
  readonly clusterName: string;
  /** Settings that all members have alike, as text. */
  readonly settings: readonly { readonly name: string; readonly value: string }[];
  readonly members: readonly {
    readonly name: string;
    readonly address: string;
    readonly zone: string;
    readonly host: string;
    readonly alive: boolean;
  }[];
}

/** What a scrubber reads of its node's disk. */
export interface ScrubRate {
  readonly recordsPerSecondMax: number;
  readonly bytesPerSecondMax: number;
}

export interface PlannedChange {
  readonly joins?: readonly {
    readonly name: string;
    readonly zone?: string;
    readonly host?: string;
    readonly weight?: number;
  }[];
  /** Names of members. */
  readonly leaves?: readonly string[];
}

export interface MovePlan {
  readonly shares: readonly {
    readonly name: string;
    readonly slotsBefore: number;
    readonly slotsAfter: number;
    readonly slotsGained: number;
  }[];
  readonly slotsCopied: number;
  readonly recordsCopied: number;
  /** Why the change is not possible; '': it is. */
  readonly obstacle: string;
}

/** Slots whose complete owners are all gone. */
export interface ClusterLoss {
  /** Ascending. */
  readonly slots: readonly number[];
  /** Their last complete owners. A member that returns with its disk brings its slots back. */
  readonly holders: readonly { readonly name: string; readonly slots: number; readonly isMember: boolean }[];
  /** Records of these slots on the disk of the node that answered, of any age. */
  readonly recordsHere: number;
  /** Rows that PostgreSQL has of them, as far as they were counted. */
  readonly recordsKept: number;
  readonly hasMoreKept: boolean;
  /** PostgreSQL was asked and has answered. */
  readonly isCounted: boolean;
  /** Prefixes of keys that are not written to PostgreSQL. */
  readonly notWrittenThrough: readonly string[];
  /** Slots that were given up and are being made whole. */
  readonly recovering: number;
}

/** Whether those who are up can choose an epoch, as one node sees it; without that nobody serves. */
export interface ClusterQuorum {
  readonly epoch: number;
  readonly life: number;
  /** The life that PostgreSQL takes statements of, where `isLifeKnown`. */
  readonly lifeKept: number;
  readonly isLifeKnown: boolean;
  /** Up: linked to the node that was asked, with the disk that the cluster remembers. */
  readonly members: readonly { readonly name: string; readonly isUp: boolean; readonly votes: boolean }[];
  /** Only another life can go on. */
  readonly isLost: boolean;
  /** Complete owners that a write needs. */
  readonly ownersNeeded: number;
  /** Prefixes of keys that are not written to PostgreSQL. */
  readonly notWrittenThrough: readonly string[];
}

/** A server of PostgreSQL, and the founding of a cluster that stands in it: '' and 0 where there is none. */
export interface RecordServerIdentity {
  readonly system: string;
  readonly timeline: number;
  readonly clusterId: string;
  readonly life: number;
}

const SERVER_UNTOLD: RecordServerIdentity = { system: '', timeline: 0, clusterId: '', life: 0 };

/** The PostgreSQL in use, and the one that the asked node sees. */
export interface RecordServerFacts {
  /** With the founding in force; `system` is '' where the cluster has not taken note of any yet. */
  readonly known: RecordServerIdentity;
  readonly drive: number;
  readonly isDriven: boolean;
  readonly seen: RecordServerIdentity;
  readonly hasRows: boolean;
  /** Deletions among them, where `isCounted`. */
  readonly rowCount: number;
  readonly isCounted: boolean;
  /** Milliseconds since 1970; 0: there is none. */
  readonly newestAtMs: number;
  /** 'inUse', 'ready', 'earlier' or 'refused'. */
  readonly verdict: string;
  readonly why: string;
  /** What only the one in use has, and no node holds; '': nothing. */
  readonly loses: string;
}

/** As it was decoded: what is not on the wire stands in the message's defaults, which no spread takes along. */
export function factsOfServer(
  told: Omit<RecordServerFacts, 'known' | 'seen'> & {
    readonly known: RecordServerIdentity | null;
    readonly seen: RecordServerIdentity | null;
  },
): RecordServerFacts {
  const { drive, isDriven, hasRows, rowCount, isCounted, newestAtMs, verdict, why, loses } = told;
  const known = identityOf(told.known ?? SERVER_UNTOLD);
  const seen = identityOf(told.seen ?? SERVER_UNTOLD);
  return { known, seen, drive, isDriven, hasRows, rowCount, isCounted, newestAtMs, verdict, why, loses };
}

function identityOf({ system, timeline, clusterId, life }: RecordServerIdentity): RecordServerIdentity {
  return { system, timeline, clusterId, life };
}

/** What is accepted by it. */
export interface AdoptRecordOrder {
  readonly seen: RecordServerIdentity;
  /** Where the verdict is 'earlier': it is a backup of this very cluster. */
  readonly isBackup: boolean;
  /** What was told as lost may be lost. */
  readonly mayLose: boolean;
}
