/** What the adapter of PostgreSQL is opened with, and what of it may be left out. */
import type { RecordCompat } from '../../core/system-of-record/record-dialect.ts';
import type { Telemetry } from '../../ports/telemetry.ts';

export interface PostgresRecordSettings {
  readonly connectionString: string;
  /** The kind of database, PostgreSQL itself by default. */
  readonly compat?: RecordCompat;
  /** Where the numbered migrations lie: sql/migrations of the source tree or of the bundle. */
  readonly migrationsDirectory: string;
  readonly slotOf: (key: string) => number;
  /** Shown by the server beside each connection. */
  readonly applicationName?: string;
  /** Milliseconds. The server ends a statement after this; no statement lives longer. (R24) */
  readonly statementTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
  /** Milliseconds. Reading the highest version walks the whole table. */
  readonly foundingTimeoutMs?: number;
  /** Milliseconds for which `start` waits for a server, and for other nodes that migrate or adopt. */
  readonly startTimeoutMs?: number;
  readonly commitConnectionCount?: number;
  readonly readConnectionCount?: number;
  /** The clock in which health tells since when. */
  readonly now?: () => number;
  readonly random?: () => number;
  readonly telemetry?: Telemetry;
}

export function withDefaults(settings: PostgresRecordSettings): Required<PostgresRecordSettings> {
  return {
    compat: 'none',
    applicationName: 'causeway',
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 3_000,
    foundingTimeoutMs: 120_000,
    startTimeoutMs: 60_000,
    commitConnectionCount: 3,
    readConnectionCount: 2,
    now: () => performance.now(),
    random: Math.random,
    telemetry: { event: () => {}, count: () => {} },
    ...settings,
  };
}
