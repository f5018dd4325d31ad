/** What the client returns about the cluster as a whole. */

export interface ClusterFacts {
  readonly clusterName: string;
  /** Settings that every member must share, as text. */
  readonly settings: readonly { readonly name: string; readonly value: string }[];
  readonly members: readonly {
    readonly name: string;
    readonly address: string;
    readonly zone: string;
    readonly host: string;
    readonly alive: boolean;
  }[];
}

/** Limits on how fast a scrubber reads its node's disk. */
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
  /** Names of the members that leave. */
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
  /** Why the change is not possible; '' if it is possible. */
  readonly obstacle: string;
}

/** The slots that have lost all their complete owners. */
export interface ClusterLoss {
  /** In ascending order. */
  readonly slots: readonly number[];
  /** The last complete owners of these slots. A member that returns with its disk brings its slots back. */
  readonly holders: readonly { readonly name: string; readonly slots: number; readonly isMember: boolean }[];
  /** How many records of these slots the answering node has on its disk, whatever their age. */
  readonly recordsHere: number;
  /** How many rows of these slots PostgreSQL has, as far as they were counted. */
  readonly recordsKept: number;
  readonly hasMoreKept: boolean;
  /** Whether PostgreSQL was asked and has answered. */
  readonly isCounted: boolean;
  /** Key prefixes that are not written through to PostgreSQL. */
  readonly notWrittenThrough: readonly string[];
  /** How many slots were given up and are still being rebuilt. */
  readonly recovering: number;
}

/** Whether the voters that are up can choose an epoch, as one node sees it. Without an epoch nobody serves. */
export interface ClusterQuorum {
  readonly epoch: number;
  readonly life: number;
  /** The life from which PostgreSQL accepts statements; meaningful only if `isLifeKnown`. */
  readonly lifeKept: number;
  readonly isLifeKnown: boolean;
  /** `isUp`: linked to the node that was asked, and on the disk that the cluster remembers. */
  readonly members: readonly { readonly name: string; readonly isUp: boolean; readonly votes: boolean }[];
  /** Whether only a new life of the cluster can go on. */
  readonly isLost: boolean;
  /** How many complete owners a write needs. */
  readonly ownersNeeded: number;
  /** Key prefixes that are not written through to PostgreSQL. */
  readonly notWrittenThrough: readonly string[];
}

/** A PostgreSQL server and the cluster founding recorded in it; '' and 0 stand for "none". */
export interface RecordServerIdentity {
  readonly system: string;
  readonly timeline: number;
  readonly clusterId: string;
  readonly life: number;
}

const SERVER_UNKNOWN: RecordServerIdentity = { system: '', timeline: 0, clusterId: '', life: 0 };

/** The PostgreSQL in use, and the one that the asked node is connected to. */
export interface RecordServerFacts {
  /** The server in use, with the founding in force. `system` is '' as long as the cluster has not recorded a server. */
  readonly known: RecordServerIdentity;
  readonly drive: number;
  readonly isDriven: boolean;
  readonly seen: RecordServerIdentity;
  readonly hasRows: boolean;
  /** Includes deletions; meaningful only if `isCounted`. */
  readonly rowCount: number;
  readonly isCounted: boolean;
  /** When the newest row was written, in milliseconds since 1970; 0 if there are no rows. */
  readonly newestAtMs: number;
  /** One of 'inUse', 'ready', 'earlier' and 'refused'. */
  readonly verdict: string;
  readonly why: string;
  /** What only the server in use has and no node holds, and would therefore be lost; '' if nothing would be. */
  readonly loses: string;
}

/** Copies field by field: the decoded message keeps its defaults on the prototype, where a spread would miss them. */
export function factsOfServer(
  told: Omit<RecordServerFacts, 'known' | 'seen'> & {
    readonly known: RecordServerIdentity | null;
    readonly seen: RecordServerIdentity | null;
  },
): RecordServerFacts {
  const { drive, isDriven, hasRows, rowCount, isCounted, newestAtMs, verdict, why, loses } = told;
  const known = identityOf(told.known ?? SERVER_UNKNOWN);
  const seen = identityOf(told.seen ?? SERVER_UNKNOWN);
  return { known, seen, drive, isDriven, hasRows, rowCount, isCounted, newestAtMs, verdict, why, loses };
}

function identityOf({ system, timeline, clusterId, life }: RecordServerIdentity): RecordServerIdentity {
  return { system, timeline, clusterId, life };
}

/** Confirms which server is adopted, and what the operator accepts with it. */
export interface AdoptRecordOrder {
  readonly seen: RecordServerIdentity;
  /** Accepts a server with the verdict 'earlier': it is a backup of this very cluster. */
  readonly isBackup: boolean;
  /** Accepts the loss of what `loses` has named. */
  readonly mayLose: boolean;
}
