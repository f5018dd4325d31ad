/**
 * PostgreSQL at the start of a process. A node does not wait for it for ever: the data is on the members' disks and the
 * membership in the council's register, so a returning member takes its place and serves reads while PostgreSQL is
 * away. Only a founding needs PostgreSQL, and waits for it. Migrations and the adoption of an older table are made up
 * for before anything else is asked of the server. Until then every call is refused, and the probes say so.
 */
import { openPostgresRecord } from '../adapters/postgres/postgres-record.ts';
import type { PostgresRecord } from '../adapters/postgres/postgres-record.ts';
import { SetupError } from '../adapters/postgres/record-failure.ts';
import type { Config } from '../config/config.ts';
import { slotOf } from '../core/placement/slots.ts';
import { migrationsDirectory } from './package-files.ts';
import type { NodeStatus } from '../node/status.ts';
import type { Telemetry } from '../ports/telemetry.ts';

/** Milliseconds between two messages about a lasting wait. */
const WAITING_EVERY_MS = 5_000;
/** After this many milliseconds without an answer or a refusal, the node starts without PostgreSQL. */
const FIRST_TRY_MS_MAX = 3_000;
/**
 * Milliseconds before everything is tried again: `start` itself has tried for long, or a person has to fix something.
 */
const AGAIN_AFTER_MS = 2_000;

export interface StartAround {
  /** Whether this process knows the cluster that it belongs to. */
  readonly isMember: () => boolean;
  /** Called if only a person can help, and there is no cluster to serve meanwhile. */
  readonly onRefused: (reason: string) => void;
}

export class RecordStart {
  private readonly record: PostgresRecord;
  private readonly telemetry: Telemetry;
  private readonly around: StartAround;
  private readonly telling: NodeJS.Timeout;
  private isClosed = false;
  private endPause: () => void = () => undefined;

  constructor(record: PostgresRecord, telemetry: Telemetry, around: StartAround) {
    this.record = record;
    this.telemetry = telemetry;
    this.around = around;
    this.telling = setInterval(() => this.tell(), WAITING_EVERY_MS);
  }

  /**
   * Resolves when PostgreSQL is ready, or when it proves not to be, in which case the wait goes on in the background.
   * Rejects if only a person can help and there is no cluster to serve: the start is the moment to report that.
   */
  tried(stopAsked?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const goOn = (): void => {
        clearTimeout(timer);
        isOver = true;
        resolve();
      };
      const timer = setTimeout(goOn, FIRST_TRY_MS_MAX);
      stopAsked?.addEventListener('abort', goOn, { once: true });
      const onRefused = (reason: string): void => {
        clearTimeout(timer);
        if (isOver) this.around.onRefused(reason);
        else reject(new Error(reason));
      };
      void this.untilStarted(() => {
        if (isOver) return;
        this.tell();
        goOn();
      }, onRefused).then(goOn);
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.telling);
    this.endPause();
    await this.record.close();
  }

  private async untilStarted(onRetry: () => void, onRefused: (reason: string) => void): Promise<void> {
    while (!this.isClosed) {
      try {
        await this.record.start(onRetry);
        break;
      } catch (error) {
        if (this.isClosed) break;
        if (error instanceof SetupError) {
          if (!this.around.isMember()) return onRefused(error.message);
          this.telemetry.event('error', 'postgres.refused', { reason: error.message });
        }
        await this.pause();
      }
    }
    clearInterval(this.telling);
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, AGAIN_AFTER_MS);
      this.endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private tell(): void {
    this.telemetry.event('warn', 'postgres.awaited', { reason: recordStatus(this.record).reason });
  }
}

export function makeRecord(
  config: Config,
  postgres: NonNullable<Config['postgres']>,
  telemetry: Telemetry,
): PostgresRecord {
  return openPostgresRecord({
    connectionString: postgres.url,
    compat: postgres.compat,
    migrationsDirectory: migrationsDirectory(),
    slotOf,
    applicationName: `causeway ${config.node.name}`,
    statementTimeoutMs: postgres.statementTimeoutMs,
    connectTimeoutMs: postgres.connectTimeoutMs,
    telemetry,
  });
}

export function recordStatus(record: PostgresRecord | null): NodeStatus['record'] {
  if (record === null) return { state: 'unused', reason: '' };
  const health = record.health();
  return { state: health.state, reason: health.state === 'down' ? health.reason : '' };
}
