/** Metrics of the node: whether it serves, whether its data is safe, and what it does for clients. */
import { ERROR_TABLE, certaintyOf } from '../../../core/errors.ts';
import type { ErrorCode } from '../../../core/errors.ts';
import { PHASES } from '../../../core/membership/phases.ts';
import { PROBES } from '../../../node/readiness.ts';
import {
  counted,
  counter,
  counters,
  flag,
  gauge,
  gauges,
  logged,
  state,
  timesBy,
  timesOf,
} from './metric.ts';
import type { Metric } from './metric.ts';

export const SERVING: readonly Metric[] = [
  {
    ...{ name: 'causeway_build_info', type: 'gauge', labels: ['node', 'protocol'] },
    help: 'Always 1: the name of the node, and the version of the protocol between members that it speaks.',
    samples: ({ status }) => [{ labels: { node: status.name, protocol: status.protocol.speaks }, value: 1 }],
  },
  flag(
    'causeway_healthy',
    '1 where /healthz says yes: the process makes progress.',
    ({ status }) => PROBES.healthy(status).length === 0,
  ),
  flag(
    'causeway_ready',
    '1 where /readyz says yes: requests are welcome.',
    ({ status }) => PROBES.ready(status).length === 0,
  ),
  flag(
    'causeway_safe_to_stop',
    '1 where /safe-to-stop says yes: nobody would miss the node.',
    ({ status }) => PROBES.safe(status).length === 0,
  ),
  state(
    'causeway_node_state',
    'In which phase the node is: 1 for that one.',
    PHASES,
    ({ status }) => status.phase,
  ),
  flag(
    'causeway_lease_held',
    '1 where the node holds a lease, without which it serves nothing.',
    ({ status }) => status.leaseHeld,
  ),
  gauge(
    'causeway_lease_left_seconds',
    'How long the lease still runs; 0: none is held.',
    ({ status }) => status.leaseLeftMs / 1000,
  ),
  gauge(
    'causeway_epoch_number',
    'The epoch that the node knows; members that differ for long do not hear of one another.',
    ({ status }) => status.epoch,
  ),
  gauge(
    'causeway_life_number',
    'The life of the cluster: it grows where an operator goes on without those who are lost.',
    ({ status }) => status.life,
  ),
  gauges(
    'causeway_members',
    'Members of the cluster as this node sees them: in the epoch or out of it, linked to this one, out as slow.',
    'state',
    ({ status }) => ({
      live: status.members.filter((member) => member.alive).length,
      down: status.members.filter((member) => !member.alive).length,
      linked: status.members.filter((member) => member.linkUp).length,
      slow: status.members.filter((member) => member.slow !== '').length,
    }),
  ),
  counter(
    'causeway_epochs_total',
    'Epochs that this node has seen come into force.',
    logged('membership.epoch'),
  ),
  counter(
    'causeway_council_attempts_total',
    'Attempts of this node to write the register of the council.',
    counted('membership.attempts'),
  ),
];

