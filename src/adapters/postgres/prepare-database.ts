/**
 * What must be done before the first row is read: wait for the server, migrate, adopt. A server that cannot be reached
 * is tried again at growing intervals; an error that only a person can put right ends the wait at once.
 */
import { join } from 'node:path';
import { reasonOf } from '../../base/reason-of.ts';
import type { RecordCompat } from '../../core/system-of-record/record-dialect.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { adopt } from './adopt.ts';
import { isOfRace, makeCompatTables, refuseRelatives } from './compat-schema.ts';
import type { Connection } from './connection.ts';
import { LockAwaited, migrate } from './migrate.ts';
import { needsPerson } from './needs-person.ts';
import { SetupError } from './record-failure.ts';

/** The subdirectory with the migrations for the relatives of PostgreSQL. */
const COMPAT_FOLDER = 'compat';
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 2_000;

export interface OncePreparation {
  readonly compat: RecordCompat;
  readonly migrationsDirectory: string;
  readonly statementTimeoutMs: number;
  readonly slotOf: (key: string) => number;
  readonly telemetry: Telemetry;
  readonly open: () => Promise<Connection>;
}

export interface Preparation extends OncePreparation {
  /** Milliseconds in total. */
  readonly startTimeoutMs: number;
  readonly random: () => number;
  readonly isCancelled: () => boolean;
  readonly onFailure: (reason: string) => void;
  /** Called when an attempt has failed and will be repeated. */
  readonly onRetry: () => void;
}

export async function prepareDatabase(preparation: Preparation): Promise<void> {
  const deadline = performance.now() + preparation.startTimeoutMs;
  for (let retryMs = RETRY_MS_MIN; ; retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)) {
    let pauseMs = retryMs * (0.5 + preparation.random() / 2);
    try {
      return await prepareOnce(preparation, deadline);
    } catch (error) {
      const reason = reasonOf(error);
      preparation.onFailure(reason);
      if (error instanceof SetupError) throw error;
      const passes = preparation.compat !== 'none' && isOfRace(error);
      if (needsPerson(error) && !passes) throw new SetupError(`PostgreSQL refuses: ${reason}`);
      if (preparation.isCancelled()) throw new Error('closed while waiting for PostgreSQL');
      if (performance.now() > deadline) throw new Error(`PostgreSQL could not be made ready: ${reason}`);
      if (error instanceof LockAwaited) pauseMs += error.pauseMsMin;
      preparation.onRetry();
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Brings the schema up to date and adopts the table of the first system, in a single attempt. */
export async function prepareOnce(preparation: OncePreparation, deadline: number): Promise<void> {
  const opened: Connection[] = [];
  const open = async (): Promise<Connection> => {
    const connection = await preparation.open();
    opened.push(connection);
    return connection;
  };
  try {
    const reader = await open();
    const { compat, migrationsDirectory, statementTimeoutMs, slotOf, telemetry } = preparation;
    if (compat !== 'none') {
      const directory = join(migrationsDirectory, '..', COMPAT_FOLDER);
      return await makeCompatTables({ connection: reader, compat, directory, telemetry });
    }
    await refuseRelatives(reader);
    await migrate(reader, migrationsDirectory, statementTimeoutMs, telemetry);
    await refuseRelatives(reader);
    await adopt({ reader, writer: await open(), slotOf, telemetry, deadline });
  } finally {
    for (const connection of opened) connection.destroy();
  }
}
