/** Faults of the simulated legacy source. */
import type { Prng } from '../src/base/prng.ts';
import type { SimLegacyRules } from './legacy.ts';
import type { SimWorld } from './world.ts';

export type LegacyFault =
  | 'legacyDown'
  | 'legacySlow'
  | 'legacyErrors'
  /** Values appear, change and vanish. */
  | 'legacyChanges'
  /** It returns the value of another key. */
  | 'legacyLies';

/** `later` runs a function when the trouble is over. Returns what was done; null if there is no legacy source. */
export function troubleLegacy(
  kind: LegacyFault,
  { legacy, plan }: SimWorld,
  prng: Prng,
  later: (heal: () => void) => void,
): string | null {
  if (legacy === null) return null;
  if (kind === 'legacyChanges') return legacy.change(prng.pick(plan.keys), prng);
  const trouble: Partial<SimLegacyRules> = {};
  if (kind === 'legacyDown') trouble.outage = prng.chance(0.5) ? 'refusing' : 'hanging';
  else if (kind === 'legacySlow') Object.assign(trouble, { slowShare: 0.7, slowMs: prng.between(50, 1_500) });
  else if (kind === 'legacyErrors') trouble.errorShare = prng.between(0.2, 1);
  else trouble.lieShare = prng.between(0.2, 1);
  Object.assign(legacy.rules, trouble);
  later(() => legacy.heal());
  return JSON.stringify(trouble);
}
