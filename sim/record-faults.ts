/** Faults of the simulated PostgreSQL that lose rows. */
import type { Prng } from '../src/base/prng.ts';
import type { SimDatabase } from './system-of-record.ts';

/** Another server takes over, without the newest changes; or the same one is set back without saying so. */
export type RecordFault = 'databaseFailsOver' | 'databaseSetBack';

/** Usually PostgreSQL is away meanwhile; now and then, clients of the old server do not notice at once. */
export function loseTail(kind: RecordFault, database: SimDatabase, prng: Prng): string {
  const changeCount = prng.pick([0, 1, 3, 20, 1_000]);
  if (kind === 'databaseSetBack') database.restore(changeCount);
  else database.failOver(changeCount, prng.chance(0.5) ? prng.between(1, 800) : 0);
  if (prng.chance(0.6)) database.goDown(prng.between(10, 800));
  return `${changeCount} changes`;
}
