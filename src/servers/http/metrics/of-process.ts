/** Metrics of the doors, the process and its log. */
import { EVENTS } from '../../../core/observability/events.ts';
import type { EventName } from '../../../core/observability/events.ts';
import type { DoorFacts } from './facts.ts';
import { counted, counter, counters, gauge, gauges, timesOf } from './metric.ts';
import type { Metric, Source } from './metric.ts';

/** One sample for each door that counts this. */
function byDoor(read: (facts: DoorFacts) => number | undefined) {
  return ({ doors }: Source): Record<string, number> => {
    const values: Record<string, number> = {};
    for (const facts of doors) {
      const value = read(facts);
      if (value !== undefined) values[facts.door] = value;
    }
    return values;
  };
}

export const PROCESS_METRICS: readonly Metric[] = [
  counters(
    'causeway_door_requests_total',
    'Operations (grpc), commands (resp) and requests (http) that came in by each door.',
    'door',
    byDoor((facts) => facts.requests),
  ),
  gauges(
    'causeway_door_connections',
    'Connections that are open; those of other nodes are among those of grpc.',
    'door',
    byDoor((facts) => facts.connections),
  ),
  counters(
    'causeway_door_rejected_connections_total',
    'Connections beyond what the door takes.',
    'door',
    byDoor((facts) => facts.rejected),
  ),
  counters(
    'causeway_door_received_bytes_total',
    'Bytes that came in, at doors that count them.',
    'door',
    byDoor((facts) => facts.receivedBytes),
  ),
  counters(
    'causeway_door_sent_bytes_total',
    'Bytes that went out, at doors that count them.',
    'door',
    byDoor((facts) => facts.sentBytes),
  ),
  gauges(
    'causeway_door_waiting_bytes',
    'Bytes of answers that clients have not taken.',
    'door',
    byDoor((facts) => facts.waitingBytes),
  ),
  timesOf(
    'causeway_event_loop_delay_seconds',
    'How late the ticks of the node were: what everything else waits for, too.',
    ({ instruments }) => instruments.loopDelay,
  ),
  gauge(
    'causeway_event_loop_busy_ratio',
    'Share of the time since metrics were asked for last in which the event loop was busy.',
    ({ process }) => process.loopBusyShare,
  ),
  gauges(
    'causeway_process_memory_bytes',
    'Memory of this process: resident, the heap in use, its limit, and what lies outside of it.',
    'kind',
    ({ process: { memory } }) => ({
      resident: memory.residentBytes,
      heap_used: memory.heapUsedBytes,
      heap_limit: memory.heapLimitBytes,
      external: memory.externalBytes,
    }),
  ),
  counter(
    'causeway_process_cpu_seconds_total',
    'Processor time of this process.',
    ({ process }) => process.cpuSeconds,
  ),
  gauge('causeway_process_uptime_seconds', 'Since when it runs.', ({ process }) => process.uptimeSeconds),
  gauge(
    'causeway_process_open_files',
    'Files and connections that it has open; no sample where the system does not tell.',
    ({ process }) => process.openFiles,
  ),
  counters(
    'causeway_log_events_total',
    'Events by their names in docs/LOGS.md, logged or below the level.',
    'event',
    ({ events }) => {
      const values: Record<string, number> = {};
      for (const name of Object.keys(EVENTS) as EventName[]) values[name] = events.get(name) ?? 0;
      return values;
    },
  ),
  counter(
    'causeway_traces_dropped_total',
    'Spans of traces that found no room, or no collector, and operations that were not recorded for that.',
    counted('traces.dropped'),
  ),
];
