/**
 * What a node does unasked, beside its requests: each part meets them only through the store, or by asking as a
 * client would.
 */
import type { PeerMessage, RepairRecord } from '../core/message.ts';
import { NO_MUTATIONS } from '../core/mutations.ts';
import { Expiry } from './expiry.ts';
import type { FloorStore } from './floor-store.ts';
import { Leftovers } from './leftovers.ts';
import type { Membership } from './membership.ts';
import type { NodeParts } from './node-parts.ts';
import { PeerClocks } from './peer-clocks.ts';
import { RecordLoader } from './record-loader.ts';
import { Repair } from './repair.ts';
import { prefixRule } from './replica-effects.ts';
import { Scrubber } from './scrubber.ts';
import type { Serving } from './serving.ts';
import type { StartMarks } from './start-marks.ts';
import { TombstoneCollector } from './tombstone-collector.ts';

export class Background {
  readonly peerClocks = new PeerClocks();
  readonly repair: Repair;
  readonly scrubber: Scrubber;
  readonly collector: TombstoneCollector;
  private readonly expiry: Expiry;
  private readonly loader: RecordLoader | null;
  private readonly leftovers: Leftovers;

  constructor(
    parts: NodeParts,
    serving: Serving,
    membership: Membership,
    marks: StartMarks,
    floors: FloorStore,
    send: (memberId: number, message: PeerMessage) => void,
  ) {
    const { clock, storage, telemetry } = parts;
    const { shelf, replica } = serving;
    const { systemOfRecord } = parts;
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
    this.repair = new Repair({ clock, telemetry, shelf, systemOfRecord, replica, send });
    this.scrubber = new Scrubber({
      ...{ clock, telemetry, storage, shelf, floors, replica, send },
      repair: this.repair,
      systemOfRecord,
      writesThrough: prefixRule(parts.writeThrough),
      settings: parts.scrub,
      leaseHeld: () => serving.leaseHeld(),
      mutations: parts.mutations ?? NO_MUTATIONS,
    });
    this.leftovers = new Leftovers({ clock, storage, shelf, marks, replica });
    this.collector = new TombstoneCollector({
      ...{ clock, telemetry, storage, shelf, floors, replica, send },
      mutations: parts.mutations ?? NO_MUTATIONS,
      keepMs: () => parts.tombstoneKeepMs,
      leaseHeld: () => serving.leaseHeld(),
      keepsAll: parts.legacySource !== null,
    });
    this.expiry = new Expiry({ clock, storage, telemetry, serving, peerClocks: this.peerClocks });
  }

  /** Asked for by the one or by the other. */
  onRepairRecord(message: RepairRecord): void {
    if (!this.scrubber.onRecord(message)) this.repair.onRecord(message);
  }

  /** Every few ticks, while this process is part of the epoch. */
  tick(): void {
    this.expiry.tick();
    this.repair.tick();
    this.loader?.tick();
    this.leftovers.tick();
    this.scrubber.tick();
    this.collector.tick();
  }
}
