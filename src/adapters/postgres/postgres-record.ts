/**
 * The system of record in PostgreSQL. Callers bring whole batches; this file turns each call of the port into a
 * statement, and its failure into the terms of the port. `server-in-use.ts` lends the connections.
 */
import type {
  DoomedRow,
  Founding,
  RecordClaim,
  RecordError,
  RecordFloor,
  RecordHealth,
  RecordPlace,
  RecordRow,
  RecordSurvey,
  RemovalOutcome,
  RowVersion,
} from '../../ports/system-of-record.ts';
import type { CommitResult, SystemOfRecord } from '../../ports/system-of-record.ts';
import type { SlotFloor } from '../../core/upkeep/floors.ts';
import { RECORD_BATCH_BYTES_MAX } from '../../core/limits.ts';
import type { LivingMember, StandingLife } from '../../core/lives/lives.ts';
import type { LifeName } from '../../core/membership/membership-message.ts';
import { RELATIVE_CLOCKS_APART_MS } from '../../core/system-of-record/record-dialect.ts';
import type { SeenServer } from '../../core/system-of-record/record-standing.ts';
import type { RecordIdentity } from '../../core/membership/topology.ts';
import { packTexts } from './binary-array.ts';
import { claimServer, surveyServer, type AdoptionParts } from './claim.ts';
import { commitBatch, makeBatch } from './commit-rows.ts';
import { Connection } from './connection.ts';
import { deliver } from './deliver.ts';
import { finishWrite } from './fitness.ts';
import { found } from './founding.ts';
import { readLife, signLife } from './life-signs.ts';
import { outsideEdits } from './outside-edits.ts';
import { withDefaults, type PostgresRecordSettings } from './postgres-settings.ts';
import { prepareDatabase } from './prepare-database.ts';
import { rowFromFields } from './record-rows.ts';
import { raiseFloors, readFloors, removeRows } from './row-floors.ts';
import { rowScrub } from './row-scrub.ts';
import { ServerInUse, type Work } from './server-in-use.ts';
import { VERSIONS } from './statements.ts';

export interface PostgresRecord extends SystemOfRecord {
  /**
   * Waits for the server, brings the schema up to date and adopts the table of the first system. Rejects with
   * SetupError where only a person can help, and with another error after `startTimeoutMs`; it may be called again.
   * Until it has resolved, every call is refused. `onRetry` is called when an attempt has failed, as `health` says,
   * and will be repeated.
   */
  start(onRetry?: () => void): Promise<void>;
  /** Lets running calls finish within a statement's time, then ends them with an unknown outcome. */
  close(): Promise<void>;
}

export function openPostgresRecord(settings: PostgresRecordSettings): PostgresRecord {
  return new PooledRecord(withDefaults(settings));
}

class PooledRecord implements PostgresRecord {
  private readonly limits: Required<PostgresRecordSettings>;
  private readonly server: ServerInUse;
  readonly edits: SystemOfRecord['edits'];
  readonly scrub: SystemOfRecord['scrub'];

  constructor(limits: Required<PostgresRecordSettings>) {
    this.limits = limits;
    const server = new ServerInUse(limits);
    this.server = server;
    const aside = {
      read: <T>(work: Work<T>) => server.readAside(work),
      write: <T>(work: Work<T>) => server.writeAside(work),
    };
    this.scrub = rowScrub(aside);
    this.edits = limits.compat === 'none' ? outsideEdits(aside) : null;
  }

  async start(onRetry: () => void = () => undefined): Promise<void> {
    const { server } = this;
    if (server.isStarted) return;
    await prepareDatabase({
      ...this.limits,
      open: () => server.open(false),
      isCancelled: () => server.isClosing,
      onFailure: (reason) => server.explain(reason),
      onRetry,
    });
    await server.begin();
  }

  close(): Promise<void> {
    return this.server.close();
  }

  health(): RecordHealth {
    return this.server.health;
  }

  seen(): SeenServer | null {
    return this.server.seen;
  }

  choose(server: SeenServer): void {
    this.server.choose(server);
  }

  commit(
    life: number,
    rows: readonly RecordRow[],
    done: (error: RecordError | null, results: readonly CommitResult[]) => void,
  ): void {
    const batch = makeBatch(life, rows);
    const work: Work<readonly CommitResult[]> = (connection, deadline) =>
      commitBatch(connection, batch, deadline);
    deliver(this.server.commit(work), done, []);
  }

  tryWriting(done: (error: RecordError | null) => void): void {
    deliver(this.server.commit(finishWrite), done, undefined);
  }

