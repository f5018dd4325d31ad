/**
 * PostgreSQL as the node sees it: rows guarded by their version, in batches. Callbacks never come from
 * within a call. Every call ends by its deadline.
 *
 * Promises: a `committed` row is durable at the primary. Repeating `commit` with the same rows is harmless
 * and tells what stands. Does not promise order between batches in flight, nor that a batch that ended in
 * an error was not committed: after `unknown` it may have been, and must be repeated until it is known.
 */
import type { SlotFloor } from '../core/floors.ts';
import type { LivingMember, StandingLife } from '../core/lives.ts';
import type { LifeName } from '../core/membership-message.ts';
import type { KeyRecord } from '../core/record.ts';
import type { SeenServer } from '../core/record-standing.ts';
import type { RecordIdentity } from '../core/topology.ts';
import type { OutsideEdits } from './outside-edits.ts';
import type { RowScrub } from './row-scrub.ts';

/** Which server it is, and whose database. */
export interface RecordServer {
  /**
   * The server that was connected to last, whether it is used or not; null: none so far. Another object after every new
   * connection: that is when it may be one that has lost rows.
   */
  seen(): SeenServer | null;
  /**
   * Only this server is used from now on, and only with this founding in force, or a later one, which fences; another is
   * as good as down, and `health` says which it is. Before the first word whichever answers is used, and its later timelines.
   */
  choose(server: SeenServer): void;
  /** Which life is in force, and who was up in it; null on a database that has never seen a founding. */
  readLife(done: (error: RecordError | null, standing: StandingLife | null) => void): void;
  /** Notes, by the server's clock, that these are up in that life, if it is in force; changes nothing else. Nobody waits for it. */
  signLife(life: LifeName, members: readonly LivingMember[], done: (error: RecordError | null) => void): void;
  /** Takes life + 1 if `expectLife` still is in force (0: none yet); tells what then is in force. (R27) */
  found(
    expectLife: number,
    clusterId: string,
    done: (error: RecordError | null, founding: Founding | null) => void,
  ): void;
}

/** A server that is not the one in use, on its way to become that. (R30) */
export interface RecordAdoption {
  /** What the server has that answers now, whether it is used or not. Nothing is changed there. */
  survey(done: (error: RecordError | null, survey: RecordSurvey | null) => void): void;
  /**
   * Makes the database ready and gives it this founding under a name of its own, if it still is what was `expected`. Tells
   * who the server is from then on. After `unknown` it may have been done: `survey` tells.
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
  /** Lives of which that one came, as far as who claims it knows them: noted there, as each founding notes its own. (decision 35) */
  readonly ancestors: readonly LifeName[];
  /** By which this database is told from every other one: letters and digits, never used before. */
  readonly adoption: string;
}

export interface RecordSurvey {
  readonly server: SeenServer;
  /** Rows of Causeway, or a table of the first system. */
  readonly hasRows: boolean;
  /** Deletions among them. Null: they could not be counted in time. */
  readonly rowCount: number | null;
  /** Milliseconds since 1970 of the latest change of a row; 0: there is none, or it was not looked for in time. */
  readonly newestAt: number;
}

/** How rows of deletions go, and what keeps everything from coming back in their place. (R24) */
export interface RecordFloors {
  /** Milliseconds: no statement lives longer at the server, whatever has become of its sender. */
  readonly statementMsMax: number;
  /** In the order of the slots. */
  readFloors(
    slots: readonly number[],
    done: (error: RecordError | null, floors: readonly RecordFloor[]) => void,
  ): void;
  /**
   * Each where nobody has had its turn since it was read; a floor that is as high already stays. Either way the turn is
   * taken: whatever else was sent with it, and hangs, comes to nothing.
   */
  raiseFloors(
    life: number,
    floors: readonly (SlotFloor & RecordFloor)[],
    done: (error: RecordError | null) => void,
  ): void;
  /**
   * Removes exactly these rows, where they still stand and the floor of their slot was raised to them at least `settledMs`
   * ago by the server's clock. In the order of the rows. Repeating it is harmless.
   */
  removeRows(
    life: number,
    rows: readonly DoomedRow[],
    settledMs: number,
    done: (error: RecordError | null, outcomes: readonly RemovalOutcome[]) => void,
  ): void;
}

