/** A scrubber deals with a run of slots in stages, one after another, each within one epoch. */
import type { OwnCopy, ScrubPace } from '../core/scrub.ts';
import type { Replica } from '../core/replication/replica.ts';
import type { SlotView } from '../core/replication/slot-view.ts';
import type { RecordShelf } from './record-shelf.ts';

export interface ScrubRun {
  readonly view: SlotView;
  readonly replica: Replica;
  /** Slots from here on. */
  readonly first: number;
  /** To before this one. */
  readonly end: number;
}

/** As it is on the disk at this moment. */
export function ownCopyOf(run: ScrubRun, shelf: RecordShelf, slot: number, key: string): OwnCopy {
  if (run.replica.stateOf(key) !== undefined) return 'inFlight';
  const held = shelf.read(key, slot);
  if (held === undefined) return 'absent';
  return held === 'damaged' ? held : { version: held.record.version, checksum: held.checksum };
}

export interface ScrubStage {
  /** What was under way is let go of. `done` is called once, never from within, unless another run begins before. */
  begin(run: ScrubRun, done: () => void): void;
  /** What is under way is let go of; what comes of it late is not heard. */
  stop(): void;
  /** While a run is in this stage. */
  tick(now: number): void;
}

/** One for all stages: what one spends the others have not. */
export interface ScrubBudget {
  readonly pace: ScrubPace;
  /** There is much to do for clients. */
  readonly isBusy: () => boolean;
}
