/** What a profile fixes of the life that a seed leads. */
import type { SpoolSettings } from '../src/node/spool.ts';
import type { ClientPlan } from './clients.ts';
import type { FaultKind } from './fault-plan.ts';
import type { NetworkWeather } from './network.ts';
import type { SimDatabaseSettings } from './system-of-record.ts';
import type { VersionHabit } from './versions.ts';

export interface RunProfile {
  readonly plan: Partial<ClientPlan>;
  readonly weather: Partial<NetworkWeather>;
  /** Members; left out: as drawn. */
  readonly nodeCount?: number;
  /** The faults that may strike; left out: as drawn. */
  readonly faultKinds?: readonly FaultKind[];
  /** Mean time between two faults; left out: as drawn. */
  readonly faultMsMean?: number;
  /** Milliseconds between two rounds of scrubbing; left out: there are none. */
  readonly scrubPauseMs?: number;
  /** What happens to writes while PostgreSQL is away; left out: as drawn. */
  readonly record?: SpoolSettings;
  /** PostgreSQL's manners; left out: as drawn. */
  readonly database?: SimDatabaseSettings;
  /** What the programs of a run speak; left out: as drawn. */
  readonly versions?: VersionHabit;
  /** Milliseconds that deletions are kept, and no legacy source for which all are; left out: as drawn. */
  readonly tombstoneKeepMs?: number;
  /** Mean time between two changes of rows of PostgreSQL by hand; left out: there are none. */
  readonly handMsMean?: number;
  /** Mean pause of one who lists keys all the while; left out: there is nobody. */
  readonly listMsMean?: number;
}