/** The floor of a slot as PostgreSQL keeps it. */
export interface RecordFloor {
  /** At or below it rows of deletions may have been removed; 0: none was. */
  readonly counter: number;
  /** How often somebody had a turn at it. */
  readonly turn: number;
}

/** One row, and no other of its key. */
export interface DoomedRow {
  readonly key: string;
  readonly version: number;
  readonly tombstone: boolean;
}

/** gone: no row of the key stands there, or a higher one. stays: it is not to be removed yet, or not what was named. */
export type RemovalOutcome = 'removed' | 'gone' | 'stays';

export interface SystemOfRecord extends RecordServer, RecordAdoption, RecordFloors {
  /** Null: changes by hand are not noted there. */
  readonly edits: OutsideEdits | null;
  readonly scrub: RowScrub;
  /** What is known now, without asking: `up` after a success, `down` after a failure until one succeeds. */
  health(): RecordHealth;
  /**
   * Writes each row where it is higher than what stands, in one transaction. Results in the order of the rows.
   * No key may stand twice in a batch. `life` is the founding that the writer belongs to. (R27)
   */
  commit(
    life: number,
    rows: readonly RecordRow[],
    done: (error: RecordError | null, results: readonly CommitResult[]) => void,
  ): void;
  /** The rows that stand, tombstones included; undefined where there is none. In the order of the keys. */
  read(
    keys: readonly string[],
    done: (error: RecordError | null, rows: readonly (RecordRow | undefined)[]) => void,
  ): void;
  /**
   * Rows with (slot, key) after the given place, in that order: for loading and comparing. A page is bounded
   * in bytes too: fewer rows than `rowCountMax` may come although more follow. None means the end. An error `ofRows`: a row of
   * the page cannot be read at the server; others of it can.
   */
  scan(
    after: RecordPlace | null,
    rowCountMax: number,
    done: (error: RecordError | null, rows: readonly RecordRow[]) => void,
  ): void;
  /**
   * What stands in one slot, tombstones included, without the values: keys behind the given one ('': from the first), in the
   * order of their UTF-8 bytes, for comparing with what an owner holds. As with `scan` only an empty page means the end.
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
  /** To `commit`: the slot's floor as PostgreSQL told it, and the record was seen to stand since. Left out: none is known. */
  readonly pastFloor?: number;
  /** To `commit`: somebody held a lock on its row when it was tried last. It is looked at before anything is written, and not waited for. */
  readonly wasHeld?: true;
  /**
   * To a reader: it was changed by hand since it was committed. The version (0: no row was) and the checksum are those of what it
   * was made on, the rest of the record is what was made of it. Without that a checksum that does not fit is damage.
   */
  readonly edited?: boolean;
}

/** A row without its value; of one that was changed by hand, what it was changed from. */
export interface RowVersion {
  readonly key: string;
  readonly version: number;
  readonly checksum: number;
  readonly tombstone: boolean;
}

export type CommitResult =
  /**
   * The row now stands at our version with our checksum, by this call or an earlier one; or ours is a deletion at or
   * below the slot's floor, and none stands, which is the same.
   */
  | { readonly kind: 'committed' }
  /** Not written: it is at or below the slot's floor, which its writer did not know. */
  | { readonly kind: 'keptOut'; readonly floor: number }
  /** Another row of a higher version stands; ours was not written. */
  | { readonly kind: 'higher'; readonly version: number }
  /** The same version with another content: an alarm. */
  | { readonly kind: 'conflict' };

export interface RecordPlace {
  readonly slot: number;
  readonly key: string;
}

export interface Founding {
  readonly clusterId: string;
  readonly life: number;
  /** Of the server that told it. (R30) */
  readonly identity: RecordIdentity;
  /** The highest version of a row or at a floor, 0 where there is neither. */
  readonly highestVersion: number;
  readonly hasRows: boolean;
}

export interface RecordError {
  /**
   * refused: certainly not done (bad connection before sending, wrong life, not a primary);
   * unknown: it may have been done.
   */
  readonly kind: 'refused' | 'unknown';
  /** The database belongs to a later founding: this node must not go on. */
  readonly fenced: boolean;
  /**
   * It speaks against some of these rows, and not against others: their content is rejected, somebody holds a lock on them, or they
   * cannot be read.
   */
  readonly ofRows?: boolean;
  /** With that: the keys of the rows on which somebody holds a lock, where that is known. The others of the batch can be written. */
  readonly heldKeys?: readonly string[];
  readonly message: string;
}
