/**
 * The calls of the system of record as promises, in a world that continues until they are answered; and rows to use in
 * calls.
 */
import type { SlotFloor } from '../../src/core/upkeep/floors.ts';
import type { LivingMember, StandingLife } from '../../src/core/lives/lives.ts';
import type { LifeName } from '../../src/core/membership/membership-message.ts';
import type { RecordIdentity } from '../../src/core/membership/topology.ts';
import type { SeenServer } from '../../src/core/system-of-record/record-standing.ts';
import type { KeyRecord } from '../../src/core/record.ts';
import { makeVersion } from '../../src/core/version.ts';
import type { WholeRow } from '../../src/ports/row-scrub.ts';
import type {
  CommitResult,
  DoomedRow,
  Founding,
  RecordClaim,
  RecordError,
  RecordFloor,
  RecordPlace,
  RecordRow,
  RecordSurvey,
  RemovalOutcome,
  RowVersion,
  SystemOfRecord,
} from '../../src/ports/system-of-record.ts';
import { sealRecord } from '../../src/wire/record-codec.ts';

export interface RecordWorld {
  /** Another node's access to the single database of this world. */
  connect(): Promise<SystemOfRecord>;
  /** Begins a call, and lets the world continue until it is answered. */
  run<T>(begin: (answer: (value: T) => void) => void): Promise<T>;
  /** Replaces the value in the key's row, without any note of it. */
  exchange(key: string, value: string): Promise<void>;
  close(): Promise<void>;
}

export interface Answer<T> {
  readonly error: RecordError | null;
  readonly value: T;
}

/** The calls of the port as promises. */
export class RecordCalls {
  readonly record: SystemOfRecord;
  private readonly world: RecordWorld;

  constructor(world: RecordWorld, record: SystemOfRecord) {
    this.world = world;
    this.record = record;
  }

  commit(life: number, rows: readonly RecordRow[]): Promise<Answer<readonly CommitResult[]>> {
    return this.world.run((answer) =>
      this.record.commit(life, rows, (error, value) => answer({ error, value })),
    );
  }

  read(keys: readonly string[]): Promise<Answer<readonly (RecordRow | undefined)[]>> {
    return this.world.run((answer) => this.record.read(keys, (error, value) => answer({ error, value })));
  }

  scan(after: RecordPlace | null, rowCountMax: number): Promise<Answer<readonly RecordRow[]>> {
    return this.world.run((answer) =>
      this.record.scan(after, rowCountMax, (error, value) => answer({ error, value })),
    );
  }

  versionsOf(slot: number, afterKey: string, rowCountMax: number): Promise<Answer<readonly RowVersion[]>> {
    return this.world.run((answer) =>
      this.record.versionsOf(slot, afterKey, rowCountMax, (error, value) => answer({ error, value })),
    );
  }

  readRows(slot: number, afterKey: string, rowCountMax: number): Promise<Answer<readonly WholeRow[]>> {
    return this.world.run((answer) =>
      this.record.scrub.readRows(slot, afterKey, rowCountMax, (error, value) => answer({ error, value })),
    );
  }

  restoreRow(life: number, row: RecordRow): Promise<Answer<boolean>> {
    return this.world.run((answer) =>
      this.record.scrub.restoreRow(life, row, (error, value) => answer({ error, value })),
    );
  }

  readFloors(slots: readonly number[]): Promise<Answer<readonly RecordFloor[]>> {
    return this.world.run((answer) =>
      this.record.readFloors(slots, (error, value) => answer({ error, value })),
    );
  }

  raiseFloors(life: number, floors: readonly (SlotFloor & RecordFloor)[]): Promise<Answer<null>> {
    return this.world.run((answer) =>
      this.record.raiseFloors(life, floors, (error) => answer({ error, value: null })),
    );
  }

  removeRows(
    life: number,
    rows: readonly DoomedRow[],
    settledMs: number,
  ): Promise<Answer<readonly RemovalOutcome[]>> {
    return this.world.run((answer) =>
      this.record.removeRows(life, rows, settledMs, (error, value) => answer({ error, value })),
    );
  }

  survey(): Promise<Answer<RecordSurvey | null>> {
    return this.world.run((answer) => this.record.survey((error, value) => answer({ error, value })));
  }

  claim(expected: SeenServer, claim: RecordClaim): Promise<Answer<RecordIdentity | null>> {
    return this.world.run((answer) =>
      this.record.claim(expected, claim, (error, value) => answer({ error, value })),
    );
  }

  readLife(): Promise<Answer<StandingLife | null>> {
    return this.world.run((answer) => this.record.readLife((error, value) => answer({ error, value })));
  }

  signLife(life: LifeName, members: readonly LivingMember[]): Promise<Answer<null>> {
    return this.world.run((answer) =>
      this.record.signLife(life, members, (error) => answer({ error, value: null })),
    );
  }

  found(expectLife: number, clusterId: string): Promise<Answer<Founding | null>> {
    return this.world.run((answer) =>
      this.record.found(expectLife, clusterId, (error, value) => answer({ error, value })),
    );
  }
}

/** Any function of the key will do: tests need no Redis. */
export function slotOfTest(key: string): number {
  let hash = 7;
  for (const byte of Buffer.from(key)) hash = (hash * 31 + byte) % 16_384;
  return hash;
}

export function makeRow(key: string, counter: number, changes: Partial<KeyRecord> = {}): RecordRow {
  const record: KeyRecord = {
    key,
    version: makeVersion(counter, 1),
    origin: 0,
    tombstone: false,
    value: Buffer.from(`${key}@${counter}`),
    createdAt: 1_700_000_000_123,
    updatedAt: 1_700_000_000_456,
    expiresAt: 0,
    operationId: null,
    contentType: null,
    ...changes,
  };
  return { record, slot: slotOfTest(key), checksum: sealRecord(record).checksum };
}
