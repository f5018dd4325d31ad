/** Operators' commands that concern the whole cluster, and a node's answers to them. */
import type { Failure } from '../core/errors.ts';
import type { AdoptionVerdict } from '../core/system-of-record/record-adoption.ts';
import type { SeenServer } from '../core/system-of-record/record-standing.ts';
import type { RingMap } from '../core/placement/ring-map.ts';
import type { SlotMap } from '../core/clients/slot-map.ts';
import type { RecordIdentity } from '../core/membership/topology.ts';

export interface PlannedJoin {
  readonly name: string;
  readonly zone: string;
  readonly host: string;
  readonly weight: number;
}

export type ClusterOrder =
  | { readonly kind: 'describe' }
  /** Who serves which slots, as far as this node knows. In memory, so it does not count as an operator's command. */
  | { readonly kind: 'slots' }
  /** All holders of all slots, for people. In memory as well. */
  | { readonly kind: 'ring' }
  /** The number of keys. Does not count as an operator's command either. */
  | { readonly kind: 'count' }
  | { readonly kind: 'leave'; readonly name: string }
  | { readonly kind: 'rebalance' }
  /** Puts in force the version of the member protocol that this node speaks; cannot be undone. */
  | { readonly kind: 'finishUpgrade' }
  /** May this node be stopped? A yes keeps others from stopping until it is gone, or for the time in the answer. */
  | { readonly kind: 'reserveStop' }
  | { readonly kind: 'loss' }
  /** Scrubs this node's own slots; a rate of 0 means no limit. */
  | { readonly kind: 'scrub'; readonly recordsPerSecondMax: number; readonly bytesPerSecondMax: number }
  /** `slotCount`: the number reported by `loss`; if it has changed, nothing is done. */
  | { readonly kind: 'recover'; readonly slotCount: number }
  /** Which PostgreSQL is in use, which one this node sees, and whether that one may be adopted. */
  | { readonly kind: 'recordServer' }
  | ({ readonly kind: 'adoptRecord' } & AdoptRecordOrder)
  | { readonly kind: 'quorum' }
  /** `lost` and `lifeKept`: as reported by `quorum`; if they have changed, nothing is done. */
  | { readonly kind: 'succeed'; readonly lost: readonly string[]; readonly lifeKept: number }
  | { readonly kind: 'plan'; readonly joins: readonly PlannedJoin[]; readonly leaves: readonly string[] };

export interface ClusterDescription {
  readonly clusterName: string;
  /** Settings that all members share, as text by name. */
  readonly settings: Readonly<Record<string, string>>;
  readonly members: readonly {
    readonly name: string;
    readonly address: string;
    readonly zone: string;
    readonly host: string;
    readonly alive: boolean;
  }[];
}

export interface MovePlan {
  readonly shares: readonly {
    readonly name: string;
    readonly slotsBefore: number;
    readonly slotsAfter: number;
    readonly slotsGained: number;
  }[];
  readonly slotsCopied: number;
  /** Estimated from this node's records: slots that it lacks are assumed to be like the others. */
  readonly recordsCopied: number;
  /** Why the change is impossible; '' if it is possible. */
  readonly obstacle: string;
}

/** Slots without a live complete owner, and what is known about them. */
export interface ClusterLoss {
  /** Ascending. */
  readonly slots: readonly number[];
  /** Their last complete owners: any one that returns with its disk brings its slots back. */
  readonly holders: readonly { readonly name: string; readonly slots: number; readonly isMember: boolean }[];
  /** Records of these slots on the disk of the node asked: of any age, and not necessarily all. */
  readonly recordsHere: number;
  /** Rows of these slots in PostgreSQL; null if it does not answer. */
  readonly recordsKept: number | null;
  /** There are more rows than were counted. */
  readonly hasMoreKept: boolean;
  /** Prefixes of keys that are not written to PostgreSQL. */
  readonly notWrittenThrough: readonly string[];
  /** Slots that were given up and are being made whole. */
  readonly recovering: number;
}

/** Whether the members that are up can choose an epoch; otherwise nobody can serve. */
export interface ClusterQuorum {
  readonly epoch: number;
  readonly life: number;
  /** The life whose statements PostgreSQL accepts; null if it does not answer. */
  readonly lifeKept: number | null;
  /** isUp: linked to the node asked, and with the disk that the cluster remembers. */
  readonly members: readonly { readonly name: string; readonly isUp: boolean; readonly votes: boolean }[];
  /** Only another life can continue. */
  readonly isLost: boolean;
  /** Complete owners that a write needs. */
  readonly ownersNeeded: number;
  /** Prefixes of keys that are not written to PostgreSQL. */
  readonly notWrittenThrough: readonly string[];
}

/** The PostgreSQL that the node asked sees, compared with the one in use. */
export interface RecordServerFacts {
  /** Null if the cluster has not noted any yet. */
  readonly known: RecordIdentity | null;
  readonly drive: number;
  readonly isDriven: boolean;
  readonly clusterId: string;
  readonly life: number;
  /** The server that answers at this node's `postgres.url`. */
  readonly seen: SeenServer;
  readonly hasRows: boolean;
  /** Rows, deletions included; null if they could not be counted in time. */
  readonly rowCount: number | null;
  /** Milliseconds since 1970; 0 if there are no rows. */
  readonly newestAt: number;
  readonly verdict: AdoptionVerdict['kind'];
  /** The reason if adoption is refused, otherwise ''. */
  readonly why: string;
  /** What only the server in use has, and no node holds; '' if nothing. */
  readonly loses: string;
}

/** What an operator was shown and accepts; if it has changed, nothing is done. */
export interface AdoptRecordOrder {
  readonly seen: SeenServer;
  /** For the verdict 'earlier': the operator says that it is a backup of this very cluster. */
  readonly isBackup: boolean;
  /** The operator accepts that something is lost. */
  readonly mayLose: boolean;
}

export type ClusterAnswer =
  | { readonly kind: 'described'; readonly description: ClusterDescription }
  | { readonly kind: 'slots'; readonly map: SlotMap }
  | { readonly kind: 'ring'; readonly ring: RingMap }
  /** Expired keys count until they are removed. incomplete: PostgreSQL has rows that are not loaded. */
  | { readonly kind: 'counted'; readonly count: number; readonly incomplete: boolean }
  /** The epoch that made the change, or in which there was nothing to change. */
  | { readonly kind: 'changed'; readonly epoch: number }
  | { readonly kind: 'planned'; readonly plan: MovePlan }
  /** `costs`: reasons against the stop; if there are none, the node may stop within `reservedMs`. */
  | { readonly kind: 'stop'; readonly costs: readonly string[]; readonly reservedMs: number }
  | { readonly kind: 'lost'; readonly loss: ClusterLoss }
  /** A round has begun; its number at the node asked. */
  | { readonly kind: 'scrubbing'; readonly number: number }
  | { readonly kind: 'quorum'; readonly quorum: ClusterQuorum }
  | { readonly kind: 'recordServer'; readonly facts: RecordServerFacts }
  | { readonly kind: 'failed'; readonly failure: Failure };
