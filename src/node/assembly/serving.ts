/** Builds what the flows of clients' operations use of their node, and what measures them. */
import type { KeyWatch } from '../../core/clients/key-watch.ts';
import { NO_INSTRUMENTS } from '../../core/observability/instruments.ts';
import { LEGACY_ERROR_BACKOFF_MS } from '../../core/limits.ts';
import type { Replica } from '../../core/replication/replica.ts';
import { SlotView } from '../../core/replication/slot-view.ts';
import type { LastLease } from '../../core/clients/stale.ts';
import { memberById } from '../../core/membership/topology.ts';
import type { Admission } from '../admission.ts';
import type { NodeStatus } from '../status.ts';
import type { Deadlines } from '../deadlines.ts';
import { fillFromLegacy } from '../legacy-fill.ts';
import { LegacyReader } from '../legacy-reader.ts';
import type { Membership } from '../membership/membership.ts';
import type { NodeParts } from '../node-parts.ts';
import type { Forwarder } from '../peers/forwarder.ts';
import { RecentWindow } from '../recent.ts';
import type { Serving } from '../serving.ts';
import { SlowLog } from '../slow-log.ts';
import type { RecordShelf } from '../store/record-shelf.ts';
import type { RecordWriter } from '../system-of-record/record-writer.ts';
import { Timing, UNTIMED } from '../timing.ts';

export interface ServingParts {
  readonly membership: Membership;
  readonly deadlines: Deadlines;
  readonly forwarder: Forwarder;
  readonly shelf: RecordShelf;
  readonly keyWatch: KeyWatch;
  readonly timing: Timing;
  readonly replica: () => Replica | null;
  readonly later: (run: () => void) => void;
  readonly lastLease: LastLease;
  readonly counts: Record<Parameters<Serving['count']>[0], number>;
}

export function servingOf(parts: NodeParts, from: ServingParts): Serving {
  const { clock, random } = parts;
  const { membership, replica, counts } = from;
  let bystander: SlotView | null = null;
  const serving: Serving = {
    clock,
    random,
    deadlines: from.deadlines,
    forwarder: from.forwarder,
    shelf: from.shelf,
    keyWatch: from.keyWatch,
    timing: from.timing,
    legacy: legacyOf(parts, () => serving),
    traces: parts.traces ?? null,
    replica,
    view: () => {
      const { topology, selfId } = membership;
      const own = replica();
      if ((own !== null && !membership.room.retreats) || topology === null) return own?.view ?? null;
      // This process is not part of the epoch, or about to leave it: requests are forwarded by the epoch's view.
      if (bystander?.topology !== topology) bystander = new SlotView(topology, selfId, true);
      return bystander;
    },
    leaseHeld: () => membership.leaseHeld(),
    leaselessMs: () => from.lastLease.agoMs(clock.bootNow()),
    nameOf: (id) => (membership.topology === null ? undefined : memberById(membership.topology, id)?.name),
    whyShutOut: () => membership.lives.shutOut,
    later: from.later,
    count: (what) => {
      counts[what] += 1;
    },
  };
  return serving;
}

function legacyOf(parts: NodeParts, serving: () => Serving): LegacyReader | null {
  const { clock, random, legacySource, instruments = NO_INSTRUMENTS } = parts;
  if (legacySource === null) return null;
  return new LegacyReader({
    clock,
    random,
    instruments,
    source: parts.traces?.legacy(legacySource) ?? legacySource,
    fetchTimeoutMs: Math.max(parts.legacyTimeoutMs, LEGACY_ERROR_BACKOFF_MS),
    fill: (key, fetched, done) => fillFromLegacy(serving(), key, fetched, done),
  });
}

export function timingOf({ instruments, clock, telemetry, slowLog }: NodeParts): Timing {
  if (instruments === undefined) return UNTIMED;
  const isTold = slowLog !== undefined && slowLog.thresholdMs > 0;
  return new Timing(instruments, clock, isTold ? new SlowLog(slowLog, clock, telemetry) : null);
}

export function recentOf(
  parts: NodeParts,
  counts: NodeStatus['operations'],
  admission: Admission,
  recordWriter: RecordWriter | null,
): RecentWindow {
  const { clock, instruments = NO_INSTRUMENTS, legacySource, processUse } = parts;
  return new RecentWindow({ clock, instruments, counts, admission, recordWriter, legacySource, processUse });
}
