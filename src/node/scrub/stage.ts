/** A scrubber processes a run of slots in stages, one after another, each within one epoch. */
import type { OwnCopy, ScrubPace } from '../../core/upkeep/scrub.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { SlotView } from '../../core/replication/slot-view.ts';
import type { RecordShelf } from '../store/record-shelf.ts';

export interface ScrubRun {
  readonly view: SlotView;
  readonly replica: Replica;
  /** First slot of the run. */
  readonly first: number;
  /** The slot after the last one. */
  readonly end: number;
}

/** The copy as it is on disk at this moment. */
export function ownCopyOf(run: ScrubRun, shelf: RecordShelf, slot: number, key: string): OwnCopy {
  if (run.replica.stateOf(key) !== undefined) return 'inFlight';
  const held = shelf.read(key, slot);
  if (held === undefined) return 'absent';
  return held === 'damaged' ? held : { version: held.record.version, checksum: held.checksum };
}

export interface ScrubStage {
  /** Abandons what is under way. `done` is called once, never from within, unless another run begins before. */
  begin(run: ScrubRun, done: () => void): void;
  /** Abandons what is under way; late results are ignored. */
  stop(): void;
  /** Called while a run is in this stage. */
  tick(now: number): void;
}

/** Shared by all stages: what one spends is not available to the others. */
export interface ScrubBudget {
  readonly pace: ScrubPace;
  /** Clients keep the node busy. */
  readonly isBusy: () => boolean;
}
