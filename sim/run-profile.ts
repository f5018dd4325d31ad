/** What a profile fixes about the run of a seed. */
import type { SpoolSettings } from '../src/node/spool/spool.ts';
import type { ClientPlan } from './clients.ts';
import type { FaultKind } from './fault-plan.ts';
import type { NetworkWeather } from './network.ts';
import type { SimDatabaseSettings } from './system-of-record.ts';
import type { VersionHabit } from './versions.ts';

export interface RunProfile {
  readonly plan: Partial<ClientPlan>;
  readonly weather: Partial<NetworkWeather>;
  /** Number of members; default: as drawn. */
  readonly nodeCount?: number;
  /** How many owners each slot has; default: three. */
  readonly replicaCount?: number;
  /** The kinds of faults that may occur; default: as drawn. */
  readonly faultKinds?: readonly FaultKind[];
  /** Mean time between two faults; default: as drawn. */
  readonly faultMsMean?: number;
  /** Milliseconds between two rounds of scrubbing; default: no scrubbing. */
  readonly scrubPauseMs?: number;
  /** What happens to writes while PostgreSQL is away; default: as drawn. */
  readonly record?: SpoolSettings;
  /** How PostgreSQL behaves; default: as drawn. */
  readonly database?: SimDatabaseSettings;
  /** Which protocol versions the programs of a run speak; default: as drawn. */
  readonly versions?: VersionHabit;
  /** How many milliseconds deletions are kept, and no legacy source, with which all are kept; default: as drawn. */
  readonly tombstoneKeepMs?: number;
  /** Mean time between two changes of rows by hand; default: none. */
  readonly handMsMean?: number;
  /** Mean pause of a client that lists keys all the time; default: no such client. */
  readonly listMsMean?: number;
}
