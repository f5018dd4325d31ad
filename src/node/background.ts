/**
 * Background work of a node. Its parts interact with requests only through the store, or by making requests as a client
 * would.
 */
import { slotOf } from '../core/placement/slots.ts';
import type { RepairAbsent } from '../core/upkeep/collection-message.ts';
import type { PeerMessage, RepairRecord } from '../core/message.ts';
import { NO_MUTATIONS } from '../core/mutations.ts';
import type { Topology } from '../core/membership/topology.ts';
import { Expiry } from './expiry.ts';
import { FloorCheck } from './forgetting/floor-check.ts';
import type { FloorStore } from './store/floor-store.ts';
import { Leftovers } from './store/leftovers.ts';
import type { Membership } from './membership/membership.ts';
import type { NodeParts } from './node-parts.ts';
import { OutsideWatch } from './system-of-record/outside-watch.ts';
import { OwnerInquiry } from './recovery/owner-inquiry.ts';
import { PeerClocks } from './peers/peer-clocks.ts';
import { RecordLoader } from './system-of-record/record-loader.ts';
import { RecordDriver } from './system-of-record/record-driver.ts';
import type { RecordDriverParts } from './system-of-record/record-driver.ts';
import { RecordWatch } from './system-of-record/record-watch.ts';
import { Repair } from './scrub/repair.ts';
import { prefixRule } from './replica-effects.ts';
import { Scrubber } from './scrub/scrubber.ts';
import type { Serving } from './serving.ts';
import type { SpoolMarks } from './spool/marks.ts';
import type { LeftInFlight } from './store/left-in-flight.ts';
import { StopDesk } from './operators/stop-desk.ts';
import { TombstoneCollector } from './forgetting/tombstone-collector.ts';

export interface BackgroundSurroundings {
  readonly serving: Serving;
  readonly membership: Membership;
  readonly leftInFlight: LeftInFlight;
  readonly floors: FloorStore;
  readonly spoolMarks: SpoolMarks;
  readonly send: (memberId: number, message: PeerMessage) => void;
}

export class Background {
  readonly peerClocks = new PeerClocks();
  readonly repair: Repair;
  readonly scrubber: Scrubber;
  readonly collector: TombstoneCollector;
  readonly stops: StopDesk;
  private readonly inquiry: OwnerInquiry;
  private readonly floorCheck: FloorCheck | null;
  private readonly expiry: Expiry;
  private readonly loader: RecordLoader | null;
  private readonly leftovers: Leftovers;
  readonly driver: RecordDriver | null;
  private readonly watch: RecordWatch | null;
  readonly outside: OutsideWatch | null;

