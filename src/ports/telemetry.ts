/** What a node tells the people who run it. */
import type { CounterName, EventName, LogLevel } from '../core/observability/events.ts';

/** Must never throw, block or call back. */
export interface Telemetry {
  /** One structured line. No values, no secrets; a key only as the field `key`, which is shown as a hash. */
  event(level: LogLevel, name: EventName, fields?: Readonly<Record<string, unknown>>): void;
  /** Adds to a counter. */
  count(name: CounterName, amount?: number): void;
}
