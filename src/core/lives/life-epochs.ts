/**
 * Where the epochs of a life of the cluster begin: above all epochs chosen in earlier lives, whoever knows of them. So
 * for a member from an earlier life epochs only grow, and it has missed some (R17). Each life has room for more epochs
 * than it will ever need.
 */
import { EPOCHS_PASSED_OVER } from '../limits.ts';

export function firstEpochOf(life: number): number {
  return (life - 1) * EPOCHS_PASSED_OVER + 1;
}

/**
 * First epoch of a life that continues one which had reached `epoch`; lives in between may have begun elsewhere. Never
 * the first epoch of a founding, before which nobody can have served anything. (R17)
 */
export function nextLifeEpoch(epoch: number, life: number): number {
  return Math.max(epoch + EPOCHS_PASSED_OVER, firstEpochOf(life) + 1);
}

interface Moment {
  readonly life: number;
  readonly epoch: number;
}

/** Of two lives the later one wins, however far the earlier one has come. */
export function isAfter(next: Moment, previous: Moment): boolean {
  return next.life === previous.life ? next.epoch > previous.epoch : next.life > previous.life;
}

/**
 * True if no epoch was chosen between the two, as far as can be known: epochs chosen by the lost members of an earlier
 * life are unknown.
 */
export function isNext(next: Moment, previous: Moment): boolean {
  const { epoch } = previous;
  return next.epoch === (next.life === previous.life ? epoch + 1 : nextLifeEpoch(epoch, next.life));
}
