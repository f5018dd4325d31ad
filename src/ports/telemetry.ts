/** What a node tells the people who run it. Must never throw, block or call back. */
export interface Telemetry {
  /** One structured line. `name` is a stable dotted name; no values, no keys in clear, no secrets. */
  event(
    level: 'debug' | 'info' | 'warn' | 'error',
    name: string,
    fields?: Readonly<Record<string, unknown>>,
  ): void;
  /** Adds to a counter by its name in the catalogue. */
  count(name: string, amount?: number): void;
}
