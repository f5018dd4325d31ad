/** What connects the members of a cluster that was started for a run, and what can be done to it: proxies, or packets. */
import type { Toll, Weather } from './direction.ts';
import type { FaultSpec } from './fault-spec.ts';

/** From one member to another, by name, or to or from `DATABASE`. */
export type Way = readonly [from: string, to: string];

/** The name that stands for PostgreSQL in a way. */
export const DATABASE = 'postgres';

export interface Wires {
  /** In words, for the report. */
  readonly told: string;
  /** Whether members that join later are connected like the others. */
  readonly takesNewcomers: boolean;
  /** Why this fault is not possible on these wires; null if it is. */
  whyNot(spec: FaultSpec): string | null;
  /** Returns a function that ends it. */
  setWeather(ways: readonly Way[], weather: Weather): () => void;
  tollOf(ways: readonly Way[]): Toll;
  /** Resets connections between these members, or to PostgreSQL, whoever dialled; returns how many were affected. */
  resetAll(ways: readonly Way[]): number;
  halfCloseAll(ways: readonly Way[]): number;
  /** Settings of a node, merged into its own, section by section. */
  settingsOf(name: string): Readonly<Record<string, object>>;
  close(): Promise<void>;
}

export function noToll(): Toll {
  return { heldPieces: 0, swallowedBytes: 0, refused: 0, delayedPieces: 0, lostPieces: 0, resets: 0 };
}

export function sumOf(tolls: readonly Toll[]): Toll {
  const sum = noToll();
  for (const toll of tolls) {
    for (const kind of Object.keys(sum) as (keyof Toll)[]) sum[kind] += toll[kind];
  }
  return sum;
}
