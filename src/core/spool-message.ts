/** What members say to one another of what PostgreSQL lacks, and of whether it is away. (PROTOCOL R34) */
import type { RecordWord } from './spool.ts';

/** A learner asks for the marks of what PostgreSQL lacks, of slots that it learns, after a place in their order. (R34) */
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
  /** Where to go on; '' where nothing follows. */
  readonly next: string;
}

/** PostgreSQL was seen to hold these versions, or more: their marks may go. (R34) */
export interface SpoolDrained {
  readonly kind: 'spoolDrained';
  readonly drained: readonly SpooledVersion[];
}

/** What this member sees of PostgreSQL; said while it is away, and while the cluster spools. (R34) */
export interface RecordHearsay extends RecordWord {
  readonly kind: 'recordHearsay';
}

export type SpoolMessage = LearnSpool | LearnSpoolFrame | SpoolDrained;
