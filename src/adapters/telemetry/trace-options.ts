/** What traces are made of, whether anything is traced or not. */
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
  /** Of this process; what the environment says wins. */
  readonly resource: Readonly<Record<string, string>>;
  /** Attributes that all spans of a kind have alike: where PostgreSQL and the legacy source are. */
  readonly alike: Readonly<Record<string, Readonly<Record<string, string | number>>>>;
}
