/** Sections of the settings on which nothing else depends (config.ts). */
import { z } from 'zod';
import { LOG_LEVELS } from '../core/observability/events.ts';
import * as limits from '../core/limits.ts';

/** If disabled, nothing is timed and there is no /metrics. */
export const METRICS_SETTINGS = { enabled: z.boolean().default(true) };

export const LOG_SETTINGS = {
  level: z.enum(LOG_LEVELS).default('info'),
  /** How keys are shown, if they are shown at all. */
  keys: z.enum(['hashed', 'clear']).default('hashed'),
  /** An operation that takes at least this many milliseconds is logged as slow; 0 logs none. */
  slowMs: z.int().min(0).max(3_600_000).default(limits.SLOW_LOG_MS_DEFAULT),
  slowPerSecondMax: z.int().min(1).max(1000).default(limits.SLOW_LOG_LINES_DEFAULT),
};

/** Rates: 0 means no limit. Pause: 0 means that rounds never begin by themselves. */
export const SCRUB_SETTINGS = {
  recordsPerSecondMax: z.int().min(0).default(limits.SCRUB_RECORDS_PER_SECOND_DEFAULT),
  bytesPerSecondMax: z.int().min(0).default(limits.SCRUB_BYTES_PER_SECOND_DEFAULT),
  pauseMs: z
    .int()
    .min(0)
    .max(30 * 24 * 3_600_000)
    .default(limits.SCRUB_PAUSE_MS_DEFAULT),
};

/** What happens to writes while PostgreSQL is away, and how much may wait for it on one node. */
export const RECORD_SETTINGS = {
  outage: z.enum(['reject', 'spool']).default('reject'),
  /** Whether a node counts as ready only while PostgreSQL is up. */
  readyNeedsIt: z.boolean().default(false),
  spoolBytesMax: z.int().min(1).default(limits.SPOOL_BYTES_DEFAULT),
  spoolEntriesMax: z.int().min(1).default(limits.SPOOL_ENTRIES_DEFAULT),
};
