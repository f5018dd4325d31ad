/**
 * PostgreSQL as the node sees it: rows guarded by their version, in batches. Callbacks are never called from within a
 * call. Every call ends by its deadline.
 *
 * Promises: a `committed` row is durable at the primary. Repeating `commit` with the same rows is harmless and reports
 * what stands. Does not promise any order between batches in flight, nor that a batch that ended in an error was not
 * committed: after `unknown` it may have been, and must be repeated until the outcome is known.
 */
import type { SlotFloor } from '../core/upkeep/floors.ts';
import type { LivingMember, StandingLife } from '../core/lives/lives.ts';
import type { LifeName } from '../core/membership/membership-message.ts';
import type { KeyRecord } from '../core/record.ts';
import type { SeenServer } from '../core/system-of-record/record-standing.ts';
import type { RecordIdentity } from '../core/membership/topology.ts';
import type { OutsideEdits } from './outside-edits.ts';
import type { RowScrub } from './row-scrub.ts';

/** The server's identity, and whose database it holds. */
export interface RecordServer {
  /**
   * The server last connected to, whether or not it is used; null if none so far. A new connection always gives a new
   * object: that is when the server may be one that has lost rows.
   */
  seen(): SeenServer | null;
  /**
   * From now on only this server is used, and only with this founding in force, or a later one, which fences. Any other
   * counts as down, and `health` says which one it is. Before the first call, whichever server answers is used, and its
   * later timelines.
   */
  choose(server: SeenServer): void;
  /** The life in force, and which members are up in it; null for a database that has never seen a founding. */
  readLife(done: (error: RecordError | null, standing: StandingLife | null) => void): void;
  /**
   * Notes, by the server's clock, that these members are up in that life if it is in force; changes nothing else.
   * Nobody waits for it.
   */
  signLife(life: LifeName, members: readonly LivingMember[], done: (error: RecordError | null) => void): void;
  /**
   * Takes the life `expectLife` + 1 if `expectLife` is still in force (0: none yet); reports the founding then in
   * force. (R27)
   */
  found(
    expectLife: number,
    clusterId: string,
    done: (error: RecordError | null, founding: Founding | null) => void,
  ): void;
}

/** A server that is not in use and is to be adopted. (R30) */
export interface RecordAdoption {
  /** What the connected server has, whether or not it is used. Changes nothing there. */
  survey(done: (error: RecordError | null, survey: RecordSurvey | null) => void): void;
  /**
   * Prepares the database and gives it this founding under a name of its own, if it is still as `expected`. Reports the
   * server's new identity. After `unknown` it may have been done: `survey` tells.
   */
  claim(
    expected: SeenServer,
    claim: RecordClaim,
    done: (error: RecordError | null, server: RecordIdentity | null) => void,
  ): void;
}

export interface RecordClaim {
  readonly clusterId: string;
  readonly life: number;
  /**
   * The lives that the claimed one descends from, as far as the claiming node knows them; noted there, as each founding
   * notes its own. (decision 35)
   */
  readonly ancestors: readonly LifeName[];
  /** A name that distinguishes this database from every other one: letters and digits, never used before. */
  readonly adoption: string;
}

export interface RecordSurvey {
  readonly server: SeenServer;
  /** Rows of Causeway, or a table of the first system. */
  readonly hasRows: boolean;
  /** Rows, deletions included; null if they could not be counted in time. */
  readonly rowCount: number | null;
  /** Milliseconds since 1970 of the latest change of a row; 0 if there is none, or it was not found in time. */
  readonly newestAt: number;
}

/** Removal of deletions' rows, and the floors that keep older rows from coming back in their place. (R24) */
export interface RecordFloors {
  /** Milliseconds: no statement lives longer at the server, whatever has become of its sender. */
  readonly statementMsMax: number;
  /** In the order of the slots. */
  readFloors(
    slots: readonly number[],
    done: (error: RecordError | null, floors: readonly RecordFloor[]) => void,
  ): void;
  /**
   * Raises each floor if nobody has taken a turn at it since it was read; a floor that is already as high stays. Either
   * way the turn is taken: statements based on the previous turn that still hang will do nothing.
   */
  raiseFloors(
    life: number,
    floors: readonly (SlotFloor & RecordFloor)[],
    done: (error: RecordError | null) => void,
  ): void;
  /**
   * Removes exactly these rows, where they still stand and their slot's floor was raised to them at least `settledMs`
   * ago by the server's clock. Results in the order of the rows. Repeating it is harmless.
   */
  removeRows(
    life: number,
    rows: readonly DoomedRow[],
    settledMs: number,
    done: (error: RecordError | null, outcomes: readonly RemovalOutcome[]) => void,
  ): void;
}

/** A slot's floor as PostgreSQL keeps it. */
export interface RecordFloor {
  /** Rows of deletions at or below it may have been removed; 0 if none was. */
  readonly counter: number;
  /** How often somebody has taken a turn at it. */
  readonly turn: number;
}

