/** The phase of life that a node is in, as reported to everybody who asks. */

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
