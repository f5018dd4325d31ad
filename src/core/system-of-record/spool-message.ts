/** Messages between members about what PostgreSQL lacks, and whether it is away. (PROTOCOL R34) */
import type { RecordWord } from './spool.ts';

/** A learner asks for spool marks in slots that it learns, starting from a position in their order. (R34) */
export interface LearnSpool {
  readonly kind: 'learnSpool';
  readonly session: number;
  readonly after: string;
}

export interface SpooledVersion {
  readonly key: string;
  readonly version: number;
}

export interface LearnSpoolFrame {
  readonly kind: 'learnSpoolFrame';
  readonly session: number;
  readonly after: string;
  readonly marks: readonly (SpooledVersion & { readonly since: number; readonly byteCount: number })[];
  /** Where to continue; '' if nothing follows. */
  readonly next: string;
}

/** PostgreSQL was seen to hold these versions or higher ones, so their marks may be dropped. (R34) */
export interface SpoolDrained {
  readonly kind: 'spoolDrained';
  readonly drained: readonly SpooledVersion[];
}

/** What this member sees of PostgreSQL; sent while PostgreSQL is away, and while the cluster spools. (R34) */
export interface RecordHearsay extends RecordWord {
  readonly kind: 'recordHearsay';
}

export type SpoolMessage = LearnSpool | LearnSpoolFrame | SpoolDrained;