/** Exactly this row, and no other of its key. */
export interface DoomedRow {
  readonly key: string;
  readonly version: number;
  readonly tombstone: boolean;
}

/**
 * - gone: the key has no row, or a higher one.
 * - stays: the row may not be removed yet, or is not the one named.
 */
export type RemovalOutcome = 'removed' | 'gone' | 'stays';

export interface SystemOfRecord extends RecordServer, RecordAdoption, RecordFloors {
  /** Null if the database does not note manual changes. */
  readonly edits: OutsideEdits | null;
  readonly scrub: RowScrub;
  /** What is known without asking: `up` after a success, `down` after a failure until the next success. */
  health(): RecordHealth;
  /**
   * Writes each row if it is higher than what stands, in one transaction. Results in the order of the rows. A key must
   * not occur twice in a batch. `life` is the founding that the writer belongs to. (R27)
   */
  commit(
    life: number,
    rows: readonly RecordRow[],
    done: (error: RecordError | null, results: readonly CommitResult[]) => void,
  ): void;
  /**
   * Makes a write that changes nothing, and waits until the server has finished it. Afterwards `health` says whether the
   * server finishes writes; that reads are answered does not show it.
   */
  tryWriting(done: (error: RecordError | null) => void): void;
  /** The rows that stand, tombstones included, in the order of the keys; undefined for a key without one. */
  read(
    keys: readonly string[],
    done: (error: RecordError | null, rows: readonly (RecordRow | undefined)[]) => void,
  ): void;
  /**
   * Rows after the given place, in the order of (slot, key), for loading and comparing. A page is bounded in bytes too,
   * so it may have fewer rows than `rowCountMax` although more follow; an empty page means the end. An error with
   * `ofRows` means that the server cannot read some row of the page, while it can read others.
   */
  scan(
    after: RecordPlace | null,
    rowCountMax: number,
    done: (error: RecordError | null, rows: readonly RecordRow[]) => void,
  ): void;
  /**
   * The rows of one slot without their values, tombstones included: keys after the given one ('' for the beginning), in
   * the order of their UTF-8 bytes, for comparing with what an owner holds. As with `scan`, only an empty page means
   * the end.
   */
  versionsOf(
    slot: number,
    afterKey: string,
    rowCountMax: number,
    done: (error: RecordError | null, rows: readonly RowVersion[]) => void,
  ): void;
}

export type RecordHealth =
  { readonly state: 'up' } | { readonly state: 'down'; readonly since: number; readonly reason: string };

export interface RecordRow {
  readonly record: KeyRecord;
  readonly slot: number;
  /** CRC-32 of the record's content, as every replica holds it. */
  readonly checksum: number;
  /**
   * For `commit`: the slot's floor as PostgreSQL reported it, if the record was seen to stand after that. Left out if
   * none is known.
   */
  readonly pastFloor?: number;
  /**
   * For `commit`: somebody held a lock on the row at the last attempt. The lock is checked before anything is written,
   * and not waited for.
   */
  readonly wasHeld?: true;
  /**
   * For readers: the row was changed by hand since it was committed. The version (0 if there was no row) and the
   * checksum are those of what was changed; the rest of the record is the result of the change. Without this flag, a
   * checksum that does not match means damage.
   */
  readonly edited?: boolean;
}

/** A row without its value; for one that was changed by hand, the version it was changed from. */
export interface RowVersion {
  readonly key: string;
  readonly version: number;
  readonly checksum: number;
  readonly tombstone: boolean;
}

export type CommitResult =
  /**
   * The row stands at our version with our checksum, by this call or an earlier one. Or ours is a deletion at or below
   * the slot's floor and the key has no row, which is equivalent.
   */
  | { readonly kind: 'committed' }
  /** Not written: the row is at or below the slot's floor, which its writer did not know. */
  | { readonly kind: 'keptOut'; readonly floor: number }
  /** A row of a higher version stands; ours was not written. */
  | { readonly kind: 'higher'; readonly version: number }
  /** The same version with different content: an alarm. */
  | { readonly kind: 'conflict' };

export interface RecordPlace {
  readonly slot: number;
  readonly key: string;
}

export interface Founding {
  readonly clusterId: string;
  readonly life: number;
  /** Identity of the server that answered. (R30) */
  readonly identity: RecordIdentity;
  /** The highest version of a row or at a floor; 0 if there is neither. */
  readonly highestVersion: number;
  readonly hasRows: boolean;
}

export interface RecordError {
  /**
   * - refused: certainly not done (connection failed before sending, wrong life, not a primary).
   * - unknown: may have been done.
   */
  readonly kind: 'refused' | 'unknown';
  /** The database belongs to a later founding: this node must end. */
  readonly fenced: boolean;
  /**
   * The error concerns only some of these rows: their content is rejected, somebody holds a lock on them, or they
   * cannot be read.
   */
  readonly ofRows?: boolean;
  /** With `ofRows`: the keys of the locked rows, if known. The other rows of the batch can be written. */
  readonly heldKeys?: readonly string[];
  readonly message: string;
}
