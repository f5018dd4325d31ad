/** Finds which of many keys match a pattern, over as many turns of the event loop as that takes. */
import { RESP_GLOB_STEPS_LOOK } from '../../core/clients/redis-limits.ts';
import type { Client } from './client.ts';
import type { Glob } from './glob.ts';

/** A null `glob` matches all keys. `done` may be called before the function returns. */
export function matchingKeys(
  { door: { turns } }: Client,
  glob: Glob | null,
  keys: readonly string[],
  done: (matching: readonly string[]) => void,
): void {
  if (glob === null) return done(keys);
  const found: string[] = [];
  let next = 0;
  const goOn = (): void => {
    let lookAt = glob.steps + RESP_GLOB_STEPS_LOOK;
    for (; next < keys.length; next += 1) {
      if (glob.steps >= lookAt) {
        lookAt = glob.steps + RESP_GLOB_STEPS_LOOK;
        turns.spend(false);
        if (turns.isOver) return turns.atEnd(goOn);
      }
      // Pattern characters are bytes, so the key is compared byte by byte.
      if (glob.matches(Buffer.from(keys[next]!).toString('latin1'))) found.push(keys[next]!);
    }
    done(found);
  };
  goOn();
}
