/**
 * Where the epochs of a life of the cluster begin: above all that were chosen in the lives before it, whoever knows of those. So
 * for whoever comes from an earlier one epochs only grow, and he has missed some (R17). Each life has room for so many that it
 * never needs them all.
 */
import { EPOCHS_PASSED_OVER } from './limits.ts';

export function firstEpochOf(life: number): number {
  return (life - 1) * EPOCHS_PASSED_OVER + 1;
}

/**
 * Of a life that goes on from one that had come this far: lives in between may have begun elsewhere. Never the first epoch of a
 * founding, before which nobody can have served anything. (R17)
 */
export function nextLifeEpoch(epoch: number, life: number): number {
  return Math.max(epoch + EPOCHS_PASSED_OVER, firstEpochOf(life) + 1);
}

interface Moment {
  readonly life: number;
  readonly epoch: number;
}

/** Of two lives the later one counts, however far the earlier one has come. */
export function isAfter(next: Moment, previous: Moment): boolean {
  return next.life === previous.life ? next.epoch > previous.epoch : next.life > previous.life;
}

/** Was no epoch chosen between the two, as far as can be known? What the lost members of an earlier life chose cannot. */
export function isNext(next: Moment, previous: Moment): boolean {
  const { epoch } = previous;
  return next.epoch === (next.life === previous.life ? epoch + 1 : nextLifeEpoch(epoch, next.life));
}
