/**
 * What a node counts and times about itself, as plain numbers and arrays: nothing is allocated per operation. Read once
 * a second for the live view, and whenever metrics are requested. Times are in milliseconds.
 */
import { Histogram } from '../../base/histogram.ts';
import type { ErrorCode } from '../errors.ts';
import { stampOf } from '../stamps.ts';
import type { WriteStage } from './recent-activity.ts';

const PER_DECADE = [1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8];

/** Bucket bounds from `lowest` up, ten per decade, so that a value between two bounds is known to within a tenth. */
function steps(lowest: number, decades: number): number[] {
  const bounds: number[] = [];
  // Rounded, so that 0.1 * 3.15 and 0.315 are the same number for whoever names a bound.
  for (let decade = 0; decade < decades; decade += 1)
    for (const step of PER_DECADE) bounds.push(Number((lowest * 10 ** decade * step).toPrecision(4)));
  bounds.push(lowest * 10 ** decades);
  return bounds;
}

const TIMES_MS = [...steps(0.1, 5), 30_000, 60_000];
const COUNTS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096];
const BYTES = [256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216];

export class Instruments {
  /** If false, nothing is timed, and most of what is only counted here stays unchanged. May change at any time. */
  isOn: boolean;
  /** Times of client operations, from their arrival at this node to their answer. */
  readonly read = new Histogram(TIMES_MS);
  readonly write = new Histogram(TIMES_MS);
  readonly stages: Readonly<Record<WriteStage, Histogram>> = {
    door: new Histogram(TIMES_MS),
    queue: new Histogram(TIMES_MS),
    store: new Histogram(TIMES_MS),
    peers: new Histogram(TIMES_MS),
    record: new Histogram(TIMES_MS),
    forwarded: new Histogram(TIMES_MS),
  };
  readonly storeSync = new Histogram(TIMES_MS);
  readonly storeBatchEntries = new Histogram(COUNTS);
  readonly storeBatchBytes = new Histogram(BYTES);
  readonly recordCommit = new Histogram(TIMES_MS);
  readonly recordBatchRows = new Histogram(COUNTS);
  readonly legacyFetch = new Histogram(TIMES_MS);
  readonly loopDelay = new Histogram(TIMES_MS);
  /** Operations that failed here, by error code. */
  readonly failures = new Map<ErrorCode, number>();
  /** Operations received at the gRPC door, and requests at the HTTP door. */
  grpcOperations = 0;
  httpRequests = 0;
  /**
   * Reads answered at once; and, of all reads that looked here, how many found their record in memory and how many did
   * not.
   */
  readHits = 0;
  cacheHits = 0;
  cacheMisses = 0;
  /**
   * Outcomes of rows sent to PostgreSQL: written, a higher version stood, below the floor, different content under the
   * same version; and failed statements.
   */
  rowsCommitted = 0;
  rowsRefused = 0;
  rowsKeptOut = 0;
  rowsConflicting = 0;
  statementsFailed = 0;
  /** Fetches of keys from the legacy source by outcome, and reads that joined a fetch already under way. */
  readonly legacyOutcomes = { value: 0, absent: 0, unavailable: 0, unaddressable: 0 };
  legacyCoalesced = 0;

  constructor(isOn = true) {
    this.isOn = isOn;
  }

  /** 0 if timing is off. */
  stamp(now: number): number {
    return this.isOn ? stampOf(now) : 0;
  }

  failed(code: ErrorCode): void {
    this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
  }

  time(histogram: Histogram, ms: number): void {
    if (this.isOn) histogram.record(ms);
  }
}

/** For components that are built without instruments. */
export const NO_INSTRUMENTS = new Instruments(false);
