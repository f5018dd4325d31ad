/** The Random port on the engine's own generator, which every process seeds differently. */
import type { Random } from '../../ports/random.ts';

export function systemRandom(): Random {
  return { next: () => Math.random() };
}