  // long: one line or two for each part
  constructor(parts: NodeParts, around: BackgroundSurroundings) {
    const { clock, storage, telemetry, systemOfRecord, mutations = NO_MUTATIONS } = parts;
    const { serving, membership, leftInFlight, floors, spoolMarks, send } = around;
    const { shelf, replica } = serving;
    const isRouted = prefixRule(parts.writeThrough);
    // Records that are known to wait for PostgreSQL are not missing there. (R34)
    const writesThrough = (key: string): boolean => isRouted(key) && !spoolMarks.has(slotOf(key), key);
    this.loader =
      systemOfRecord === null
        ? null
        : new RecordLoader({
            clock,
            telemetry,
            systemOfRecord,
            serving,
            topology: () => membership.topology,
            onLoaded: () => membership.loaded(),
          });
    this.inquiry = new OwnerInquiry({ clock, replica, send });
    const checks = { clock, telemetry, storage, shelf, floors, inquiry: this.inquiry, replica, mutations };
    this.floorCheck =
      systemOfRecord === null ? null : new FloorCheck({ ...checks, systemOfRecord, writesThrough });
    const isChecked = (): boolean => this.floorCheck?.isChecked !== false;
    const floorOf = (slot: number): number => floors.floors.of(slot);
    this.driver =
      systemOfRecord === null
        ? null
        : driverOf(parts, around, { systemOfRecord, floorOf, inquiry: this.inquiry });
    const news = membership.proposals.recordNews;
    const topology = (): Topology | null => membership.topology;
    const looks = { shelf, replica, topology, writesThrough, floorOf, isChecked, news, mutations };
    this.watch = systemOfRecord === null ? null : new RecordWatch({ ...parts, ...looks, systemOfRecord });
    this.repair = new Repair({ clock, telemetry, shelf, systemOfRecord, replica, send, mutations });
    this.scrubber = new Scrubber({
      ...{ clock, telemetry, storage, shelf, floors, replica, send, systemOfRecord },
      ...{ mutations, writesThrough, settings: parts.scrub },
      repair: this.repair,
      onDebris: (slot, row) => this.collector.takeDebris(slot, row),
      onLoss: () => news.missed(topology()),
      ...{ mayTell: isChecked, leaseHeld: () => serving.leaseHeld(), leaseFrom: () => membership.lease.from },
    });
    this.outside = outsideOf(parts, serving, topology, isRouted);
    this.leftovers = new Leftovers({ clock, storage, shelf, leftInFlight, floors, replica });
    this.collector = new TombstoneCollector({
      ...{ clock, telemetry, storage, shelf, floors, replica, send, mutations, systemOfRecord, isRouted },
      mayRaise: (slot) => this.floorCheck?.mayRaise(slot) !== false,
      ...{ keepMs: () => parts.tombstoneKeepMs, isSpooling: () => spoolMarks.entries > 0 },
      isSpooled: (slot, key) => spoolMarks.has(slot, key),
      leaseHeld: () => serving.leaseHeld(),
      keepsAll: parts.legacySource !== null,
    });
    this.stops = new StopDesk({ clock, membership, send, mutations });
    this.expiry = new Expiry({ clock, storage, telemetry, serving, peerClocks: this.peerClocks });
  }

  /** The record was requested by either the repairer or the scrubber. */
  onRepairRecord(from: number, message: RepairRecord): void {
    this.inquiry.onRecord(from, message.held);
    if (!this.scrubber.onRecord(message)) this.repair.onRecord(message);
  }

  onRepairAbsent(from: number, message: RepairAbsent): void {
    this.inquiry.onAbsent(from, message.key);
    this.repair.onAbsent(from, message);
  }

  /** Every few ticks, while this process is part of the epoch. */
  tick(): void {
    this.expiry.tick();
    this.repair.tick();
    this.loader?.tick();
    this.inquiry.tick();
    this.floorCheck?.tick();
    this.watch?.tick();
    this.outside?.tick();
    if (this.floorCheck?.isChecked !== false) this.driver?.tick();
    this.leftovers.tick();
    this.scrubber.tick();
    this.collector.tick();
    this.stops.tick();
  }
}

function outsideOf(
  parts: NodeParts,
  serving: Serving,
  topology: () => Topology | null,
  writesThrough: (key: string) => boolean,
): OutsideWatch | null {
  const { clock, telemetry, systemOfRecord, mutations = NO_MUTATIONS } = parts;
  const edits = systemOfRecord?.edits ?? null;
  if (systemOfRecord === null || edits === null) return null;
  const isRecordUp = (): boolean => systemOfRecord.health().state === 'up';
  return new OutsideWatch({
    ...{ clock, telemetry, edits, serving, topology, isRecordUp, writesThrough, mutations },
  });
}

function driverOf(
  parts: NodeParts,
  { serving: { shelf, replica, leaseHeld }, membership, send }: BackgroundSurroundings,
  record: Pick<RecordDriverParts, 'systemOfRecord' | 'floorOf' | 'inquiry'>,
): RecordDriver {
  const { clock, telemetry, storage, mutations = NO_MUTATIONS } = parts;
  return new RecordDriver({
    ...{ clock, telemetry, storage, ...record, shelf, replica, leaseHeld, mutations },
    writesThrough: prefixRule(parts.writeThrough),
    onDriven: (drive, { epoch, members }) => {
      membership.proposals.recordNews.sawDriven(membership.selfId, epoch, drive);
      for (const { id, alive } of members)
        if (alive && id !== membership.selfId) send(id, { kind: 'driven', drive });
    },
  });
}
