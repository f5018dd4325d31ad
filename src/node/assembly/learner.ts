/** Builds what makes this node's copies equal to those of the owners. */
import { CopyPace } from '../../core/copying/copy-pace.ts';
import type { PeerMessage } from '../../core/message.ts';
import { NO_MUTATIONS } from '../../core/mutations.ts';
import { memberById } from '../../core/membership/topology.ts';
import { Learner } from '../learning/learner.ts';
import { OperationLearner } from '../learning/operation-learner.ts';
import type { LoadWatch } from '../load-watch.ts';
import type { Membership } from '../membership/membership.ts';
import type { NodeParts } from '../node-parts.ts';
import { RecordRecovery } from '../recovery/record-recovery.ts';
import { prefixRule } from '../replica-effects.ts';
import type { Spool } from '../spool/spool.ts';
import type { FloorStore } from '../store/floor-store.ts';
import type { LeftInFlight } from '../store/left-in-flight.ts';
import type { OperationTable } from '../store/operation-table.ts';
import type { RecordShelf } from '../store/record-shelf.ts';
import type { StoreWriter } from '../store/store-writer.ts';

export interface LearnerSurroundings {
  readonly membership: Membership;
  readonly writer: StoreWriter;
  readonly shelf: RecordShelf;
  readonly leftInFlight: LeftInFlight;
  readonly operations: OperationTable;
  readonly floors: FloorStore;
  readonly spool: Spool;
  readonly loadWatch: LoadWatch;
  readonly send: (memberId: number, message: PeerMessage) => void;
}

export function learnerOf(parts: NodeParts, around: LearnerSurroundings): Learner {
  const { membership, writer, shelf, leftInFlight, operations, floors, spool, loadWatch, send } = around;
  const { clock, telemetry, storage } = parts;
  const isLinked = (id: number): boolean => {
    const { topology } = membership;
    const member = topology === null ? undefined : memberById(topology, id);
    return member !== undefined && membership.isLinked(member.name);
  };
  const record = parts.mutations?.recoverUnread === true ? null : parts.systemOfRecord;
  const learner: Learner = new Learner({
    clock,
    telemetry,
    storage,
    writer,
    shelf,
    leftInFlight,
    floors,
    recovery: new RecordRecovery({
      ...{ clock, telemetry, storage, shelf, floors, leftInFlight },
      ...{ operations, systemOfRecord: record, spooled: spool.marks },
      writesThrough: prefixRule(parts.writeThrough),
      mutations: parts.mutations ?? NO_MUTATIONS,
    }),
    operations: new OperationLearner({
      clock,
      storage,
      shelf,
      table: operations,
      send,
      isLinked,
      skip: parts.mutations?.operationsNotLearned === true,
      onDone: () => learner.onOperationsLearned(),
    }),
    send,
    isLinked,
    learnSpool: (session, onDone) => spool.copy.begin(session, onDone),
    onLearned: () => membership.learned(),
    pace: new CopyPace(parts.copyBytesPerSecondMax, clock.now()),
    clientDelayFactor: () =>
      Math.max(loadWatch.clientDelayFactor, membership.watch.slowness.clientDelayFactor(clock.now())),
    mutations: parts.mutations ?? NO_MUTATIONS,
  });
  return learner;
}
