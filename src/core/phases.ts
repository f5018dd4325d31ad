/** Where a node stands in its life, as it is told to everybody who asks. */

export const PHASES = [
  'starting',
  'founding',
  'entering',
  'learning',
  'serving',
  'stopping',
  'left',
] as const;
export type Phase = (typeof PHASES)[number];
