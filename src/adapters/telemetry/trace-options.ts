/** Options for tracing; needed whether tracing is on or off. */
import type { Telemetry } from '../../ports/telemetry.ts';
import type { Tracing } from '../../ports/tracing.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Traces extends Tracing {
  /** Sends what waits, for a moment at most; nothing is recorded afterwards. */
  close(): Promise<void>;
}

export interface TraceOptions {
  readonly env: Environment;
  readonly telemetry: Telemetry;
  /** Resource attributes of this process; the environment overrides them. */
  readonly resource: Readonly<Record<string, string>>;
  /** Attributes that all spans of a kind share, such as the address of PostgreSQL and of the legacy source. */
  readonly alike: Readonly<Record<string, Readonly<Record<string, string | number>>>>;
}
