/**
 * Which scenarios the tests run, and which kinds of faults none of them has: whoever adds a kind is asked for a reason.
 */

/** In `npm test`. */
export const SCENARIOS_QUICK = ['smoke'] as const;
/** In `npm run test:long`, as they are. */
export const SCENARIOS_LONG = [
  'mixed',
  'together',
  'kills',
  'disks',
  'rolling-restart',
  'overload',
  'lost-tail',
] as const;
/** Also there, each under its own requirements. */
export const SCENARIOS_LONG_OTHER = ['filling-disks', 'partitions', 'scale'] as const;

export const KINDS_NOT_RUN: Readonly<Record<string, string>> = {};
