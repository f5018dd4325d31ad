/** Builds how a node reaches PostgreSQL, and what it does while PostgreSQL is away. Null where there is none. */
import { isElsewhere } from '../../core/lives/lives.ts';
import { NO_MUTATIONS } from '../../core/mutations.ts';
import { judgeKeptOut } from '../../core/system-of-record/record-floors.ts';
import { WHY_FENCED, driveOf } from '../../core/system-of-record/record-standing.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { Membership } from '../membership/membership.ts';
import { OutageWatch } from '../membership/outage-watch.ts';
import type { NodeParts } from '../node-parts.ts';
import type { SpoolMarks } from '../spool/marks.ts';
import { Spool } from '../spool/spool.ts';
import type { SpoolParts } from '../spool/spool.ts';
import type { FloorStore } from '../store/floor-store.ts';
import type { RecordShelf } from '../store/record-shelf.ts';
import { heldNow, passingFloors } from '../system-of-record/held-now.ts';
import { RecordReader } from '../system-of-record/record-reader.ts';
import type { OnFetched } from '../system-of-record/record-reader.ts';
import { RecordWriter } from '../system-of-record/record-writer.ts';
import type { JudgeKeptOut } from '../system-of-record/record-writer.ts';

export interface RecordWriterSurroundings {
  readonly topology: () => Topology | null;
  readonly shelf: RecordShelf;
  readonly floors: FloorStore;
  readonly replica: () => Replica | null;
  readonly leaseHeld: () => boolean;
}

export function recordWriterOf(
  parts: NodeParts,
  { topology, shelf, floors, replica, leaseHeld }: RecordWriterSurroundings,
  onRecorded: (key: string, version: number, outcome: 'committed' | number) => void,
): RecordWriter | null {
  const { clock, telemetry, onFatal, mutations = NO_MUTATIONS } = parts;
  const trusts = mutations.trustOldFloor === true;
  if (parts.systemOfRecord === null) return null;
  const systemOfRecord =
    mutations.passRecordFloor === true ? passingFloors(parts.systemOfRecord) : parts.systemOfRecord;
  const judge: JudgeKeptOut = (slot, { key, version }, told) =>
    judgeKeptOut(version, heldNow(replica(), shelf, slot, key), {
      own: trusts ? told : floors.floors.of(slot),
      told,
      leaseHeld: mutations.nameFloorUnleased === true || leaseHeld(),
    });
  const onFenced = (): void => {
    const known = topology();
    // A foreign server that is only asked what it holds says nothing about this life. (decision 35)
    if (known === null || !isElsewhere(known, systemOfRecord.seen())) onFatal(WHY_FENCED);
  };
  return new RecordWriter({
    ...{ clock, telemetry, instruments: parts.instruments, onRecorded, onFenced },
    record: parts.traces?.recordOfWriter(systemOfRecord) ?? systemOfRecord,
    life: () => topology()?.life ?? 0,
    drive: driveIn(topology),
    judgeKeptOut: judge,
  });
}

export function recordReaderOf(
  parts: NodeParts,
  topology: () => Topology | null,
  onFetched: OnFetched,
): RecordReader | null {
  const { clock, telemetry, systemOfRecord } = parts;
  if (systemOfRecord === null) return null;
  const record = parts.traces?.recordOfReader(systemOfRecord) ?? systemOfRecord;
  return new RecordReader(record, clock, telemetry, onFetched, driveIn(topology));
}

function driveIn(topology: () => Topology | null): () => number {
  return () => {
    const known = topology();
    return known === null ? 0 : driveOf(known);
  };
}

export function spoolOf(
  parts: NodeParts,
  membership: Membership,
  recordWriter: RecordWriter | null,
  marks: SpoolMarks,
  around: Pick<SpoolParts, 'shelf' | 'send' | 'replica' | 'isFullElsewhere'>,
): Spool {
  const { clock, telemetry, storage, systemOfRecord: record, record: settings } = parts;
  return new Spool({
    ...{ clock, telemetry, storage, record, recordWriter, marks, settings, ...around },
    mutations: parts.mutations ?? NO_MUTATIONS,
    topology: () => membership.topology,
    leaseHeld: () => membership.leaseHeld(),
  });
}

export function outageWatchOf(parts: NodeParts, marks: SpoolMarks): OutageWatch {
  const { self, systemOfRecord: record, telemetry } = parts;
  const maySpool = parts.record.outage === 'spool';
  return new OutageWatch({ name: self.name, record, maySpool, isFull: () => marks.isFull, telemetry });
}