  read(
    keys: readonly string[],
    done: (error: RecordError | null, rows: readonly (RecordRow | undefined)[]) => void,
  ): void {
    const work: Work<(RecordRow | undefined)[]> = async (connection, deadline) => {
      const reply = await connection.run(connection.sql.read, [packTexts(keys)], deadline);
      const rows = new Map(reply.map((fields) => [fields[0] as string, rowFromFields(fields)]));
      return keys.map((key) => rows.get(key));
    };
    deliver(this.server.read(work), done, []);
  }

  scan(
    after: RecordPlace | null,
    rowCountMax: number,
    done: (error: RecordError | null, rows: readonly RecordRow[]) => void,
  ): void {
    const values = [after?.slot ?? -1, after?.key ?? '', rowCountMax, RECORD_BATCH_BYTES_MAX];
    const work: Work<RecordRow[]> = async (connection, deadline) =>
      (await connection.run(connection.sql.scan, values, deadline)).map(rowFromFields);
    deliver(this.server.read(work), done, []);
  }

  versionsOf(
    slot: number,
    afterKey: string,
    rowCountMax: number,
    done: (error: RecordError | null, rows: readonly RowVersion[]) => void,
  ): void {
    const work: Work<RowVersion[]> = async (connection, deadline) =>
      (await connection.run(VERSIONS, [slot, afterKey, rowCountMax], deadline)).map(
        ([key, version, checksum, tombstone]) => ({ key, version, checksum, tombstone }) as RowVersion,
      );
    deliver(this.server.read(work), done, []);
  }

  get statementMsMax(): number {
    return this.limits.statementTimeoutMs + (this.limits.compat === 'none' ? 0 : RELATIVE_CLOCKS_APART_MS);
  }

  readFloors(
    slots: readonly number[],
    done: (error: RecordError | null, floors: readonly RecordFloor[]) => void,
  ): void {
    const work: Work<RecordFloor[]> = (connection, deadline) => readFloors(connection, slots, deadline);
    deliver(this.server.read(work), done, []);
  }

  raiseFloors(
    life: number,
    floors: readonly (SlotFloor & RecordFloor)[],
    done: (error: RecordError | null) => void,
  ): void {
    const work: Work<void> = (connection, deadline) => raiseFloors(connection, life, floors, deadline);
    deliver(this.server.write(work), done, undefined);
  }

  removeRows(
    life: number,
    rows: readonly DoomedRow[],
    settledMs: number,
    done: (error: RecordError | null, outcomes: readonly RemovalOutcome[]) => void,
  ): void {
    const work: Work<RemovalOutcome[]> = (connection, deadline) =>
      removeRows(connection, life, rows, settledMs, deadline);
    deliver(this.server.write(work), done, []);
  }

  survey(done: (error: RecordError | null, survey: RecordSurvey | null) => void): void {
    deliver(surveyServer(this.adoptionParts()), done, null);
  }

  claim(
    expected: SeenServer,
    claim: RecordClaim,
    done: (error: RecordError | null, server: RecordIdentity | null) => void,
  ): void {
    deliver(claimServer(this.adoptionParts(), expected, claim), done, null);
  }

  readLife(done: (error: RecordError | null, standing: StandingLife | null) => void): void {
    deliver(this.server.readAside(readLife), done, null);
  }

  signLife(
    life: LifeName,
    members: readonly LivingMember[],
    done: (error: RecordError | null) => void,
  ): void {
    const work: Work<void> = (connection, deadline) => signLife(connection, life, members, deadline);
    deliver(this.server.writeAside(work), done, undefined);
  }

  found(
    expectLife: number,
    clusterId: string,
    done: (error: RecordError | null, founding: Founding | null) => void,
  ): void {
    const timeoutMs = this.limits.foundingTimeoutMs;
    const work: Work<Founding | null> = (connection, deadline) =>
      found(connection, expectLife, clusterId, timeoutMs, deadline);
    deliver(this.server.write(work, timeoutMs), done, null);
  }

  private adoptionParts(): AdoptionParts {
    const { compat, migrationsDirectory, slotOf, telemetry, statementTimeoutMs, foundingTimeoutMs } =
      this.limits;
    return {
      ...{ compat, migrationsDirectory, slotOf, telemetry, statementTimeoutMs, foundingTimeoutMs },
      open: () => Connection.open({ ...this.limits, isReader: false }),
      onSeen: (server) => (this.server.seen = server),
    };
  }
}