export const SAFE: readonly Metric[] = [
  gauges(
    'causeway_slots',
    'Slots of this node: complete or being learned; of the whole cluster: moving to other owners, or lost (no complete owner lives).',
    'state',
    ({ status }) => {
      const self = status.members.find((member) => member.name === status.name);
      return {
        complete: self?.slotsComplete ?? 0,
        learning: self?.slotsLearning ?? 0,
        moving: status.slotsMoving,
        lost: status.slotsLost,
      };
    },
  ),
  gauge(
    'causeway_keys',
    'Keys in the store of this node, deletions included.',
    ({ status }) => status.keysHeld,
  ),
  gauge('causeway_tombstones', 'Deletions among them.', ({ status }) => status.tombstones.held),
  counter(
    'causeway_tombstones_forgotten_total',
    'Deletions that this process has forgotten, as nothing can bring their keys back.',
    ({ status }) => status.tombstones.forgotten,
  ),
  gauge(
    'causeway_replication_in_flight_keys',
    'Keys that this node knows a version of that is not valid yet.',
    ({ status }) => status.keysInFlight,
  ),
  gauge(
    'causeway_replication_oldest_unfinished_seconds',
    'Since when the oldest of them is unfinished; it grows where a write stalls.',
    ({ status }) => status.oldestUnfinishedMs / 1000,
  ),
  counter(
    'causeway_replication_replays_total',
    'Writes of others that this node finished, as their coordinator was gone.',
    logged('replication.replay'),
  ),
  counter(
    'causeway_replication_refusals_total',
    'Acknowledgements that an owner refused for the moment: a write stalls meanwhile.',
    logged('replication.refused'),
  ),
  gauge(
    'causeway_copy_learned_ratio',
    'Share of its slots that a learner has copied; 1 at an owner.',
    ({ status }) => status.learnedShare,
  ),
  gauge(
    'causeway_copy_left_slots',
    'Slots that this node has still to copy.',
    ({ status }) => status.copy.slotsTotal - status.copy.slotsDone,
  ),
  counter(
    'causeway_copy_bytes_total',
    'Bytes of records that this process has copied from other owners.',
    ({ status }) => status.copy.bytesCopied,
  ),
  counter(
    'causeway_copy_records_total',
    'Records that this process has copied from other owners.',
    ({ status }) => status.copy.recordsCopied,
  ),
  counters(
    'causeway_scrub_copies_total',
    'Copies that scrubbing found damaged or behind, and what became of them.',
    'outcome',
    ({ status }) => ({ ...status.scrub.totals }),
  ),
  counters(
    'causeway_scrub_rows_total',
    'Rows of PostgreSQL that scrubbing has read whole, and those that failed their checksum.',
    'outcome',
    ({ status }) => ({ ...status.scrub.rows }),
  ),
  gauge(
    'causeway_scrub_round_ratio',
    'Share of the round of scrubbing under way, or of the last one, that is done.',
    ({ status }) => status.scrub.share,
  ),
  gauge(
    'causeway_scrub_ended_timestamp_seconds',
    'When the last whole round of scrubbing ended.',
    ({ status }) => (status.scrub.last === null ? null : status.scrub.last.endedAt / 1000),
  ),
];

export const FAST: readonly Metric[] = [
  counters(
    'causeway_operations_total',
    'Operations begun at this node, those included that other nodes forwarded to it, and its own (the read after a fill, say).',
    'kind',
    ({ status }) => ({
      read: status.operations.reads,
      write: status.operations.writes,
      stale_read: status.operations.staleReads,
    }),
  ),
  {
    ...{ name: 'causeway_operation_failures_total', type: 'counter', labels: ['code', 'certainty'] },
    help: 'Operations that failed here, by the code of docs/ERRORS.md; indefinite: they may have happened.',
    samples: ({ instruments }) =>
      (Object.keys(ERROR_TABLE) as ErrorCode[]).map((code) => ({
        labels: { code, certainty: certaintyOf(code) },
        value: instruments.failures.get(code) ?? 0,
      })),
  },
  counter(
    'causeway_operations_forwarded_here_total',
    'Operations that other nodes forwarded to this one.',
    ({ status }) => status.load.forwardedHere,
  ),
  counter(
    'causeway_operations_refused_total',
    'Operations of clients that were refused at once, as too much was in flight.',
    ({ status }) => status.load.refused,
  ),
  gauges(
    'causeway_in_flight_operations',
    'Operations of clients that are not answered yet.',
    'kind',
    ({ status }) => ({
      read: status.load.readsInFlight,
      write: status.load.writesInFlight,
    }),
  ),
  flag(
    'causeway_overloaded',
    '1 while more is asked of the node than it gets done, and it refuses what would wait too long.',
    ({ status }) => status.load.state === 'refusing',
  ),
  timesOf(
    'causeway_read_duration_seconds',
    'Reads of clients, from the door to the answer; those from memory count in the lowest range, and add nothing to the sum.',
    ({ instruments }) => instruments.read,
  ),
  timesOf(
    'causeway_write_duration_seconds',
    'Writes of clients, from the door to the answer.',
    ({ instruments }) => instruments.write,
  ),
  timesBy(
    'causeway_write_stage_duration_seconds',
    'Where writes spend their time: the door, the queue of the key, this disk (store), the other owners (peers), PostgreSQL (record), another node (forwarded).',
    'stage',
    ({ instruments }) => instruments.stages,
  ),
];
