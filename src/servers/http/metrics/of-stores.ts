/** Metrics of the node's own disk, PostgreSQL and the legacy source. */
import { counted, counter, counters, flag, gauge, gauges, sizesOf, state, timesOf } from './metric.ts';
import type { Metric } from './metric.ts';

export const DISK: readonly Metric[] = [
  timesOf(
    'causeway_store_sync_duration_seconds',
    'One synced batch of the store: this disk, in front of every write.',
    ({ instruments }) => instruments.storeSync,
  ),
  sizesOf(
    'causeway_store_batch_entries',
    'Entries of one batch of the store.',
    ({ instruments }) => instruments.storeBatchEntries,
  ),
  sizesOf(
    'causeway_store_batch_bytes',
    'Bytes of one batch of the store.',
    ({ instruments }) => instruments.storeBatchBytes,
  ),
  counters(
    'causeway_cache_reads_total',
    'Reads of records that this node holds, by whether the record was in memory.',
    'result',
    ({ instruments }) => ({
      hit: instruments.cacheHits,
      miss: instruments.cacheMisses,
    }),
  ),
  gauge(
    'causeway_store_bytes',
    'Bytes of the files of the store; no sample before they were looked at, which begins when metrics are asked for.',
    ({ storeBytes }) => storeBytes,
  ),
  gauge(
    'causeway_disk_free_bytes',
    'Free where the store lies; no sample where it is not watched.',
    ({ status }) =>
      status.disk.freeBytes === 0 && status.disk.reserveBytes === 0 ? null : status.disk.freeBytes,
  ),
  gauge('causeway_disk_reserve_bytes', 'What is to stay free there (disk.reserveBytes).', ({ status }) =>
    status.disk.reserveBytes === 0 ? null : status.disk.reserveBytes,
  ),
  gauge(
    'causeway_disk_free_files',
    'Files that can still be made there (inodes); no sample where they are not counted.',
    ({ status }) => (status.disk.reserveFiles === 0 ? null : status.disk.freeFiles),
  ),
  state(
    'causeway_disk_state',
    'What the free space allows: 1 for that one. refusing: no new writes; low: no part in writes.',
    ['enough', 'refusing', 'low'],
    ({ status }) => status.disk.state,
  ),
  flag(
    'causeway_store_in_doubt',
    '1 where the store took the place of a damaged one, and no member has let the node in since.',
    ({ status }) => status.store.inDoubt,
  ),
  gauge(
    'causeway_store_set_aside_stores',
    'Damaged stores that lie beside the one in use, for people to look at and remove.',
    ({ status }) => status.store.setAside.length,
  ),
  counter(
    'causeway_store_records_damaged_total',
    'Records that did not fit their checksums when they were read.',
    counted('store.records_damaged'),
  ),
  counter(
    'causeway_store_records_repaired_total',
    'Of these, those that were fetched from another owner.',
    counted('store.records_repaired'),
  ),
  counter(
    'causeway_store_records_expired_total',
    'Records that this node removed as their time had passed.',
    counted('store.records_expired'),
  ),
];

