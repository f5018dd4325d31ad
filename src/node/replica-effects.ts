/** How the replication rules reach the node's store, its peers and PostgreSQL. */
import type { KeyWatch } from '../core/clients/key-watch.ts';
import type { PeerMessage } from '../core/message.ts';
import type { ReplicaEffects } from '../core/replication/context.ts';
import type { Replica } from '../core/replication/replica.ts';
import { memberById } from '../core/membership/topology.ts';
import type { Clock } from '../ports/clock.ts';
import type { SystemOfRecord } from '../ports/system-of-record.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { sealRecord } from '../wire/record-codec.ts';
import type { CounterReserve } from './store/counter-reserve.ts';
import type { FloorStore } from './store/floor-store.ts';
import type { Membership } from './membership/membership.ts';
import type { NodeParts } from './node-parts.ts';
import type { NodeTraces } from './tracing/node-traces.ts';
import type { OperationTable } from './store/operation-table.ts';
import type { RecordReader } from './system-of-record/record-reader.ts';
import type { RecordShelf } from './store/record-shelf.ts';
import type { RecordWriter } from './system-of-record/record-writer.ts';
import type { Spool } from './spool/spool.ts';
import type { StoreWriter } from './store/store-writer.ts';
import type { Timing } from './timing.ts';

export interface EffectParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly writer: StoreWriter;
  readonly shelf: RecordShelf;
  readonly operations: OperationTable;
  readonly floors: FloorStore;
  readonly agreeFloor: (slot: number) => void;
  readonly counters: CounterReserve;
  readonly membership: Membership;
  readonly systemOfRecord: SystemOfRecord | null;
  readonly recordWriter: RecordWriter | null;
  readonly recordReader: RecordReader | null;
  readonly writeThrough: NodeParts['writeThrough'];
  readonly send: (memberId: number, message: PeerMessage) => void;
  readonly replica: () => Replica | null;
  readonly spool: Spool;
  readonly keyWatch: KeyWatch;
  readonly timing: Timing;
  readonly traces?: NodeTraces | null;
}

export function makeEffects(parts: EffectParts): ReplicaEffects {
  const { clock, shelf, writer, operations, membership, recordWriter, recordReader, keyWatch } = parts;
  const writesThrough = prefixRule(parts.writeThrough);
  const effects: ReplicaEffects = {
    load: (key, slot) => shelf.load(key, slot),
    store: (write) => {
      keyWatch.adopted(write.sealed.record.key);
      return shelf.store(write, operations.changesOf(write));
    },
    operations,
    floors: parts.floors.floors,
    agreeFloor: parts.agreeFloor,
    counters: parts.counters,
    ...parts.spool.effects((key, version) => parts.replica()?.onSpooled(key, version)),
    endInFlight: (_key, batches) => writer.endInFlight(batches),
    settled: (sealed) => {
      shelf.settled(sealed);
      keyWatch.settled(sealed.record.key, sealed.record.version);
    },
    send: parts.send,
    record: (sealed, slot) => recordWriter?.add(sealed, slot),
    fetch: (key) => {
      if (recordReader !== null) recordReader.add(key);
      else clock.defer(() => parts.replica()?.onFetched(key, undefined, null));
    },
    seal: sealRecord,
    now: () => clock.now(),
    stamp: () => parts.timing.stamp(),
    wallNow: () => clock.wallNow(),
    wallShown: () => membership.heartbeats.wallShown(),
    leaseHeld: () => membership.leaseHeld(),
    blockedUntil: (slot) => membership.blockedUntil(slot),
    writesThrough: (key) => recordWriter !== null && writesThrough(key),
    refusing: () => membership.room.refusing,
    recordAvailable: () => parts.systemOfRecord === null || parts.systemOfRecord.health().state === 'up',
    event: (level, name, fields) => parts.telemetry.event(level, name, fields),
  };
  const nameOf = (id: number): string | undefined =>
    membership.topology === null ? undefined : memberById(membership.topology, id)?.name;
  return parts.traces?.effects(effects, () => membership.selfId, nameOf) ?? effects;
}

/** Every key is written through unless its longest matching prefix says otherwise. */
export function prefixRule(rules: NodeParts['writeThrough']): (key: string) => boolean {
  const sorted = [...rules].sort((a, b) => b.prefix.length - a.prefix.length);
  if (sorted.length === 0) return () => true;
  return (key) => sorted.find((rule) => key.startsWith(rule.prefix))?.writeThrough ?? true;
}