export const RECORD: readonly Metric[] = [
  flag(
    'causeway_record_up',
    '1 where PostgreSQL answers and may be written; no sample where none is used.',
    ({ status }) => (status.record.state === 'unused' ? null : status.record.state === 'up'),
  ),
  timesOf(
    'causeway_record_commit_duration_seconds',
    'One statement that PostgreSQL committed, with all the rows in it.',
    ({ instruments }) => instruments.recordCommit,
  ),
  sizesOf(
    'causeway_record_batch_rows',
    'Rows of one statement.',
    ({ instruments }) => instruments.recordBatchRows,
  ),
  counters(
    'causeway_record_rows_total',
    'Rows that PostgreSQL answered for: committed; refused, as a higher version stood; kept out by the floor of their slot; conflict: the same version with another content.',
    'outcome',
    ({ instruments }) => ({
      committed: instruments.rowsCommitted,
      refused: instruments.rowsRefused,
      kept_out: instruments.rowsKeptOut,
      conflict: instruments.rowsConflicting,
    }),
  ),
  counter(
    'causeway_record_statement_failures_total',
    'Statements that failed or whose outcome was unknown; they are repeated.',
    ({ instruments }) => instruments.statementsFailed,
  ),
  counter(
    'causeway_record_retries_total',
    'Calls that lost against another transaction and were made again: in the modes for relatives of PostgreSQL alone.',
    counted('record.retries'),
  ),
  gauge(
    'causeway_record_waiting_rows',
    'Rows of this node that wait for the word of PostgreSQL.',
    ({ status }) => status.recent.record.rowsWaiting,
  ),
  gauge(
    'causeway_record_oldest_unflushed_seconds',
    'How long the oldest of them has waited; 0: none does.',
    ({ status }) => status.recent.record.oldestUnflushedMs / 1000,
  ),
  gauge(
    'causeway_record_removable_rows',
    'Rows of forgotten deletions that wait to be removed from PostgreSQL.',
    ({ status }) => status.tombstones.rowsWaiting,
  ),
  counter(
    'causeway_record_rows_removed_total',
    'Rows of forgotten deletions that were removed from PostgreSQL.',
    counted('record.rows_removed'),
  ),
  flag(
    'causeway_record_is_foreign',
    '1 where this node sees another PostgreSQL than the one in use: only an operator can say that it is to be used.',
    ({ status }) => status.record.isForeign ?? false,
  ),
  gauge(
    'causeway_record_drive_ratio',
    'After a failover or a restore: share of its slots that this node has compared with PostgreSQL; 1: nothing to do.',
    ({ status }) => {
      const drive = status.record.drive;
      if (drive === undefined) return status.record.state === 'unused' ? null : 1;
      return drive.slotsTotal === 0 || drive.isDriven ? 1 : drive.slotsDone / drive.slotsTotal;
    },
  ),
  flag(
    'causeway_spool_on',
    '1 while writes complete without PostgreSQL, and wait for it on the disks of the owners.',
    ({ status }) => status.spool.isOn,
  ),
  flag(
    'causeway_spool_full',
    '1 where the spool has reached its bound: writes are refused.',
    ({ status }) => status.spool.isFull,
  ),
  gauge(
    'causeway_spool_records',
    'Records on this disk that PostgreSQL lacks.',
    ({ status }) => status.spool.entries,
  ),
  gauge('causeway_spool_bytes', 'Their bytes.', ({ status }) => status.spool.bytes),
  gauge(
    'causeway_spool_oldest_seconds',
    'Since when the oldest of them waits; 0: none does.',
    ({ status }) => status.spool.oldestMs / 1000,
  ),
  counter(
    'causeway_spool_conflicts_total',
    'Rows changed from outside meanwhile, which took the place of what was to be written.',
    ({ status }) => status.spool.conflicts,
  ),
];

/** Rows that somebody changed by plain SQL. */
export const BY_HAND: readonly Metric[] = [
  counters(
    'causeway_outside_changes_total',
    'Changes of rows by hand that this node took up: written; overtaken, as what they were made on was replaced; refused, as no record can be so.',
    'outcome',
    ({ status }) => {
      const { written = 0, overtaken = 0, refused = 0 } = status.record.byHand ?? {};
      return { written, overtaken, refused };
    },
  ),
  gauge(
    'causeway_outside_waiting_changes',
    'Of these, those that it could not write when it looked last; others look after them where it does not. No sample where none are noted.',
    ({ status }) => status.record.byHand?.waiting ?? null,
  ),
  gauge(
    'causeway_outside_oldest_waiting_seconds',
    'Since when the first of them waits; 0: none does.',
    ({ status }) => (status.record.byHand?.waitingMs ?? 0) / 1000,
  ),
];

export const LEGACY: readonly Metric[] = [
  state(
    'causeway_legacy_state',
    'How the legacy source is: 1 for that one. open: the breaker is, and it is not asked.',
    ['up', 'failing', 'open', 'unused'],
    ({ status }) => status.legacy.state,
  ),
  counter(
    'causeway_legacy_calls_total',
    'Requests sent to the legacy source, repeated ones included.',
    counted('legacy.calls'),
  ),
  counter('causeway_legacy_call_failures_total', 'Of these, those that failed.', counted('legacy.failures')),
  counter(
    'causeway_legacy_retries_total',
    'Of these, those that repeated an earlier one.',
    counted('legacy.retries'),
  ),
  counters(
    'causeway_legacy_fetches_total',
    'Keys asked of the legacy source, by how that ended; a fetch may take several requests, or none.',
    'outcome',
    ({ instruments }) => ({ ...instruments.legacyOutcomes }),
  ),
  counter(
    'causeway_legacy_coalesced_total',
    'Reads that joined a fetch under way instead of beginning one.',
    ({ instruments }) => instruments.legacyCoalesced,
  ),
  timesOf(
    'causeway_legacy_fetch_duration_seconds',
    'One fetch, from the first miss to its end.',
    ({ instruments }) => instruments.legacyFetch,
  ),
  gauges(
    'causeway_legacy_room_calls',
    'Requests: in flight, waiting for their turn, and how many may be in flight at once (max).',
    'state',
    ({ status }) => {
      const { inFlight, waiting, concurrencyMax } = status.recent.legacy;
      return status.legacy.state === 'unused' ? null : { in_flight: inFlight, waiting, max: concurrencyMax };
    },
  ),
  gauge(
    'causeway_legacy_budget_retries',
    'Requests that may be repeated now, by the budget.',
    ({ status }) => (status.legacy.state === 'unused' ? null : status.recent.legacy.retriesLeft),
  ),
];
